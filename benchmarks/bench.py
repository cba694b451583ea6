"""`make bench`: the goals of speed, in one run on this machine; written to RESULTS.md. `--check`: against what is written there.

Times are ratios, for machines differ: what is compared runs in turn, and of each round's ratio the median counts. Sizes by the
environment: BENCH_LINES (1,000,000), BENCH_ROUNDS (3), BENCH_ONLY (names of parts, by commas: other rows stay as they are).
"""

from __future__ import annotations

import os
import random
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import xlsxwriter

from benchmarks import measure
from benchmarks.measure import aggregator, cpu_and_wall, peak_memory, run_of, sample, timed
from benchmarks.peers.same import assert_same

ROOM = Path("bench-data")
RESULTS = Path(__file__).with_name("RESULTS.md")
LINES = int(os.environ.get("BENCH_LINES", "1_000_000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3" if LINES <= 1_000_000 else "1"))
ONLY = set(filter(None, os.environ.get("BENCH_ONLY", "").split(",")))
PEERS = {"DuckDB SQL": "duckdb_sql", "Polars": "polars_frames", "pandas with Decimal objects": "pandas_decimals"}
WORSE = 1.25
"""Of a ratio to the one written down: more is a failure of `--check`."""
PANDAS_AT_MOST = 1_000_000
BIG = LINES > 3_000_000


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    goal: float
    then: float | None = None
    unit: str = ""
    detail: str = ""

    def row(self) -> str:
        then = "" if self.then is None else f"{self.then:g}{self.unit}"
        met = "met" if self.value <= (self.then or self.goal) else "first" if self.value <= self.goal else "no"
        return f"| {self.name} | {self.value:.2f}{self.unit} | ≤ {self.goal:g}{self.unit} | {then and '≤ ' + then} | {met} | {self.detail} |"


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"

    def figures(self) -> Iterator[Figure]:
        parts = (self.peers, self.memory, self.faulty, self.shuffled, self.files, self.small, self.workbook, self.xlsx)
        for part in parts:
            if not ONLY or part.__name__ in ONLY:
                yield from part()

    @cached_property
    def export(self) -> Path:
        return sample(self.folder / "main", LINES, 0.01)

    def in_turn(self, *commands: list[str]) -> list[list[float]]:
        """Seconds of each command, a round after the other."""
        rounds = [[timed(command, self.out) for command in commands] for _ in range(ROUNDS)]
        return [list(times) for times in zip(*rounds, strict=True)]

    def ratio(self, one: list[float], other: list[float]) -> tuple[float, str]:
        seconds = f"{statistics.median(one):.1f} s to {statistics.median(other):.1f} s"
        return statistics.median(a / b for a, b in zip(one, other, strict=True)), seconds

    # ------------------------------------------------------------------------------------------------------------- parts

    def must_be_the_same(self) -> None:
        """On a sample of which every inventory in twenty is broken, each rule in its turn."""
        path, ours = sample(self.folder / "same", 20_000, 0.05), self.folder / "same-out"
        timed(run_of([path], ours))
        for module in PEERS.values():
            timed(self.peer(module, path), self.out)
            assert_same(ours / "2026-10/202610-01", self.out, ours / "ledger.sqlite")

    def peer(self, module: str, path: Path) -> list[str]:
        return [sys.executable, "-m", f"benchmarks.peers.{module}", str(path), str(self.out)]

    def peers(self) -> Iterator[Figure]:
        self.must_be_the_same()
        peers = {name: module for name, module in PEERS.items() if LINES <= PANDAS_AT_MOST or module != "pandas_decimals"}
        parse = [sys.executable, "-c", measure.BARE_PARSE, str(self.export)]
        parses, runs, *others = self.in_turn(parse, run_of([self.export], self.out), *(self.peer(module, self.export) for module in peers.values()))
        value, detail = self.ratio(runs, parses)
        yield Figure(f"run, {LINES:,} lines, to the bare pyarrow parse", value, *((4.0, 2.5) if BIG else (4.5, 3.0)), detail=detail)
        goals = {"DuckDB SQL": (0.8, 0.6), "Polars": (0.9, 0.7), "pandas with Decimal objects": (0.15, None)}
        for name, times in zip(peers, others, strict=True):
            value, detail = self.ratio(runs, times)
            yield Figure(f"run, {LINES:,} lines, to {name}", value, *goals[name], detail=detail)
        if BIG:
            small = sample(self.folder / "million", 1_000_000, 0.01)
            [million] = self.in_turn(run_of([small], self.out))
            value = statistics.median(runs) / LINES / (statistics.median(million) / 1e6)
            yield Figure(f"time per line, {LINES:,} to 1,000,000", value, 1.0)

    def memory(self) -> Iterator[Figure]:
        timed(["true"], self.out)
        yield Figure(f"peak memory of all processes, {LINES:,} lines", peak_memory(run_of([self.export], self.out)), 1.2 if BIG else 0.8, unit=" GB")

    def faulty(self) -> Iterator[Figure]:
        lines = min(LINES, 1_000_000)
        clean, faulty = sample(self.folder / "clean", lines, 0.0), sample(self.folder / "faulty", lines, 0.5)
        value, detail = self.ratio(*self.in_turn(run_of([faulty], self.out), run_of([clean], self.out)))
        yield Figure("50 % of inventories faulty, to clean", value * lines / _lines_of(faulty), 1.6, detail=f"{detail}, per line")

    def shuffled(self) -> Iterator[Figure]:
        lines = min(LINES, 1_000_000)
        ordered = sample(self.folder / "ordered", lines, 0.01)
        value, detail = self.ratio(*self.in_turn(run_of([_shuffled(ordered)], self.out), run_of([ordered], self.out)))
        yield Figure("shuffled rows, to ordered", value, 1.4, detail=detail)

    def files(self) -> Iterator[Figure]:
        one = sample(self.folder / "one", 100_000, 0.0)
        many = _cut(one, 100)
        several, single = self.in_turn(run_of([many], self.out), run_of([one], self.out))
        count = len(list(many.iterdir()))
        value = statistics.median((a - 0.002 * count) / b for a, b in zip(several, single, strict=True))
        detail = f"{statistics.median(several):.1f} s, {statistics.median(single):.1f} s"
        yield Figure(f"{count:,} files of 100 lines less 2 ms a file, to one file", value, 1.5, detail=detail)

    def small(self) -> Iterator[Figure]:
        path = sample(self.folder / "ten", 10, 0.0)
        number = path.read_text(encoding="utf-8").splitlines()[1].split(",")[0]
        kept = self.folder / "kept"
        timed(run_of([path], kept))
        commands = {
            "run of 10 lines": run_of([path], self.out), "status": aggregator("status", "--period", "2026-10", "--out", kept),
            "trace": aggregator("trace", number, "--out", kept), "--help": aggregator("--help"),
        }  # fmt: skip
        for name, command in commands.items():
            goals = (0.10, None) if name == "--help" else (0.8, 0.5)
            times = [cpu_and_wall(command, self.out) for _ in range(max(ROUNDS, 5))]
            cpu, wall = (statistics.median(each) for each in zip(*times, strict=True))
            yield Figure(name, wall, *goals, unit=" s", detail=f"{cpu:.2f} s of CPU")

    def workbook(self) -> Iterator[Figure]:
        path = sample(self.folder / "sheet", 200_000, 0.0)
        value, detail = self.ratio(*self.in_turn(run_of([_as_workbook(path)], self.out), run_of([path], self.out)))
        yield Figure("workbook of 200,000 lines, to the same as CSV", value, 2.5, detail=detail)

    def xlsx(self) -> Iterator[Figure]:
        path = sample(self.folder / "xlsx", 300_000, 0.01)
        formats = ("--format", "csv", "--format", "xlsx")
        value, detail = self.ratio(*self.in_turn(run_of([path], self.out, *formats), run_of([path], self.out)))
        yield Figure("--format xlsx of 300,000 lines, to without", value, 2.0, detail=detail)


