"""Write tables as workbooks, for people. Numbers that are names stay text, whatever a spreadsheet thinks of them; text is never a
formula; amounts are numbers where a number cell keeps all their digits, else text. The same input gives the same bytes.

xlsxwriter makes a workbook of nothing but headings and comments; the rows, which are nearly all of it, are put into its sheets.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from aggregator.outputs.xlsx_rows import Marks, in_xml, letters, sheet_rows
from aggregator.schemas.arrays import Ints

SHEET_ROWS = 1_048_576
ROWS_AT_ONCE = 20_000
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - workbooks know no zone
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_SHEET = re.compile(r"xl/worksheets/sheet([0-9]+)\.xml")
_DIMENSION, _ROWS_END = re.compile(rb'<dimension ref="[^"]*"/>'), b"</sheetData>"
_ZIP64 = 1 << 31
_LEVEL = 1
"""Rows of a sheet are so much alike that the quickest compression takes off nine tenths."""
_MEASURED, _NARROWEST, _WIDEST = 1_000, 8, 48
"""Rows that decide how wide a column is, and how wide it may be."""


class Style(IntEnum):
    """Of cells; its number among the formats of the skeleton."""

    HEADING = 1
    TEXT = 2
    AMOUNT = 3
    COUNT = 4
    WRONG = 5


_FORMATS: dict[Style, dict[str, Any]] = {
    Style.HEADING: {"bold": True, "num_format": "@"},
    Style.TEXT: {"num_format": "@"},
    Style.AMOUNT: {"num_format": "#,##0.00###"},
    Style.COUNT: {"num_format": "0"},
    Style.WRONG: {"num_format": "@", "bg_color": "#FFC7CE", "font_color": "#9C0006"},
}


def style_of(kind: pa.DataType) -> Style:
    if pa.types.is_decimal(kind):
        return Style.AMOUNT
    return Style.COUNT if pa.types.is_integer(kind) else Style.TEXT


@dataclass(frozen=True)
class Sheet:
    """`tables`: the rows, in tables of any cut; what yields them may add to the others, for its own rows. `marks`: by column the rows to be
    marked as wrong, ascending. `comments`: by row and column; rows count from 0, without the headings."""

    title: str
    headings: Sequence[str]
    styles: Sequence[Style]
    tables: Iterable[pa.Table]
    marks: dict[int, Ints] = field(default_factory=dict)
    comments: dict[tuple[int, int], str] = field(default_factory=dict)


def write_workbook(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """A workbook of one table. Rows beyond what a sheet holds go on in further sheets, each under the headings."""
    write_book(path, [Sheet("Sheet1", list(schema.names), [style_of(kind) for kind in schema.types], (table.cast(schema) for table in tables))])


def write_book(path: Path, sheets: Iterable[Sheet]) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        parts = [part for sheet in sheets for part in _parts(Path(folder), sheet)]
        skeleton = zipfile.ZipFile(_skeleton(parts))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as book:
            for entry in skeleton.infolist():
                place = _SHEET.fullmatch(entry.filename)
                if place is None:
                    book.writestr(entry, skeleton.read(entry), compresslevel=_LEVEL)
                else:
                    _write_sheet(book, entry, skeleton.read(entry), parts[int(place[1]) - 1])


@dataclass
class _Part:
    """What of a sheet fits into one of the workbook: its rows as XML, and how far they reach. `first`: its first row in the table."""

    sheet: Sheet
    title: str
    xml: IO[bytes]
    first: int
    rows: int = 0
    last: int = 1
    width: int = 0
    widths: list[int] = field(default_factory=list)

    def add(self, table: pa.Table, marks: Marks | None) -> None:
        if self.rows < _MEASURED:
            self._measure(table.slice(0, _MEASURED))
        styles = [*self.sheet.styles, *[Style.TEXT] * (table.num_columns - len(self.sheet.styles))]
        made, width, height = sheet_rows(table, self.rows + 2, styles, marks)
        self.xml.write(_bytes_of(made))
        if height:
            self.last = self.rows + 1 + height
        self.rows, self.width = self.rows + table.num_rows, max(self.width, width)

    def _measure(self, table: pa.Table) -> None:
        widths = [width_of(column.combine_chunks()) for column in table.columns]
        before = self.widths or [width_of(pa.array([heading])) + 3 for heading in self.sheet.headings]
        self.widths = [max(pair) for pair in zip(before, widths, strict=False)]


def width_of(values: pa.Array) -> int:
    """Of the longest of them; Chinese characters are twice as wide."""
    texts = values.cast(pa.string())
    twice = pc.subtract(pc.binary_length(texts), pc.utf8_length(texts))
    longest = pc.max(pc.add(pc.utf8_length(texts), pc.shift_right(twice, 1))).as_py()
    return min(max((longest or 0) + 2, _NARROWEST), _WIDEST)


def _bytes_of(texts: pa.Array) -> memoryview:
    offsets, data = texts.buffers()[1:]
    if data is None:
        return memoryview(b"")
    bounds = memoryview(offsets).cast("i")
    return memoryview(data)[bounds[texts.offset] : bounds[texts.offset + len(texts)]]


def _parts(folder: Path, sheet: Sheet) -> list[_Part]:
    parts: list[_Part] = []

    def begin(first: int) -> _Part:
        number = len(parts) + 1
        title = sheet.title if number == 1 else (f"Sheet{number}" if sheet.title == "Sheet1" else f"{sheet.title} {number}")
        parts.append(_Part(sheet, title, tempfile.TemporaryFile(dir=folder), first))  # noqa: SIM115 - closed where it is written on
        return parts[-1]

    part, done = begin(0), 0
    for rows in _pieces(sheet.tables):
        while rows.num_rows:
            if part.rows == SHEET_ROWS - 1:
                part = begin(done)
            piece = rows.slice(0, SHEET_ROWS - 1 - part.rows)
            part.add(piece, _marks(sheet, done, piece.num_rows))
            rows, done = rows.slice(piece.num_rows), done + piece.num_rows
    return parts


def _pieces(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """So many rows at once, of however many tables: each takes some 500 calls of Arrow, however few its rows."""
    waiting, rows = list[pa.Table](), 0
    for table in tables:
        if rows + table.num_rows > ROWS_AT_ONCE:
            yield from _together(waiting)
            waiting, rows = [], 0
        waiting.append(table)
        rows += table.num_rows
    yield from _together(waiting)


def _together(tables: list[pa.Table]) -> Iterator[pa.Table]:
    if tables:
        for batch in pa.concat_tables(tables).combine_chunks().to_batches(ROWS_AT_ONCE):
            yield pa.Table.from_batches([batch])


def _marks(sheet: Sheet, first: int, count: int) -> Marks | None:
    found = {}
    for place, rows in sheet.marks.items():
        low, high = rows.searchsorted([first, first + count])
        if low < high:
            found[place] = rows[low:high] - first
    return Marks(found, Style.WRONG) if found else None


def _skeleton(parts: Sequence[_Part]) -> io.BytesIO:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, _OPTIONS) as book:
        book.set_properties({"created": _EPOCH})
        formats = {style: book.add_format(how) for style, how in _FORMATS.items()}
        for style, each in formats.items():
            # In the order of our numbers, whatever is used first.
            if each._get_xf_index() != style:
                raise AssertionError(f"format {style.name}")
        for part in parts:
            _begin_sheet(book.add_worksheet(part.title), part, formats)
    return made


def _begin_sheet(sheet: Any, part: _Part, formats: dict[Style, Any]) -> None:
    headings, last = part.sheet.headings, max(len(part.sheet.headings) - 1, 0)
    sheet.freeze_panes(1, 0)
    for place, heading in enumerate(headings):
        style = formats[part.sheet.styles[place]]
        width = part.widths[place] if part.widths else width_of(pa.array([heading])) + 3
        sheet.set_column(place, place, width, style)
        sheet.write_string(0, place, in_xml(heading), formats[Style.HEADING])
    if headings:
        sheet.autofilter(0, 0, part.rows, last)
    for (row, place), text in part.sheet.comments.items():
        if part.first <= row < part.first + part.rows:
            sheet.write_comment(row - part.first + 1, place, in_xml(text), {"x_scale": 2})


def _write_sheet(book: zipfile.ZipFile, entry: zipfile.ZipInfo, skeleton: bytes, part: _Part) -> None:
    """The sheet with its rows; what was there is closed in between, and its temporary file goes."""
    corner = f"{letters(max(len(part.sheet.headings), part.width, 1) - 1)}{part.last}"
    skeleton = _DIMENSION.sub(b'<dimension ref="%s"/>' % (f"A1:{corner}" if corner != "A1" else corner).encode(), skeleton)
    head, tail = skeleton.split(_ROWS_END)
    # By its name: what the skeleton knows of it has a compression of its own.
    with part.xml as rows, book.open(entry.filename, "w", force_zip64=rows.tell() > _ZIP64) as sink:
        rows.seek(0)
        sink.write(head)
        copyfileobj(rows, sink, 1 << 20)
        sink.write(_ROWS_END + tail)
