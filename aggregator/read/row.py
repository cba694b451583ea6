"""What a row of cells reads like, judged by its cells and where they stand: an item line, or words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from aggregator.read.headings import UNUSED, Matched, normalised
from aggregator.read.labels import labelled
from schemas.fields import FIELD
from schemas.invisible import without_invisible

_AROUND = re.compile(r"[\s'\"=]")
_INVENTORY_NO = re.compile("[0-9]{8}E[0-9]{6,}")
"""Wider than the shape that customs gives: a number with a digit too many is a number all the same."""
_TITLE = 7
"""So many cells no title has."""
_AMOUNTS = 3


def folded(cell: str) -> str:
    """Half-width and upper-case, without white space, invisible characters and the marks that spreadsheets put around text."""
    return _AROUND.sub("", without_invisible(cell if cell.isascii() else unicodedata.normalize("NFKC", cell))).upper()


def begins_with_digit(cell: str) -> bool:
    return folded(cell)[:1].isdigit()


def is_words(row: Sequence[str]) -> bool:
    """Whether hardly a cell begins with a digit: of an item line most do."""
    cells = [cell for cell in row if cell.strip()]
    return bool(cells) and sum(map(begins_with_digit, cells)) * 4 < len(cells)


def is_line(row: Sequence[str], headings: Sequence[str], matched: Matched) -> bool:
    """Whether a row among titles and header values is an item line: by its number, by how many of its cells are filled, or
    by numbers where amounts belong."""
    labels = {place for each in labelled(row) for place in each.places}
    cells = {place: cell for place, cell in enumerate(row) if cell.strip()}
    if any(_INVENTORY_NO.fullmatch(folded(cell)) for cell in cells.values()):
        return True
    cells = {place: cell for place, cell in cells.items() if place not in labels and not _is_label(cell)}
    digits = {place for place, cell in cells.items() if begins_with_digit(cell)}
    width = sum(bool(heading.strip()) for heading in headings)
    if _is_as_wide(len(cells), len(digits), width):
        return True
    amounts = {place for column, place in matched.places.items() if column in FIELD and FIELD[column].kind in ("decimal", "count")}
    return len(digits & amounts) >= _AMOUNTS


def _is_as_wide(filled: int, digits: int, width: int) -> bool:
    """Half as many cells as headings, a quarter of them with digits; fewer, but more than a title has, most of them with digits."""
    if width <= _TITLE:
        return filled >= width and digits * 2 >= filled
    return (filled * 2 >= width and filled >= _TITLE and digits * 4 >= filled) or (filled >= _TITLE and digits * 2 > filled)


def _is_label(cell: str) -> bool:
    text = normalised(cell)
    return text.endswith(":") or text in UNUSED
