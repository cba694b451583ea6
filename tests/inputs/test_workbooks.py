"""Cells of a workbook that hold no value of their own: errors, formulas that were never calculated, merged cells. What such a
cell stands for is known or reported, and the other inventories are declared as they are."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from aggregator.inputs.formats import workbook, workbook_parts
from aggregator.model.errors import UnusableInput
from aggregator.pipeline.result import Outcome
from aggregator.samples.shapes.formats import as_workbook, as_zip, table_of
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import SOUND, Runner, row

GIVEN = {**SOUND, "sku": "SKU-1", "barcode": "6901234567892", "internal_no": "COP1", "bill_no": "784-1", "premises_code": "4403A001", "declarant_name": "深圳通达报关行"}
ROWS = [{**GIVEN, "inventory_no": f"22442026E00000000{place}", "order_no": f"DD{place}", "waybill_no": f"LP{place}", "internal_no": f"COP{place}"} for place in range(1, 6)]
TABLE = table_of(ROWS)
HEAD = TABLE[0]
ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
LATER_ERRORS = ("#GETTING_DATA", "#SPILL!", "#CALC!")
"""Which the reader of workbooks does not know."""
SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"


def changed(book: bytes, change: Callable[[bytes], bytes], part: str = SHEET) -> bytes:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    made = change(members[part])
    assert made != members[part]
    return as_zip({**members, part: made})


def letters(place: int) -> str:
    return (chr(64 + place // 26) if place >= 26 else "") + chr(65 + place % 26)


def with_cell(column: str, attributes: str, content: str, line: int = 3, book: bytes | None = None) -> bytes:
    """The cell of a line written anew in the XML."""
    reference = f"{letters(HEAD.index(column))}{line + 1}"
    cell = f'<c r="{reference}"{attributes}>{content}</c>'.encode()
    made = re.compile(rb'<c r="%b"[^>]*(?:/>|>.*?</c>)' % reference.encode())
    return changed(book or as_workbook({"清单": TABLE}), lambda xml: made.sub(lambda _: cell, xml, count=1))


def merged(*ranges: tuple[int, int, int, int], table: Sequence[Sequence[str]] = TABLE, keep: bool = False) -> bytes:
    """Cells merged: first row and column, last row and column, from 0; what is covered is blank, unless it is kept."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True})
    sheet = book.add_worksheet("清单")
    for first, left, last, right in ranges:
        sheet.merge_range(first, left, last, right, "")
    for at, cells in enumerate(table):
        for place, cell in enumerate(cells):
            tops = [each for each in ranges if each[0] <= at <= each[2] and each[1] <= place <= each[3]]
            if keep or not tops or (at, place) == tops[0][:2]:
                sheet.write_string(at, place, cell)
    book.close()
    return sink.getvalue()


def declared(outcome: Outcome, *columns: str) -> list[tuple[str, ...]]:
    table = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    return sorted(tuple(each[column] or "" for column in columns) for each in table)


def only_third_is_rejected(runner: Runner, book: bytes, column: str, value: str) -> None:
    outcome = runner.run(runner.write(book, "export.xlsx"))
    numbers = {numbered for [numbered] in declared(outcome, "inventory_no")}
    assert numbers == {each["inventory_no"] for each in ROWS} - {ROWS[2]["inventory_no"]}
    assert outcome.exit_code == 3
    found = [each for each in runner.results(outcome, "findings") if each["code"] == "R123"]
    assert [(each["column"], each["value"]) for each in found] == [(column, value)]
    if column != "inventory_no":
        assert found[0]["inventory_no"] == ROWS[2]["inventory_no"]


# ------------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("column", [field.column for field in M9610.dictionary.fields if GIVEN.get(field.column)])
def test_an_error_is_no_value_in_any_column(column: str, runner: Runner) -> None:
    only_third_is_rejected(runner, with_cell(column, ' t="e"', "<f>1/0</f><v>#N/A</v>"), column, "#N/A")


@pytest.mark.parametrize("error", ERRORS)
def test_every_error(error: str, runner: Runner) -> None:
    only_third_is_rejected(runner, with_cell("goods_name", ' t="e"', f"<v>{error}</v>"), "goods_name", error)


