"""Rejected lines as a workbook: it says what is wrong where it is wrong, and comes back without loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from aggregator.outputs import rejected_book
from aggregator.pipeline import books
from aggregator.samples.shapes.formats import as_csv, as_message, as_parquet, as_workbook, table_of
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.returned import REJECT_CODES, REJECT_REASONS
from tests.conftest import Runner, csv_text, read_rows, row
from tests.office import CSV_AS_SHOWN, needs_office, saved_as

CHINESE = {field.column: field.headings[0] for field in M9610.dictionary.fields if field.headings}
Sheet = Any


def inventory(serial: int, **cells: str) -> list[dict[str, str]]:
    number = f"22442026E{serial:09d}"
    both = {"inventory_no": number, "order_no": f"DD{serial}", "waybill_no": f"LP{serial}"}
    return [row(**{**both, "item_no": "1", **cells}), row(**both, item_no="2", goods_spec="=1+1", total_price="00012.50", unit_price="6.25")]


TRUTH = [line for serial in range(1, 13) for line in inventory(serial)]
WRONG = {0: {"commodity_code": ""}, 3: {"total_price": "1,0"}, 4: {"declared_unit_code": "11", "currency_code": "zz"}, 6: {"gross_weight_kg": "2.24E+1"},
         8: {"goods_name": "x" * 300}, 10: {"inventory_no": "2.24E+133"}, 12: {"consignor_code": "0123"}}  # fmt: skip
"""Line to its wrong cells."""
FAULTY = [{**line, **WRONG.get(place, {})} for place, line in enumerate(TRUTH)]


def book_of(outcome: Any, name: str = "export.xlsx") -> Path:
    return Path(outcome.folder) / "rejected" / name


def sheet_in(path: Path) -> Sheet:
    return openpyxl.load_workbook(path).active


def column(sheet: Sheet, heading: str) -> int:
    return next(cell.column for cell in sheet[1] if cell.value == heading)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_wrong_is_shown_where_it_is(runner: Runner, lang: Any) -> None:
    outcome = runner.run(runner.write(csv_text(FAULTY, CHINESE)), lang=lang)
    sheet = sheet_in(book_of(outcome))
    assert [cell.value for cell in sheet[1]] == [*(CHINESE[name] for name in FAULTY[0]), REJECT_REASONS.in_lang(lang), REJECT_CODES.in_lang(lang)]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", sheet.dimensions)
    assert sheet.column_dimensions["A"].width >= len(FAULTY[0]["inventory_no"])
    assert all(cell.data_type == "s" and cell.number_format == "@" for cells in sheet.iter_rows(min_row=2) for cell in cells if cell.value is not None)
    unit, price, code = (sheet.cell(6, column(sheet, CHINESE[name])) for name in ("declared_unit_code", "total_price", "commodity_code"))
    assert unit.fill.bgColor.rgb != price.fill.bgColor.rgb
    assert (unit.value, price.value, code.value) == ("11", "10.00", "6109100010")
    assert "[R111]" in unit.comment.text
    assert price.comment is None
    reasons = [sheet.cell(place, column(sheet, REJECT_REASONS.in_lang(lang))).value for place in (6, 7)]
    assert CHINESE["declared_unit_code"] in reasons[0]
    assert all(f"[{code}] {CHINESE[name]}" in reasons[0] for code, name in (("R110", "currency_code"), ("R111", "declared_unit_code"))), reasons[0]
    assert reasons[1].startswith("Nothing is wrong" if lang == "en" else "本行无误")
    assert sheet.cell(7, column(sheet, CHINESE["goods_spec"])).value == "=1+1"
    missing = sheet.cell(2, column(sheet, CHINESE["commodity_code"]))
    assert (missing.value, missing.fill.bgColor.rgb, missing.number_format) == (None, unit.fill.bgColor.rgb, "@")


@pytest.mark.parametrize(
    ("name", "write"),
    [("export.csv", lambda rows: csv_text(rows).encode("utf-8")), ("export.txt", lambda rows: as_csv(table_of(rows, CHINESE), "\t", "\r\n", "gb18030")),
     ("export.xlsx", lambda rows: as_workbook({"清单": [["十月"], *table_of(rows, CHINESE)]})), ("export.parquet", as_parquet),
     ("export.xml", lambda rows: as_message([{**line, "goods_spec": "棉|无牌"} for line in rows]))],
    ids=["csv", "gb18030", "workbook", "parquet", "message"],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_of_every_format_and_read_again_without_loss(runner: Runner, name: str, write: Callable[[Any], bytes], lang: Any) -> None:
    first = runner.run(runner.write(write(FAULTY), name), lang=lang, assume_cleared=True)
    assert first.counts["inventories_rejected"] >= 6
    again = runner.run(book_of(first), out=runner.folder / "again", lang=lang, assume_cleared=True)
    as_csv_file = runner.run(book_of(first, "export.csv"), out=runner.folder / "csv", lang=lang, assume_cleared=True)
    expected = {code: count for code, count in first.findings.items() if code[0] in "RI" and M9610.rules[code].severity == "error"}
    assert {code: count for code, count in again.findings.items() if code in expected} == expected
    assert again.findings == as_csv_file.findings
    assert again.counts["inventories_declared"] == 0
    third = runner.run(book_of(again), out=runner.folder / "third", lang="en", assume_cleared=True)
    assert third.findings == again.findings
    assert [cell.value for cell in sheet_in(book_of(third))[1]].count("reject_codes") == 1


@pytest.mark.parametrize("odd", ['a,"b', "a,b", ",".join("1" * 60)])
def test_what_is_no_row_of_cells_stands_whole_in_its_first_cell(runner: Runner, odd: str) -> None:
    text = csv_text(TRUTH) + odd + "\n" + csv_text(FAULTY[:2]).split("\n", 1)[1]
    first = runner.run(runner.write(text))
    sheet = sheet_in(book_of(first))
    rows = [cells for cells in sheet.iter_rows(min_row=2, values_only=True) if cells[-1] and "F20" in cells[-1]]
    assert odd in [cells[0] for cells in rows]
    assert all(set(cells[1:-2]) == {None} for cells in rows if cells[0] == odd)
    again = runner.run(book_of(first), out=runner.folder / "again")
    assert again.counts["inventories_declared"] == 0


def test_a_workbook_holds_all_lines_or_is_not_written(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of an inventory must not be taken for the whole; and a run of which much is rejected must not take long."""
    few = runner.write(FAULTY[:2], "few.csv")
    many = runner.write(FAULTY[2:], "many.csv")
    monkeypatch.setattr(books, "MOST_LINES", 4)
    outcome = runner.run(few, many)
    assert sorted(path.name for path in (Path(outcome.folder) / "rejected").iterdir()) == ["few.csv", "few.xlsx", "many.csv"]
    [note] = [note for note in outcome.notes if "workbook" in note.en]
    assert "many.csv" in note.en
    assert "many.csv" in note.zh


