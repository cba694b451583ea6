"""What stands above, between and beside the lines of a table: never taken for a line, and no line taken for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aggregator.inputs.export import column_letter
from aggregator.model.errors import UnusableInput
from aggregator.pipeline.result import Outcome
from aggregator.samples.shapes.formats import as_csv, as_parquet, as_workbook, table_of
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import SOUND, Runner, row

Table = list[list[str]]
CHINESE = {column: field.headings[0] for column, field in M9610.dictionary.by_column.items()}
ROWS = [row(inventory_no=f"22442026E00000000{place}", order_no=f"DD{place}", waybill_no=f"LP{place}") for place in range(1, 7)]
TABLE = table_of(ROWS)
HEAD, LINES = TABLE[0], TABLE[1:]
WRITERS: dict[str, Callable[[Table], bytes]] = {"csv": as_csv, "xlsx": lambda table: as_workbook({"清单": table})}


def exactly_declared(runner: Runner, outcome: Outcome, rows: Sequence[dict[str, str]] = ROWS) -> bool:
    table = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    columns = ("inventory_no", "order_no", "declaring_customs_code", "exit_customs_code", "transport_mode_code", "premises_code")
    return [tuple(each[column] or "" for column in columns) for each in sorted(table, key=lambda line: line["inventory_no"])] == [
        tuple(each.get(column, "") for column in columns) for each in rows
    ]


def refused(runner: Runner, table: Table, suffix: str, **changes: object) -> str:
    with pytest.raises(UnusableInput) as stopped:
        runner.run(runner.write(WRITERS[suffix](table), f"export.{suffix}"), **changes)
    assert not list(runner.out.glob("2026-10/*"))
    return stopped.value.text.en


def turned(table: Table, first: str = "declaring_customs_code", second: str = "exit_customs_code") -> Table:
    """The same table with two columns in each other's place."""
    one, two = HEAD.index(first), HEAD.index(second)
    order = list(range(len(HEAD)))
    order[one], order[two] = two, one
    return [[line[place] for place in order] for line in table]


def without(table: Table, *columns: str) -> Table:
    places = {HEAD.index(column) for column in columns}
    return [[cell for place, cell in enumerate(line) if place not in places] for line in table]


# ------------------------------------------------------------------------------------------------------- headings again


SECOND: dict[str, Table] = {
    "districts turned": turned([HEAD, *LINES[3:]]),
    "numbers turned": turned([HEAD, *LINES[3:]], "order_no", "waybill_no"),
    "quantities turned": turned([HEAD, *LINES[3:]], "declared_quantity", "statutory_quantity"),
    "reversed": [line[::-1] for line in [HEAD, *LINES[3:]]],
    "fewer columns": without([HEAD, *LINES[3:]], "voyage_no"),
    "fewer columns, padded": [[*line, ""] for line in without([HEAD, *LINES[3:]], "voyage_no")],
    "more columns": [[*line, "sku" if line is HEAD else "A1"] for line in [HEAD, *LINES[3:]]],
    "another language, turned": turned([[CHINESE[column] for column in HEAD], *LINES[3:]]),
    "partly known": turned([[f"我的{column}" if place % 3 else column for place, column in enumerate(HEAD)], *LINES[3:]]),
    "hardly known": turned([[f"我的{column}" if place % 9 else column for place, column in enumerate(HEAD)], *LINES[3:]]),
}  # fmt: skip


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("between", [[], [[]], [["第二批"]]], ids=["nothing", "blank", "title"])
@pytest.mark.parametrize("second", SECOND, ids=str)
def test_other_headings_among_lines_refuse_the_file_and_name_the_row(second: str, between: Table, suffix: str, runner: Runner) -> None:
    text = refused(runner, [HEAD, *LINES[:3], *between, *SECOND[second]], suffix)
    assert "[F116]" in text
    assert f"Row {5 + len(between)}," in text, text


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("again", [HEAD, [CHINESE[column] for column in HEAD], [M9610.dictionary.by_column[column].element for column in HEAD], [f" {column} " for column in HEAD]],
                         ids=["same", "chinese", "official", "spaced"])