@pytest.mark.parametrize("error", [*LATER_ERRORS, " "])
def test_an_error_that_the_reader_does_not_know_refuses_the_workbook(error: str, runner: Runner) -> None:
    with pytest.raises(UnusableInput, match=rf"\[F108\].*'{re.escape(error)}'"):
        runner.run(runner.write(with_cell("goods_name", ' t="e"', f"<v>{error}</v>"), "export.xlsx"))


@pytest.mark.parametrize("content", ["", "<v/>", "<v></v>", "<f>1/0</f>"])
def test_an_error_without_its_name(content: str, runner: Runner) -> None:
    only_third_is_rejected(runner, with_cell("goods_name", " t='e' s=\"0\"", content), "goods_name", "#FORMULA?")


@pytest.mark.parametrize("error", [*ERRORS, *LATER_ERRORS, "####", "##########", "#n/a", " #N/A "])
def test_an_error_kept_as_text(error: str, runner: Runner) -> None:
    outcome = runner.run_rows([*ROWS[:2], {**ROWS[2], "goods_name": error}])
    assert (outcome.findings, outcome.counts["inventories_declared"]) == ({"R123": 1}, 2)


@pytest.mark.parametrize("name", ["#10 信封", "N/A", "#", "C#", "#N/A 品牌", "＃N/A", "#1", "##"])
def test_a_name_that_is_like_an_error_stays(name: str, runner: Runner) -> None:
    outcome = runner.run_rows([*ROWS[:2], {**ROWS[2], "goods_name": name}])
    assert (outcome.findings, ("22442026E000000003", name) in declared(outcome, "inventory_no", "goods_name")) == ({}, True)


def test_every_column_is_looked_at() -> None:
    rule = M9610.rules["R123"]
    assert set(rule.columns) == set(M9610.dictionary.by_column)
    assert rule.test is not None
    assert rule.test(pa.array(["#N/A", None, "", "x#N/A", "#REF!\n"]), "goods_name").to_pylist() == [False, True, True, True, True]


# ----------------------------------------------------------------------------------------------------------------- formulas


WITHOUT_VALUE = {
    "none": ("", "<f>B2&amp;C2</f>"), "empty": ("", "<f>B2&amp;C2</f><v/>"), "blank": ("", "<f>B2&amp;C2</f><v></v>"), "of a style": (' s="0"', "<f>B2</f>"),
    "shared": ("", '<f t="shared" si="0"/>'), "array": ("", '<f t="array" ref="A1">SUM(A1:A2)</f><v></v>'), "text without value": (' t="str"', "<f>B2</f>"),
    "number": (' t="n"', "<f>B2</f>\n<v></v>\n"), "no text number": (' t="s"', "<v></v>"), "no text number, short": (' t="s"', "<v/>"), "formula of a shared text": (' t="s"', "<f>A1</f><v></v>"),
}  # fmt: skip


@pytest.mark.parametrize("column", ["goods_spec", "sku", "order_no", "second_statutory_quantity", "inventory_no", "cleared_at"])
@pytest.mark.parametrize("way", WITHOUT_VALUE)
def test_a_formula_without_its_value_is_reported(way: str, column: str, runner: Runner) -> None:
    only_third_is_rejected(runner, with_cell(column, *WITHOUT_VALUE[way]), column, "#FORMULA?")


@pytest.mark.parametrize(("attributes", "content", "value"), [
    (' t="str"', "<f>B2</f><v></v>", ""), (' t="str"', "<f>B2</f><v>棉 &amp; 麻</v>", "棉 & 麻"), ("", "<f>B2</f><v>12.5</v>", "12.5"), ("", "<f>B2</f><v>0</v>", "0"),
    (' t="str"', "<f>B2</f><v>0</v>", "0"), (' t="s"', "", ""), ("", "", ""), ("", "<v></v>", ""),
])  # fmt: skip
def test_a_value_that_is_there_stays(attributes: str, content: str, value: str, runner: Runner) -> None:
    book = changed(with_cell("goods_spec", attributes, content), lambda xml: xml.replace(b' fullCalcOnLoad="1"', b""), BOOK)
    outcome = runner.run(runner.write(book, "export.xlsx"))
    assert ("22442026E000000003", value) in declared(outcome, "inventory_no", "goods_spec")
    assert outcome.findings == {}


