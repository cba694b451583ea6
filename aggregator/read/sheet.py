"""What stands around the lines of a table: titles and header values above the headings, and rows that are no lines.

People and programs put titles, header values that apply to all rows, repeated headings and totals into the tables they
export. Nothing of it is taken for an item line, and nothing that may be one is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.errors import UnusableInput
from aggregator.read.export import Told
from aggregator.read.headings import Matched, known_headings, match_headings, normalised
from schemas.fields import FIELD, Use
from schemas.rules import RULES
from schemas.shapes import INVENTORY_NO

Mask = np.ndarray[Any, np.dtype[np.bool_]]

HEAD_ROWS = 50
"""So many rows are looked at for the headings."""
_NUMBER = re.compile(rf"[\s='\"]*{INVENTORY_NO}[\s\"]*")
BLANK, REPEATED, TOTAL = "blank_rows", "repeated_headings", "total_rows"
_TOTALS = ("合计", "总计", "小计", "总合计", "本页合计", "total", "grand total", "subtotal", "sum")
_WORDY = "(?i)计|total|sum"
_IDENTITY = ("inventory_no", "item_no", "commodity_code")


@dataclass(frozen=True)
class Head:
    """`row`: position of the headings. `values`: header columns given above them; `unused`: labels above them that cannot
    be (each with its value), for the columns have a heading or differ from inventory to inventory."""

    row: int
    headings: tuple[str, ...]
    matched: Matched
    values: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()

    def told(self, row: int) -> tuple[Told, ...]:
        """Findings about the headings, which stand in the given row."""
        unknown = [Told("F301", self.headings[place].strip(), row) for place in self.matched.unknown]
        return (*unknown, *(Told("F304", value) for value in self.unused))


def find_head(name: str, rows: Iterable[Sequence[str]], mapping: tuple[tuple[str, str], ...], least_known: int) -> Head | None:
    """The first row of which at least half as much is known as of any, and at least `least_known` headings.

    Not the row of which most is known: of two tables one below the other the first must not be taken for a title. Raises
    UnusableInput naming the file where two headings stand for one column, or lines stand above the headings."""
    try:
        return _head(rows, mapping, least_known)
    except UnusableInput as error:
        raise UnusableInput(f"{name}: {error.text.en}", f"{name}：{error.text.zh}") from None


def _head(rows: Iterable[Sequence[str]], mapping: tuple[tuple[str, str], ...], least_known: int) -> Head | None:
    above = list(islice(rows, HEAD_ROWS))
    known = [_known(row, mapping) for row in above]
    wanted = max(least_known, max(known, default=0) / 2)
    best = next((place for place, count in enumerate(known) if count >= wanted), None)
    if best is None:
        return None
    headings = tuple(above[best])
    for place, row in enumerate(above[:best], 1):
        if any(_NUMBER.fullmatch(cell) for cell in row):
            rule = RULES["F115"]
            raise UnusableInput(
                f"[F115] {rule.message.en} Row {place}, headings in row {best + 1}. {rule.remedy.en}",
                f"[F115] {rule.message.zh}第 {place} 行，列标题在第 {best + 1} 行。{rule.remedy.zh}",
            )
    matched = match_headings(headings, mapping)
    values, unused = _labelled(above[:best], matched)
    return Head(best, headings, matched, values, unused)


def _known(row: Sequence[str], mapping: tuple[tuple[str, str], ...]) -> int:
    try:
        return len(match_headings(row, mapping).places)
    except UnusableInput:
        return len({known_headings().get(normalised(cell)) for cell in row} - {None})


def _labelled(rows: list[Sequence[str]], matched: Matched) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Values beside their label (`运输方式 | 航空`) or in one cell with it (`运输方式：航空`)."""
    values: dict[str, str] = {}
    unused = []
    for row in rows:
        cells = iter([cell.strip() for cell in row if cell.strip()])
        waiting = next(cells, None)
        while waiting is not None:
            label, value, waiting = *_in_one_cell(waiting), next(cells, None)
            column = _label(label)
            if column is None:
                continue
            if not value and waiting is not None and _label(_in_one_cell(waiting)[0]) is None:
                value, waiting = waiting, next(cells, None)
            if not value:
                continue
            if column in matched.places or FIELD[column].use in (Use.IDENTITY, Use.SUMMED) or values.get(column, value) != value:
                unused.append(f"{label} {value}")
            else:
                values[column] = value
    return tuple(values.items()), tuple(unused)


def _in_one_cell(cell: str) -> tuple[str, str]:
    for colon in "：:":
        label, found, value = cell.partition(colon)
        if found:
            return label.strip(), value.strip()
    return cell, ""


def _label(text: str) -> str | None:
    column = known_headings().get(normalised(text))
    return column if column is not None and FIELD[column].header else None


def kind_of_row(cells: Sequence[str], headings: Sequence[str], matched: Matched) -> str | None:
    """BLANK, REPEATED or TOTAL; None for what may be an item line."""
    first = next((cell for cell in cells if cell.strip()), None)
    if first is None:
        return BLANK
    label = normalised(first)
    at = {column: cells[place].strip() for column, place in matched.places.items() if place < len(cells)}
    if label.rstrip(": ") in _TOTALS and all(normalised(at.get(column, "")) in ("", label) for column in _IDENTITY):
        return TOTAL
    if len(at) > 1 and all(normalised(cell) == normalised(headings[matched.places[column]]) for column, cell in at.items()):
        return REPEATED
    return None


def suspects(lines: pa.Table, headings: Sequence[str], matched: Matched) -> Mask:
    """Lines that may be none: whose cells have to be looked at one by one. In: raw text columns of the matched headings."""
    nothing = np.ones(lines.num_rows, dtype=bool)
    odd = np.zeros(lines.num_rows, dtype=bool)
    for column in (*_IDENTITY, "total_price"):
        if column not in lines.column_names or not lines.num_rows:
            continue
        values = lines[column].combine_chunks()
        values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
        empty = pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False) == 0
        nothing &= empty
        if column == "inventory_no":
            told = pc.or_(pc.match_substring_regex(values, _WORDY), pc.equal(values, headings[matched.places[column]]))
            odd |= empty | pc.fill_null(told, False).to_numpy(zero_copy_only=False)
    return nothing | odd
