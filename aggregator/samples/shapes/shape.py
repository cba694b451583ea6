"""What a shape is, and the few sound lines that all of them hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aggregator.model.period import Period
from aggregator.samples.sample import Sample, columns_of, sample_chunks
from aggregator.samples.shapes.formats import as_csv, table_of

Rows = list[dict[str, str]]


def lines() -> Rows:
    """Sound lines of several inventories, all cleared in the period."""
    sample = Sample(lines=8, seed=16, period=Period(2026, 10))
    table = next(sample_chunks(sample)).lines.select(list(columns_of(sample)))
    found: Rows = table.to_pylist()
    return found


class Answer(StrEnum):
    """EXACT: every line is declared as it is. FINDING: what cannot be read for certain is reported, the rest is declared as it
    is. STOP: exit 65, nothing is declared."""

    EXACT = "exact"
    FINDING = "finding"
    STOP = "stop"


@dataclass(frozen=True)
class Shape:
    """`suffix` of its file; `make`: the file's bytes; `code`: of the finding or stop; of what is exact a warning, or blank.
    `repair`: the kind that is counted in the manifest, or blank. `truth`: the lines it holds. `says_cleared`: whether
    it has status and time of clearance (messages have none: they need receipts or --assume-cleared)."""

    name: str
    suffix: str
    make: Callable[[], bytes]
    answer: Answer = Answer.EXACT
    code: str = ""
    repair: str = ""
    truth: Callable[[], Rows] = lines
    says_cleared: bool = True

    @property
    def file(self) -> str:
        return f"{self.name}.{self.suffix}"


def changed(place: int, **cells: str) -> Rows:
    """The lines with other cells in one of them."""
    return [{**line, **cells} if at == place else line for at, line in enumerate(lines())]


def plain() -> bytes:
    return as_csv(table_of(lines()))


def exact(name: str, suffix: str, make: Callable[[], bytes], *, warns: str = "", repair: str = "", truth: Callable[[], Rows] = lines) -> Shape:
    return Shape(name, suffix, make, Answer.EXACT, warns, repair, truth)


def finding(code: str, name: str, suffix: str, make: Callable[[], bytes]) -> Shape:
    return Shape(name, suffix, make, Answer.FINDING, code)


def stop(code: str, name: str, suffix: str, make: Callable[[], bytes]) -> Shape:
    return Shape(name, suffix, make, Answer.STOP, code)
