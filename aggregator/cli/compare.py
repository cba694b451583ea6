"""The commands that look at runs once they are published: diff, months, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from aggregator.cli.ending import Reporter, guarded
from aggregator.cli.options import PATH, json_option, lang_option
from aggregator.cli.values import COUNT


@click.command()
@click.argument("before", type=PATH, metavar="RUN")
@click.argument("after", type=PATH, metavar="RUN")
@click.option("--max", "most", type=COUNT, default=5, show_default=True, help="How many examples of each kind to show.")
@json_option
@lang_option
def diff(before: Path, after: Path, most: int, as_json: bool, lang: Any) -> None:
    """What changed between two runs: inventories, their fates, declaration items, sums. Exit 3 if they differ.

    RUN is a run folder, also of a voided run. Items are compared by what they are merged by, not by their numbers.

    \b
    Example:
      aggregator diff results/2026-10/202610-01 results/2026-10/202610-02
      aggregator diff old/2026-10/202610-01 new/2026-10/202610-01 --json
    """

    def job(reporter: Reporter) -> int:
        from aggregator.jobs.diff import diff as compare
        from aggregator.model.errors import Exit
        from aggregator.reports.diff import diff_as_json, diff_lines

        found = compare(before, after, most)
        if as_json:
            reporter.print_json(diff_as_json(found))
        else:
            reporter.print(*diff_lines(found, reporter.lang))
        return int(Exit.DONE if found.same else Exit.WAITING)

    sys.exit(guarded(job, lang))
