"""The dialects and formats that the sound export is written in."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import xlsxwriter

from aggregator.samples.shapes.formats import as_message, as_parquet
from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.truth import COLUMNS, Rows, cleared_only

Cell = Any
"""Text; in a workbook also a number, a moment, a Formula or nothing."""


class Raw(str):
    """A cell that stands in a text file as it is, whatever would have to be quoted."""


@dataclass(frozen=True)
class Formula:
    text: str
    value: str | float


@dataclass(frozen=True)
class Dialect:
    """`frame`: what stands around the table. `order`: of the columns."""

    format: str = "text"
    delimiter: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"
    quote_all: bool = False
    headings: str = "own"
    frame: str = "plain"
    order: str = "own"

    @property
    def name(self) -> str:
        ends, cuts = {"\n": "lf", "\r\n": "crlf", "\r": "cr"}, {",": "comma", ";": "semicolon", "\t": "tab"}
        texts = (cuts[self.delimiter], ends[self.line_end], self.encoding, "all" if self.quote_all else "minimal")
        return "-".join((self.format, *(texts if self.format == "text" else ()), self.headings, self.frame, self.order))

    @property
    def suffix(self) -> str:
        return {"text": "csv", "workbook": "xlsx", "message": "xml", "parquet": "parquet"}[self.format]

    def heading(self, column: str) -> str:
        field = M9610.dictionary.by_column[column]
        return {"own": column, "chinese": field.headings[0], "official": field.element}[self.headings]


def _text_dialects() -> list[Dialect]:
    every = itertools.product(
        (",", ";", "\t"), ("\n", "\r\n", "\r"), ("utf-8", "utf-8-sig", "gb18030", "utf-16"), (False, True),
        ("own", "chinese", "official"), ("plain", "title", "values", "totals"), ("own", "numbered", "goods-first"),
    )  # fmt: skip
    found = [Dialect("text", *each) for each in every]
    random.Random(1).shuffle(found)
    return found


TEXT = _text_dialects()
PACKED = [
    *(Dialect("workbook", headings=headings, frame=frame) for headings, frame in (("own", "plain"), ("chinese", "title"), ("chinese", "values"), ("official", "totals"))),
    *(Dialect("parquet", headings=headings) for headings in ("own", "chinese")),
    Dialect("message"),
]  # fmt: skip

_LABELLED = ("declaration_mode_code", "trade_mode_code")
"""Header columns that have one value in the whole export, so that it may stand above the headings."""


@dataclass(frozen=True)
class Grid:
    """A table as it is written: `cells` with all that stands around it, headings at row `head`, `columns` below them ("" for
    what is no column of ours), lines from `head` + 1 on."""

    columns: tuple[str, ...]
    cells: list[list[Cell]]
    head: int
    lines: int

    @property
    def first(self) -> int:
        return self.head + 1

    def place(self, column: str) -> int:
        return self.columns.index(column)

    def has(self, column: str) -> bool:
        return column in self.columns

    def with_cells(self, cells: list[list[Cell]], head: int | None = None) -> Grid:
        return replace(self, cells=cells, head=self.head if head is None else head)

    def put(self, line: int, column: str, cell: Cell) -> Grid:
        cells = [list(row) for row in self.cells]
        cells[self.first + line][self.place(column)] = cell
        return self.with_cells(cells)

    def row(self, line: int) -> list[Cell]:
        return list(self.cells[self.first + line])

    def with_rows(self, line: int, rows: Sequence[Sequence[Cell]], instead: int = 1) -> Grid:
        """With other rows instead of some, from a line on."""
        at = self.first + line
        return self.with_cells([*self.cells[:at], *(list(row) for row in rows), *self.cells[at + instead :]])


def columns_in(order: str) -> tuple[str, ...]:
    if order == "numbered":
        return ("序号", *COLUMNS, "备注")
    if order == "goods-first":
        items = [column for column in COLUMNS if not M9610.dictionary.by_column[column].header and column not in ("item_no", "goods_spec")]
        headers = [column for column in COLUMNS if M9610.dictionary.by_column[column].header]
        return (*headers[1:4], *items[2:], "item_no", *headers[4:], *items[:2], headers[0], "goods_spec")
    return COLUMNS


def grid_of(rows: Rows, dialect: Dialect) -> Grid:
    columns = columns_in(dialect.order)
    above: list[list[Cell]] = []
    if dialect.frame == "values":
        columns = tuple(column for column in columns if column not in _LABELLED)
        above = [[f"{dialect.heading(column)}：", rows[0][column]] for column in _LABELLED]
    if dialect.frame == "title":
        above = [["2026年10月跨境电商出口清单"], []]
    head = [column if column not in M9610.dictionary.by_column else dialect.heading(column) for column in columns]
    body = [[str(number) if column == "序号" else row.get(column, "") for column in columns] for number, row in enumerate(rows, 1)]
    below = [["合计", *[""] * (len(columns) - 2), "9999.99"]] if dialect.frame == "totals" else []
    return Grid(tuple(column if column in M9610.dictionary.by_column else "" for column in columns), [*above, head, *body, *below], len(above), len(rows))


def written(cell: Cell, dialect: Dialect) -> str:
    """A cell as it stands in a text file."""
    if isinstance(cell, Raw):
        return str(cell)
    text = "" if cell is None else str(cell)
    if dialect.quote_all or any(mark in text for mark in (dialect.delimiter, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


def records_of(grid: Grid, dialect: Dialect) -> list[str]:
    return [dialect.delimiter.join(written(cell, dialect) for cell in row) for row in grid.cells]


def text_of(records: Sequence[str], dialect: Dialect) -> str:
    return "".join(f"{record}{dialect.line_end}" for record in records)


def encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "strict")


def workbook_of(grid: Grid, merged: Sequence[tuple[int, int, int]] = ()) -> bytes:
    """`merged`: (first row, last row, place), from 0."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet("清单")
    for at, row in enumerate(grid.cells):
        for place, cell in enumerate(row):
            if isinstance(cell, Formula):
                sheet.write_formula(at, place, cell.text, None, cell.value)
            elif isinstance(cell, datetime):
                sheet.write_datetime(at, place, cell, moment)
            elif isinstance(cell, str):
                sheet.write_string(at, place, cell)
            elif cell is not None:
                sheet.write(at, place, cell)
    for first, last, place in merged:
        sheet.merge_range(first, place, last, place, grid.cells[first][place])
    book.close()
    return sink.getvalue()


_UNFILLED = dict.fromkeys(("ebpCode", "ebpName", "logisticsCode", "logisticsName", "insuredFee", "iCurrency", "POD"), "0") | dict.fromkeys(
    (M9610.dictionary.by_column[column].element.removeprefix("list_") for column in COLUMNS), ""
)


def message_of(rows: Rows) -> bytes:
    """Of the inventories that are to be declared, for a message does not say what is cleared; nothing filled in for what is blank."""
    return as_message(cleared_only(rows), filled=_UNFILLED)


def parquet_of(grid: Grid) -> bytes:
    head, *body = grid.cells
    return as_parquet([dict(zip(head, row, strict=True)) for row in body])
