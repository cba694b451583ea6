"""An input as the line sees it, whatever format it came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from aggregator.inputs.formats.records import Dialect
from aggregator.inputs.tables.headings import Matched
from aggregator.model.errors import UnusableInput
from aggregator.schemas.field import Dictionary
from aggregator.schemas.file_rules import file_rule

FILE_LINES, ITEM_LINES = "file", "item_lines"
"""Kinds of physical lines: all that a file has, and those of its item lines."""


@dataclass(frozen=True)
class Source:
    """A file to read. `name`: as the user sees it; `origin`: the argument (file, folder, archive) it came with;
    `packed_in`: the archive whose member it is; `stood`: how the file stood on the disk when it was first looked at; `taken`:
    its hash, once it is held (unchanged.py)."""

    path: Path
    name: str
    origin: str
    named: bool = True
    packed_in: str = ""
    stood: tuple[int, ...] = ()
    taken: Taken | None = None


@dataclass(frozen=True)
class Taken:
    """A file that was read: what the manifest says of it."""

    name: str
    sha256: str
    size: int
    packed_in: str = ""


@dataclass(frozen=True)
class Seal:
    """The checksum of a file from `begin` to the end of a block; of the last block, the size of the file."""

    begin: int
    checksum: int
    size: int | None


@dataclass(frozen=True)
class Block:
    """A stretch of whole records: byte offsets, and the row number (as a spreadsheet shows it) of its first record.

    `over_lines`: some quoted cell goes on over line ends. `sparse`: lines are so short that most of some stretch must say nothing. Of a spool: one batch, from its number to the next, without a seal."""

    start: int
    end: int
    first_row: int
    seal: Seal | None = None
    over_lines: bool = False
    sparse: bool = False


class FileFinding(NamedTuple):
    """A finding about a file: its code, what it is about, the row if it has one, and the file if the export is a set."""

    code: str
    value: str
    row: int | None = None
    file: str = ""


class Unnamed(NamedTuple):
    """A column without heading in which something stands: its position, the row of the first value, and the value.

    `could_be`: columns that decide what is declared and that some value is of the kind of. None for the values of a counter
    that goes on with the rows, as programs put beside a table."""

    place: int
    row: int
    value: str
    could_be: frozenset[str]


@dataclass(frozen=True)
class Export:
    """What opening an input found out.

    `dictionary`: what its columns are fields of. `text_formulas`: its quotes are broken, and cells like ="0123" stand in it without any. `path`: where its cells lie: the CSV file itself, or a spool (`dialect` is None). `head_values`: header columns whose one
    value stands above the headings. `reported`: findings about the file. `repairs`: how often something
    harmless was corrected, by kind. `members`: names of the messages that a set of them holds; empty for one file. `physical`:
    lines of the file (rows of a sheet), and those of them that stand above its item lines, by kind; empty where there are none.
    """

    name: str
    path: Path
    dictionary: Dictionary
    format: str
    encoding: str
    headings: tuple[str, ...]
    matched: Matched
    blocks: tuple[Block, ...]
    taken: tuple[Taken, ...]
    dialect: Dialect | None = None
    ends_with_newline: bool = True
    text_formulas: bool = False
    head_values: tuple[tuple[str, str], ...] = ()
    reported: tuple[FileFinding, ...] = ()
    repairs: tuple[tuple[str, int], ...] = ()
    members: tuple[str, ...] = ()
    sheet: str = ""
    physical: tuple[tuple[str, int], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.matched.places, *(column for column, _ in self.head_values))


class Cut(NamedTuple):
    """Where the records of a block stand, without their line ends, so that few of them can be read again: the row of the first is that of
    the block. `odd`: 1 for those that are no sound rows though they may have as many cells, 2 for those beside a piece of a row. `marks`:
    checksums of the block (sources/unchanged.py)."""

    starts: np.ndarray[Any, Any]
    ends: np.ndarray[Any, Any]
    odd: np.ndarray[Any, Any]
    marks: np.ndarray[Any, Any]


@dataclass(frozen=True)
class TextChunk:
    """A block as text: one row a record that says something.

    `lines`: raw text columns of the matched headings. `rows`: row number of each. `wrong`: position to rule code for
    records that are not rows of cells (all their columns null but, if one was seen, `inventory_no`). `skipped`: how many
    records are not in `lines`, by kind (blank, repeated headings, totals). `last_row`: of the block. `members`: for each line
    the message it came from, where the export is a set of them. `places`: of the lines in their batch, where they lie in a
    spool. `reported`: (code, position, value) of findings of the reader. `physical`: how many lines of the file the item lines
    and what was skipped take up. `unnamed`: columns with values but no heading. `cut`: where its records stand, if that was found out.
    """

    lines: pa.Table
    rows: np.ndarray[Any, np.dtype[np.int64]]
    wrong: dict[int, str]
    skipped: dict[str, int]
    last_row: int
    members: pa.Array | None = None
    places: np.ndarray[Any, np.dtype[np.int64]] | None = None
    reported: tuple[tuple[str, int, str], ...] = ()
    physical: dict[str, int] = field(default_factory=dict)
    unnamed: tuple[Unnamed, ...] = ()
    cut: Cut | None = None


def column_letter(place: int) -> str:
    """A column as a spreadsheet calls it; `place` counts from 0."""
    name, left = "", place + 1
    while left:
        left, letter = divmod(left - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def unusable(code: str, name: str, detail_en: str = "", detail_zh: str = "") -> UnusableInput:
    """The stop for a rule about a file as a whole."""
    rule = file_rule(code)
    return UnusableInput(
        f"[{code}] {name}: {rule.message.en} {detail_en}{' ' if detail_en else ''}{rule.remedy.en}",
        f"[{code}] {name}：{rule.message.zh}{detail_zh}{rule.remedy.zh}",
    )
