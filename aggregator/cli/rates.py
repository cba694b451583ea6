"""The commands about the table of exchange rates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import PATH, config_option, json_option, lang_option, options_of, rates_option
from aggregator.cli.values import Month, Words


@click.group()
def rates() -> None:
    """The table of exchange rates (--rates FILE, or [[rates]] in the config): CNY for one unit of a currency, by day.

    \b
    Example:
      aggregator rates check --rates rates.csv --period 2026-10
    """


@rates.command()
@click.argument("file", required=False, type=PATH)
@rates_option
@config_option
@click.option("--period", type=Month(), metavar="YYYY-MM", help="The month to have rates for. [default: last month]")
@click.option("--currency", "currencies", multiple=True, type=Words(), metavar="CODE", help="A currency that must have rates, besides those of the table. Repeatable.")
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
