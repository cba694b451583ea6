"""Inventory numbers under another heading than theirs. What stands under theirs then (item numbers, customs codes) reads as
numbers of inventories that nobody has, and lines would be excluded or declared under these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.export import Export, unusable
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.patterns import INVENTORY_NO

_SHORTEST = 18


class Misplaced(NamedTuple):
    """A column of a chunk: in how many lines it has a number of customs' shape where the inventory number has not, the row of
    the first, and what stands there."""

    column: str
    lines: int
    row: int
    value: str


def misplaced_numbers(lines: pa.Table, rows: np.ndarray[Any, Any], odd: Ints) -> tuple[Misplaced, ...]:
    """In: canonical text, the row of each line, and which of them have no inventory number of customs' shape."""
    if not len(odd):
        return ()
    few, found = lines.take(pa.array(odd)), []
    for column in few.column_names:
        values = few[column].combine_chunks()
        shaped = np.flatnonzero(_is_shaped(values))
        if len(shaped):
            first = int(shaped[0])
            found.append(Misplaced(column, len(shaped), int(rows[odd[first]]), str(values[first])))
    return tuple(found)


def _is_shaped(values: pa.Array) -> Mask:
    if pa.types.is_dictionary(values.type):
        of_value = np.append(_is_shaped(values.dictionary), False)
        chosen: Mask = of_value[pc.fill_null(values.indices, len(of_value) - 1).to_numpy()]
        return chosen
    if (pc.max(pc.binary_length(values)).as_py() or 0) < _SHORTEST:
        return np.zeros(len(values), dtype=bool)
    shaped = pc.fill_null(pc.match_substring_regex(values, rf"\A{INVENTORY_NO}\z"), False)
    result: Mask = shaped.to_numpy(zero_copy_only=False)
    return result


def must_stand_under_their_heading(file: Export, lines: int, found: Iterable[Misplaced]) -> None:
    """Raise UnusableInput where most lines of the file have their inventory number in another column. In: what its chunks found."""
    of_column: dict[str, list[Misplaced]] = defaultdict(list)
    for each in found:
        of_column[each.column].append(each)
    for column, parts in of_column.items():
        if sum(each.lines for each in parts) * 2 > lines:
            place, first = file.matched.places.get(column), parts[0]
            heading = column if place is None else file.headings[place].strip()
            raise unusable(
                "F120", file.name, f"Row {first.row}: '{first.value}' under '{heading}'.",
                f"第 {first.row} 行：“{first.value}”位于“{heading}”列。",
            )  # fmt: skip
