"""The command line: options to settings, results to exit codes. No logic; heavy imports inside the commands."""

from __future__ import annotations

import sys

import click

from aggregator.cli.answers import receive, trace
from aggregator.cli.compare import diff, months, report
from aggregator.cli.ending import ended
from aggregator.cli.ledger import ledger
from aggregator.cli.modes import modes
from aggregator.cli.rates import rates
from aggregator.cli.runs import check, columns, rules, run, sample
from aggregator.cli.setup import completions, init, template
from aggregator.cli.watch import config, doctor, status
from aggregator.model.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="aggregator")
def cli() -> None:
    """Merge 9610 export inventories into summary declarations (清单核放、汇总申报).

    \b
    Example:
      aggregator sample --lines 1000 --out demo
      aggregator run demo/inventories.csv --period 2026-10 --out results
      aggregator status --out results
    """


for _command in (run, check, columns, status, months, receive, trace, diff, report, ledger, doctor, config, modes, rates, rules, sample, init, template, completions):
    cli.add_command(_command)


def main() -> None:
    sys.exit(ended(lambda: cli.main(prog_name="aggregator", standalone_mode=False)))
