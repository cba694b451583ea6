"""What a row of cells reads like, judged by its cells and where they stand: an item line, or words."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence

from aggregator.inputs.tables.headings import Matched, normalised, unused_headings
from aggregator.inputs.tables.labels import labelled
from aggregator.schemas import patterns as shapes
from aggregator.schemas.codes import code_list
from aggregator.schemas.field import Dictionary, Field
from aggregator.schemas.invisible import without_invisible

_AROUND = re.compile(r"[\s'\"=]")
_INVENTORY_NO = re.compile("[0-9]{8}E[0-9]{4,}")
_NUMBER = re.compile("[0-9]+(?:[.][0-9]+)?")
_ERROR = re.compile(shapes.SPREADSHEET_ERROR)
_DASHES = str.maketrans("", "", "-./_")
"""Wider than the shape that customs gives: a number with a digit too many is a number all the same."""
_TITLE = 7
"""So many cells no title has."""
_ENOUGH = 3
"""So many values of the kind of their column are no chance."""
_SHAPES = {
    "no": re.compile("[0-9A-Z]*[0-9][0-9A-Z]*"), "given": re.compile("(?=.*[0-9])(?=.*[A-Z])[0-9A-Z_-]{3,}|[0-9]{8,}"),
    "code": re.compile("[0-9A-Z]+"), "decimal": re.compile("[0-9][0-9.,]*"), "count": re.compile("[0-9]+"), "time": re.compile("[0-9].*"),
}  # fmt: skip


def folded(cell: str) -> str:
    """Half-width and upper-case, without white space, invisible characters and the marks that spreadsheets put around text."""
    return _AROUND.sub("", without_invisible(cell if cell.isascii() else unicodedata.normalize("NFKC", cell))).upper()


def begins_with_digit(cell: str) -> bool:
    return folded(cell)[:1].isdigit()


def is_words(row: Sequence[str]) -> bool:
    """Whether hardly a cell begins with a digit: of an item line most do. An error stands where a value was to be."""
    cells = [cell for cell in map(folded, row) if cell]
    return bool(cells) and sum(cell[0].isdigit() or _ERROR.fullmatch(cell) is not None for cell in cells) * 4 < len(cells)


def is_plainly_line(cells: Sequence[str], width: int) -> bool:
    """Whether a row is an item line at first sight: an inventory number stands in it, or numbers under half of the headings (`width`: how many
    there are), and half of its cells begin with a digit. What `is_line` and `is_words` find out takes twenty times as long."""
    filled = [cell for cell in cells if cell]
    if sum(cell[0] in string.digits for cell in filled) * 2 < len(filled):
        return False
    if any(map(_INVENTORY_NO.fullmatch, filled)):
        return True
    # A number is no label: these are counted whatever the others are.
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in filled)
    return width > _TITLE and _is_as_wide(numbers, numbers, width) and numbers * 4 >= len(filled)


def is_line(dictionary: Dictionary, row: Sequence[str], headings: Sequence[str], matched: Matched) -> bool:
    """Whether a row among titles and header values is an item line: by its number, by how many of its cells are filled, or
    by values of the kind of their columns."""
    cells = {place: cell for place, cell in enumerate(row) if cell.strip()}
    if any(_INVENTORY_NO.fullmatch(folded(cell).translate(_DASHES)) for cell in cells.values()):
        return True
    labels = {place for each in labelled(dictionary, row) for place in each.places}
    cells = {place: cell for place, cell in cells.items() if place not in labels and not _is_label(dictionary, cell)}
    digits = {place for place, cell in cells.items() if begins_with_digit(cell)}
    width = sum(bool(heading.strip()) for heading in headings)
    if _is_as_wide(len(cells), len(digits), width):
        return True
    fields = {place: dictionary[column] for column, place in matched.places.items() if column in dictionary and dictionary[column].kind != "text"}
    fitting = [fields[place] for place, cell in cells.items() if place in fields and could_be(cell, fields[place])]
    amounts = [field for field in fitting if field.kind in ("decimal", "count")]
    return len(amounts) >= _ENOUGH or (len(fitting) >= _ENOUGH and len(fitting) * 2 > len(cells))


def could_be(cell: str, field: Field) -> bool:
    """Whether a value is of the kind of a column: any text is a name, and what is no number is no weight."""
    if field.kind == "text" or (field.codes and cell.strip() in code_list(field.codes).to_code):
        return True
    text = folded(cell)
    return len(text) <= field.length and _SHAPES[field.kind].fullmatch(text) is not None


def _is_as_wide(filled: int, digits: int, width: int) -> bool:
    """Half as many cells as headings, a quarter of them with digits; fewer, but more than a title has, most of them with digits."""
    if width <= _TITLE:
        return filled >= width and digits * 2 >= filled
    return (filled * 2 >= width and filled >= _TITLE and digits * 4 >= filled) or (filled >= _TITLE and digits * 2 > filled)


def _is_label(dictionary: Dictionary, cell: str) -> bool:
    text = normalised(cell)
    return text.endswith(":") or text in unused_headings(dictionary)
