"""Lines that do not say which inventory they belong to: no inventory that may lack one is declared in part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import Runner, csv_text, row
from tests.tries import tries

pytestmark = pytest.mark.long

NUMBERS = [f"22442026E00000000{place}" for place in range(1, 6)]
LENGTHS = dict(zip(NUMBERS, (1, 3, 2, 1, 2), strict=True))
PLACES = {1: NUMBERS[1], 3: NUMBERS[1], 5: NUMBERS[2], 8: NUMBERS[4]}
"""Lines to be made unreadable: the first of three, the last of three, of two, of the file."""
CHUNKS = (10, 1500, 1 << 20)
PLAIN = ("order_no", "waybill_no", "internal_no")


def export(*, identifiers: bool = True, descending: bool = False) -> list[dict[str, str]]:
    rows = []
    for place, (number, length) in enumerate(LENGTHS.items(), 1):
        own = {"order_no": f"DD{place}", "waybill_no": f"LP{place}"} if identifiers else {"order_no": "", "waybill_no": ""}
        items = range(length, 0, -1) if descending else range(1, length + 1)
        rows += [row(inventory_no=number, item_no=str(item), **own) for item in items]
    return rows


def declared(outcome: object) -> dict[str, int]:
    """Number of declared lines by inventory."""
    folder = Path(outcome.folder) if outcome.folder else None  # type: ignore[attr-defined]
    lines = pq.read_table(folder / "audit_map.parquet")["inventory_no"].to_pylist() if folder else []
    return {number: lines.count(number) for number in dict.fromkeys(lines)}


def _cell(change: Callable[[str], str]) -> Callable[[str, str], str]:
    return lambda record, number: record.replace(number, change(number), 1)


UNREADABLE: dict[str, Callable[[str, str], str]] = {
    "blank": _cell(lambda number: ""),
    "white space": _cell(lambda number: "\u3000 "),
    "last character cut off": _cell(lambda number: number[:-1]),
    "first character cut off": _cell(lambda number: number[1:]),
    "a character missing": _cell(lambda number: number[:6] + number[7:]),
    "half of it": _cell(lambda number: number[:9]),
    "a comma in it": _cell(lambda number: f"{number[:4]},{number[4:]}"),
    "a quoted comma in it": _cell(lambda number: f'"{number[:9]},{number[9:]}"'),
    "a byte order mark": _cell(lambda number: f"\ufeff{number}"),
    "a zero-width space": _cell(lambda number: f"{number[:4]}\u200b{number[4:]}"),
    "a space in it": _cell(lambda number: f"{number[:8]} {number[8:]}"),
    "an apostrophe behind": _cell(lambda number: f"{number}'"),
    "scientific": _cell(lambda number: "2.24420E+17"),
    "ditto": _cell(lambda number: "同上"),
    "ditto mark": _cell(lambda number: "〃"),
    "dash": _cell(lambda number: "-"),
    "error of a spreadsheet": _cell(lambda number: "#REF!"),
    "a last character too many": _cell(lambda number: f"{number}X"),
    "broken in two": lambda record, number: f"{record[:60]}\n{record[60:]}",
    "broken in two in its number": lambda record, number: f"{record[:9]}\n{record[9:]}",
    "a cell too many": lambda record, number: record.replace(number, "", 1) + ",",
    "cells moved to the right": lambda record, number: ("," + record).rsplit(",", 1)[0],
    "a quote in it": _cell(lambda number: f'{number[:5]}"{number[5:]}'),
}  # fmt: skip
PIECES = {"broken in two", "broken in two in its number"}
"""The reader joins pieces of a row that stand in one chunk; elsewhere more of what stands beside them may be rejected."""
NEEDS_IDENTIFIERS = {"a last character too many"}
"""Nothing else ties such a line: its number looks whole."""


def with_unreadable(rows: list[dict[str, str]], place: int, way: str) -> str:
    records = csv_text(rows).splitlines()
    records[place + 1] = UNREADABLE[way](records[place + 1], rows[place]["inventory_no"])
    return "\n".join(records) + "\n"


@pytest.mark.parametrize("identifiers", [True, False], ids=["with-identifiers", "without"])
@pytest.mark.parametrize("way", UNREADABLE)
def test_no_line_made_unreadable_leads_to_a_partial_declaration(way: str, identifiers: bool, in_new_folder: Callable[[str], Runner]) -> None:
    rows = export(identifiers=identifiers)
    if not identifiers and way in NEEDS_IDENTIFIERS:
        pytest.skip("its number looks whole, and nothing else ties it")
    for place, inventory in PLACES.items():
        beside = {rows[other]["inventory_no"] for other in (place - 1, place, place + 1) if 0 <= other < len(rows)}
        results = []
        for chunk_bytes in CHUNKS if place == 3 else CHUNKS[place % 3 :][:1]:
            runner = in_new_folder(f"{place}-{chunk_bytes}")
            outcome = runner.run(runner.write(with_unreadable(rows, place, way)), chunk_bytes=chunk_bytes)
            made = declared(outcome)
            assert inventory not in made, (place, chunk_bytes)
            assert all(count == LENGTHS[number] for number, count in made.items()), "whole, and under no number but these"
            assert set(NUMBERS) - beside <= set(made), "others stay declared"
            results.append((made, outcome.findings))
        assert way in PIECES or all(result == results[0] for result in results), "whatever the chunks"


@pytest.mark.parametrize("way", ["blank", "a byte order mark", "scientific", "ditto", "a quoted comma in it", "last character cut off"])
def test_identifiers_leave_what_stands_beside_alone(way: str, runner: Runner) -> None:
    rows = export()
    outcome = runner.run(runner.write(with_unreadable(rows, 3, way)))
    assert set(declared(outcome)) == set(NUMBERS) - {NUMBERS[1]}


@pytest.mark.parametrize("column", ["order_no", "waybill_no", "internal_no"])
def test_a_line_far_away_is_tied_by_an_identifier(column: str, in_new_folder: Callable[[str], Runner]) -> None:
    rows = [{**line, **dict.fromkeys(PLAIN, ""), column: line["order_no"]} for line in export()]
    stray = {**rows[3], "inventory_no": ""}
    for chunk_bytes in CHUNKS:
        runner = in_new_folder(str(chunk_bytes))
        outcome = runner.run(runner.write([*rows[:3], *rows[4:], stray]), chunk_bytes=chunk_bytes)
        assert set(declared(outcome)) == set(NUMBERS) - {NUMBERS[1]}
        assert [each["value"] for each in runner.results(outcome, "findings") if each["code"] == "B104"] == [f"{runner.folder}/export.csv:10"]


def test_a_broken_record_far_away_is_tied_by_its_cells(runner: Runner) -> None:
    rows = export()
    [*records] = csv_text(rows).splitlines()
    broken = records.pop(4).replace(NUMBERS[1], "22,44", 1)
    outcome = runner.run(runner.write("\n".join([*records, broken]) + "\n"))
    assert NUMBERS[1] not in declared(outcome)


def test_across_files_only_identifiers_tie(in_new_folder: Callable[[str], Runner]) -> None:
    for identifiers, left in ((True, set(NUMBERS) - {NUMBERS[1]}), (False, set(NUMBERS))):
        runner = in_new_folder(str(identifiers))
        rows = export(identifiers=identifiers)
        stray = {**rows[3], "inventory_no": "", "item_no": "3"}
        outcome = runner.run(runner.write([*rows[:3], *rows[4:]], "1.csv"), runner.write([stray], "2.csv"))
        assert set(declared(outcome)) == left


def test_a_line_with_identifiers_of_its_own_is_an_inventory_of_its_own(runner: Runner) -> None:
    stray = row(inventory_no="", order_no="DD77", waybill_no="LP77")
    rows = export()
    outcome = runner.run(runner.write([*rows[:4], stray, *rows[4:]]))
    assert set(declared(outcome)) == set(NUMBERS)
    assert outcome.findings == {"R101": 1}


def test_a_blank_cell_says_nothing_against_identifiers(runner: Runner) -> None:
    stray = row(inventory_no="remark", order_no="DD77", waybill_no="LP77", goods_name="")
    rows = export()
    outcome = runner.run(runner.write([*rows[:4], stray, *rows[4:]]))
    assert set(declared(outcome)) == set(NUMBERS)
    assert outcome.findings == {"R101": 1, "R124": 1}


@pytest.mark.parametrize("number", ["REMARK", "同上", "#N/A", "NULL", "TRUE", "=SUM(A1:A9)", "+22442026E000000002", "22442026E000000002.0",
                                    "22442026E000000002件", "22442026Е000000002", "٢٢٤٤٢٠٢٦E٠٠٠٠٠٠٠٠٢", "22442026-E-000000002", "0.15"])  # fmt: skip
def test_what_can_be_no_number_is_never_declared(number: str, runner: Runner) -> None:
    rows = [{**line, "inventory_no": number} if line["inventory_no"] == NUMBERS[1] else line for line in export()]
    outcome = runner.run(runner.write(rows))
    assert set(declared(outcome)) == set(NUMBERS) - {NUMBERS[1]}
    assert sum(outcome.findings.get(code, 0) for code in ("R123", "R124")) == LENGTHS[NUMBERS[1]]


def test_a_line_that_says_nothing_of_its_inventory_is_reported(runner: Runner) -> None:
    """It is not excluded for want of a status: its inventory may be cleared."""
    rows = export()
    header = ("inventory_no", "order_no", "waybill_no", "internal_no", "status_code", "cleared_at")
    stray = {**rows[3], **dict.fromkeys(header, "")}
    outcome = runner.run(runner.write([*rows, stray]))
    assert outcome.findings["R101"] == 1
    assert not outcome.excluded


def test_a_value_that_many_share_is_no_identifier(runner: Runner) -> None:
    numbers = [f"22442026E0000000{place}" for place in range(10, 30)]
    rows = [row(inventory_no=number, order_no=f"DD{number}", waybill_no=f"LP{number}", internal_no="0") for number in numbers]
    stray = row(inventory_no="", item_no="2", order_no="", waybill_no="", internal_no="0")
    outcome = runner.run(runner.write([*rows[:5], stray, *rows[5:]]))
    assert set(numbers) - set(declared(outcome)) == set(numbers[4:6]), "what stands beside it alone"


def test_cells_merged_in_a_spreadsheet(in_new_folder: Callable[[str], Runner]) -> None:
    """Header cells stand on the first line of an inventory only: none with several lines is whole."""
    rows = export()
    header = [column for column in rows[0] if column in {"inventory_no", "order_no", "waybill_no", "package_count", "consignor_code"}]
    merged = [line if line["item_no"] == "1" else {**line, **dict.fromkeys(header, "")} for line in rows]
    for chunk_bytes in CHUNKS:
        runner = in_new_folder(str(chunk_bytes))
        made = declared(runner.run(runner.write(merged), chunk_bytes=chunk_bytes))
        assert NUMBERS[0] in made
        assert not {number for number, length in LENGTHS.items() if length > 1} & set(made)


def test_items_from_last_to_first(in_new_folder: Callable[[str], Runner]) -> None:
    rows = export(identifiers=False, descending=True)
    for place, line in enumerate(rows):
        if line["item_no"] == str(LENGTHS[line["inventory_no"]]) != "1":
            for chunk_bytes in CHUNKS:
                runner = in_new_folder(f"{place}-{chunk_bytes}")
                outcome = runner.run(runner.write(with_unreadable(rows, place, "blank")), chunk_bytes=chunk_bytes)
                assert line["inventory_no"] not in declared(outcome)


def test_numbers_of_another_scheme_are_no_strays(runner: Runner) -> None:
    """An export whose numbers all have another shape is declared, whatever begins like what."""
    rows = [row(inventory_no=f"INVT2026{place}", order_no=f"DD{place}", waybill_no=f"LP{place}") for place in (1, 10, 100, 101, 11)]
    assert runner.run(runner.write(rows)).counts["inventories_declared"] == 5
    rows[2]["goods_name"] = ""
    assert runner.run(runner.write(rows), out=runner.folder / "other").counts["inventories_declared"] == 4


def test_a_mistyped_number_is_tied_by_an_identifier(runner: Runner) -> None:
    rows = export()
    rows[3]["inventory_no"] = "22442026E000000099"
    assert set(declared(runner.run(runner.write(rows)))) == set(NUMBERS) - {NUMBERS[1]}


def test_what_is_excluded_stays_excluded(runner: Runner) -> None:
    rows = [{**line, "status_code": "800"} if line["inventory_no"] == NUMBERS[1] else line for line in export()]
    outcome = runner.run(runner.write(with_unreadable(rows, 3, "blank")))
    assert outcome.excluded == {"not_cleared": 2}
    assert set(declared(outcome)) == set(NUMBERS) - {NUMBERS[1]}


def test_an_inventory_declared_before_stays_known(runner: Runner) -> None:
    """A stray line takes nothing back: what was declared is whole in this export too, so it is known."""
    rows = export()
    runner.run(runner.write(rows))
    outcome = runner.run(runner.write([*rows[:4], {**rows[3], "inventory_no": "", "item_no": "4"}, *rows[4:]]))
    assert outcome.excluded == {"known": 5}


def test_a_finding_says_where(runner: Runner) -> None:
    outcome = runner.run(runner.write(with_unreadable(export(), 3, "blank")))
    [finding] = [each for each in runner.results(outcome, "findings") if each["code"] == "B104"]
    assert (finding["inventory_no"], finding["column"], finding["value"]) == (NUMBERS[1], "inventory_no", f"{runner.folder}/export.csv:5")
    text = (Path(outcome.folder) / "rejected" / "export.csv").read_text(encoding="utf-8-sig")
    assert text.count("B104") == 2, "the lines that have the number; the stray has its own code"


@pytest.mark.parametrize("chunk_bytes", CHUNKS)
def test_pieces_of_two_inventories_make_no_third(chunk_bytes: int, runner: Runner) -> None:
    """Item 2 of one and item 1 of the next under the same half of a number look whole together, and so does what is left of the first."""
    rows = export(identifiers=False)
    for place, number in ((2, NUMBERS[1][:9]), (3, NUMBERS[1][1:]), (4, NUMBERS[2][:9])):
        rows[place]["inventory_no"] = number
    made = declared(runner.run(runner.write(rows), chunk_bytes=chunk_bytes))
    assert made == {number: LENGTHS[number] for number in (NUMBERS[0], *NUMBERS[3:])}


@settings(max_examples=tries(15), phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data())
def test_any_number_of_lines_in_any_way(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    rows = export(identifiers=data.draw(st.booleans(), "identifiers"))
    ways = sorted(set(UNREADABLE) - NEEDS_IDENTIFIERS)
    spoiled = data.draw(st.dictionaries(st.integers(0, len(rows) - 1), st.sampled_from(ways), min_size=1, max_size=4), "lines")
    records = csv_text(rows).splitlines()
    for place, way in spoiled.items():
        records[place + 1] = UNREADABLE[way](records[place + 1], rows[place]["inventory_no"])
    results = []
    for chunk_bytes in (1 << 20, data.draw(st.sampled_from([10, 900, 1500]), "chunk")):
        runner = Runner(tmp_path_factory.mktemp("strays"))
        outcome = runner.run(runner.write("\n".join(records) + "\n"), chunk_bytes=chunk_bytes)
        made = declared(outcome)
        lengths = {**LENGTHS, **_under_another_number(spoiled, rows)}
        assert made == {number: lengths.get(number) for number in made}
        results.append((made, outcome.findings))
    assert PIECES & set(spoiled.values()) or results[0] == results[1]


def _under_another_number(spoiled: dict[int, str], rows: list[dict[str, str]]) -> dict[str, int]:
    """Lengths of inventories all of whose lines have the same other number: they are whole, and a warning says it is odd."""
    found = {}
    for inventory in NUMBERS:
        lines = [place for place, line in enumerate(rows) if line["inventory_no"] == inventory]
        others = {UNREADABLE[spoiled[place]](inventory, inventory).strip('"') if place in spoiled else inventory for place in lines}
        if len(others) == 1:
            found[others.pop()] = LENGTHS[inventory]
    return found


@pytest.mark.parametrize("lost", ["", "\0" * 40], ids=["bytes lost", "bytes overwritten"])
@pytest.mark.parametrize("chunk_bytes", CHUNKS)
def test_of_rows_that_ran_together_neither_inventory_is_declared(lost: str, chunk_bytes: int, runner: Runner) -> None:
    """The number that is seen is that of the second row; the first has lost its own and was the last line of its inventory."""
    rows = [dict(sorted(cells.items(), key=lambda cell: (cell[0] == "inventory_no", cell[0] not in PLAIN))) for cells in export()]
    records = csv_text(rows).splitlines()
    last, first = records[4], records[5]
    assert (last.rsplit(",", 1)[1], first.rsplit(",", 1)[1]) == (NUMBERS[1], NUMBERS[2])
    records[4:6] = [last[:60] + lost + first[80:]]
    outcome = runner.run(runner.write("\n".join(records) + "\n"), chunk_bytes=chunk_bytes)
    assert declared(outcome) == {number: LENGTHS[number] for number in NUMBERS if number not in NUMBERS[1:3]}
    found = {(finding["code"], finding["inventory_no"]) for finding in runner.results(outcome, "findings")}
    assert ("B104", NUMBERS[1]) in found
    assert ("B104", NUMBERS[2]) not in found