def test_the_same_bytes_for_any_cut(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    path = runner.write(FAULTY * 3)
    whole = runner.run(path)
    cut = runner.run(path, out=runner.folder / "cut", chunk_bytes=3000, workers=2)
    assert book_of(whole).read_bytes() == book_of(cut).read_bytes()
    monkeypatch.setattr(rejected_book, "_COMMENTS", 2)
    few = runner.run(path, out=runner.folder / "few")
    commented = [cell for cells in sheet_in(book_of(few)).iter_rows() for cell in cells if cell.comment]
    assert len(commented) == 2


# ------------------------------------------------------------------------------------------------------------ by LibreOffice


@needs_office
@pytest.mark.long
def test_saved_in_a_spreadsheet_corrected_and_run_again(runner: Runner, in_new_folder: Callable[[str], Runner]) -> None:
    """As README has it: open the workbook, save it, correct the marked cells, run it: the declarations of the truth."""
    first = runner.run(runner.write(csv_text(FAULTY, CHINESE)), lang="zh")
    wrong = sorted(place // 2 for place in WRONG)
    true = [line for place, line in enumerate(TRUTH) if place // 2 in wrong]
    expected = in_new_folder("truth").run_rows(true)
    assert first.counts["inventories_rejected"] == len(set(wrong)) + 1, "one has lines with and without its number"
    for form, name in (("xlsx", "export.xlsx"), ("xls", "export.xls"), (CSV_AS_SHOWN, "export.csv")):
        saved = saved_as(form, [book_of(first)], runner.folder / f"saved-{name[7:]}") / name
        unchanged = runner.run(saved, out=runner.folder / f"unchanged-{name[7:]}")
        assert json.dumps(unchanged.findings) == json.dumps(runner.run(book_of(first), out=runner.folder / f"own-{name[7:]}").findings)
        if name == "export.xls":
            continue
        corrected = corrected_by_hand(saved, true)
        outcome = runner.run(corrected, out=runner.folder / f"out-{name[7:]}")
        assert (outcome.counts["inventories_declared"], outcome.counts["inventories_rejected"]) == (len(set(wrong)), 0), outcome.findings
        for table in ("declarations", "declaration_items", "control_totals"):
            assert (Path(outcome.folder) / f"{table}.csv").read_bytes() == (Path(expected.folder) / f"{table}.csv").read_bytes(), (form, table)


def corrected_by_hand(path: Path, true: list[dict[str, str]]) -> Path:
    """With what is wrong typed anew; in a workbook what was typed is text, for its cells are."""
    if path.suffix == ".csv":
        lines = [{**{name: line[CHINESE[name]] for name in true[0]}, **{name: cell for name, cell in sound.items() if line[CHINESE[name]] != cell}} for line, sound in zip(read_rows(path), true, strict=True)]
        path.write_text(csv_text(lines, CHINESE), encoding="utf-8")
        return path
    book = openpyxl.load_workbook(path)
    sheet = book.active
    places = {name: column(sheet, CHINESE[name]) for name in true[0]}
    changed = 0
    for number, sound in enumerate(true, 2):
        for name, cell in sound.items():
            at = sheet.cell(number, places[name])
            if (at.value or "") != cell:
                assert at.number_format == "@"
                at.value, changed = cell, changed + 1
    assert changed == sum(map(len, WRONG.values()))
    book.save(path)
    return path
