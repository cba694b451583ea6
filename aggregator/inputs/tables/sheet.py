"""What stands above the lines of a table: its headings, and titles and header values above these.

People and programs put titles and header values that apply to all rows above the tables they export. Nothing of it is taken
for an item line, and nothing that may be one is taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from aggregator.inputs.export import FileFinding, unusable
from aggregator.inputs.formats.records import DELIMITERS
from aggregator.inputs.reading import Reading
from aggregator.inputs.tables.again import are_headings, name_lines
from aggregator.inputs.tables.headings import Matched, known_headings, match_headings, normalised
from aggregator.inputs.tables.labels import labelled, mentions_other
from aggregator.inputs.tables.row import is_line
from aggregator.model.errors import UnusableInput
from aggregator.schemas.field import Dictionary

HEAD_ROWS = 50
"""So many rows are looked at for the headings."""
_CELLS_OF_A_LINE = 3
_LONGEST_HEADING = 200
"""What is longer is a whole line, cut at another delimiter than its own."""


@dataclass(frozen=True)
class Head:
    """`row`: position of the headings. `values`: header columns given above them; `unused`: labels above them that cannot
    be (each with its value), for the columns have a heading or differ from inventory to inventory. `line_above`: row number
    of the first item line above them, if any. `contradiction`: row number and text of a second value of a header column."""

    row: int
    headings: tuple[str, ...]
    matched: Matched
    values: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    line_above: int | None = None
    contradiction: tuple[int, str] | None = None

    def reported(self, row: int) -> tuple[FileFinding, ...]:
        """Findings about the headings, which stand in the given row."""
        unknown = [FileFinding("F301", self.headings[place].strip(), row) for place in self.matched.unknown]
        return (*unknown, *(FileFinding("F304", value) for value in self.unused))

    def must_be_on_top(self, name: str) -> None:
        """Raise UnusableInput naming the file where lines, or two values of one header column, stand above the headings."""
        if self.line_above is not None:
            raise unusable(
                "F115", name, f"Row {self.line_above}, headings in row {self.row + 1}.",
                f"第 {self.line_above} 行，列标题在第 {self.row + 1} 行。",
            )  # fmt: skip
        if self.contradiction is not None:
            row, said = self.contradiction
            raise unusable("F117", name, f"Row {row}: '{said}'.", f"第 {row} 行：“{said}”。")


def find_head(name: str, rows: Iterable[Sequence[str]], how: Reading, least_known: int) -> Head | None:
    """The first row of which at least half as much is known as of any, and at least `least_known` headings.

    Not the row of which most is known: of two tables one below the other the first must not be taken for a title. Raises
    UnusableInput naming the file where two headings stand for one column."""
    try:
        return _head(rows, how, least_known)
    except UnusableInput as error:
        raise UnusableInput(f"{name}: {error.text.en}", f"{name}：{error.text.zh}") from None


def _head(rows: Iterable[Sequence[str]], how: Reading, least_known: int) -> Head | None:
    above = list(islice(rows, HEAD_ROWS))
    best = _heading_row(above, how, least_known)
    if best is None:
        return None
    headings = tuple(above[best])
    matched = match_headings(how.dictionary, headings, how.columns)
    values, unused, contradiction = _labelled(how.dictionary, above[:best], matched)
    above_it = _line_above(how.dictionary, above[:best], headings, matched)
    return Head(best, headings, matched, values, unused, above_it, contradiction)


def _heading_row(rows: list[Sequence[str]], how: Reading, least_known: int) -> int | None:
    mapped = {normalised(heading) for _, heading in how.columns}
    known: list[int] = []
    for row in rows:
        known.append(_known(row, how, mapped))
        if known[-1] >= least_known and known[-1] * 2 >= max(*map(len, rows), *known):
            # Of no row twice as much can be known: most exports begin with their headings.
            break
    wanted = max(least_known, max(known, default=0) / 2)
    return next((place for place, count in enumerate(known) if count >= wanted), None)


def _known(row: Sequence[str], how: Reading, mapped: set[str]) -> int:
    longest = max(_LONGEST_HEADING, *map(len, mapped)) if mapped else _LONGEST_HEADING
    cells = {normalised(cell) for cell in row if len(cell) <= longest}
    if cells.isdisjoint(known_headings(how.dictionary)) and cells.isdisjoint(mapped):
        return 0
    try:
        return len(match_headings(how.dictionary, row, how.columns).places)
    except UnusableInput:
        return len({known_headings(how.dictionary).get(normalised(cell)) for cell in row} - {None})


def _line_above(dictionary: Dictionary, rows: list[Sequence[str]], headings: Sequence[str], matched: Matched) -> int | None:
    """The first row above the headings that is a line, of this table or of another one that stands above it."""
    of_other_table = False
    for number, row in enumerate(rows, 1):
        filled = sum(bool(cell.strip()) for cell in row)
        of_headings = name_lines(dictionary, row) and are_headings(dictionary, row, headings, matched)
        if _holds_line(dictionary, row, headings, matched) or (of_other_table and not of_headings and filled >= _CELLS_OF_A_LINE):
            return number
        of_other_table = of_other_table or of_headings
    return None


def _holds_line(dictionary: Dictionary, row: Sequence[str], headings: Sequence[str], matched: Matched) -> bool:
    """Whether it is a line, or a cell of it is one with other delimiters: of a table that was written by another program."""
    parts = (cell.split(mark) for cell in row for mark in DELIMITERS if mark in cell)
    return is_line(dictionary, row, headings, matched) or any(is_line(dictionary, part, headings, matched) for part in parts)


def _labelled(
    dictionary: Dictionary, rows: list[Sequence[str]], matched: Matched
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[int, str] | None]:
    """Values for all rows, what cannot be one, and the first that says something else than one before it."""
    values: dict[str, str] = {}
    unused, contradiction = [], None
    for number, row in enumerate(rows, 1):
        for each in labelled(dictionary, row):
            if not each.value:
                continue
            if each.column in matched.places or not each.holds_for_rows:
                unused.append(str(each))
            elif not each.says(values.setdefault(each.column, each.value)):
                contradiction = contradiction or (number, str(each))
    for number, row in enumerate(rows, 1):
        # A label that stands by itself says nothing yet.
        labels = {place for each in labelled(dictionary, row) for place in each.places}
        said = mentions_other(dictionary, [cell for place, cell in enumerate(row) if place not in labels], values)
        if contradiction is None and said is not None:
            contradiction = (number, said)
    return tuple(values.items()), tuple(unused), contradiction
