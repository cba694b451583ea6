"""The command that advises on customs modes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import (
    PATH,
    as_of_option,
    config_option,
    inputs_argument,
    json_option,
    lang_option,
    options_of,
    rates_option,
    sheet_option,
)

if TYPE_CHECKING:
    from aggregator.model.remote import AnyPath


@click.command()
@inputs_argument
@config_option
@sheet_option
@rates_option
@as_of_option
@click.option("--format", "form", type=click.Choice(["text", "csv", "parquet", "xlsx"]), default="text", show_default=True,
              help="csv, parquet, xlsx: every unit and mode as a table; the last two with --out.")
@click.option("--out", type=PATH, metavar="FILE", help="Where the table goes, instead of stdout.")
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
        from aggregator.reports.modes import advice_as_csv, advice_as_json, advice_lines, write_advice

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
            write_advice(advice, out, form)
        elif form == "csv":
            reporter.print(*advice_as_csv(advice))
        else:
            reporter.print(*advice_lines(advice, reporter.lang))
        return 0

    sys.exit(guarded(job, lang))
