"""Cut CSV bytes into records, and find the records that cannot be read as cells.

All offsets are into a block of whole records. Delimiters, quotes and line ends are ASCII, and in UTF-8 and GB18030 no
byte of another character equals one of them, so the bytes can be looked at before decoding. A line ends with a line
feed, or with a carriage return that no line feed follows; a record ends with a line, unless that stands within quotes.
"""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aggregator.schemas.arrays import Ints, Mask

Bytes = npt.NDArray[np.uint8]

csv.field_size_limit(1 << 20)
QUOTE, NEWLINE, RETURN = 0x22, 0x0A, 0x0D
DELIMITERS = (",", ";", "\t")
LINE_ENDS = b"\r\n"
SHORT = 64
"""Bytes that every inventory line has: where lines are shorter on the average, most of them say nothing."""
_STEP = 1 << 18


class Quoting(StrEnum):
    """How quotes stand in a file as a whole."""

    NONE = "none"
    SOUND = "sound"
    """Every quote opens, closes or is doubled as RFC 4180 says; a quoted cell may hold line ends."""
    BROKEN = "broken"
    """Some quote does not: every line is taken as a record of its own, and lines with such a quote are rejected."""


@dataclass(frozen=True)
class Dialect:
    """How cells are cut in the text of a CSV file. `width`: cells of a row; `number_at`: which holds the inventory number."""

    delimiter: str
    quoting: Quoting
    width: int
    number_at: int | None = None


@dataclass(frozen=True)
class Records:
    """Bounds of the records of a block (without their line ends) and what is wrong with some of them.

    `blank`: the record is an empty line. `wrong`: record to rule code (F202, F203). `lines`: how many lines of the file each
    takes up. `by_return`: it begins or ends at a carriage return that stands alone. `longest`: bytes of the longest record, before
    those that take other rows into their quotes are cut up.
    """

    starts: Ints
    ends: Ints
    blank: Mask
    wrong: dict[int, str]
    lines: Ints
    by_return: Mask
    longest: int


def cells_of(record: str, delimiter: str) -> list[str]:
    """The cells of one record, as a spreadsheet would cut it."""
    try:
        return next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return [record]


def _are_sound(data: Bytes, quotes: Ints, delimiter: int) -> bool:
    return len(quotes) % 2 == 0 and not _misplaced(data, quotes, np.arange(len(quotes)) % 2 == 0, delimiter).any()


def _misplaced(data: Bytes, places: Ints, opens: Mask, delimiter: int) -> Mask:
    """Quotes that open in the middle of a cell, or close before its end. A doubled quote closes and opens again."""
    before = np.where(places > 0, data[np.maximum(places - 1, 0)], NEWLINE)
    after = np.where(places + 1 < len(data), data[np.minimum(places + 1, len(data) - 1)], NEWLINE)
    starts_cell = np.isin(before, (delimiter, NEWLINE, RETURN))
    ends_cell = np.isin(after, (delimiter, NEWLINE, RETURN))
    reopened = opens & np.append(False, (np.diff(places) == 1) & ~opens[:-1])
    doubled = ~opens & np.append((np.diff(places) == 1) & opens[1:], False)
    misplaced: Mask = np.where(opens, ~(starts_cell | reopened), ~(ends_cell | doubled))
    return misplaced


