"""Shapes of values: vectorised predicates over Arrow arrays.

Every predicate takes a string array and returns a boolean array of the same length, true where the value has the shape;
a missing value counts as having it (that it is missing is another rule's business). Shapes are matched whole and with
`[0-9]`: `\\d` and `$` would let full-width digits and a trailing newline through.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.decimals import PRECISION, SCALE

CHINA = timezone(timedelta(hours=8), "China")

DECIMAL = rf"[0-9]{{1,{PRECISION - SCALE}}}(?:\.[0-9]{{1,{SCALE}}})?"
NEGATIVE_DECIMAL = rf"-{DECIMAL}"
ZERO = rf"0{{1,{PRECISION - SCALE}}}(?:\.0{{1,{SCALE}}})?"
"""A plain decimal that is 0."""
INVENTORY_NO = "[0-9]{4}[0-9]{4}E[0-9]{9,11}"
POSSIBLE_INVENTORY_NO = "[0-9A-Z]*[0-9][0-9A-Z]*"
"""Wider than what customs gives today: numbers of other years and of customs' own samples have other letters and digits."""
SCIENTIFIC = r"[0-9]+\.[0-9]+E\+?[0-9]{1,3}|[0-9]+E\+[0-9]{1,3}"
COMMODITY_CODE = "[0-9]{10}"
PREMISES_CODE = "[0-9A-Z]{4,10}"
COMMODITY_CHAPTER = "(?:0[1-9]|[1-68][0-9]|7[0-689]|9[0-8])[0-9]{8}"
SPREADSHEET_ERROR = (
    r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|BUSY!|PYTHON!|EXTERNAL!|TIMEOUT!"
    r"|ERROR!|GETTING_DATA|FORMULA\?|#{2,})"
)
"""Of Excel, WPS, LibreOffice and Google; #FORMULA? is ours; cells too wide for their column are saved as a row of #."""

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])


def matches(values: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(values, rf"\A(?:{pattern})\z"), True)


def at_most(values: pa.Array, length: int) -> pa.Array:
    longest = pc.max(pc.binary_length(values)).as_py()
    if longest is None or longest <= length:
        return pa.array(np.ones(len(values), dtype=bool))
    return pc.fill_null(pc.less_equal(pc.utf8_length(values), length), True)


def is_one_of(values: pa.Array, codes: Collection[str]) -> pa.Array:
    known = pc.is_in(values, value_set=pa.array(sorted(codes), pa.string()))
    return pc.or_(known, values.is_null())


def is_uscc(values: pa.Array) -> pa.Array:
    """18 characters of GB 32100 with the right check character: (31 - sum of weight times value mod 31) mod 31."""
    shaped = pc.match_substring_regex(values, rf"\A[{USCC_ALPHABET}]{{18}}\z")
    result = np.zeros(len(values), dtype=bool)
    where = np.flatnonzero(pc.fill_null(shaped, False).to_numpy(zero_copy_only=False))
    if len(where):
        text = values.take(pa.array(where)).cast(pa.binary()).to_numpy(zero_copy_only=False).astype("S18")
        letters = np.frombuffer(text.tobytes(), dtype=np.uint8).reshape(-1, 18)
        value_of = np.zeros(128, dtype=np.int64)
        value_of[np.frombuffer(USCC_ALPHABET.encode(), dtype=np.uint8)] = np.arange(len(USCC_ALPHABET))
        digits = value_of[letters]
        result[where] = digits[:, 17] == (31 - digits[:, :17] @ _USCC_WEIGHTS % 31) % 31
    return pc.or_(pa.array(result), values.is_null())


def is_firm_code(values: pa.Array) -> pa.Array:
    """A customs registration code (10 letters or digits) or a unified social credit code."""
    return pc.or_(matches(values, "[0-9A-Z]{10}"), is_uscc(values))


_PLAIN_TIME = "[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:[ T]?[0-9]{2}:?[0-9]{2}:?[0-9]{2}(?:[.]?[0-9]{3})?)?"
_USUAL, _DIGIT = b"0000-00-00 00:00:00", ord("0")
_TIME_OF_DAY = "(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{3}"


def clearing_digits(values: pa.Array) -> pa.Array:
    """Times as written to 17 digits of China time (yyyyMMddHHmmssfff); null where unreadable or missing.

    Read are: 14 or 17 digits, 8 digits, an ISO date, an ISO date and time (with an offset if it is not China time).
    """
    digits = _digits_of_usual(values)
    if digits is not None:
        return _only_times(digits)
    plain = pc.fill_null(pc.match_substring_regex(values, rf"\A(?:{_PLAIN_TIME})\z"), False)
    digits = pc.if_else(plain, values, None)
    for mark in "-:T .":
        # All else that a plain time has: one by one they take a quarter of the time of a pattern.
        digits = pc.replace_substring(digits, mark, "")
    digits = _only_times(pc.utf8_rpad(digits, 17, "0"))
    other = pc.indices_nonzero(pc.and_(pc.invert(plain), values.is_valid()))
    if len(other) == 0:
        return digits
    rewritten = [_from_iso(value) for value in values.take(other).to_pylist()]
    mask = np.zeros(len(values), dtype=bool)
    mask[other.to_numpy()] = True
    return pc.replace_with_mask(digits, pa.array(mask), pa.array(rewritten, pa.string()))


def _digits_of_usual(values: pa.Array) -> pa.Array | None:
    """The digits of times that are all written as usual, yyyy-MM-dd HH:mm:ss, with three zeros; None where one is missing or is not."""
    if not len(values) or values.null_count or values.type != pa.string():
        return None
    bounds = np.frombuffer(values.buffers()[1], np.int32)[values.offset : values.offset + len(values) + 1]
    if (np.diff(bounds) != len(_USUAL)).any():
        return None
    letters = np.frombuffer(values.buffers()[2], np.uint8)[bounds[0] : bounds[-1]].reshape(-1, len(_USUAL))
    usual = np.frombuffer(_USUAL, np.uint8)
    if (letters[:, usual != _DIGIT] != usual[usual != _DIGIT]).any():
        return None
    digits = np.full((len(values), 17), _DIGIT, dtype=np.uint8)
    digits[:, : np.count_nonzero(usual == _DIGIT)] = letters[:, usual == _DIGIT]
    if (digits - _DIGIT > 9).any():
        return None
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(np.arange(len(values) + 1, dtype=np.int32) * 17), pa.py_buffer(digits)])


def _only_times(digits: pa.Array) -> pa.Array:
    """Null where 17 digits are no time of a real day."""
    days = pc.utf8_slice_codeunits(digits, 0, 8).dictionary_encode()
    real_day = pa.array([_is_day(day) for day in days.dictionary.to_pylist()], pa.bool_()).take(days.indices)
    real_time = pc.match_substring_regex(pc.utf8_slice_codeunits(digits, 8, 17), rf"\A{_TIME_OF_DAY}\z")
    return pc.if_else(pc.and_(real_day, real_time), digits, None)


def is_time(digits: str) -> bool:
    """Whether 17 digits (yyyyMMddHHmmssfff) are a time of a real day."""
    return re.fullmatch(_TIME_OF_DAY, digits[8:]) is not None and _is_day(digits[:8])


@cache
def _is_day(day: str) -> bool:
    try:
        return datetime.strptime(day, "%Y%m%d").replace(tzinfo=CHINA).year > 0
    except ValueError:
        return False


def _from_iso(value: str) -> str | None:
    if not value.isascii() or value[4:5] != "-" or len(value) < 16:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment.astimezone(CHINA) if moment.tzinfo else moment
    return moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03d}"
