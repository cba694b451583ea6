"""The command that advises on customs modes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.commands import command, option
from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import (
    PATH,
    as_of_option,
    config_option,
    headings_option,
    inputs_argument,
    json_option,
    lang_option,
    options_of,
    rates_option,
    sheet_option,
)
from aggregator.schemas.text import Text

if TYPE_CHECKING:
    from aggregator.model.remote import AnyPath


@command(
    zh="每份清单、订单或交易单适用哪些海关监管方式及原因：9610-B、9610-A、9710、9810、1039、0110。\n\n"
    "未知的事实会列明，不作假设。配置中的 [company] 和 [market] 说明企业情况。所列建议附依据，不构成法律意见。"
)  # fmt: skip
@inputs_argument
@config_option
@sheet_option
@rates_option
@as_of_option
@option("--format", "form", type=click.Choice(["text", "csv", "parquet", "xlsx"]), default="text", show_default=True,
              help=Text("csv, parquet, xlsx: every unit and mode as a table; the last two with --out.", "csv、parquet、xlsx：以表格列出每个单位与监管方式；后两种须配合 --out。"))
@option("--out", type=PATH, metavar="FILE", help=Text("Where the table goes, instead of stdout.", "表格写到哪里，而不是标准输出。"))
@headings_option
@json_option
@lang_option
def modes(inputs: tuple[AnyPath, ...], config: Path | None, form: str, out: Path | None, as_json: bool, lang: Any, **given: Any) -> None:
    """Which customs modes each inventory, order or trade slip is fit for, and why: 9610-B, 9610-A, 9710, 9810, 1039, 0110.

    Facts that are not known are named, not assumed. [company] and [market] of the config tell of the firm. Advice with sources, not law.

    \b
    Example:
      aggregator modes orders.xlsx --rates rates.csv
      aggregator modes exports --format csv
      aggregator modes exports --format xlsx --out modes.xlsx
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.modes import modes as advise
        from aggregator.model.errors import WrongUsage
        from aggregator.model.names import told
        from aggregator.reports.modes import advice_as_csv, advice_as_json, advice_lines, write_advice
        from aggregator.schemas.column_names import headings_in

        if (form in ("parquet", "xlsx")) > (out is not None) or (out is not None and form == "text"):
            raise WrongUsage("A file needs both: --out FILE, and --format csv, parquet or xlsx.", "写入文件须同时给出 --out 文件 和 --format csv、parquet 或 xlsx。")
        options, _ = options_of(config, {**given, "inputs": inputs, "lang": lang})
        reporter.adopt(options)
        advice = advise(options.for_modes(), now().date())
        for note in advice.notes:
            reporter.note(note)
        if as_json:
            reporter.print_json(advice_as_json(advice, reporter.lang))
        elif out is not None:
            write_advice(advice, out, form, headings_in(options.headings, reporter.lang if form == "xlsx" else "en"))
            reporter.print(told(out))
        elif form == "csv":
            reporter.print(*advice_as_csv(advice, headings_in(options.headings, "en")))
        else:
            reporter.print(*advice_lines(advice, reporter.lang))
        return 0

    sys.exit(guarded(job, lang))
