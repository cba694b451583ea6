"""The rows of a sheet as XML, made by column: a row is joined of its cells by Arrow, not cell by cell.

What no cell can hold is replaced; numbers of more digits than a number cell keeps are text cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints
from aggregator.schemas.messages import NOT_IN_XML

_EXACT_DIGITS = 15
"""A number cell is exact to so many digits; longer ones are written as text."""
_CELL_LENGTH = 32_767
_ODD = r"[&<>\x00-\x1f\x{fffe}\x{ffff}]|_x[0-9a-fA-F]{4}_|^[\s\pZ\x{85}]|[\s\pZ\x{85}]$"
_ESCAPE = re.compile("(_x[0-9a-fA-F]{4}_)")
_OUTER_SPACE = re.compile(r"^\s|\s$")
_TEXT, _TEXT_END, _NUMBER, _NUMBER_END, _BLANK = '" s="{0}" t="inlineStr"><is><t>', "</t></is></c>", '" s="{0}"><v>', "</v></c>", '" s="{0}"/>'


def in_xml(cell: str) -> str:
    """Characters that no workbook can hold become a sign that they were there."""
    return NOT_IN_XML.sub("\ufffd", cell)[:_CELL_LENGTH]


@dataclass(frozen=True)
class Marks:
    """Cells to be marked: by column the rows (positions, ascending), and the style they have."""

    rows: Mapping[int, Ints]
    style: int


def sheet_rows(table: pa.Table, first_row: int, styles: Sequence[int], marks: Marks | None = None) -> tuple[pa.Array, int, int]:
    """The XML of each row, blank where it has no cells, and how many columns and rows reach to the last cell. `first_row`: as in
    cell references; `styles`: of each column."""
    numbers = pa.array(np.arange(first_row, first_row + table.num_rows)).cast(pa.string())
    parts: list[pa.Array | pa.Scalar | str] = []
    width, some = 0, np.zeros(table.num_rows, dtype=bool)
    for place, column in enumerate(table.columns):
        begin, values = f'<c r="{letters(place)}', column.combine_chunks()
        cells = _cells(values, begin, numbers, styles[place])
        if marks is not None and place in marks.rows:
            cells = _marked(cells, values, begin, numbers, marks.rows[place], marks.style)
        given = np.asarray(cells.is_valid())
        if given.any():
            width, some = place + 1, some | given
            parts.append(cells)
    if not parts:
        return pa.array([""] * table.num_rows, pa.string()), 0, 0
    rows = pc.binary_join_element_wise('<row r="', numbers, '">', *parts, "</row>", "", null_handling="replace", null_replacement="")
    return (rows if some.all() else pc.if_else(pa.array(some), rows, "")), width, int(np.flatnonzero(some)[-1]) + 1


def _marked(cells: pa.Array, values: pa.Array, begin: str, numbers: pa.Array, rows: Ints, style: int) -> pa.Array:
    """With the cells of some rows in a style of their own; a blank one becomes a cell too."""
    at = pa.array(rows)
    few = numbers.take(at)
    blank = pc.binary_join_element_wise(begin, few, _BLANK.format(style), "")
    mask = np.zeros(len(values), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(cells, pa.array(mask), pc.coalesce(_cells(values.take(at), begin, few, style), blank))


def letters(place: int) -> str:
    """A, B, … Z, AA, …"""
    name = ""
    while place >= 0:
        place, rest = place // 26 - 1, place % 26
        name = chr(ord("A") + rest) + name
    return name


def _cells(values: pa.Array, begin: str, rows: pa.Array, style: int) -> pa.Array:
    """A cell each; null where there is none."""
    if pa.types.is_integer(values.type) or pa.types.is_decimal(values.type):
        number, end = _NUMBER.format(style), _NUMBER_END
        cells = pc.binary_join_element_wise(begin, rows, number, values.cast(pa.string()), end, "")
        long = _too_long(values)
        return cells if long is None else pc.if_else(long, _text_cells(values.cast(pa.string()), begin, rows, style), cells)
    if pa.types.is_boolean(values.type):
        values = pc.if_else(values, "True", "False")
    return _text_cells(values.cast(pa.string()), begin, rows, style)


def _too_long(values: pa.Array) -> pa.Array | None:
    """Which of them have more digits than a number cell keeps; zeros at the end do not count."""
    if not pa.types.is_decimal(values.type):
        return None
    bound = pa.scalar(10 ** (_EXACT_DIGITS - values.type.scale)).cast(pa.decimal128(38, values.type.scale))
    large = pc.fill_null(pc.greater_equal(pc.abs(values), bound), False)
    if not pc.any(large).as_py():
        return None
    digits = pc.ascii_trim(pc.replace_substring(pc.if_else(large, values, None).cast(pa.string()), ".", ""), "-0")
    return pc.and_(large, pc.fill_null(pc.greater(pc.binary_length(digits), _EXACT_DIGITS), False))


def _text_cells(values: pa.Array, begin: str, rows: pa.Array, style: int) -> pa.Array:
    encoded = values.dictionary_encode()
    contents = _contents(encoded.dictionary, _TEXT.format(style)).take(encoded.indices)
    return pc.binary_join_element_wise(begin, rows, contents, "")


def _contents(distinct: pa.Array, text: str) -> pa.Array:
    """What stands in a cell behind its reference; null for what is no cell."""
    made = pc.binary_join_element_wise(text, distinct, _TEXT_END, "")
    blank = pc.equal(distinct, "")
    odd = pc.or_(pc.match_substring_regex(distinct, _ODD), pc.greater(pc.binary_length(distinct), _CELL_LENGTH))
    if pc.any(odd).as_py():
        made = pc.replace_with_mask(made, odd, pa.array([_odd(value, text) for value in distinct.filter(odd).to_pylist()], pa.string()))
    return pc.if_else(blank, None, made)


def _odd(value: str, text: str) -> str:
    value = _ESCAPE.sub(r"_x005F\1", in_xml(value)).replace("\r", "_x000D_")
    opening = text.replace("<t>", '<t xml:space="preserve">') if _OUTER_SPACE.search(value) else text
    return opening + value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + _TEXT_END
