"""Write result tables as workbooks, for people. Numbers that are names stay text, whatever a spreadsheet thinks of them; text is
never a formula. The same input gives the same bytes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import xlsxwriter

from aggregator.inputs.tables.canonical import GUARDED
from aggregator.schemas.messages import NOT_IN_XML

SHEET_ROWS = 1_048_576
_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - workbooks know no zone
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_GUARD = re.compile(GUARDED)
_EXACT_DIGITS = 15
"""A number cell is exact to so many digits; longer ones are written as text."""
_CELL_LENGTH = 32_767


def write_workbook(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Rows beyond what a sheet holds go on in further sheets, each under the headings."""
    rows = (row.values() for table in tables for batch in table.cast(schema).to_batches(10_000) for row in batch.to_pylist())
    _write(path, list(schema.names), rows)


def write_rejected_workbook(path: Path, rejected: Path) -> None:
    """A CSV of rejected lines as a workbook of text cells, so that what is typed into it stays text."""
    with rejected.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        headings = next(rows)
        _write(path, headings, ([_GUARD.sub(r"\1", cell) for cell in row] for row in rows))


def _write(path: Path, headings: list[str], rows: Iterable[Iterable[Any]]) -> None:
    with xlsxwriter.Workbook(path, _OPTIONS) as book:
        book.set_properties({"created": _EPOCH})
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        for sheet_rows in _sheets(rows):
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(len(headings) - 1, 0), 16, text)
            for place, heading in enumerate(headings):
                sheet.write_string(0, place, _in_xml(heading), bold)
            for row, cells in enumerate(sheet_rows, 1):
                for place, cell in enumerate(cells):
                    _write_cell(sheet, row, place, cell, text)


def _sheets(rows: Iterable[Iterable[Any]]) -> Iterator[Iterator[Iterable[Any]]]:
    """The rows of each sheet; one sheet at least."""
    waiting = iter(rows)
    yield islice(waiting, SHEET_ROWS - 1)
    for first in waiting:
        yield chain([first], islice(waiting, SHEET_ROWS - 2))


def _write_cell(sheet: Any, row: int, place: int, cell: Any, text: Any) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool | str):
        sheet.write_string(row, place, _in_xml(str(cell)), text)
    elif isinstance(cell, Decimal) and len(cell.as_tuple().digits) > _EXACT_DIGITS:
        sheet.write_string(row, place, f"{cell:f}", text)
    else:
        sheet.write_number(row, place, cell)


def _in_xml(cell: str) -> str:
    """Characters that no workbook can hold become a sign that they were there."""
    return NOT_IN_XML.sub("\ufffd", cell)[:_CELL_LENGTH]
