"""Take a text file piece by piece: single records at its beginning, then pieces of whole records. However it is cut, the
records are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from aggregator.inputs.export import unusable
from aggregator.inputs.formats.records import (
    DELIMITERS,
    LINE_ENDS,
    NEWLINE,
    SHORT,
    Dialect,
    Quoting,
    cut_records,
    lone_returns,
    quoted_ends,
    white,
)

LONGEST_RECORD = 1 << 18
"""Bytes; an inventory line has less than 10 kB even with every field full."""
PIECE = 1 << 20
"""Bytes looked at at once: small enough to stay in the processor's cache."""
_LINES_A_HEADING = 20
_FEW = 10
"""So many delimiters in the text of a heading are no row of cells."""
_GLANCE = 64
_RARE = 256
_NUMBER = re.compile(rb"(?<![0-9A-Za-z])[0-9]{8}[Ee][0-9]{9}")


class BrokenQuotes(Exception):  # noqa: N818 - not an error: the file is read line by line instead
    pass


class LoneReturns(Exception):  # noqa: N818 - not an error: the file is copied with line feeds instead
    pass


def logical_line(file: BinaryIO) -> bytes:
    """A line, or, where a quoted cell goes on over line ends, all lines of it; but not what a stray quote takes in."""
    begin = file.tell()
    first = _line(file)
    lines = [first]
    quotes = first.count(b'"')
    while quotes % 2 and len(lines) <= _LINES_A_HEADING and sum(map(len, lines)) < LONGEST_RECORD and (line := _line(file)):
        lines.append(line)
        quotes += line.count(b'"')
    if quotes % 2 or _hold_rows(lines):
        file.seek(begin + len(first))
        return first
    return b"".join(lines)


def _line(file: BinaryIO) -> bytes:
    """Up to a line feed or to a carriage return that stands alone, whichever comes first."""
    begin = file.tell()
    line = file.readline(LONGEST_RECORD)
    end = line.find(b"\r")
    while end >= 0 and line[end + 1 : end + 2] == b"\n":
        end = line.find(b"\r", end + 1)
    if end < 0:
        return line
    file.seek(begin + end + 1)
    return line[: end + 1]


def _hold_rows(lines: list[bytes]) -> bool:
    """Whether the quoted text of these lines of one record holds rows: an inventory number, or as many delimiters as cells."""
    if len(lines) == 1:
        return False
    if any(_NUMBER.search(line) for line in lines[1:]):
        return True
    quoted = b"".join(b"".join(lines).split(b'"')[1::2])
    return any(quoted.count(each) >= max(lines[0].count(each), _FEW) for each in map(str.encode, DELIMITERS))


def whole_records(name: str, file: BinaryIO, quoting: Quoting | None, size: int) -> Iterator[bytes]:
    """The file in pieces of whole records, small enough to stay in the processor's cache. Without `quoting` quotes are taken
    to be sound; raises BrokenQuotes where one is not closed."""

    def rest_of_line() -> bytes:
        line = file.readline(LONGEST_RECORD)
        if len(line) >= LONGEST_RECORD:
            raise _too_long(name, file, line)
        return line

    while piece := file.read(size):
        if not piece.endswith(b"\n"):
            piece += rest_of_line()
        if quoting is None:
            tail: list[bytes] = []
            quotes, length = _count_rare(piece, b'"'), 0
            while quotes % 2 and length < LONGEST_RECORD and (line := rest_of_line()):
                tail.append(line)
                length += len(line)
                quotes += line.count(b'"')
            if quotes % 2:
                raise BrokenQuotes
            piece += b"".join(tail)
        if _longest_line(piece) >= LONGEST_RECORD:
            raise _too_long(name, file, piece)
        yield piece


def _count_rare(piece: bytes, byte: bytes) -> int:
    """As `bytes.count`, which looks at each byte: where there are few, they are found several times as fast."""
    count = at = 0
    while count < _RARE:
        at = piece.find(byte, at) + 1
        if not at:
            return count
        count += 1
    return piece.count(byte)


def _longest_line(piece: bytes) -> int:
    """Bytes, with the line feed; 0 where none can be too long."""
    step = LONGEST_RECORD // 2
    if all(piece.find(b"\n", start, start + step) >= 0 for start in range(0, len(piece) - step, step)):
        return 0
    return max(map(len, piece.split(b"\n"))) + 1


def _too_long(name: str, file: BinaryIO, line: bytes) -> Exception:
    if len(lone_returns(line)):
        return LoneReturns()
    offset = file.tell()
    return unusable("F107", name, f"Before byte {offset}.", f"在第 {offset} 字节之前。")


def count_lines(piece: bytes) -> int:
    """Lines of a piece of whole lines."""
    return _count_line_feeds(piece) + len(lone_returns(piece)) + (not piece.endswith((b"\n", b"\r")) and bool(piece))


def _count_line_feeds(piece: bytes) -> int:
    """As bytes.count does, which is slow where nothing else stands there."""
    return int(np.count_nonzero(np.frombuffer(piece, np.uint8) == NEWLINE))


def is_blank(piece: bytes, delimiter: str, encoding: str) -> bool:
    """Whether a full piece holds nothing but blank rows: a run of them is passed over as it is scanned, since what reads a chunk takes
    some time for each, whatever is in it. Shorter runs go with their chunk."""
    nothing = white(encoding) + delimiter.encode()
    if len(piece) < PIECE or piece[:_GLANCE].strip(nothing + b'"'):
        return False
    if b'"' in piece and b'"""' not in piece:
        # Empty cells.
        piece = piece.replace(b'""', b"")
    return not piece.translate(None, nothing)


def is_sparse(piece: bytes, lines: int) -> bool:
    """Whether many of so many lines must be blank."""
    return lines > len(piece) // SHORT


def count_filled(piece: bytes, lines: int, delimiter: str, encoding: str) -> int:
    """Lines of a piece of so many in which something stands: at most. Only a sparse piece is looked at."""
    if not is_sparse(piece, lines):
        return lines
    data = np.frombuffer(piece.translate(None, (white(encoding) + delimiter.encode()).replace(b"\n", b"")), np.uint8)
    return int(np.count_nonzero((data[:-1] != NEWLINE) & (data[1:] == NEWLINE))) + len(lone_returns(piece)) + 1


def count_records(piece: bytes, lines: int, quoting: Quoting | None, dialect: Dialect) -> tuple[int, bool]:
    """Records of a piece of so many lines, and whether one goes on over line ends. Raises BrokenQuotes where a quote is
    misplaced, or takes in more than a record can have."""
    if quoting is not None or b'"' not in piece:
        return lines, False
    quoted = quoted_ends(piece, dialect.delimiter)
    if quoted is None:
        raise BrokenQuotes
    if not quoted.any():
        return lines, False
    records = cut_records(piece, dialect)
    if records.longest > LONGEST_RECORD:
        raise BrokenQuotes
    return len(records.starts), True


def is_between_rows(before: bytes, after: bytes, delimiter: str) -> bool:
    """Whether the rows on both sides of where two pieces meet have several cells: neither is a piece of the other."""
    mark = delimiter.encode()
    last = before[-LONGEST_RECORD:].rstrip(LINE_ENDS)
    first = after[:LONGEST_RECORD].lstrip(LINE_ENDS)
    return mark in last[max(map(last.rfind, (b"\r", b"\n"))) + 1 :] and mark in re.split(b"[\r\n]", first, maxsplit=1)[0]