def test_headings_again_in_the_same_order_are_passed_over(again: list[str], suffix: str, runner: Runner) -> None:
    outcome = runner.run(runner.write(WRITERS[suffix]([HEAD, *LINES[:3], again, *LINES[3:]]), f"export.{suffix}"))
    assert exactly_declared(runner, outcome)
    assert (outcome.exit_code, outcome.findings) == (0, {})


def test_other_headings_in_parquet_refuse_the_file(runner: Runner) -> None:
    other = dict(zip(HEAD, turned([HEAD])[0], strict=True))
    with pytest.raises(UnusableInput, match=r"\[F116\].*Row 5,"):
        runner.run(runner.write(as_parquet([*ROWS[:3], other, *ROWS[3:]]), "export.parquet"))


def test_other_headings_are_found_in_whatever_part_of_the_file_they_lie(runner: Runner) -> None:
    many = [row(inventory_no=f"22442026E{place:09}", order_no=f"DD{place}") for place in range(3000)]
    lines = table_of(many)[1:]
    table = [HEAD, *lines[:2500], *turned([HEAD, *lines[2500:]])]
    assert "Row 2502," in refused(runner, table, "csv", chunk_bytes=1 << 16, workers=2)


def test_a_goods_name_may_be_a_heading(runner: Runner) -> None:
    rows = [{**each, "goods_name": "商品名称", "goods_spec": "运输方式", "enterprise_goods_name": "毛重"} for each in ROWS]
    assert exactly_declared(runner, runner.run_rows(rows))


# ------------------------------------------------------------------------------------------------------- header values


MODE = "transport_mode_code"
_NO_MODE = without(TABLE, MODE)
_AIR, _ROAD = ["运输方式", "航空运输"], ["运输方式", "公路运输"]
SECTIONS: dict[str, Table] = {
    "above the second table": [_AIR, *_NO_MODE[:4], _ROAD, _NO_MODE[0], *_NO_MODE[4:]],
    "in one cell": [_AIR, *_NO_MODE[:4], ["运输方式：公路运输"], _NO_MODE[0], *_NO_MODE[4:]],
    "without second headings": [_AIR, *_NO_MODE[:4], _ROAD, *_NO_MODE[4:]],
    "in the third cell": [_AIR, *_NO_MODE[:4], ["", "", *_ROAD], *_NO_MODE[4:]],
    "after the last line": [_AIR, *_NO_MODE, _ROAD],
    "numbered": [["一、运输方式", "航空运输"], *_NO_MODE[:4], ["二、运输方式", "公路运输"], *_NO_MODE[4:]],
    "in words": [_AIR, *_NO_MODE[:4], ["第二部分运输方式为公路"], *_NO_MODE[4:]],
    "below the headings only": [_AIR, *_NO_MODE[:1], _ROAD, *_NO_MODE[1:]],
    "twice above": [_AIR, _ROAD, *_NO_MODE],
    "by its name alone": [_AIR, *_NO_MODE[:4], ["公路运输"], *_NO_MODE[4:]],
    "in a title": [_AIR, *_NO_MODE[:4], [], ["（二）公路运输部分"], _NO_MODE[0], *_NO_MODE[4:]],
    "full-width, with a mark": [_AIR, *_NO_MODE[:4], ["运输方式\u200b：４"], *_NO_MODE[4:]],
}  # fmt: skip


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("section", SECTIONS)
def test_another_value_of_a_header_column_refuses_the_file(section: str, suffix: str, runner: Runner) -> None:
    text = refused(runner, SECTIONS[section], suffix)
    assert "[F117]" in text
    row_no = next(place for place, line in enumerate(SECTIONS[section], 1) if any("公路" in cell or "４" in cell for cell in line))
    assert f"Row {row_no}:" in text, text


