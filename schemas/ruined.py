"""Values as a spreadsheet leaves them that opened a CSV file: numbers rounded to an exponent, codes without their leading zeros, dates made
of codes. What was there cannot be known again from them: they are recognised, never repaired."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.codes import code_list
from aggregator.schemas.field import Field
from aggregator.schemas.patterns import COMMODITY_CHAPTER, SCIENTIFIC

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = rf"[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}|[0-9]{{1,2}}月[0-9]{{1,2}}日|[0-9]{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-[0-9]{{2}}"
_OVERFLOWN = "#{3,}"
_NAMES = ("no", "given", "code")
"""Kinds of fields whose values are names, though they are made of digits."""


def is_ruined(values: pa.Array, field: Field) -> pa.Array:
    """Of values that a rule has something to say of: whether a spreadsheet did it."""
    if field.kind not in _NAMES:
        return pc.match_substring_regex(values, rf"\A(?:{_OVERFLOWN})\z")
    odd = pc.match_substring_regex(values, rf"(?i)\A(?:{SCIENTIFIC}|{_DATE}|{_OVERFLOWN})\z")
    return pc.or_(odd, pc.is_in(values, _without_zeros(field.codes))) if field.codes else pc.or_(odd, _lost_a_zero(values, field))


@cache
def _without_zeros(codes: str) -> pa.Array:
    """Codes of a list that begin with 0, as numbers; none that is another code."""
    known = code_list(codes).codes
    return pa.array(sorted({short for code in known if code[:1] == "0" and code.isdigit() and (short := code.lstrip("0")) and short not in known}), pa.string())


def _lost_a_zero(values: pa.Array, field: Field) -> pa.Array:
    if field.column != "commodity_code":
        return pa.array([False] * len(values))
    return pc.match_substring_regex(pc.binary_join_element_wise("0", values, ""), rf"\A(?:{COMMODITY_CHAPTER})\z")
