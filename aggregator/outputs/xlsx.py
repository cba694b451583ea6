"""Write result tables as workbooks, for people. Numbers that are names stay text, whatever a spreadsheet thinks of them; text is
never a formula. The same input gives the same bytes.

xlsxwriter makes a workbook of nothing but headings; the rows, which are nearly all of it, are put into its sheets.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from shutil import copyfileobj
from typing import IO

import pyarrow as pa
import xlsxwriter

from aggregator.inputs.tables.canonical import GUARDED
from aggregator.outputs.xlsx_rows import in_xml, letters, sheet_rows

SHEET_ROWS = 1_048_576
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - workbooks know no zone
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_GUARD = re.compile(GUARDED)
_ROWS_AT_ONCE = 20_000
_STYLE = 2
"""Text cells' own among the formats of the skeleton, made after the headings'."""
_SHEET = re.compile(r"xl/worksheets/sheet([0-9]+)\.xml")
_DIMENSION, _ROWS_END = re.compile(rb'<dimension ref="[^"]*"/>'), b"</sheetData>"
_ZIP64 = 1 << 31


def write_workbook(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Rows beyond what a sheet holds go on in further sheets, each under the headings."""
    _write(path, list(schema.names), (table.cast(schema) for table in tables))


def write_rejected_workbook(path: Path, rejected: Path) -> None:
    """A CSV of rejected lines as a workbook of text cells, so that what is typed into it stays text."""
    with rejected.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        headings = next(rows)
        _write(path, headings, _text_tables(rows))


def _text_tables(rows: Iterator[list[str]]) -> Iterator[pa.Table]:
    """Rows may be longer than the headings."""
    while some := [[_GUARD.sub(r"\1", cell) for cell in row] for row in islice(rows, _ROWS_AT_ONCE)]:
        width = max(map(len, some))
        columns = zip(*(row + [""] * (width - len(row)) for row in some), strict=True)
        yield pa.table([pa.array(column, pa.string()) for column in columns], names=list(map(str, range(width))))


@dataclass
class _Sheet:
    """Rows of a sheet as XML, and how far they reach."""

    xml: IO[bytes]
    rows: int = 0
    last: int = 1
    width: int = 0

    def add(self, table: pa.Table) -> None:
        made, width, height = sheet_rows(table, self.rows + 2, _STYLE)
        self.xml.write(_bytes_of(made))
        if height:
            self.last = self.rows + 1 + height
        self.rows, self.width = self.rows + table.num_rows, max(self.width, width)


def _bytes_of(texts: pa.Array) -> memoryview:
    offsets, data = texts.buffers()[1:]
    if data is None:
        return memoryview(b"")
    bounds = memoryview(offsets).cast("i")
    return memoryview(data)[bounds[texts.offset] : bounds[texts.offset + len(texts)]]


def _write(path: Path, headings: Sequence[str], tables: Iterable[pa.Table]) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        sheets = _sheets(Path(folder), tables)
        skeleton = zipfile.ZipFile(_skeleton(headings, len(sheets)))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
            for part in skeleton.infolist():
                place = _SHEET.fullmatch(part.filename)
                if place is None:
                    book.writestr(part, skeleton.read(part))
                else:
                    _write_sheet(book, part, skeleton.read(part), sheets[int(place[1]) - 1], len(headings))


def _sheets(folder: Path, tables: Iterable[pa.Table]) -> list[_Sheet]:
    sheets = [_Sheet((folder / "1").open("w+b"))]
    for table in tables:
        for batch in pa.Table.from_batches(table.to_batches(_ROWS_AT_ONCE), table.schema).to_batches(_ROWS_AT_ONCE):
            rows = pa.Table.from_batches([batch])
            while rows.num_rows:
                if sheets[-1].rows == SHEET_ROWS - 1:
                    sheets.append(_Sheet((folder / str(len(sheets) + 1)).open("w+b")))
                room = SHEET_ROWS - 1 - sheets[-1].rows
                sheets[-1].add(rows.slice(0, room))
                rows = rows.slice(room)
    return sheets


def _skeleton(headings: Sequence[str], sheets: int) -> io.BytesIO:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, _OPTIONS) as book:
        book.set_properties({"created": _EPOCH})
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        for _ in range(sheets):
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(len(headings) - 1, 0), 16, text)
            for place, heading in enumerate(headings):
                sheet.write_string(0, place, in_xml(heading), bold)
    return made


def _write_sheet(book: zipfile.ZipFile, part: zipfile.ZipInfo, skeleton: bytes, sheet: _Sheet, headings: int) -> None:
    """The sheet with its rows; what was there is closed in between, and its temporary file goes."""
    corner = f"{letters(max(headings, sheet.width, 1) - 1)}{sheet.last}"
    skeleton = _DIMENSION.sub(b'<dimension ref="%s"/>' % (f"A1:{corner}" if corner != "A1" else corner).encode(), skeleton)
    head, tail = skeleton.split(_ROWS_END)
    with sheet.xml as rows, book.open(part, "w", force_zip64=rows.tell() > _ZIP64) as sink:
        rows.seek(0)
        sink.write(head)
        copyfileobj(rows, sink, 1 << 20)
        sink.write(_ROWS_END + tail)