def test_a_value_only_above_the_second_table_refuses_the_file(runner: Runner) -> None:
    assert "[F117]" in refused(runner, [HEAD, *LINES[:3], ["监管场所代码", "530401A009"], HEAD, *LINES[3:]], "csv")


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("above", [
    [_AIR], [["运输方式：航空运输"]], [["运输方式", "5", "账册编号", "H5304"]], [_AIR, ["运输方式", "5"]], [_AIR, ["运输方式", ""]],
    [["2026年10月航空运输方式出口清单"], ["运输方式", "5"]], [["制表人：张三", "", "制表日期", "2026-10-31"], _AIR], [["运输方式", "", "航空运输"]],
], ids=range(8))  # fmt: skip
def test_titles_and_header_values_above_the_headings_are_exact(above: Table, suffix: str, runner: Runner) -> None:
    outcome = runner.run(runner.write(WRITERS[suffix]([*above, *_NO_MODE]), f"export.{suffix}"))
    assert exactly_declared(runner, outcome)
    assert outcome.exit_code == 0


# ------------------------------------------------------------------------------------------------------- lines above


SPELLINGS: dict[str, Callable[[str], str]] = {
    "sound": str, "full-width": lambda number: "".join(chr(ord(each) + 0xFEE0) for each in number), "lower case": str.lower, "longer": lambda number: f"{number}123",
    "shorter": lambda number: number[:-3], "a word": lambda _: "QD-1", "blank": lambda _: "", "with a mark": lambda number: f"\ufeff{number[:4]}\u200b{number[4:]}",
    "formula": lambda number: f'="{number}"', "spaced": lambda number: f"{number[:8]} {number[8:]}", "scientific": lambda _: "2.24E+16", "with a note": lambda number: f"{number}（放行）",
}  # fmt: skip


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_line_above_the_headings_refuses_the_file(spelling: str, suffix: str, runner: Runner) -> None:
    above = [SPELLINGS[spelling](LINES[0][0]), *LINES[0][1:]]
    assert "[F115]" in refused(runner, [["十月清单"], above, HEAD, *LINES[1:]], suffix)
    assert "Row 2, headings in row 3" in refused(runner, [["十月清单"], above, HEAD, *LINES[1:]], suffix)


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_piece_of_a_line_above_the_headings_refuses_the_file(suffix: str, runner: Runner) -> None:
    assert "[F115]" in refused(runner, [["", *LINES[0][1:4], *[""] * (len(HEAD) - 4)], HEAD, *LINES[1:]], suffix)


@pytest.mark.parametrize("title", [["出口清单", "2026", "10", "31"], ["2026年10月", "第1页", "共3页"], ["单号", "DD1", "日期", "2026-10-31", "版本", "2"], ["20261031"]], ids=range(4))
def test_a_title_of_several_cells_is_no_line(title: list[str], runner: Runner) -> None:
    outcome = runner.run(runner.write(as_csv([title, *TABLE])))
    assert exactly_declared(runner, outcome)
    assert (outcome.exit_code, outcome.findings) == (0, {})


@pytest.mark.parametrize("cell", ["2244-2026-E-000000001", "22442026E000000001", "２２４４２０２６Ｅ０００００００１２３", "22442026e00000000112", "\ufeff22442026E000000001"])
def test_a_number_alone_above_the_headings_refuses_the_file(cell: str, runner: Runner) -> None:
    assert "[F115]" in refused(runner, [[cell], *TABLE], "csv")


def test_a_table_with_other_headings_above_refuses_the_file(runner: Runner) -> None:
    first = [["清单编号", "商品名称", "数量"], ["QD-A", "棉制T恤衫", "2"]]
    assert "[F115]" in refused(runner, [*first, *TABLE], "csv")


# ------------------------------------------------------------------------------------------------------- blank headings


