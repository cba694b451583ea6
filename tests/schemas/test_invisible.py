"""Characters that nobody sees: in numbers and codes they are reported with their code points, in names they are kept."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregator.model.errors import UnusableInput
from aggregator.schemas.invisible import has_no_invisible, made_visible, without_invisible
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import SOUND, Runner, row

UNSEEN = {
    "zero-width space": "\u200b", "zero-width joiner": "\u200d", "byte order mark": "\ufeff", "soft hyphen": "\u00ad",
    "left-to-right mark": "\u200e", "right-to-left override": "\u202e", "isolate": "\u2066", "word joiner": "\u2060",
    "line separator": "\u2028", "paragraph separator": "\u2029", "no-break space": "\u00a0", "narrow space": "\u202f",
    "ideographic space": "\u3000", "next line": "\u0085", "delete": "\u007f", "escape": "\u001b", "tab": "\t",
    "variation selector": "\ufe0f", "grapheme joiner": "\u034f", "Hangul filler": "\u3164", "tag": "\U000e0041",
}  # fmt: skip
GIVEN = {**SOUND, "sku": "SKU-1", "barcode": "6901234567892", "internal_no": "COP1", "bill_no": "784-1", "premises_code": "4403A001"}
NOT_NAMES = [field for field in M9610.dictionary.fields if field.kind != "text" and GIVEN.get(field.column, "")]
NAMES = [field.column for field in M9610.dictionary.fields if field.kind == "text" and GIVEN.get(field.column, "")]


def with_inside(value: str, unseen: str) -> str:
    return value[:1] + unseen + value[1:] if len(value) > 1 else value + unseen + "0"


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("column", ["inventory_no", "order_no", "commodity_code", "declared_quantity", "cleared_at"])
def test_is_reported_with_its_code_point(runner: Runner, column: str, unseen: str) -> None:
    shown = f"<U+{ord(unseen):04X}>"
    outcome = runner.run_rows([{**GIVEN, column: with_inside(GIVEN[column], unseen)}])
    found = [each for each in runner.results(outcome, "findings") if each["column"] == column]
    assert found
    if unseen == "\u3000" and column != "order_no":
        # In a code it is read as a wide plain space: whatever else is wrong with that, it can be seen.
        return
    assert any(shown in each["value"] for each in found), found
    assert outcome.counts["inventories_declared"] == (1 if column == "order_no" else 0)


@pytest.mark.parametrize("field", NOT_NAMES, ids=lambda field: str(field.column))
def test_in_every_number_and_code(runner: Runner, field: object) -> None:
    column = str(field.column)  # type: ignore[attr-defined]
    outcome = runner.run_rows([{**GIVEN, column: with_inside(GIVEN[column], "\u200b")}])
    found = [each for each in runner.results(outcome, "findings") if each["column"] == column]
    assert any("<U+200B>" in each["value"] for each in found), found


@pytest.mark.parametrize("place", ["before", "after"])
def test_at_the_ends_too(runner: Runner, place: str) -> None:
    number = GIVEN["inventory_no"]
    outcome = runner.run_rows([{**GIVEN, "inventory_no": f"\ufeff{number}" if place == "before" else f"{number}\u200b"}])
    assert outcome.counts["inventories_rejected"] == 1
    assert "R122" in outcome.findings


def test_a_mark_in_the_first_cell_of_a_chunk(runner: Runner) -> None:
    """Two files pasted one below the other leave the second one's mark in a cell; where chunks begin does not matter."""
    rows = [row(item_no="1"), row(item_no="2", inventory_no="\ufeff22442026E000000001"), row(item_no="3")]
    for chunk_bytes in (10, 600, 1 << 20):
        outcome = runner.run(runner.write(rows), chunk_bytes=chunk_bytes, dry_run=True)
        assert outcome.counts["inventories_declared"] == 0
        assert outcome.findings["R122"] == 1


@pytest.mark.parametrize("column", NAMES)
def test_names_keep_them(runner: Runner, column: str) -> None:
    name = with_inside(GIVEN[column], "\u200d")
    outcome = runner.run_rows([{**GIVEN, column: name}])
    assert outcome.findings == {}
    [line] = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert line.get(column, name) == name


def test_a_number_that_is_not_needed_is_kept_with_a_warning(runner: Runner) -> None:
    outcome = runner.run_rows([row(order_no="L123\u200b")])
    [finding] = runner.results(outcome, "findings")
    assert (finding["code"], finding["severity"], finding["value"]) == ("R207", "warning", "L123<U+200B>")
    [line] = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert line["order_no"] == "L123\u200b"


def test_white_space_around_is_no_finding(runner: Runner) -> None:
    outcome = runner.run_rows([row(order_no="\u00a0L123\u3000", inventory_no="\u202f22442026E000000001\t")])
    assert outcome.findings == {}
    assert outcome.counts["inventories_declared"] == 1


def test_receipts_with_them_stop_the_run(runner: Runner) -> None:
    text = "message,inventory_no,status_code,cleared_at\nCEB604,22442026E000000001\u200b,899,20261020000000000\n"
    with pytest.raises(UnusableInput, match=r"22442026E000000001<U\+200B>"):
        runner.run(runner.write([row()]), receipts=(runner.write(text, "receipts.csv"),))


def test_the_table_of_characters() -> None:
    """Every character of the categories that draw nothing, but for the plain space; and nothing that is drawn."""
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    seen = has_no_invisible(pa.array(every)).to_pylist()
    unseen = {character for character, is_seen in zip(every, seen, strict=True) if not is_seen}
    of_categories = {each for each in every if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Zs") and each != " "}
    assert of_categories - unseen == set()
    rest = unseen - of_categories
    assert {unicodedata.category(each) for each in rest} <= {"Mn", "Lo", "So", "Cn"}
    assert {each for each in rest if unicodedata.category(each) in ("Lo", "So")} == set("\u115f\u1160\u2800\u3164\uffa0")
    assert all(made_visible(each) == f"<U+{ord(each):04X}>" and without_invisible(each) == "" for each in unseen)


def test_a_slice_of_an_array_is_looked_at_alone() -> None:
    whole = pa.array(["a\u200b", "b", None, "c", "d\u200b"])
    assert has_no_invisible(whole.slice(1, 3)).to_pylist() == [True, True, True]
    assert has_no_invisible(whole).to_pylist() == [False, True, True, True, False]
    assert has_no_invisible(pa.array([], pa.string())).to_pylist() == []
