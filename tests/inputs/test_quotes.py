"""Stray quotes and line ends in a sound export: a line is declared as it stands, or reported; none vanishes.

`QUOTE_TRIALS` says how many polluted exports are read."""

from __future__ import annotations

import csv
import io
import os
import random
from dataclasses import dataclass

from aggregator.model.period import Period
from aggregator.samples.sample import Sample, columns_of, sample_chunks

TRIALS = int(os.environ.get("QUOTE_TRIALS", "150"))
Table = list[list[str]]


def sound_export() -> Table:
    """Six inventories or so of two or three lines; names with line ends, delimiters and quotes among them."""
    sample = Sample(lines=14, seed=5, period=Period(2026, 10))
    table = next(sample_chunks(sample)).lines.select(list(columns_of(sample)))
    rows = [list(line.values()) for line in table.to_pylist()]
    head = list(table.column_names)
    for place, text in ((3, "第一行\n第二行"), (6, '棉,"无牌";涤纶'), (9, "")):
        rows[place][head.index("goods_spec")] = text
    return [head, *rows]


@dataclass(frozen=True)
class Dialect:
    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL

    def written(self, table: Table) -> str:
        sink = io.StringIO(newline="")
        csv.writer(sink, delimiter=self.delimiter, lineterminator=self.line_end, quoting=self.quoting).writerows(table)  # type: ignore[arg-type]
        return sink.getvalue()


def any_dialect(chance: random.Random) -> Dialect:
    return Dialect(
        chance.choice(",;\t"), chance.choice(["utf-8", "gb18030"]), chance.choice(["\n", "\r\n", "\r"]),
        chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )  # fmt: skip


def ordered(table: Table, chance: random.Random) -> Table:
    """The inventory number first, somewhere or last; a name or a number last."""
    order = list(range(len(table[0])))
    if chance.random() < 0.6:
        chance.shuffle(order)
    return [[cells[place] for place in order] for cells in table]


Rows = list[list[str]]


def polluted(table: Table, dialect: Dialect, chance: random.Random) -> tuple[str, Rows]:
    """The export with one to three strays, and the values that cells may have by them beside their own: of quoted cells what
    stands in them. Strays: a character put in anywhere, a ditto mark for a cell, a line end of another kind."""
    lines = [dialect.written([cells]) for cells in table]
    more: Rows = []
    for _ in range(chance.choice([1, 1, 2, 2, 3])):
        at = chance.randrange(len(lines))
        kind = chance.choice(["character", "border", "ditto", "end", "double"])
        stray = chance.choice(['"', '"', "\r", "\n"])
        line = lines[at]
        borders = [place for place, letter in enumerate(line) if letter in dialect.delimiter + '"\r\n'] or [0]
        if kind == "character":
            place = chance.randrange(len(line))
            line = line[:place] + stray + line[place:]
        elif kind == "border":
            place = chance.choice(borders) + chance.randrange(2)
            line = line[:place] + stray + line[place:]
        elif kind == "ditto":
            cells = list(table[at])
            place = chance.randrange(len(cells))
            before = dialect.written([cells[:place]]).rstrip("\r\n") + dialect.delimiter if place else ""
            after = dialect.delimiter + dialect.written([cells[place + 1 :]]) if place + 1 < len(cells) else dialect.line_end
            line = before + '"' + after
        elif kind == "end":
            line = line.rstrip("\r\n") + chance.choice(["\n", "\r\n", "\r", "\r\r\n", "\n\r", ""])
        else:
            place = chance.choice(borders) + chance.randrange(2)
            line = line[:place] + stray * 2 + line[place:]
        lines[at] = line
    return "".join(lines), more


def as_it_stands(text: str, dialect: Dialect) -> Rows:
    """The rows as Python's reader cuts them: what a quoted cell may hold by a stray."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, strict=True))
    except csv.Error:
        return []
