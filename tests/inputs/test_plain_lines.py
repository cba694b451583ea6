"""A row that is an item line at first sight is one when it is looked at closely too."""

from __future__ import annotations

import random

from aggregator.inputs.tables.again import are_headings, are_unknown_headings, other_value
from aggregator.inputs.tables.others import _can_be_told_from_lines, _is_total, kind_of_row
from aggregator.inputs.tables.row import is_line, is_plainly_line, is_words
from tests.conftest import Runner, csv_text, opened, row

WORDS = ["", " ", "合计", "运输方式：公路", "航空运输", "清单编号", "goods_name", "ABC", "２", "-1", "#N/A", "备注", "1688订单", "12", "3.5", "0101210010", "1.运输方式", "2、贸易方式：9610"]


def test_what_is_plainly_a_line_is_neither_headings_nor_note_nor_total(runner: Runner) -> None:
    random_of, plain = random.Random(1), [0, 0]
    file = opened(runner.write(csv_text([row(), row(item_no="2")])))
    assert _can_be_told_from_lines(file)
    width = len(file.headings)
    for attempt in range(600):
        cells = list(row().values()) if attempt % 3 else [random_of.choice(WORDS) for _ in range(random_of.randint(1, 50))]
        for _ in range(random_of.randint(0, len(cells))):
            cells[random_of.randrange(len(cells))] = random_of.choice([*WORDS, *file.headings])
        if attempt % 2:
            cells[random_of.randrange(len(cells))] = "22442026E000000001"
        else:
            cells = [cell.replace("E", "") for cell in cells]
        random_of.shuffle(cells)
        if not is_plainly_line(cells, width) or _is_total(next(cell for cell in cells if cell.strip())):
            continue
        plain[attempt % 2] += 1
        assert kind_of_row(file.dictionary, cells, file.headings, file.matched) is None
        assert not are_headings(file.dictionary, cells, file.headings, file.matched)
        assert not are_unknown_headings(cells, file.headings)
        assert not is_words(cells)
        assert is_line(file.dictionary, cells, file.headings, file.matched)
        assert other_value(cells, file) is None
    assert min(plain) > 40


def test_headings_that_begin_with_a_digit_are_no_first_sight(runner: Runner) -> None:
    assert not _can_be_told_from_lines(opened(runner.write(csv_text([row() | {"1688订单号": "7"}]))))
