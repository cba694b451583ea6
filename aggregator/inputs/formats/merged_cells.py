"""Merged cells of a sheet: one value, and other cells under it that say nothing.

Downwards under the heading of a header column it is the value of all its rows, and of no row above or below. Under an item
column (a quantity of several lines is not each line's), over several columns or together with a heading nobody can say what
the other cells stand for: that is reported, unless they hold the same value, as programs write them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from aggregator.inputs.export import column_letter

UNCLEAR = "F207"
Range = tuple[tuple[int, int], tuple[int, int]]
"""Of cells: first and last, each by row and column from 0."""
UnclearCells = dict[int, list[tuple[str, str]]]
"""Findings by row of a piece."""


class _Open(NamedTuple):
    top: int
    bottom: int
    places: tuple[int, ...]
    left: int
    value: Any

    @property
    def name(self) -> str:
        return f"{column_letter(self.left)}{self.top + 1}:{column_letter(self.places[-1])}{self.bottom + 1}"


class MergedCells:
    """Takes a sheet piece by piece. `first`: its first row below the headings; `used` and `headers`: places of all columns that
    are read, and of header columns among them."""

    def __init__(self, ranges: Sequence[Range], first: int, used: Collection[int], headers: Collection[int]) -> None:
        self._first, self._used, self._headers = first, sorted(used), frozenset(headers)
        self._waiting = deque(sorted(each for each in ranges if each[1][0] >= first and each[0] != each[1]))
        self._open: list[_Open] = []

    @property
    def any(self) -> bool:
        """Whether some are still to come, or open."""
        return bool(self._waiting or self._open)

    def fill(self, cells: list[list[Any]], first: int, count: int) -> tuple[int, UnclearCells]:
        """Fill the rows from `first` on: how many cells that were, and what is not clear."""
        end, filled, reported = first + count, 0, UnclearCells()
        while self._waiting and self._waiting[0][0][0] < end:
            self._open += self._opened(self._waiting.popleft(), cells, first)
        for each in self._open:
            unclear = False
            for row, place in _covered(each, first, end):
                found = cells[place][row - first]
                if found == each.value:
                    continue
                if found == "" and place == each.left and place in self._headers and each.top >= self._first:
                    cells[place][row - first] = each.value
                    filled += 1
                    continue
                reported.setdefault(row - first, []).append((UNCLEAR, each.name))
                unclear = True
            begins_here = max(first, self._first) <= each.top
            if begins_here and (unclear or self._may_be_unclear(each, end)):
                reported.setdefault(each.top - first, []).append((UNCLEAR, each.name))
        self._open = [each for each in self._open if each.bottom >= end]
        return filled, {row: sorted(set(findings)) for row, findings in reported.items()}

    def _opened(self, merged: Range, cells: list[list[Any]], first: int) -> Iterator[_Open]:
        (top, left), (bottom, right) = merged
        places = tuple(place for place in self._used if left <= place <= right)
        above = top < self._first
        value = object() if above else cells[left][top - first] if left < len(cells) else ""
        if places and value != "":
            yield _Open(top, bottom, places, left, value)

    def _may_be_unclear(self, merged: _Open, end: int) -> bool:
        """Of cells of an item column that go on below this piece nothing is known yet, and their first row is not to wait."""
        return merged.bottom >= end and any(place not in self._headers for place in merged.places)


def _covered(merged: _Open, first: int, end: int) -> Iterator[tuple[int, int]]:
    """Rows and columns under it, but for the cell that holds the value."""
    for row in range(max(first, merged.top), min(merged.bottom + 1, end)):
        for place in merged.places:
            if (row, place) != (merged.top, merged.left):
                yield row, place