def test_zero_where_nothing_was_ever_calculated(runner: Runner) -> None:
    """Who writes formulas without calculating them writes 0, and asks whoever opens the workbook to calculate it."""
    only_third_is_rejected(runner, with_cell("goods_spec", "", "<f>B2</f><v>0</v>"), "goods_spec", "#FORMULA?")


def test_rows_that_are_nothing_but_such_formulas(runner: Runner) -> None:
    def without_values(xml: bytes) -> bytes:
        head, rows = xml.split(b'<row r="5"')
        return head + b'<row r="5"' + re.sub(rb'<c r="([A-Z]+\d+)"[^>]*><v>\d+</v></c>', rb'<c r="\1"><f>ERP!\1</f><v></v></c>', rows)

    outcome = runner.run(runner.write(changed(as_workbook({"清单": TABLE}), without_values), "export.xlsx"))
    # The inventory above them is not declared either: they may be lines of it.
    assert (outcome.counts["inventories_declared"], outcome.exit_code) == (2, 3)
    assert {each["source_row"] for each in runner.results(outcome, "findings") if each["code"] == "R123"} == {"5", "6"}


@pytest.mark.parametrize(("attributes", "content"), [(' t="e"', "<v>#N/A</v>"), ("", "<f>A1</f><v></v>")])
def test_above_the_headings(attributes: str, content: str, runner: Runner) -> None:
    """A header value that holds for all lines: none of them has it."""
    place = HEAD.index("premises_code")
    table = [["监管场所代码", "9999"], *([cell for at, cell in enumerate(line) if at != place] for line in TABLE)]
    made = re.compile(rb'<c r="B1"[^>]*>.*?</c>')
    cell = f'<c r="B1"{attributes}>{content}</c>'.encode()
    book = changed(as_workbook({"清单": table}), lambda xml: made.sub(lambda _: cell, xml))
    outcome = runner.run(runner.write(book, "export.xlsx"))
    assert (outcome.findings, outcome.counts["inventories_declared"]) == ({"R123": 5}, 0)


def test_a_heading_that_is_an_error_is_reported(runner: Runner) -> None:
    outcome = runner.run(runner.write(with_cell("sku", ' t="e"', "<v>#NAME?</v>", line=0), "export.xlsx"))
    assert (outcome.findings, outcome.exit_code) == ({"F301": 1}, 0)


def test_an_error_under_a_heading_that_is_not_used_changes_nothing(runner: Runner) -> None:
    table = [[*line, "备注" if line is HEAD else "x"] for line in TABLE]
    made = re.compile(rb'<c r="%b4"[^>]*>.*?</c>' % letters(len(HEAD)).encode())
    cell = f'<c r="{letters(len(HEAD))}4" t="e"><v>#N/A</v></c>'.encode()
    book = changed(as_workbook({"清单": table}), lambda xml: made.sub(lambda _: cell, xml))
    assert len(declared(runner.run(runner.write(book, "export.xlsx")), "inventory_no")) == 5


# ----------------------------------------------------------------------------------------------------------- texts elsewhere


@pytest.mark.parametrize("number", ["-3", "x", "1.5", " 4 ", "+4", "1e0", "18446744073709551617", "99999", "4 5", "0x1"])
def test_a_text_that_is_not_there_refuses_the_workbook(number: str, runner: Runner) -> None:
    """The reader takes the first text of all for it."""
    with pytest.raises(UnusableInput, match=r"\[F108\]"):
        runner.run(runner.write(with_cell("goods_name", ' t="s"', f"<v>{number}</v>"), "export.xlsx"))


def test_a_cell_without_its_reference_is_not_guessed_at(runner: Runner) -> None:
    book = changed(as_workbook({"清单": TABLE}), lambda xml: re.sub(rb'<c r="S4"[^>]*>.*?</c>', b'<c t="e"><v>#N/A</v></c>', xml))
    with pytest.raises(UnusableInput, match=r"\[F108\]"):
        runner.run(runner.write(book, "export.xlsx"))


# -------------------------------------------------------------------------------------------- where pieces of the XML are cut


