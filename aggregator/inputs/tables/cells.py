"""Cells that a spreadsheet holds as numbers, dates or truth values, as the text they stand for, and never a digit more.

A number cell is a binary fraction of some 15 decimal digits. Up to there it says what was typed. Beyond, its last digits are
invented: such a number is written with an exponent, which the rules refuse, so that a spoiled inventory number cannot pass for a
sound one.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from aggregator.schemas.field import Field

_DIGITS = 15
_SAFE = 10**_DIGITS
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day has no zone; day 60 is its invented 29 February 1900
_SERIALS = range(36526, 73051)
"""Days of 2000 to 2099 as a spreadsheet counts them."""


def text_of(value: Any) -> str:
    """Any cell as text."""
    if type(value) is str:
        return value
    if type(value) is float:
        return number_text(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds" if value.microsecond else "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return number_text(float(value)) if isinstance(value, int) else str(value)


def number_text(value: float, exact_below: float = _SAFE) -> str:
    """Plain where the number is exact to its last digit, else with an exponent."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= min(exact_below, _SAFE):
        return f"{value:.{_DIGITS - 1}E}"
    if value == int(value):
        return str(int(value))
    plain = repr(value)
    if len(plain.partition("e")[0].replace(".", "").lstrip("-0")) > _DIGITS:
        # 3.3000000000000003 is what a computer makes of 3 × 1.1; a neighbour of 3.3 that no one typed.
        rounded = f"{value:.{_DIGITS}g}"
        if abs(float(rounded) - value) <= 2 * math.ulp(value):
            plain = rounded
    return format(Decimal(plain), "f")


def time_text(value: Any, *, from_1904: bool) -> str:
    """A cell of a column of times: a bare day count is the day it stands for."""
    if type(value) is not float or int(value) + (1462 if from_1904 else 0) not in _SERIALS:
        return text_of(value)
    days = value + (1462 if from_1904 else 0)
    moment = _EPOCH + timedelta(milliseconds=round(days * 86_400_000))
    return moment.strftime("%Y-%m-%d") if value == int(value) else text_of(moment)


def column_texts(values: list[Any], field: Field | None, repairs: Counter[str], *, from_1904: bool) -> list[str]:
    """Cells under one heading (of no column: blank) as text; dates and day counts are counted."""
    if set(map(type, values)) <= {str}:
        return values
    if field is not None and field.kind == "time":
        repairs["date_cells"] += sum(isinstance(value, date) for value in values)
        texts = [time_text(value, from_1904=from_1904) for value in values]
        repairs["date_serials"] += sum(type(v) is float and text != text_of(v) for v, text in zip(values, texts, strict=True))
        return texts
    return [value if type(value) is str else text_of(value) for value in values]