def test_values_without_a_heading_are_reported_with_their_place(runner: Runner) -> None:
    every = [{**dict.fromkeys(M9610.dictionary.by_column, ""), **each} for each in ROWS]
    table = table_of(every)
    at = table[0].index("sku")
    table[0][at] = " \u3000"
    table[3][at] = "SKU7"
    outcome = runner.run(runner.write(as_csv(table)))
    assert exactly_declared(runner, outcome)
    [found] = [each for each in runner.results(outcome, "findings") if each["code"] == "F308"]
    assert (found["source_row"], found["value"]) == ("4", f"{column_letter(at)}: SKU7")


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("column", ["premises_code", "declarant_code", "second_statutory_quantity", "second_statutory_unit_code", "enterprise_goods_name", "goods_spec"])
def test_a_blank_heading_where_its_column_is_missing_refuses_the_file(column: str, suffix: str, runner: Runner) -> None:
    every = [{**dict.fromkeys(M9610.dictionary.by_column, ""), **each, "premises_code": "530401A001"} for each in ROWS]
    table = [["" if cell == column and place == 0 else cell for cell in line] for place, line in enumerate(table_of(every))]
    text = refused(runner, table, suffix)
    assert "[F118]" in text
    assert column in text


def test_a_column_that_the_file_does_not_have_is_not_missed(runner: Runner) -> None:
    table = [[*line, "" if place == 0 else "A1"] for place, line in enumerate(TABLE)]
    assert "[F118]" in refused(runner, table, "csv")
    outcome = runner.run(runner.write(as_csv(table)), columns=(("premises_code", ""),))
    assert exactly_declared(runner, outcome)
    assert outcome.findings["F308"] == 1


def test_a_remark_beside_the_table_is_no_missing_code(runner: Runner) -> None:
    table = [[*line, "", "月底前已核对" if place == 3 else ""] for place, line in enumerate(TABLE)]
    outcome = runner.run(runner.write(as_workbook({"清单": table}), "export.xlsx"))
    assert exactly_declared(runner, outcome)
    assert outcome.findings == {"F308": 1}


def test_a_remark_beside_the_table_may_be_a_missing_name(runner: Runner) -> None:
    table = [[*line, "", "月底前已核对" if place == 3 else ""] for place, line in enumerate(TABLE)]
    at = HEAD.index("enterprise_goods_name")
    assert "Missing: enterprise_goods_name" in refused(runner, [[*line[:at], *line[at + 1 :]] for line in table], "csv")


@pytest.mark.parametrize("start", [0, 1, 2])
def test_a_counter_beside_the_table_is_no_missing_column(start: int, runner: Runner) -> None:
    table = [["", *HEAD], *([str(number), *line] for number, line in enumerate(LINES, start))]
    outcome = runner.run(runner.write(as_csv(table)))
    assert exactly_declared(runner, outcome)
    assert outcome.findings == {"F308": 1}


@pytest.mark.parametrize("suffix", WRITERS)
def test_empty_columns_without_heading_are_silent(suffix: str, runner: Runner) -> None:
    table = [[*line[:5], "", *line[5:], " ", ""] for line in TABLE]
    outcome = runner.run(runner.write(WRITERS[suffix](table), f"export.{suffix}"))
    assert exactly_declared(runner, outcome)
    assert outcome.findings == {}


def test_the_sound_lines_have_no_premises_code() -> None:
    assert "premises_code" not in SOUND


@pytest.mark.parametrize("other", ["item_no", "exit_customs_code", "order_no"])
def test_inventory_numbers_under_another_heading_refuse_the_file(other: str, runner: Runner) -> None:
    names = {"inventory_no": other, other: "inventory_no"}
    table = [[names.get(cell, cell) for cell in TABLE[0]], *TABLE[1:]]
    assert other in TABLE[0]
    text = refused(runner, table, "csv")
    assert "[F120]" in text
    assert f"'{ROWS[0]['inventory_no']}' under '{other}'" in text


def test_a_number_of_one_line_in_another_column_rejects_its_inventory(runner: Runner) -> None:
    table = [list(row) for row in TABLE]
    number, item = table[0].index("inventory_no"), table[0].index("item_no")
    table[1][number], table[1][item] = table[1][item], table[1][number]
    outcome = runner.run(runner.write(as_csv(table)))
    assert ROWS[0]["inventory_no"] not in {line["inventory_no"] for line in pq.read_table(f"{outcome.folder}/audit_map.parquet").to_pylist()}
    assert outcome.findings["R104"] == 1
