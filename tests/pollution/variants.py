"""Kind × place × dialect: every variant has a name that makes it again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tests.pollution.kinds  # noqa: F401 - registers the kinds
from tests.pollution.dialects import (
    PACKED,
    TEXT,
    Dialect,
    encoded,
    grid_of,
    message_of,
    parquet_of,
    records_of,
    text_of,
    workbook_of,
)
from tests.pollution.pollution import KINDS, Pollution
from tests.pollution.truth import ROWS

_STEP = 37
"""Between the dialects of two places of a kind: no divisor of their number, so that all come in turn."""


@dataclass(frozen=True)
class Variant:
    kind: str
    pollution: Pollution
    dialect: Dialect
    round: int

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.pollution.place}/{self.dialect.name}/{self.round}"

    def data(self) -> bytes:
        made = self._made()
        return self.pollution.data(made, self.dialect) if self.pollution.data is not None else made

    def _made(self) -> bytes:
        change, dialect = self.pollution, self.dialect
        rows = change.rows(ROWS) if change.rows is not None else ROWS
        if dialect.format == "message":
            return message_of(rows)
        grid = grid_of(rows, dialect)
        if change.grid is not None:
            grid = change.grid(grid, dialect)
        if dialect.format == "workbook":
            return change.book(grid) if change.book is not None else workbook_of(grid)
        if dialect.format == "parquet":
            return parquet_of(grid)
        records = records_of(grid, dialect)
        if change.records is not None:
            records = change.records(records, grid.first, dialect)
        return encoded(text_of(records, dialect), dialect.encoding)


def variants(kind: str, round_no: int) -> Iterator[Variant]:
    """Each place in a dialect of text, or in another format, or every other one in both: which, rotates with place and round."""
    turn = zlib.crc32(kind.encode()) + round_no * 101
    for pollution in KINDS[kind](round_no):
        turn += 1
        found = [dialect for dialects, step in ((TEXT, _STEP), (PACKED, 1)) if (dialect := _fitting(pollution, dialects, turn * step)) is not None]
        for dialect in found[: 1 + turn % 2]:
            yield Variant(kind, pollution, dialect, round_no)


def _fitting(pollution: Pollution, dialects: Sequence[Dialect], begin: int) -> Dialect | None:
    turned = (dialects[(begin + place) % len(dialects)] for place in range(len(dialects)))
    return next((each for each in turned if _can(pollution, each)), None)


def _can(pollution: Pollution, dialect: Dialect) -> bool:
    if dialect.format != "text" and pollution.records is not None:
        return False
    if dialect.format == "message" and (pollution.grid is not None or (pollution.rows is None and pollution.data is None)):
        return False
    if dialect.format == "parquet" and pollution.grid is not None:
        return False
    return (dialect.format == "workbook" or pollution.book is None) and pollution.fits(dialect)


def named(name: str) -> Variant:
    kind, round_no = name.split("/")[0], name.rsplit("/", 1)[1]
    return next(each for each in variants(kind, int(round_no)) if each.name == name)
