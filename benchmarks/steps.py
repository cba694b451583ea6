"""`make bench`: CPU of a run by step, in one process, against the budget of docs/ARCHITECTURE.md.

Steps are timed from outside: the line looks them up by name, and each is replaced by one that adds up what it used.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from benchmarks.measure import sample

ROOM = Path("bench-data")
BUDGET = {
    "imports": 0.7, "scan": 0.8, "ingest": 3.5, "resolve": 1.5, "ties": 0.4, "settle": 0.6, "merge": 0.4, "emit": 1.5, "ledger": 1.0, "writing": 1.0,
}  # fmt: skip
"""Seconds of CPU for a million lines of 44 columns. The aim, not a measurement."""
STEPS = {
    "ingest": "ingest", "scattered": "resolve", "resolve_chunk": "resolve", "resolve_partition": "resolve", "tie": "ties",
    "settle_chunk": "settle", "settle_partition": "settle", "_place": "merge", "_placeless": "merge", "share_numbers": "merge", "_result": "merge",
    "emit_chunk": "emit", "emit_partition": "emit", "write_pieces": "writing",
}  # fmt: skip
"""By the names under which the line (pipeline/line.py) calls what it does."""


class Clock:
    """CPU by step, less what steps within it used."""

    def __init__(self) -> None:
        self.used: defaultdict[str, float] = defaultdict(float)
        self._within: list[float] = []

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            start = time.process_time()
            self._within.append(0.0)
            try:
                return function(*arguments, **named)
            finally:
                taken = time.process_time() - start
                self.used[step] += taken - self._within.pop()
                if self._within:
                    self._within[-1] += taken

        return call


def measured(export: Path, out: Path) -> dict[str, float]:
    """Run the export in this process. Out: CPU seconds by step."""
    start, clock = time.process_time(), Clock()
    from aggregator.cli import cli
    from aggregator.inputs.formats import scan
    from aggregator.jobs import declare
    from aggregator.pipeline import line

    clock.used["imports"] = time.process_time() - start
    for name, step in STEPS.items():
        setattr(line, name, clock.timed(step, getattr(line, name)))
    scan.open_csv = clock.timed("scan", scan.open_csv)
    declare._stage = clock.timed("writing", declare._stage)
    calculate = declare.calculate
    declare.calculate = lambda *given, while_emitting, **named: calculate(*given, while_emitting=clock.timed("ledger", while_emitting), **named)
    shutil.rmtree(out, ignore_errors=True)
    with suppress(SystemExit), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        cli(["run", str(export), "--period", "2026-10", "--first-period", "2026-09", "--out", str(out), "--workers", "1"])
    return dict(clock.used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    lines = parser.parse_args().lines
    ROOM.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOM) as folder:
        used = measured(sample(Path(folder) / "sample", lines, 0.01), Path(folder) / "out")
    print("| step | CPU, s for a million lines | budget |\n|---|---|---|")
    for step, budget in BUDGET.items():
        print(f"| {step} | {used.get(step, 0.0) / (lines / 1_000_000 if step != 'imports' else 1):.2f} | {budget:g} |")
    print(f"| all | {sum(used.values()) / (lines / 1_000_000):.2f} | {sum(BUDGET.values()):g} |")


if __name__ == "__main__":
    main()
