"""Elements of the official messages, in the notation of the message spec.

`C4`: exactly 4 characters; `C..20`: up to 20; `C3..4`: 3 to 4; `N9`: up to 9 digits; `N19,5`: a decimal number of up to 19
digits, 5 of them decimals. `?` behind a name: need not be there. Where the editions differ, that of 202205 stands before
`|`, that of 2018-113 behind it: nothing in a message says which edition it is of, so what one of them allows is sound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.patterns import matches

NAMESPACE = "http://www.chinaport.gov.cn/ceb"
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that no XML can carry, and so no message and no workbook."""
_CHARACTERS = re.compile(r"C(?:(\d+)?\.\.)?(\d+)")
_NUMBER = re.compile(r"N(\d+)(?:,(\d+))?")

@dataclass(frozen=True)
class Element:
    name: str
    required: bool
    forms: tuple[str, ...]
    allowed: tuple[str, ...] = ()

    def unsound(self, values: pa.Array) -> list[int]:
        """Where values are that fit the form of no edition, or are none of those allowed. What is missing or empty fits."""
        if self._all_short_enough(values) and not self.allowed:
            return []
        sound = pc.fill_null(pc.equal(values, ""), True)
        for form in self.forms:
            sound = pc.or_(sound, _fits(form, values))
        if self.allowed:
            sound = pc.and_(sound, pc.or_(pc.is_in(values, value_set=pa.array(self.allowed)), pc.fill_null(pc.equal(values, ""), True)))
        bad: list[int] = pc.indices_nonzero(pc.invert(sound)).to_pylist()
        return bad

    def longest(self, edition: int) -> int:
        """How many characters it may have in an edition: the first (0), or the one before (1) where that differs."""
        characters = _CHARACTERS.fullmatch(self.forms[min(edition, len(self.forms) - 1)])
        if characters is None:
            raise TypeError(f"{self.name} is no text")
        return int(characters[2])

    def _all_short_enough(self, values: pa.Array) -> bool:
        """Whether nothing is wrong for certain: a string of any characters up to a length."""
        characters = _CHARACTERS.fullmatch(self.forms[0])
        if characters is None or not self.forms[0].startswith("C.."):
            return False
        longest = pc.max(pc.binary_length(values)).as_py()
        return longest is None or longest <= int(characters[2])


def _fits(form: str, values: pa.Array) -> pa.Array:
    if number := _NUMBER.fullmatch(form):
        digits, decimals = int(number[1]), int(number[2] or 0)
        fraction = rf"(?:\.[0-9]{{1,{decimals}}})?" if decimals else ""
        return matches(values, rf"-?[0-9]{{1,{digits - decimals}}}{fraction}")
    characters = _CHARACTERS.fullmatch(form)
    assert characters is not None
    most = int(characters[2])
    least = int(characters[1] or 0) if ".." in form else most
    length = pc.fill_null(pc.utf8_length(values), most)
    return pc.and_(pc.greater_equal(length, least), pc.less_equal(length, most))


def elements(notation: str, allowed: Mapping[str, tuple[str, ...]] | None = None) -> tuple[Element, ...]:
    """The elements of a notation, in its order. `allowed`: the values that some of them may hold."""
    found = []
    for entry in notation.split():
        name, _, forms = entry.partition(":")
        plain = name.removesuffix("?")
        found.append(Element(plain, not name.endswith("?"), tuple(forms.split("|")), (allowed or {}).get(plain, ())))
    return tuple(found)