def places_of(data: Bytes, byte: int) -> Ints:
    """Offsets of a byte; in steps that stay in the processor's cache."""
    step = 1 << 20
    found = [np.flatnonzero(data[start : start + step] == byte) + start for start in range(0, len(data), step)]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def stand_together(data: bytes, pair: bytes) -> bool:
    """Whether two bytes stand beside one another. `in` looks for them one by one, which takes several times as long."""
    wanted, step = int.from_bytes(pair, sys.byteorder), 1 << 18
    for offset in range(min(len(data), 2)):
        pairs = np.frombuffer(data, np.uint16, (len(data) - offset) // 2, offset)
        if any((pairs[start : start + step] == wanted).any() for start in range(0, len(pairs), step)):
            return True
    return False


def line_ends(block: bytes) -> Ints:
    """Offsets of the last byte of each line that ends in the block."""
    newlines = places_of(np.frombuffer(block, dtype=np.uint8), NEWLINE)
    alone = lone_returns(block)
    return np.sort(np.concatenate([newlines, alone])) if len(alone) else newlines


def lone_returns(block: bytes) -> Ints:
    """Offsets of the carriage returns without a line feed behind them."""
    if b"\r" not in block:
        return np.zeros(0, dtype=np.int64)
    data = np.frombuffer(block, dtype=np.uint8)
    returns = places_of(data, RETURN)
    behind = data[np.minimum(returns + 1, len(data) - 1)]
    alone: Ints = returns[behind != NEWLINE]
    return alone


def quoted_ends(block: bytes, delimiter: str) -> Mask | None:
    """Which lines of a block of whole records end within quotes; None where its quotes are not sound."""
    data = np.frombuffer(block, dtype=np.uint8)
    quotes = places_of(data, QUOTE)
    if not _are_sound(data, quotes, ord(delimiter)):
        return None
    quoted: Mask = np.searchsorted(quotes, line_ends(block)) % 2 == 1
    return quoted


def cut_records(block: bytes, dialect: Dialect) -> Records:
    data = np.frombuffer(block, dtype=np.uint8)
    lines = line_ends(block)
    if len(data) and (not len(lines) or lines[-1] != len(data) - 1):
        lines = np.append(lines, len(data))
    cut = _Cut(lines, lines[:0], {})
    longest = 0
    if dialect.quoting is Quoting.SOUND:
        quotes = places_of(data, QUOTE)
        quoted = np.searchsorted(quotes, lines) % 2 == 1
        longest = int(np.diff(lines[~quoted], prepend=-1).max(initial=0))
        if quoted.any():
            cut = _whole_or_cut_up(data, lines, quoted, quotes, dialect)
    ends, within, wrong = cut.ends, cut.within, cut.wrong
    starts = np.append(0, ends[:-1] + 1) if len(ends) else ends
    by_return = (ends < len(data)) & (data[np.minimum(ends, len(data) - 1)] == RETURN) if len(ends) else ends > 0
    with_return = (ends > starts) & ~by_return & (data[np.maximum(ends - 1, 0)] == RETURN) if len(ends) else by_return
    if dialect.quoting is Quoting.BROKEN:
        wrong |= dict.fromkeys(_badly_quoted(data, starts, ord(dialect.delimiter)).tolist(), "F202")
    control = within[data[within] == RETURN]
    if b"\0" in block:
        control = np.append(control, places_of(data, 0))
    wrong |= dict.fromkeys((np.searchsorted(starts, control, side="right") - 1).tolist(), "F203")
    takes = np.diff(np.searchsorted(lines, ends, side="right"), prepend=0) if len(within) else np.ones_like(ends)
    beside = by_return | np.append(False, by_return)[:-1]
    ends = ends - with_return
    return Records(starts, ends, ends == starts, wrong, takes, beside, longest)


def white(encoding: str) -> bytes:
    """Bytes of white space: of nothing else, in text of that encoding, where all bytes are of these."""
    return b" \t\r\n\x0b\x0c" + "\u3000".encode(encoding)


class Filled(NamedTuple):
    """The lines of a block in which something stands. For each, and last in all: how many lines were left out above it (`passed`), and how
    many bytes these have (`skipped`)."""

    data: bytes
    passed: Ints
    skipped: Ints


def filled_lines(block: bytes, dialect: Dialect, nothing: bytes) -> Filled:
    """Leave out the lines of a block of whole records that hold `nothing` but these bytes, unless they begin within quotes. In steps that stay in the
    processor's cache: there may be as many lines as bytes."""
    says = np.ones(256, dtype=bool)
    says[np.frombuffer(nothing, dtype=np.uint8)] = False
    kept: list[bytes] = []
    passed: list[Ints] = []
    skipped: list[Ints] = []
    quotes = left_out = bytes_out = at = 0
    while at < len(block):
        end = block.find(b"\n", at + _STEP) + 1 or len(block)
        step = block[at:end]
        data = np.frombuffer(step, dtype=np.uint8)
        starts = np.append(0, line_ends(step) + 1)
        starts = starts[: np.searchsorted(starts, len(data))]
        filled = np.logical_or.reduceat(says[data], starts)
        if dialect.quoting is Quoting.SOUND:
            places = places_of(data, QUOTE)
            filled |= (quotes + np.searchsorted(places, starts)) % 2 == 1
            quotes += len(places)
        bounds = np.append(starts, len(data))[np.flatnonzero(np.diff(filled, prepend=False, append=False))].tolist()
        kept += [step[begin:stop] for begin, stop in zip(bounds[::2], bounds[1::2], strict=True)]
        out = np.cumsum(np.where(filled, 0, np.diff(starts, append=len(data))))
        passed.append(np.cumsum(~filled)[filled] + left_out)
        skipped.append(out[filled] + bytes_out)
        left_out += int(np.count_nonzero(~filled))
        bytes_out += int(out[-1])
        at = end
    return Filled(b"".join(kept), np.concatenate([*passed, [left_out]]), np.concatenate([*skipped, [bytes_out]]))


def good_stretches(data: bytes, records: Records | None) -> bytes:
    """A block without what is wrong."""
    if records is None or not records.wrong:
        return data
    dropped = np.zeros(len(records.starts), dtype=bool)
    dropped[list(records.wrong)] = True
    bounds = np.append(records.starts, len(data))
    begins, ends = (bounds[np.flatnonzero(np.diff(~dropped, prepend=False, append=False))[half::2]] for half in (0, 1))
    view = memoryview(data)
    return b"".join(view[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True))


class _Cut(NamedTuple):
    """Where records end, which line ends stand within one, and the records (lines) of what was cut up."""

    ends: Ints
    within: Ints
    wrong: dict[int, str]


def _whole_or_cut_up(data: Bytes, lines: Ints, quoted: Mask, quotes: Ints, dialect: Dialect) -> _Cut:
    """A quoted cell that goes on over line ends and holds what looks like rows of this file was opened by a stray quote (a
    ditto or inch mark): no cell of it can be trusted, and every line that it took in is a record of its own, and wrong."""
    ends, within = lines[~quoted], lines[quoted]
    owner = np.searchsorted(ends, within)
    marks = places_of(data, ord(dialect.delimiter))
    several = np.unique(owner)
    starts = np.append(0, ends[:-1] + 1)[several]
    delimiters = np.searchsorted(marks, ends[several]) - np.searchsorted(marks, starts)
    cut_up = np.zeros(len(ends), dtype=bool)
    cut_up[several[delimiters >= max(2 * (dialect.width - 1), 1)]] = True
    begins = _looks_like_a_number(data, within + 1)
    if dialect.number_at:
        place = np.minimum(np.searchsorted(marks, within + 1) + dialect.number_at, len(marks)) - 1
        stop = np.append(lines, len(data))[np.searchsorted(lines, within) + 1]
        number = marks[place] + 1 if len(marks) else within
        begins |= (number < stop) & (np.searchsorted(quotes, number) % 2 == 1) & _looks_like_a_number(data, number)
    cut_up[owner[begins]] = True
    taken_in = cut_up[owner]
    if not taken_in.any():
        return _Cut(ends, within, {})
    all_ends = np.sort(np.concatenate([ends, within[taken_in]]))
    wrong = np.flatnonzero(cut_up[np.searchsorted(ends, all_ends)])
    return _Cut(all_ends, within[~taken_in], dict.fromkeys(wrong.tolist(), "F202"))


def _looks_like_a_number(data: Bytes, places: Ints) -> Mask:
    """Where eight digits and an E stand, behind a quote or not: customs district and year of an inventory number."""
    last = len(data) - 1
    places = places + (data[np.minimum(places, last)] == QUOTE)
    letters = data[np.minimum(places[:, None] + np.arange(9), last)]
    digits = ((letters[:, :-1] >= ord("0")) & (letters[:, :-1] <= ord("9"))).all(axis=1)
    found: Mask = digits & (letters[:, -1] | 0x20 == ord("e"))
    return found


def _badly_quoted(data: Bytes, starts: Ints, delimiter: int) -> Ints:
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
