"""Rows among the lines that are no item lines: blank ones, headings again, totals. They are counted and passed over; rows
after which the lines would have to be read in another way refuse the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.export import Export, column_letter, unusable
from aggregator.inputs.tables.again import are_headings, are_unknown_headings, other_place, other_value
from aggregator.inputs.tables.headings import Matched, known_headings, normalised, unused_headings
from aggregator.inputs.tables.labels import labelled
from aggregator.inputs.tables.row import folded, is_line, is_plainly_line
from aggregator.schemas.arrays import Mask
from aggregator.schemas.field import Dictionary

BLANK, REPEATED, TOTAL, NOTE = "blank_rows", "repeated_headings", "total_rows", "note_rows"
_TOTALS = ("合计", "总计", "小计", "总合计", "本页合计", "total", "grand total", "subtotal", "sum")
_WORDY = "(?i)计|total|sum"
_IDENTITY = ("inventory_no", "item_no", "commodity_code")
_LIKE_A_CODE = 6
"""A commodity code of fewer digits is none."""


def others(
    file: Export, lines: pa.Table, rows: Sequence[int] | Any, cells_at: Callable[[int], list[str]], also: Iterable[int] = ()
) -> dict[int, str]:
    """Positions of rows that are no lines, each with its kind. In: raw text columns of the matched headings, the row number
    of each and how to get all its cells; positions to look at in any case.

    Raises UnusableInput where other headings, or another value of a header column, stand among the lines.
    """
    maybe = suspects(file.dictionary, lines, file.headings, file.matched)
    maybe[list(also)] = True
    if not maybe.any():
        return {}
    plainly, width = _can_be_told_from_lines(file), sum(bool(heading.strip()) for heading in file.headings)
    found = {}
    for place in map(int, np.flatnonzero(maybe)):
        cells, row = cells_at(place), int(rows[place])
        if plainly and is_plainly_line(cells, width) and not _is_total(next(cell for cell in cells if cell.strip())):
            continue
        kind = kind_of_row(file.dictionary, cells, file.headings, file.matched)
        if kind is not None:
            found[place] = kind
        if kind in (None, NOTE):
            _must_change_nothing(file, cells, row)
    return found


def _can_be_told_from_lines(file: Export) -> bool:
    """Whether no heading begins with a digit, as half of the cells of an item line do."""
    known = (*known_headings(file.dictionary), *unused_headings(file.dictionary), *map(normalised, file.headings))
    return not any(heading[:1].isdigit() for heading in known)


def _is_total(cell: str) -> bool:
    return normalised(cell).rstrip(": ") in _TOTALS


def kind_of_row(dictionary: Dictionary, cells: Sequence[str], headings: Sequence[str], matched: Matched) -> str | None:
    """BLANK, REPEATED, TOTAL or NOTE; None for what may be an item line."""
    first = next((cell for cell in cells if cell.strip()), None)
    if first is None:
        return BLANK
    label = normalised(first)
    at = {column: cells[place].strip() for column, place in matched.places.items() if place < len(cells)}
    if _is_total(first) and all(normalised(at.get(column, "")) in ("", label) for column in _IDENTITY):
        return TOTAL
    if are_headings(dictionary, cells, headings, matched) and other_place(dictionary, cells, headings, matched) is None:
        return REPEATED
    return NOTE if _is_note(dictionary, cells, headings, matched) else None


def _is_note(dictionary: Dictionary, cells: Sequence[str], headings: Sequence[str], matched: Matched) -> bool:
    """Nothing but header values beside their labels, as in `发货人名称：某某公司` below a table."""
    said = labelled(dictionary, cells)
    places = {place for each in said if each.value and each.holds_for_rows for place in each.places}
    filled = {place for place, cell in enumerate(cells) if cell.strip()}
    return bool(said) and filled == places and not is_line(dictionary, cells, headings, matched)


def _must_change_nothing(file: Export, cells: Sequence[str], row: int) -> None:
    under_headings = row <= file.blocks[0].first_row
    known = are_headings(file.dictionary, cells, file.headings, file.matched)
    if known or (not under_headings and are_unknown_headings(cells, file.headings)):
        place = other_place(file.dictionary, cells, file.headings, file.matched) or 0
        here, above = (row[place].strip() if place < len(row) else "" for row in (cells, file.headings))
        column = column_letter(place)
        raise unusable(
            "F116", file.name, f"Row {row}, column {column}: '{here}', above it '{above}'.",
            f"第 {row} 行 {column} 列：“{here}”，上方列标题为“{above}”。",
        )  # fmt: skip
    said = other_value(cells, file)
    if said is not None:
        raise unusable("F117", file.name, f"Row {row}: '{said}'.", f"第 {row} 行：“{said}”。")


def suspects(dictionary: Dictionary, lines: pa.Table, headings: Sequence[str], matched: Matched) -> Mask:
    """Lines that may be none: whose cells have to be looked at one by one. In: raw text columns of the matched headings."""
    nothing = np.ones(lines.num_rows, dtype=bool)
    odd = np.zeros(lines.num_rows, dtype=bool)
    if not lines.num_rows:
        return odd
    for column in (*_IDENTITY, "total_price"):
        if column in lines.column_names:
            values = _decoded(lines[column])
            nothing &= pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False) == 0
    if "inventory_no" in lines.column_names:
        odd |= _no_numbers(dictionary, _decoded(lines["inventory_no"]), headings[matched.places["inventory_no"]])
    for column in lines.column_names:
        if column in dictionary and dictionary[column].kind == "code":
            odd |= _words(dictionary, lines[column].combine_chunks(), column)
    return nothing | odd


def _decoded(values: pa.ChunkedArray) -> pa.Array:
    whole = values.combine_chunks()
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _no_numbers(dictionary: Dictionary, values: pa.Array, heading: str) -> Mask:
    """Blank cells, totals, headings and words in the column of inventory numbers."""
    usual = pc.fill_null(pc.match_substring_regex(values, "^[0-9]{8}E"), False)
    found: Mask = ~usual.to_numpy(zero_copy_only=False)
    unusual = np.flatnonzero(found)
    if len(unusual):
        few = values.take(pa.array(unusual))
        plain = pc.utf8_lower(pc.utf8_trim_whitespace(pc.utf8_normalize(few, "NFKC")))
        known = pc.is_in(plain, pa.array([*known_headings(dictionary), normalised(heading)]))
        other = pc.or_(pc.or_(pc.match_substring_regex(few, _WORDY), known), pc.invert(pc.match_substring_regex(plain, "[0-9]")))
        found[unusual] = pc.fill_null(other, True).to_numpy(zero_copy_only=False)
    return found


def _words(dictionary: Dictionary, values: pa.Array, column: str) -> Mask:
    """Cells of a column of codes that hold a known heading, or no commodity code at all."""
    distinct = values.dictionary.to_pylist() if pa.types.is_dictionary(values.type) else values.to_pylist()
    odd = [normalised(each or "") in known_headings(dictionary) for each in distinct]
    if column == "commodity_code":
        odd = [known or sum(map(str.isdigit, folded(each or ""))) < _LIKE_A_CODE for known, each in zip(odd, distinct, strict=True)]
    if not any(odd):
        return np.zeros(len(values), dtype=bool)
    if not pa.types.is_dictionary(values.type):
        return np.array(odd)
    at: Mask = np.append(np.array(odd), False)[pc.fill_null(values.indices, -1).to_numpy(zero_copy_only=False)]
    return at
