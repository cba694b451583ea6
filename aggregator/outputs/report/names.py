"""Codes with their names beside them."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.schemas.codes import code_list
from aggregator.schemas.column_names import called, field_called
from aggregator.schemas.field import Dictionary
from aggregator.schemas.text import Text


@dataclass(frozen=True)
class Named:
    """A code as it is shown. `name` is blank where no table of ours has it."""

    code: str
    name: Text

    @property
    def text(self) -> Text:
        return Text(f"{self.code} {self.name.en}".strip(), f"{self.code} {self.name.zh}".strip())


def named(codes: str, code: str | None) -> Named:
    """`codes`: the code list. English names stand where the list has them."""
    zh, en = code_list(codes).names.get(code or "", ("", ""))
    return Named(code or "", Text(en or zh, zh))


def letters(currency: str) -> str:
    """The ISO letters of a currency, where there are any: short, and the same in both languages."""
    spelt = (name for name, code in code_list("currency").to_code.items() if code == currency and len(name) == 3 and name.isascii())
    return next(spelt, currency)


def heading(dictionary: Dictionary, column: str, own: str = "") -> Text:
    """A column as it is shown: by the name users know. `own`: the heading it has in their file."""
    field = field_called(column, dictionary)
    name = column if field is None else field.shown
    return Text(called(name, dictionary, "en", own), called(name, dictionary, "zh", own))
