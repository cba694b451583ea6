"""What a field of an export is, and a data dictionary of such fields.

Kinds: text (a name), code (a value of a code list, a firm's or a commodity's), no (customs' inventory number), given (a number
that others gave), decimal (19 digits, 5 of them decimals), count (a whole number), time (China time). Of names and given
numbers only outer white space is taken off: letters stay as large and as wide as they were written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Literal

from aggregator.schemas.sources import Cite, spec

Kind = Literal["text", "code", "no", "given", "decimal", "count", "time"]


class Use(Enum):
    """What a field is for in the merge; decides which rules look at it."""

    IDENTITY = "identifies the line"
    HEADER_KEY = "stands in the header key"
    BODY_KEY = "stands in the body key"
    SUMMED = "is added up"
    FATE = "decides whether the inventory is declared"
    CONTENT = "is compared when an inventory turns up again"
    OTHER = "rides along"


_CONTENT = (Use.IDENTITY, Use.HEADER_KEY, Use.BODY_KEY, Use.SUMMED, Use.CONTENT)


@dataclass(frozen=True)
class Field:
    """`element`: its name in the official message. `header`: one value an inventory, repeated on each of its lines.
    `codes`: the code list its values are of. `measured_in`: of what is added up, the column that holds its unit or
    currency (or the unit itself): it is never added across these. `carried`: later steps get it; what
    is not carried is only checked. `called`: its name for users where that is another: a trade slip stands where an inventory
    does, and its number has the same place."""

    column: str
    element: str
    headings: tuple[str, ...]
    kind: Kind
    length: int
    header: bool
    required: bool
    use: Use
    codes: str = ""
    measured_in: str = ""
    carried: bool = True
    called: str = ""

    @property
    def shown(self) -> str:
        """Its name for users."""
        return self.called or self.column

    @property
    def cite(self) -> Cite:
        return spec(self.element)

    @property
    def content(self) -> bool:
        """Whether the value is part of an inventory's content: what makes two inventories the same."""
        return self.use in _CONTENT

    @property
    def repeats(self) -> bool:
        """Whether a chunk has few distinct values of it; numbers given by others, times and amounts have many."""
        return self.kind in ("code", "text")


def header(
    column: str, element: str, headings: str, kind: Kind, length: int, use: Use = Use.OTHER, codes: str = "", *,
    required: bool = False, measured_in: str = "",
) -> Field:  # fmt: skip
    """`headings`: known headings, apart from the column's name and the element, separated by blanks."""
    return Field(column, element, tuple(headings.split()), kind, length, True, required, use, codes, measured_in)


def item(
    column: str, element: str, headings: str, kind: Kind, length: int, use: Use = Use.OTHER, codes: str = "", *,
    required: bool = False, measured_in: str = "", carried: bool = True,
) -> Field:  # fmt: skip
    return Field(column, element, tuple(headings.split()), kind, length, False, required, use, codes, measured_in, carried)


@dataclass(frozen=True, eq=False)
class Dictionary:
    """The fields of a mode in the order of the contract, the headings of exports that say nothing it needs, and the columns that say
    what is cleared. `unit`: the columns that tell a unit from others where no single number does, the last of them as users name it;
    what they say together is kept as `inventory_no` (see `unit_numbers` in schemas/units.py)."""

    fields: tuple[Field, ...]
    unused_headings: tuple[str, ...] = ()
    status_columns: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()

    @cached_property
    def by_column(self) -> dict[str, Field]:
        return {field.column: field for field in self.fields}

    def __getitem__(self, column: str) -> Field:
        return self.by_column[column]

    def __contains__(self, column: object) -> bool:
        return column in self.by_column

    def column_called(self, name: str) -> str | None:
        """The column that users know by this name."""
        return next((field.column for field in self.fields if field.shown == name), None)

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields if field.kind in kinds)

    def of_codes(self, codes: str) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields if field.codes == codes)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields)

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields if field.required)

    @cached_property
    def content(self) -> tuple[str, ...]:
        """Columns of an inventory's content but for those that identify its lines."""
        return tuple(field.column for field in self.fields if field.content and field.use is not Use.IDENTITY)

    @cached_property
    def header_content(self) -> tuple[str, ...]:
        return tuple(column for column in self.content if self[column].header)

    @cached_property
    def item_content(self) -> tuple[str, ...]:
        return tuple(column for column in self.content if not self[column].header)

    @cached_property
    def decimals(self) -> tuple[str, ...]:
        return self.of_kind("decimal")

    @cached_property
    def counts(self) -> tuple[str, ...]:
        return self.of_kind("count")

    @cached_property
    def summed_items(self) -> dict[str, str]:
        """Item columns that are added up, each with the column that holds its unit or currency."""
        return {field.column: field.measured_in for field in self.fields if field.use is Use.SUMMED and not field.header}

    @cached_property
    def summed_headers(self) -> dict[str, str]:
        """Header columns that are added up, once an inventory, each with its unit."""
        return {field.column: field.measured_in for field in self.fields if field.use is Use.SUMMED and field.header}

    @cached_property
    def repeating(self) -> tuple[str, ...]:
        """Columns worth a dictionary (see Field.repeats)."""
        return tuple(field.column for field in self.fields if field.repeats)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What a finding can be about: a column, or (blank) none."""
        return ("", *self.columns)

    @cached_property
    def shown_names(self) -> tuple[str, ...]:
        """`names` as users know them."""
        return ("", *(field.shown for field in self.fields))

    @cached_property
    def number(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def in_order(self, columns: Collection[str]) -> tuple[str, ...]:
        """The given columns in the order of the dictionary."""
        return tuple(column for column in self.columns if column in columns)
