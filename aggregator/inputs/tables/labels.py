"""Header values beside their label (`运输方式 | 航空`) or in one cell with it (`运输方式：航空`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from aggregator.inputs.tables.canonical import canonical_column
from aggregator.inputs.tables.headings import known_headings, normalised
from aggregator.schemas.codes import code_list
from aggregator.schemas.field import Dictionary, Field, Use

_NUMBERING = re.compile(r"^\(?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})[).、]\s*")
"""As in `二、运输方式`."""
_SHORTEST = 3
"""Headings of fewer letters are found in any text."""
_SHORTEST_NAME = 2
_TITLE_CELLS = 3


@dataclass(frozen=True)
class Labelled:
    """`value` is blank where none stands beside the label. `places`: of the cells of label and value."""

    field: Field
    label: str
    value: str
    places: tuple[int, ...]

    @property
    def column(self) -> str:
        return self.field.column

    @property
    def holds_for_rows(self) -> bool:
        """Whether it can be one value for all rows: numbers of inventories and what is added up cannot."""
        return self.field.use not in (Use.IDENTITY, Use.SUMMED)

    def says(self, value: str) -> bool:
        """Whether it gives that value, be it as a code or as its name."""
        both = canonical_column(pa.array([self.value, value], pa.string()), self.field)
        return bool(both[0].as_py() == both[1].as_py())

    def __str__(self) -> str:
        return f"{self.label} {self.value}"


def labelled(dictionary: Dictionary, row: Sequence[str]) -> list[Labelled]:
    cells = [(place, cell.strip()) for place, cell in enumerate(row) if cell.strip()]
    found, at = [], 0
    while at < len(cells):
        place, cell = cells[at]
        label, value = _in_one_cell(cell)
        field = _field(dictionary, label)
        at += 1
        if field is None:
            continue
        beside = place
        if not value and at < len(cells) and _field(dictionary, _in_one_cell(cells[at][1])[0]) is None:
            beside, value = cells[at]
            at += 1
        found.append(Labelled(field, label, value, (place, beside)))
    return found


def mentions_other(dictionary: Dictionary, row: Sequence[str], values: Mapping[str, str]) -> str | None:
    """A cell that speaks of a header column, as in `第二部分运输方式为公路`, without its value."""
    said = {each.column for each in labelled(dictionary, row) if each.value}
    for cell in row:
        text = normalised(cell)
        for heading, column in known_headings(dictionary).items():
            mentioned = column in values and column not in said and len(heading) >= _SHORTEST and heading in text
            if mentioned and not _has_value(text, heading, dictionary[column], values[column]):
                return cell.strip()
    return None


def _has_value(text: str, heading: str, field: Field, value: str) -> bool:
    """Whether the text has the value beside the heading, or a name of it anywhere."""
    codes = code_list(field.codes).to_code if field.codes else {}
    code = codes.get(value, value)
    if any(name in text for name, of in codes.items() if of == code and not name.isascii()):
        return True
    return re.search(f"{re.escape(heading)}[:为是 ]*{re.escape(normalised(code))}(?![0-9a-z])", text) is not None


def names_other(dictionary: Dictionary, row: Sequence[str], values: Mapping[str, str]) -> str | None:
    """A title that names another value of a header column, as in `公路运输部分`."""
    cells = [cell.strip() for cell in row if cell.strip()]
    for column, value in values.items() if len(cells) <= _TITLE_CELLS else ():
        codes = code_list(dictionary[column].codes).to_code if dictionary[column].codes else {}
        own = codes.get(value, value)
        for cell in cells:
            named = {code for name, code in codes.items() if len(name) >= _SHORTEST_NAME and not name.isascii() and name in normalised(cell)}
            if named and own not in named:
                return cell
    return None


def _in_one_cell(cell: str) -> tuple[str, str]:
    for colon in "：:":
        label, found, value = cell.partition(colon)
        if found:
            return label.strip(), value.strip()
    return cell, ""


def _field(dictionary: Dictionary, text: str) -> Field | None:
    column = known_headings(dictionary).get(_NUMBERING.sub("", normalised(text)))
    return dictionary[column] if column is not None and dictionary[column].header else None
