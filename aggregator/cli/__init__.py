"""The command line: options to settings, results to exit codes. No logic; heavy imports inside the commands."""

from __future__ import annotations

import click

from aggregator.cli.answers import receive, trace
from aggregator.cli.commands import Option, Root, group
from aggregator.cli.compare import diff, months, report
from aggregator.cli.ending import ended, leave
from aggregator.cli.ledger import ledger
from aggregator.cli.modes import modes
from aggregator.cli.rates import rates
from aggregator.cli.runs import check, columns, rules, run, sample
from aggregator.cli.serve import serve
from aggregator.cli.setup import completions, init, template
from aggregator.cli.watch import config, doctor, status
from aggregator.model.version import VERSION
from aggregator.schemas.text import Text


@group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]}, zh="将跨境电商出口清单归并为汇总申报的报关单（9610 清单核放、汇总申报，及 9710、1039）。")
@click.version_option(VERSION, prog_name="aggregator", cls=Option, help=Text("Show the version and exit.", "显示版本号并退出。"))
def cli() -> None:
    """Merge 9610 export inventories into summary declarations (清单核放、汇总申报).

    \b
    Example:
      aggregator sample --lines 1000 --out demo
      aggregator run demo/inventories.csv --period 2026-10 --out results
      aggregator status --out results
    """


for _command in (run, check, columns, status, months, receive, trace, diff, report, ledger, doctor, config, modes, rates, rules, sample, init, template, completions, serve):
    cli.add_command(_command)


def main() -> None:
    try:
        code: int | str | None = ended(lambda: cli.main(prog_name="aggregator", standalone_mode=False))
    except SystemExit as end:
        code = end.code
    leave(code)
