"""Workbooks made by column are those that xlsxwriter makes cell by cell."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from aggregator.outputs import xlsx
from aggregator.outputs.xlsx import write_workbook

_ODD = ["x", "=1+1", "\n=1+1", 'a<b&"c"', " lead", "trail\u3000", "汉\x01字\ttab\nline", None, "", "_x0041_", "cr\rx", "y" * 40_000]
_AMOUNTS = ["2", "1.50000", None, "12345678901234.12345", "0.00000", "10", "1.23", "100", None, "0.00001", "9999999999.99999", "10000000000"]
TABLE = pa.table(
    {
        "text": pa.array(_ODD, pa.string()),
        "amount": pa.array([None if each is None else Decimal(each) for each in _AMOUNTS], pa.decimal128(38, 5)),
        "count": pa.array([0, 1, 2, None, 4, 5, 6, 7, None, 9, 10, 11], pa.int64()),
        "flag": pa.array([None, True, False, None, True, True, True, True, None, True, True, True]),
    }
)


def cell_by_cell(path: Path, table: pa.Table) -> dict[str, bytes]:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    styles = [xlsx.style_of(kind) for kind in table.schema.types]
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": datetime(1980, 1, 1)})  # noqa: DTZ001
        formats = {style: book.add_format(how) for style, how in xlsx._FORMATS.items()}
        assert [each._get_xf_index() for each in formats.values()] == list(formats)
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for place, heading in enumerate(table.column_names):
            cells = [xlsx.width_of(table.column(place).combine_chunks())] if table.num_rows else []
            sheet.set_column(place, place, max([xlsx.width_of(pa.array([heading])) + 3, *cells]), formats[styles[place]])
            sheet.write_string(0, place, heading, formats[xlsx.Style.HEADING])
        sheet.autofilter(0, 0, table.num_rows, table.num_columns - 1)
        for row, cells in enumerate(table.to_pylist(), 1):
            for place, cell in enumerate(cells.values()):
                if cell is None or cell == "":
                    continue
                if isinstance(cell, bool | str) or len(Decimal(cell).normalize().as_tuple().digits) > 15:
                    said = str(cell).replace("\x01", "\ufffd")[:32_767] if isinstance(cell, bool | str) else f"{cell:f}"
                    sheet.write_string(row, place, said, formats[styles[place]])
                else:
                    sheet.write_number(row, place, cell, formats[styles[place]])
    return parts_of(path)


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as book:
        return {entry.filename: re.sub(rb"<v>([-0-9]+)[.]0+</v>|<v>([-0-9.]*?[1-9])0*</v>", rb"<v>\1\2</v>", book.read(entry)) for entry in book.infolist()}


@pytest.mark.parametrize(("first", "rows"), [(0, 12), (0, 0), (8, 1), (7, 2)], ids=["odd cells", "no rows", "a blank row", "last row blank"])
def test_contents_are_those_of_xlsxwriter(tmp_path: Path, first: int, rows: int) -> None:
    table = TABLE.slice(first, rows)
    write_workbook(tmp_path / "ours.xlsx", table.schema, iter([table]))
    expected = cell_by_cell(tmp_path / "other.xlsx", table)
    made = parts_of(tmp_path / "ours.xlsx")
    assert list(made) == list(expected)
    for name, part in made.items():
        assert part == expected[name], name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.xlsx", "ours.xlsx"]


@pytest.mark.parametrize(("amount", "as_number"), [("12345678901234.12345", False), ("9999999999.99999", True), ("10000000000.00001", False), ("123456789012345.50000", False), ("12345678901234.50000", True), ("1234567890123.50000", True), ("-1200000000000000.00000", True)])
def test_amounts_are_numbers_where_a_cell_keeps_every_digit(tmp_path: Path, amount: str, as_number: bool) -> None:
    """A number cell shows 15 digits; what has more is text to the last of them."""
    table = pa.table({"amount": pa.array([Decimal(amount)], pa.decimal128(38, 5))})
    write_workbook(tmp_path / "a.xlsx", table.schema, [table])
    [[_], [cell]] = CalamineWorkbook.from_path(tmp_path / "a.xlsx").get_sheet_by_index(0).to_python()
    assert isinstance(cell, float) == as_number
    assert Decimal(f"{cell:.15g}" if as_number else cell) == Decimal(amount)


def test_tables_of_any_cut_make_the_same_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "SHEET_ROWS", 4)
    write_workbook(tmp_path / "whole.xlsx", TABLE.schema, [TABLE])
    write_workbook(tmp_path / "cut.xlsx", TABLE.schema, [TABLE.slice(0, 5), TABLE.slice(5)])
    assert (tmp_path / "whole.xlsx").read_bytes() == (tmp_path / "cut.xlsx").read_bytes()
