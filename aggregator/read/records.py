"""Cut CSV bytes into records, and find the records that cannot be read as cells.

All offsets are into a block of whole records. Delimiters, quotes and line ends are ASCII, and in UTF-8 and GB18030 no
byte of another character equals one of them, so the bytes can be looked at before decoding.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

csv.field_size_limit(1 << 20)
QUOTE, NEWLINE, RETURN = 0x22, 0x0A, 0x0D


class Quoting(StrEnum):
    """How quotes stand in a file as a whole."""

    NONE = "none"
    SOUND = "sound"
    """Every quote opens, closes or is doubled as RFC 4180 says; a quoted cell may hold line ends."""
    BROKEN = "broken"
    """Some quote does not: every line is taken as a record of its own, and lines with such a quote are rejected."""


@dataclass(frozen=True)
class Records:
    """Bounds of the records of a block (without their line ends) and what is wrong with some of them.

    `blank`: the record is an empty line. `wrong`: record to rule code (F202, F203).
    """

    starts: Ints
    ends: Ints
    blank: Mask
    wrong: dict[int, str]


def cells_of(record: str, delimiter: str) -> list[str]:
    """The cells of one record, as a spreadsheet would cut it."""
    try:
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return [record]


def quotes_are_sound(block: bytes, delimiter: int) -> bool:
    """Whether every quote of a block of whole records stands where RFC 4180 lets it stand."""
    if b'"' not in block:
        return True
    data = np.frombuffer(block, dtype=np.uint8)
    places = places_of(data, QUOTE)
    return len(places) % 2 == 0 and bool(_misplaced(data, places, np.arange(len(places)) % 2 == 0, delimiter).any() == 0)


def _misplaced(data: npt.NDArray[np.uint8], places: Ints, opens: Mask, delimiter: int) -> Mask:
    """Quotes that open in the middle of a cell, or close before its end. A doubled quote closes and opens again."""
    before = np.where(places > 0, data[np.maximum(places - 1, 0)], NEWLINE)
    after = np.where(places + 1 < len(data), data[np.minimum(places + 1, len(data) - 1)], NEWLINE)
    starts_cell = np.isin(before, (delimiter, NEWLINE, RETURN))
    ends_cell = np.isin(after, (delimiter, NEWLINE, RETURN))
    reopened = opens & np.append(False, (np.diff(places) == 1) & ~opens[:-1])
    doubled = ~opens & np.append((np.diff(places) == 1) & opens[1:], False)
    misplaced: Mask = np.where(opens, ~(starts_cell | reopened), ~(ends_cell | doubled))
    return misplaced


def places_of(data: npt.NDArray[np.uint8], byte: int) -> Ints:
    """Offsets of a byte; in steps that stay in the processor's cache."""
    step = 1 << 20
    found = [np.flatnonzero(data[start : start + step] == byte) + start for start in range(0, len(data), step)]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def cut_records(block: bytes, quoting: Quoting, delimiter: int) -> Records:
    data = np.frombuffer(block, dtype=np.uint8)
    ends = places_of(data, NEWLINE)
    if quoting is Quoting.SOUND:
        quotes = places_of(data, QUOTE)
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        ends = np.append(ends, len(data))
    starts = np.append(0, ends[:-1] + 1) if len(ends) else ends
    with_return = (ends > starts) & (data[np.maximum(ends - 1, 0)] == RETURN)
    next_lines, ends = ends, ends - with_return
    wrong: dict[int, str] = {}
    if quoting is Quoting.BROKEN:
        wrong |= dict.fromkeys(_badly_quoted(data, starts, delimiter).tolist(), "F202")
    control = places_of(data, 0) if b"\0" in block else np.zeros(0, dtype=np.int64)
    if block.count(b"\r") != int(with_return.sum()):
        returns = places_of(data, RETURN)
        control = np.append(control, returns[~np.isin(returns + 1, next_lines)])
    if len(control):
        wrong |= dict.fromkeys((np.searchsorted(starts, control, side="right") - 1).tolist(), "F203")
    return Records(starts, ends, ends == starts, wrong)


def _badly_quoted(data: npt.NDArray[np.uint8], starts: Ints, delimiter: int) -> Ints:
    """Records (lines) with an odd number of quotes or a misplaced one, each line looked at by itself."""
    places = places_of(data, QUOTE)
    if not len(places):
        return places
    line = np.searchsorted(starts, places, side="right") - 1
    first_of_line = np.append(True, np.diff(line) != 0)
    start = np.maximum.accumulate(np.where(first_of_line, np.arange(len(places)), 0))
    opens = (np.arange(len(places)) - start) % 2 == 0
    misplaced = _misplaced(data, places, opens, delimiter)
    lines, counts = np.unique(line, return_counts=True)
    return np.unique(np.concatenate([line[misplaced], lines[counts % 2 == 1]]))