def _lines_of(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file) - 1


def _shuffled(path: Path) -> Path:
    head, *body = path.read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(body)
    target = path.with_name("shuffled.csv")
    target.write_bytes(head + b"".join(body))
    return target


def _cut(path: Path, lines: int) -> Path:
    """The file as many, each under the headings; an inventory may lie across two."""
    head, *body = path.read_bytes().splitlines(keepends=True)
    folder = path.parent / "files"
    folder.mkdir(exist_ok=True)
    for start in range(0, len(body), lines):
        (folder / f"part-{start // lines:05d}.csv").write_bytes(head + b"".join(body[start : start + lines]))
    return folder


def _as_workbook(path: Path) -> Path:
    """Text cells, as those who know spreadsheets export them."""
    target = path.with_suffix(".xlsx")
    with xlsxwriter.Workbook(target, {"constant_memory": False}) as book, path.open(encoding="utf-8") as file:
        sheet = book.add_worksheet()
        for row, line in enumerate(file):
            for place, cell in enumerate(line.rstrip("\n").split(",")):
                if cell:
                    sheet.write_string(row, place, cell)
    return target


def report(figures: list[Figure], kept: dict[str, str], made_at: str) -> str:
    """`kept`: rows by name; those of what was measured now are replaced, and stand with the commit they were measured at."""
    rows = kept | {figure.name: f"{figure.row()} {made_at}, of {ROUNDS} |" for figure in figures}
    head = ["# Speed, measured\n", f"By `make bench` on {measure.machine()}; {measure.versions()}.\n", *_HEAD]
    return "\n".join([*head, *rows.values(), ""])


_HEAD = ("| what | measured | goal | then | met | detail | commit, rounds |", "|---|---|---|---|---|---|---|")


def rows_written() -> dict[str, str]:
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    rows = [line for line in lines if line.startswith("| ") and line not in _HEAD]
    return {line[2:].partition(" | ")[0]: line for line in rows}


def written() -> dict[str, float]:
    """Ratios by name, as committed. Seconds and memory are another machine's business."""
    rows = re.findall(r"^\| (.+?) \| ([0-9.]+) \|", RESULTS.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: float(value) for name, value in rows}


def worse(figures: list[Figure], before: dict[str, float]) -> list[str]:
    return [
        f"{figure.name}: {figure.value:.2f}, was {before[figure.name]:.2f}"
        for figure in figures
        if figure.name in before and figure.value > before[figure.name] * WORSE
    ]


def main() -> int:
    ROOM.mkdir(exist_ok=True)
    figures, made_at, kept = [], measure.commit(), rows_written() if ONLY else {}
    with tempfile.TemporaryDirectory(dir=ROOM) as temporary:
        for figure in Bench(Path(temporary)).figures():
            print(figure.row(), flush=True)
            figures.append(figure)
            if "--check" not in sys.argv:
                RESULTS.write_text(report(figures, kept, made_at), encoding="utf-8")
    if "--check" in sys.argv:
        found = worse(figures, written())
        print("\n".join(found) or "no ratio is over 25 % worse than the one committed")
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