@pytest.mark.parametrize("size", [1 << 9, 1000, 1 << 11])
def test_however_the_xml_is_cut(size: int, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "_PIECE", size)
    monkeypatch.setattr(workbook_parts, "_OVERLAP", 300)
    rows = [row(inventory_no=f"22442026E{place:09}", order_no=f"DD{place}", waybill_no=f"LP{place}", sku="A") for place in range(1, 201)]
    table = table_of(rows)
    name = letters(table[0].index("goods_name"))

    def spoil(xml: bytes) -> bytes:
        for at, content in ((7, b' t="e"><f>1/0</f><v>#N/A</v></c>'), (50, b"><f>B2</f><v></v></c>"), (51, b' t="s"><v></v></c>')):
            for line in range(at, 200, 60):
                xml = re.sub(rb'(<c r="%b%d")[^>]*>.*?</c>' % (name.encode(), line), lambda match, content=content: match[1] + content, xml)
        return xml

    outcome = runner.run(runner.write(changed(as_workbook({"清单": table}), spoil), "export.xlsx"))
    assert outcome.findings == {"R123": 10}
    found = {int(each["source_row"]): each["value"] for each in runner.results(outcome, "findings")}
    assert found == {line: "#N/A" if at == 7 else "#FORMULA?" for at in (7, 50, 51) for line in range(at, 200, 60)}
    assert outcome.counts["inventories_declared"] == 190


def test_names_of_elements_with_a_prefix(runner: Runner) -> None:
    """Not every reader takes it; if ours does, an error is one there too."""
    book = with_cell("goods_name", ' t="e"', "<v>#N/A</v>")

    def prefixed(xml: bytes) -> bytes:
        return re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", xml).replace(b"xmlns=", b"xmlns:x=")

    only_third_is_rejected(runner, changed(book, prefixed), "goods_name", "#N/A")


# ------------------------------------------------------------------------------------------------------------- merged cells


PLACE = HEAD.index("premises_code")


def _premises(*codes: str) -> list[list[str]]:
    return [HEAD, *([*line[:PLACE], code, *line[PLACE + 1 :]] for line, code in zip(TABLE[1:], codes, strict=True))]


