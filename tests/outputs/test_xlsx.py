"""Workbooks made by column are those that xlsxwriter makes cell by cell, to the byte."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import xlsxwriter

from aggregator.outputs import xlsx
from aggregator.outputs.xlsx import write_rejected_workbook, write_workbook

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


def cell_by_cell(path: Path, table: pa.Table) -> bytes:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": datetime(1980, 1, 1)})  # noqa: DTZ001
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, table.num_columns - 1, 16, text)
        for place, heading in enumerate(table.column_names):
            sheet.write_string(0, place, heading, bold)
        for row, cells in enumerate(table.to_pylist(), 1):
            for place, cell in enumerate(cells.values()):
                if cell is None or cell == "":
                    continue
                if isinstance(cell, bool | str) or len(Decimal(cell).as_tuple().digits) > 15:
                    said = str(cell).replace("\x01", "\ufffd")[:32_767] if isinstance(cell, bool | str) else f"{cell:f}"
                    sheet.write_string(row, place, said, text)
                else:
                    sheet.write_number(row, place, cell)
    return path.read_bytes()


@pytest.mark.parametrize(("first", "rows"), [(0, 12), (0, 0), (8, 1), (7, 2)], ids=["odd cells", "no rows", "a blank row", "last row blank"])
def test_bytes_are_those_of_xlsxwriter(tmp_path: Path, first: int, rows: int) -> None:
    table = TABLE.slice(first, rows)
    write_workbook(tmp_path / "ours.xlsx", table.schema, iter([table]))
    assert (tmp_path / "ours.xlsx").read_bytes() == cell_by_cell(tmp_path / "other.xlsx", table)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.xlsx", "ours.xlsx"]


def test_tables_of_any_cut_make_the_same_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "SHEET_ROWS", 4)
    write_workbook(tmp_path / "whole.xlsx", TABLE.schema, [TABLE])
    write_workbook(tmp_path / "cut.xlsx", TABLE.schema, [TABLE.slice(0, 5), TABLE.slice(5)])
    assert (tmp_path / "whole.xlsx").read_bytes() == (tmp_path / "cut.xlsx").read_bytes()


def test_rejected_rows_may_be_longer_than_the_headings(tmp_path: Path) -> None:
    (tmp_path / "rejected.csv").write_text("a,b\n'=1,2\n1,2,3\n", encoding="utf-8-sig")
    write_rejected_workbook(tmp_path / "ours.xlsx", tmp_path / "rejected.csv")
    from python_calamine import CalamineWorkbook

    assert CalamineWorkbook.from_path(tmp_path / "ours.xlsx").get_sheet_by_index(0).to_python() == [["a", "b", ""], ["=1", "2", ""], ["1", "2", "3"]]
