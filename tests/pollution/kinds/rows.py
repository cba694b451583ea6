"""Rows that lack cells, have too many, are moved, doubled, missing, or are no lines at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, groupby

from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.dialects import Cell, Dialect, Grid
from tests.pollution.pollution import Pollution, kind, of_rows, tables, text_only
from tests.pollution.truth import COLUMNS, PLACES, ROWS, Row, Rows, rows_with

_HEADERS = [column for column in COLUMNS if M9610.dictionary.by_column[column].header]
_NUMBERS = ("order_no", "waybill_no", "internal_no")
_WIDE = len(COLUMNS)


def _turns(round_no: int) -> Iterator[tuple[str, int]]:
    turns = cycle(PLACES.items())
    for _ in range(round_no):
        next(turns)
    return turns


def _row(line: int, change: Callable[[list[Cell], Grid], Sequence[Sequence[Cell]]]) -> Callable[[Grid, Dialect], Grid]:
    """One row replaced by what `change` makes of it."""
    return lambda grid, _: grid.with_rows(line, change(grid.row(line), grid))


def _at(grid: Grid, number: int) -> int:
    return number % len(grid.columns)


@kind
def cell_dropped(round_no: int) -> Iterator[Pollution]:
    turns = _turns(round_no)
    for number in range(_WIDE):
        called, line = next(turns)
        yield Pollution(f"{called}.{number}", grid=_row(line, lambda row, grid, n=number: [[*row[: _at(grid, n)], *row[_at(grid, n) + 1 :]]]), fits=text_only)


@kind
def cell_added(round_no: int) -> Iterator[Pollution]:
    turns = _turns(round_no)
    for number in range(_WIDE + 1):
        called, line = next(turns)
        for text in ("", "x") if (number + round_no) % 2 else ("", "1"):
            yield Pollution(f"{called}.{number}.{text or 'blank'}", grid=_row(line, lambda row, _, n=number, text=text: [[*row[:n], text, *row[n:]]]), fits=text_only)


@kind
def cells_missing_at_the_end(round_no: int) -> Iterator[Pollution]:
    """As programs write rows that stop at the last cell they have. A row of nothing but its number is none."""
    turns = _turns(round_no)
    for count in (1, 2, 3, 5, 8, 13, 21, 34, 40, 44):
        for _ in range(2):
            called, line = next(turns)
            yield Pollution(f"{called}.{count}", grid=_row(line, lambda row, _, count=count: [row[: max(1, len(row) - count)]]),
                            fits=lambda dialect, count=count: tables(dialect) and (count < 40 or dialect.order != "numbered"))  # fmt: skip


def _moved(line: int, change: Callable[[list[str]], list[str]]) -> Rows:
    values = change([ROWS[line][column] for column in COLUMNS])
    return rows_with(line, **dict(zip(COLUMNS, values, strict=True)))


@kind
def shifted(round_no: int) -> Iterator[Pollution]:
    """From a column on, or between two columns, all values one column further."""
    turns = _turns(round_no)
    for number in range(_WIDE - 1):
        called, line = next(turns)
        yield of_rows(f"{called}.{number}.left", _moved(line, lambda row, n=number: [*row[:n], *row[n + 1 :], ""]), tables)
        called, line = next(turns)
        yield of_rows(f"{called}.{number}.right", _moved(line, lambda row, n=number: [*row[:n], "", *row[n:-1]]), tables)
        for end in (number + 2 + round_no % 3, number + 9):
            if end < _WIDE:
                called, line = next(turns)
                yield of_rows(f"{called}.{number}-{end}.left", _moved(line, lambda row, n=number, e=end: [*row[:n], *row[n + 1 : e], "", *row[e:]]), tables)
                yield of_rows(f"{called}.{number}-{end}.right", _moved(line, lambda row, n=number, e=end: [*row[:n], "", *row[n : e - 1], *row[e:]]), tables)


@kind
def shifted_throughout(round_no: int) -> Iterator[Pollution]:
    """The headings stay, and all rows begin one column further, or one earlier."""
    for number in range(round_no % 3, _WIDE - 1, 3):
        for way in ("left", "right"):
            rows = [dict(row) for row in ROWS]
            for row in rows:
                values = [row[column] for column in COLUMNS]
                values = [*values[:number], *values[number + 1 :], ""] if way == "left" else [*values[:number], "", *values[number:-1]]
                row.update(zip(COLUMNS, values, strict=True))
            yield of_rows(f"{number}.{way}", rows, tables)


@kind
def swapped(round_no: int) -> Iterator[Pollution]:
    """Two cells of a row."""
    turns = _turns(round_no)
    for distance in (1, 2, 3 + round_no % 5, 11 + round_no):
        for number in range(_WIDE - distance):
            first, second = COLUMNS[number], COLUMNS[number + distance]
            called, line = next(turns)
            row = ROWS[line]
            if row[first] != row[second]:
                yield of_rows(f"{called}.{first}-{second}", rows_with(line, **{first: row[second], second: row[first]}), tables)


def _inserted(line: int, rows: Sequence[Sequence[Cell]]) -> Callable[[Grid, Dialect], Grid]:
    return lambda grid, _: grid.with_rows(line, rows, instead=0)


@kind
def number_of_one_line(round_no: int) -> Iterator[Pollution]:
    """The inventory number of one line is blank, cut, or a word: the line belongs to an inventory all the same."""
    ways: dict[str, Callable[[str], str]] = {
        "blank": lambda _: "", "ditto": lambda _: "同上", "dash": lambda _: "-", "sign": lambda _: "〃", "cut": lambda value: value[:-3], "headless": lambda value: value[4:],
        "spread": lambda value: f"{value[:8]} {value[8:]}", "note": lambda value: f"{value}(补)", "two": lambda value: f"{value},{value[:-1]}9", "zero": lambda _: "0",
    }  # fmt: skip
    for line, row in enumerate(ROWS):
        for number, (way, change) in enumerate(ways.items()):
            if number % 2 == (line + round_no) % 2 or way == "blank":
                yield of_rows(f"{line}.{way}", rows_with(line, inventory_no=change(row["inventory_no"])))


@kind
def numbers_of_one_line(round_no: int) -> Iterator[Pollution]:
    """All numbers of a line blank: it stands among the lines of its inventory."""
    for line in range(len(ROWS)):
        for more in ((), ("sku", "barcode"), ("consignor_code", "consignor_name")):
            yield of_rows(f"{line}.{more[-1] if more else 'numbers'}", rows_with(line, **dict.fromkeys(("inventory_no", *_NUMBERS, *more), "")), tables)


def _only_first(columns: Sequence[str], wanted: Callable[[Row], bool], keep: int = 0) -> Rows:
    """Values of some columns on one line of each inventory only, as merged cells are saved."""
    rows: Rows = []
    for _, lines in groupby(ROWS, key=lambda row: row["inventory_no"]):
        some = list(lines)
        rows += [row if place == keep % len(some) or not wanted(row) else {**row, **dict.fromkeys(columns, "")} for place, row in enumerate(some)]
    return rows


@kind
def merged_cells_lost(round_no: int) -> Iterator[Pollution]:
    numbers = list(dict.fromkeys(row["inventory_no"] for row in ROWS))
    groups = {
        "number": ("inventory_no",), "numbers": ("inventory_no", *_NUMBERS), "header": tuple(_HEADERS), "all-but-numbers": tuple(_HEADERS[4:]),
        "weights": ("package_count", "gross_weight_kg", "net_weight_kg"), "status": ("status_code", "cleared_at"), "firms": ("consignor_code", "consignor_name"),
        "number-and-item": ("inventory_no", "item_no"), "goods": ("commodity_code", "goods_name"), **{column: (column,) for column in _HEADERS[1:]},
    }  # fmt: skip
    for group, columns in groups.items():
        for keep in (0, -1):
            yield of_rows(f"{group}.all.{keep}", _only_first(columns, lambda _: True, keep), tables)
            number = numbers[(len(group) + round_no * 2) % len(numbers)]
            yield of_rows(f"{group}.one.{keep}", _only_first(columns, lambda row, number=number: row["inventory_no"] == number, keep), tables)
        below = [row if place == 0 else {**row, **dict.fromkeys(columns, "")} for place, row in enumerate(ROWS)]
        yield of_rows(f"{group}.first-of-file", below, tables)


@kind
def line_twice(round_no: int) -> Iterator[Pollution]:
    for line, row in enumerate(ROWS):
        for way, at in (("next", line + 1), ("end", len(ROWS)), ("start", 0)):
            yield Pollution(f"{line}.{way}", rows=lambda _, at=at, row=row: [*ROWS[:at], row, *ROWS[at:]])
    for number, column in enumerate(COLUMNS):
        line = (number * 5 + round_no) % len(ROWS)
        other = ROWS[(line + 7) % len(ROWS)][column]
        if other not in ("", ROWS[line][column]) and column not in ("inventory_no", "item_no"):
            rows = [*ROWS[: line + 1], {**ROWS[line], column: other}, *ROWS[line + 1 :]]
            counted = M9610.dictionary.by_column[column].content or column in ("declaration_mode_code", "trade_mode_code")
            truths = (ROWS,) if counted else (ROWS, rows_with(line, **{column: other}), ROWS)
            yield Pollution(f"{line}.{column}", rows=lambda _, rows=rows: rows, truths=truths)


@kind
def inventory_twice(round_no: int) -> Iterator[Pollution]:
    numbers = list(dict.fromkeys(row["inventory_no"] for row in ROWS))
    for number in numbers:
        lines = [row for row in ROWS if row["inventory_no"] == number]
        yield Pollution(f"{number}.same", rows=lambda _, lines=lines: [*ROWS, *lines])
        yield Pollution(f"{number}.reversed", rows=lambda _, lines=lines: [*lines[::-1], *ROWS])
        yield Pollution(f"{number}.one-line-of-it", rows=lambda _, lines=lines: [*ROWS, lines[0]])
        changed = [{**row, "goods_spec": "另一规格"} for row in lines]
        yield Pollution(f"{number}.other-goods", rows=lambda _, changed=changed: [*ROWS, *changed])
        more = [{**row, "total_price": "0.01"} for row in lines]
        yield Pollution(f"{number}.faulty-copy", rows=lambda _, more=more: [*more, *ROWS])


@kind
def line_missing(round_no: int) -> Iterator[Pollution]:
    """Any but the last of its inventory, which nobody can miss."""
    for line, row in enumerate(ROWS[:-1]):
        if ROWS[line + 1]["inventory_no"] == row["inventory_no"]:
            yield Pollution(f"{line}", rows=lambda _, line=line: [*ROWS[:line], *ROWS[line + 1 :]])


@kind
def order_of_rows(round_no: int) -> Iterator[Pollution]:
    """Of no concern."""
    yield Pollution("reversed", rows=lambda rows: rows[::-1])
    yield Pollution("by-goods", rows=lambda rows: sorted(rows, key=lambda row: row["commodity_code"]))
    yield Pollution("by-item", rows=lambda rows: sorted(rows, key=lambda row: row["item_no"]))
    yield Pollution("interleaved", rows=lambda rows: [*rows[::2], *rows[1::2]])


@kind
def blank_rows(round_no: int) -> Iterator[Pollution]:
    ways: dict[str, list[list[Cell]]] = {
        "empty": [[]], "cells": [[""] * _WIDE], "spaces": [[" "] * _WIDE], "one": [[" "]], "few": [["", "", ""]], "many": [[]] * 30, "wide-space": [["\u3000"]], "too-many": [[""] * 60],
        "zero-width": [["\u200b"]], "tab": [["", "\t"]],
    }  # fmt: skip
    for number, (way, rows) in enumerate(ways.items()):
        for line in (0, 5, 11, len(ROWS)):
            yield Pollution(f"{line}.{way}", grid=_inserted(line, rows), fits=tables)
        if (number + round_no) % 2:
            yield Pollution(f"every.{way}", grid=lambda grid, _, rows=rows: grid.with_cells([each for row in grid.cells[grid.head :] for each in (row, *rows)], 0), fits=tables)


_NOTES = (
    "# 导出时间 2026-11-01 08:00", "制表人：张三", "以下空白", "-- 第 2 页 --", "第1页，共3页", "注：本表数据仅供参考", "深圳星河跨境电子商务有限公司", "end of file", "(22 rows affected)",
    "审核：李四\u3000\u3000日期：2026-11-01", "* 含税", "====================", "共 22 条", "~~", "null", "53042026E000000102 已更正", "见附件；请核对",
)  # fmt: skip


@kind
def notes(round_no: int) -> Iterator[Pollution]:
    """Rows that are no lines: of one cell, padded, or in some other column."""
    for number, note in enumerate(_NOTES):
        for step, line in enumerate((0, 5, 12, len(ROWS))):
            at = (0, 3, _WIDE - 1)[(number + step + round_no) % 3]
            rows: list[list[Cell]] = [[note]] if (number + step + round_no) % 2 else [[*[""] * at, note, *[""] * (_WIDE - at - 1)]]
            yield Pollution(f"{line}.{number}.{len(rows[0])}-{at}", grid=_inserted(line, rows), fits=tables)


_TOTALS = ("合计", "总计", "小计", "共计", "汇总", "合计金额", "Total", "TOTAL:", "Subtotal", "Sum", "小计：", "合 计", "本页小计", "累计", "53042026E000000103 小计", "平均")


@kind
def total_rows(round_no: int) -> Iterator[Pollution]:
    """With their sums, which must not be added up again."""
    sums = {"declared_quantity": "140", "total_price": "9131.14", "gross_weight_kg": "99.5", "package_count": "22"}
    for number, word in enumerate(_TOTALS):
        for step, (line, column) in enumerate(((3, "inventory_no"), (8, "item_no"), (len(ROWS), "inventory_no"), (len(ROWS), "goods_name"), (4, "order_no"))):
            some = dict(list(sums.items())[: (number + step + round_no) % 5])

            def put(grid: Grid, _: Dialect, line: int = line, column: str = column, some: Row = some, word: str = word) -> Grid:
                cells = {**some, column: word}
                return grid.with_rows(line, [[cells.get(each, "") for each in grid.columns]], instead=0)

            yield Pollution(f"{line}.{column}.{number}-{len(some)}", grid=put, fits=tables)
    for line, row in enumerate(ROWS):
        if (line + round_no) % 4 == 0:
            copied = {**row, "item_no": "", "goods_name": "小计", "commodity_code": ""}
            yield Pollution(f"{line}.of-the-inventory", rows=lambda _, line=line, copied=copied: [*ROWS[: line + 1], copied, *ROWS[line + 1 :]])
            totalled = {**row, "item_no": "小计", "commodity_code": "", "goods_name": ""}
            yield Pollution(f"{line}.in-item-number", rows=lambda _, line=line, totalled=totalled: [*ROWS[: line + 1], totalled, *ROWS[line + 1 :]])