@pytest.mark.parametrize("pieces", [20_000, 1, 2])
@pytest.mark.parametrize(("first", "last"), [(1, 2), (2, 3), (2, 4), (3, 5), (4, 5), (1, 5)])
def test_a_header_value_holds_within_the_merge_and_nowhere_else(first: int, last: int, pieces: int, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_ROWS_AT_ONCE", pieces)
    codes = ["4403A001" if first <= line <= last else "" for line in range(1, 6)]
    outcome = runner.run(runner.write(merged((first, PLACE, last, PLACE), table=_premises(*codes)), "export.xlsx"))
    assert [code for _, code in declared(outcome, "inventory_no", "premises_code")] == codes
    assert outcome.findings == {}


def test_an_uncleared_inventory_above_a_merge_stays_uncleared(runner: Runner) -> None:
    rows = [{**each, "status_code": "800", "cleared_at": ""} if place == 0 else each for place, each in enumerate(ROWS)]
    status, at = HEAD.index("status_code"), HEAD.index("cleared_at")
    for blank in (rows, [{**rows[0], "status_code": ""}, *rows[1:]]):
        book = merged((2, status, 5, status), (2, at, 5, at), table=table_of(blank))
        outcome = runner.run(runner.write(book, "export.xlsx"), out=runner.folder / f"out {blank[0]['status_code']}")
        assert len(declared(outcome, "inventory_no")) == 4
        assert outcome.excluded == {"not_cleared": 1}


@pytest.mark.parametrize("column", [field.column for field in M9610.dictionary.fields if not field.header and GIVEN.get(field.column)])
def test_under_an_item_column_it_is_reported(column: str, runner: Runner) -> None:
    place = HEAD.index(column)
    outcome = runner.run(runner.write(merged((2, place, 3, place)), "export.xlsx"))
    found = [each for each in runner.results(outcome, "findings") if each["code"] == "F207"]
    assert [(each["source_row"], each["value"]) for each in found] == [(row, f"{letters(place)}3:{letters(place)}4") for row in "34"]
    assert {number for [number] in declared(outcome, "inventory_no")} == {ROWS[place]["inventory_no"] for place in (0, 3, 4)}


def test_cells_that_hold_the_same_under_a_merge_are_what_they_say(runner: Runner) -> None:
    """Programs that merge what is equal leave each cell its value."""
    ranges = [(1, HEAD.index(column), 5, HEAD.index(column)) for column in ("goods_name", "currency_code", "premises_code", "status_code")]
    outcome = runner.run(runner.write(merged(*ranges, keep=True), "export.xlsx"))
    assert (outcome.findings, len(declared(outcome, "inventory_no"))) == ({}, 5)


@pytest.mark.parametrize("column", ["premises_code", "goods_spec", "order_no"])
def test_another_value_under_a_merge_is_reported(column: str, runner: Runner) -> None:
    table = table_of([{**each, column: f"V{place}"} for place, each in enumerate(ROWS)])
    place = HEAD.index(column)
    outcome = runner.run(runner.write(merged((2, place, 3, place), table=table, keep=True), "export.xlsx"))
    assert outcome.findings["F207"] == 2
    assert ROWS[2]["inventory_no"] not in {number for [number] in declared(outcome, "inventory_no")}


@pytest.mark.parametrize("place", range(0, len(HEAD) - 1, 3))
def test_merged_sideways_is_reported(place: int, runner: Runner) -> None:
    outcome = runner.run(runner.write(merged((3, place, 3, place + 1)), "export.xlsx"))
    assert outcome.findings["F207"] == 1
    assert outcome.counts["inventories_declared"] == 4


def test_merged_with_its_heading_is_reported(runner: Runner) -> None:
    place = HEAD.index("goods_spec")
    outcome = runner.run(runner.write(merged((0, place, 2, place)), "export.xlsx"))
    assert (outcome.findings["F207"], outcome.counts["inventories_declared"]) == (2, 3)


def test_headings_of_two_rows_and_titles_over_several_columns_are_no_lines(runner: Runner) -> None:
    table = [["十月清单", *[""] * (len(HEAD) - 1)], HEAD, [""] * len(HEAD), *TABLE[1:], ["合计", *[""] * (len(HEAD) - 1)]]
    ranges = [(0, 0, 0, len(HEAD) - 1), *((1, place, 2, place) for place in range(len(HEAD))), (len(table) - 1, 0, len(table) - 1, 4)]
    outcome = runner.run(runner.write(merged(*ranges, table=table), "export.xlsx"))
    assert (outcome.findings, len(declared(outcome, "inventory_no"))) == ({}, 5)


def test_blank_cells_that_are_merged_say_nothing(runner: Runner) -> None:
    table = table_of([{**each, "goods_spec": "棉", "second_statutory_quantity": "", "second_statutory_unit_code": ""} for each in ROWS])
    place = HEAD.index("second_statutory_quantity")
    outcome = runner.run(runner.write(merged((1, place, 5, place), table=table), "export.xlsx"))
    assert (outcome.findings, len(declared(outcome, "inventory_no"))) == ({}, 5)


def test_a_merge_further_in_the_sheet(runner: Runner) -> None:
    """The reader leaves out blank rows and columns beside the table; merged cells are counted from the sheet's first."""
    codes = ["", "4403A001", "4403A001", "", ""]
    table = [[], [], *([*["", ""], *line] for line in _premises(*codes))]
    outcome = runner.run(runner.write(merged((4, PLACE + 2, 5, PLACE + 2), table=table), "export.xlsx"))
    assert [code for _, code in declared(outcome, "inventory_no", "premises_code")] == codes


def test_a_merged_date(runner: Runner) -> None:
    sink, at = io.BytesIO(), HEAD.index("cleared_at")
    book = xlsxwriter.Workbook(sink, {"in_memory": True})
    sheet, moment = book.add_worksheet("清单"), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.merge_range(1, at, 5, at, "")
    for line, cells in enumerate(TABLE):
        for place, cell in enumerate(cells):
            if line == 0 or place != at:
                sheet.write_string(line, place, cell)
    sheet.write_datetime(1, at, datetime(2026, 10, 5), moment)  # noqa: DTZ001 - a spreadsheet's day has no zone
    book.close()
    outcome = runner.run(runner.write(sink.getvalue(), "export.xlsx"))
    assert len(declared(outcome, "inventory_no")) == 5
