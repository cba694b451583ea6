"""One workbook a run: its tables as sheets, in the language of the run, with names beside codes and amounts as numbers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from aggregator.outputs import xlsx
from aggregator.outputs.run_book import sheet_of
from aggregator.schemas.column_names import SHEETS, column_name
from aggregator.schemas.modes import MODES, mode_of
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import Runner, read_rows, row

OTHER = "22442026E000000002"
LINES = [row(goods_spec="=1+1"), row(item_no="2", total_price="x", inventory_no=OTHER, order_no="DD2", waybill_no="LP2"),
         row(inventory_no="22442026E000000003", order_no="DD3", waybill_no="LP3", status_code="2")]  # fmt: skip
TABLES = ("declarations", "declaration_items", "weight_shares", "findings", "excluded", "control_totals")


def book_of(runner: Runner, **changes: Any) -> tuple[Any, Path]:
    outcome = runner.run_rows(LINES, **{"formats": ("xlsx",), **changes})
    folder = Path(outcome.folder)
    [path] = folder.glob("*.xlsx")
    assert path.name == "202610-01.xlsx"
    return openpyxl.load_workbook(path), folder


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_table_is_a_sheet(runner: Runner, lang: Any) -> None:
    book, folder = book_of(runner, lang=lang)
    assert book.sheetnames == [SHEETS[name].in_lang(lang) for name in TABLES]
    for name in TABLES:
        sheet, rows = book[SHEETS[name].in_lang(lang)], read_rows(folder / f"{name}.csv")
        head = [cell.value for cell in sheet[1]]
        assert sheet.max_row == 1 + len(rows)
        assert (sheet.freeze_panes, sheet.auto_filter.ref is not None) == ("A2", True)
        for heading in M9610.outputs[name].names:
            at = head.index(column_name(heading, M9610.dictionary, lang))
            for place, line in enumerate(rows, 2):
                cell, said = sheet.cell(place, at + 1), line[heading].removeprefix("'")
                if pa.types.is_string(M9610.outputs[name].field(heading).type):
                    assert lang == "zh" or (cell.value or "") == said
                    assert cell.data_type in ("s", "n" if cell.value is None else "s")
                else:
                    assert Decimal(str(cell.value or 0)) == Decimal(said or 0)


def test_names_stand_beside_codes(runner: Runner) -> None:
    book, _ = book_of(runner, lang="zh")
    heads, first = ([cell.value for cell in cells] for cells in book["报关单商品项"].iter_rows(max_row=2))
    item = dict(zip(heads, first, strict=True))
    assert (item["币制"], item["币制名称"], item["计量单位"], item["计量单位名称"]) == ("502", "美元", "011", "件")
    assert (item["商品规格型号"], item["总价"], item["单价"]) == ("=1+1", 10, 5)
    assert {cells[1] for cells in book["校验结果"].iter_rows(min_row=2, values_only=True)} <= {"错误", "警告"}
    assert [cells[2] for cells in book["排除"].iter_rows(min_row=2, values_only=True)] == [M9610.rules.exclusions["not_cleared"].message.zh]
    totals = {(cells[0], cells[2]): cells[3] for cells in book["控制合计"].iter_rows(min_row=2, values_only=True)}
    assert totals["total_price", "502"] == "美元"


def test_the_audit_map_only_if_asked(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "SHEET_ROWS", 3)
    book, _ = book_of(runner, formats=(), audit_map_xlsx=True)
    assert book.sheetnames[-1] == "Audit map"
    assert "Control totals 2" in book.sheetnames, "rows beyond a sheet go on in the next"


def test_the_same_bytes(runner: Runner) -> None:
    _, folder = book_of(runner)
    _, other = book_of(runner, out=runner.folder / "b")
    assert (folder / "202610-01.xlsx").read_bytes() == (other / "202610-01.xlsx").read_bytes()


@pytest.mark.parametrize("code", MODES)
def test_every_column_of_every_mode_has_a_chinese_name(code: str) -> None:
    mode = mode_of(code)
    for name, schema in mode.outputs.tables.items():
        assert name in SHEETS
        headings = sheet_of(mode, name, [schema.empty_table()], "zh").headings
        assert not [heading for heading in headings if heading.isascii()], name
        assert len(set(headings)) == len(headings), (name, headings)
        english = sheet_of(mode, name, [], "en").headings
        assert len(set(english)) == len(english)
