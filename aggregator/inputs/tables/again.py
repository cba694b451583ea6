"""Headings and header values that come again below the headings.

Lines below other headings must not be read under the first ones, nor lines below another header value with the first value.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from aggregator.inputs.export import Export
from aggregator.inputs.tables.headings import Matched, known_headings, normalised, unused_headings
from aggregator.inputs.tables.labels import Labelled, labelled, mentions_other, names_other
from aggregator.inputs.tables.row import is_line, is_words
from aggregator.schemas.field import Dictionary, Use

_ENOUGH = 3
"""So many known headings in a row are no chance."""


def are_headings(dictionary: Dictionary, cells: Sequence[str], headings: Sequence[str], matched: Matched) -> bool:
    """Most cells are known headings; or some are, one of them of item lines, and the row is words."""
    own = _texts(tuple(headings))
    texts = [text for text in map(normalised, cells) if text]
    known = [text for text in texts if text in known_headings(dictionary) or text in unused_headings(dictionary) or text in own]
    if len(known) < min(_ENOUGH, max(len(matched.places), 2)):
        return False
    return len(known) * 2 > len(texts) or (name_lines(dictionary, cells) and is_words(cells))


def name_lines(dictionary: Dictionary, cells: Sequence[str]) -> bool:
    """Whether a cell is a heading that only a table of lines has, and no label of a header value."""
    columns = {known_headings(dictionary).get(normalised(cell)) for cell in cells} - {None}
    return any(column == "inventory_no" or not dictionary[column].header for column in columns if column)


@lru_cache(maxsize=16)
def _texts(headings: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normalised, headings))


def are_unknown_headings(cells: Sequence[str], headings: Sequence[str]) -> bool:
    """As many words as half the headings: no line is that."""
    filled, width = (sum(bool(cell.strip()) for cell in row) for row in (cells, headings))
    return filled >= max(width / 2, _ENOUGH) and is_words(cells)


def other_place(dictionary: Dictionary, cells: Sequence[str], headings: Sequence[str], matched: Matched) -> int | None:
    """The first position where headings say another column than those of the file; None where all say the same."""
    column_at = {place: column for column, place in matched.places.items()}
    own = {normalised(heading): column_at.get(place, "") for place, heading in enumerate(headings) if heading.strip()}
    for place in range(max(len(cells), len(headings))):
        text = normalised(cells[place]) if place < len(cells) else ""
        if own.get(text, known_headings(dictionary).get(text, "")) != column_at.get(place, ""):
            return place
    return None


def other_value(cells: Sequence[str], file: Export) -> str | None:
    """What a row below the headings says of a header column that the lines themselves do not give: another value than the one
    above the headings, or one where none stands above. None for a row that says nothing of the kind."""
    if is_line(file.dictionary, cells, file.headings, file.matched):
        return None
    above = dict(file.head_values)
    for each in labelled(file.dictionary, cells):
        if each.value and each.column not in file.matched.places and _differs(each, above.get(each.column)):
            return str(each)
    return mentions_other(file.dictionary, cells, above) or names_other(file.dictionary, cells, above)


def _differs(label: Labelled, above: str | None) -> bool:
    if above is None:
        return label.holds_for_rows and label.field.use is not Use.OTHER
    return not label.says(above)
