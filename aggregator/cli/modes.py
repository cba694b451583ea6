"""The command that advises on customs modes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from aggregator.cli.ending import Reporter, guarded, now
from aggregator.cli.options import (
    as_of_option,
    config_option,
    inputs_argument,
    json_option,
    lang_option,
    options_of,
    rates_option,
    sheet_option,
)


@click.command()
@inputs_argument
@config_option
@sheet_option
@rates_option
@as_of_option
@click.option("--format", "form", type=click.Choice(["text", "csv"]), default="text", show_default=True, help="csv: every unit and mode as a table.")
@json_option
@lang_option
def modes(inputs: tuple[Path, ...], config: Path | None, form: str, as_json: bool, lang: Any, **given: Any) -> None:
    """Which customs modes each inventory, order or trade slip is fit for, and why: 9610-B, 9610-A, 9710, 9810, 1039, 0110.

    Facts that are not known are named, not assumed. [company] and [market] of the config tell of the firm. Advice with sources, not law.

    \b
    Example:
      aggregator modes orders.xlsx --rates rates.csv
      aggregator modes exports --format csv
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.modes import modes as advise
        from aggregator.reports.modes import advice_as_csv, advice_as_json, advice_lines

        options, _ = options_of(config, {**given, "inputs": inputs, "lang": lang})
        reporter.adopt(options)
        advice = advise(options.for_modes(), now().date())
        for note in advice.notes:
            reporter.note(note)
        if as_json:
            reporter.print_json(advice_as_json(advice, reporter.lang))
        elif form == "csv":
            reporter.print(*advice_as_csv(advice))
        else:
            reporter.print(*advice_lines(advice, reporter.lang))
        return 0

    sys.exit(guarded(job, lang))
