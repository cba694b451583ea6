"""The commands about the table of exchange rates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aggregator.cli.commands import argument, group, option
from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import PATH, config_option, json_option, lang_option, options_of, rates_option
from aggregator.cli.values import Month, Words
from aggregator.schemas.text import Text


@group(zh="汇率表（--rates 文件，或配置中的 [[rates]]）：按日列出每1单位外币折人民币。")
def rates() -> None:
    """The table of exchange rates (--rates FILE, or [[rates]] in the config): CNY for one unit of a currency, by day.

    \b
    Example:
      aggregator rates check --rates rates.csv --period 2026-10
    """


@rates.command(zh="检查缺少汇率的日期、重叠的期间，以及数量级不符的汇率（按100单位计，或为间接标价）。如有则退出码为 3。")
@argument("file", required=False, type=PATH)
@rates_option
@config_option
@option("--period", type=Month(), metavar="YYYY-MM", help=Text("The month to have rates for. [default: last month]", "需要汇率的月份。[默认：上月]"))
@option("--currency", "currencies", multiple=True, type=Words(), metavar="CODE", help=Text("A currency that must have rates, besides those of the table. Repeatable.", "除表中币种外，还必须有汇率的币种。可重复。"))
@json_option
@lang_option
def check(file: Path | None, config: Path | None, currencies: tuple[str, ...], as_json: bool, lang: Any, **given: Any) -> None:
    """Days without a rate, overlaps, and rates of a wrong size (for 100 units, or indirect). Exit 3 if there are any.

    \b
    Example:
      aggregator rates check --rates rates.csv --period 2026-10
      aggregator rates check rates.xlsx --currency JPY
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.rates import check_rates
        from aggregator.model.given import currency_codes
        from aggregator.model.period import Period
        from aggregator.reports.rates import rates_as_json, rates_lines

        options, _ = options_of(config, {**given, "rates": file or given["rates"], "lang": lang})
        reporter.adopt(options)
        period = options.period or Period.before(options.as_of or now().date())
        checked = check_rates(options.rate_table(), period, currency_codes(currencies))
        if as_json:
            reporter.print_json(rates_as_json(checked, reporter.lang))
        else:
            reporter.print(*rates_lines(checked, reporter.lang))
        return int(checked.exit_code)

    sys.exit(guarded(job, lang))
