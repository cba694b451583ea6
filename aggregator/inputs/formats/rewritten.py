"""Text that is CSV in another encoding or notation: UTF-16, line ends of old Macs, cells like `="0123"`. It is copied into
plain UTF-8 first, so that there is one reader; no cell changes by it, and rows keep their numbers."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aggregator.inputs.export import Source, unusable
from aggregator.inputs.formats.records import NEWLINE, QUOTE, RETURN, line_ends
from aggregator.inputs.sources.room import Room
from aggregator.inputs.sources.unchanged import hashing

_PIECE = 1 << 20
_LOOKED_AT = 1 << 18
_TEXT_FORMULA = re.compile(rb'(^|[,;\t\r\n])="([^"\r\n]+)"(?=[,;\t\r\n]|$)')
"""A cell like ="0123", as programs write text for Excel. In a soundly quoted cell every quote is doubled, so that the
first character after `="` is a quote there: this cannot match inside one."""


def is_empty(path: Path) -> bool:
    with path.open("rb") as file:
        return not any(piece.strip(b"\xef\xbb\xbf\r\n \t") for piece in iter(lambda: file.read(_PIECE), b""))


def must_be_rewritten(path: Path) -> bool:
    """Whether a text has to be rewritten as a whole before it can be read."""
    return utf_16_of(_start(path)) is not None or has_mac_line_ends(path)


def as_utf_8(copy: Source, room: Room) -> Path:
    """The text of a held file as UTF-8; where it is not UTF-16, the file itself."""
    encoding = utf_16_of(_start(copy.path))
    return from_utf_16(copy, encoding, room) if encoding else copy.path


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def utf_16_of(start: bytes) -> str | None:
    """Which UTF-16 a file is in, by its byte order mark or by the zero bytes of its first letters."""
    if start.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if start.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    zeros = [sum(byte == 0 for byte in start[half:64:2]) for half in (0, 1)]
    if max(zeros) > 8 and min(zeros) == 0:
        return "utf-16-be" if zeros[0] else "utf-16-le"
    return None


def from_utf_16(source: Source, encoding: str, room: Room) -> Path:
    """The text as UTF-8."""
    copy, size = room.new_file(".csv"), 0
    decoder = codecs.getincrementaldecoder(encoding)()
    with source.path.open("rb") as given, copy.open("wb") as sink:
        first = True
        while True:
            piece = given.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                offset = size + error.start
                raise unusable(
                    "F104", source.name, f"The byte at offset {offset} is not {encoding.upper()}.", f"偏移量 {offset} 处的字节不是 {encoding.upper()} 编码。"
                ) from None
            size += len(piece)
            sink.write((text.removeprefix("\ufeff") if first else text).encode("utf-8", "surrogatepass"))
            first = False
            if not piece:
                return copy


def has_mac_line_ends(path: Path) -> bool:
    """Whether most lines at its beginning end with a carriage return that stands alone. (Wherever else one ends a line, the
    reader takes it for a line end too: this only says whether pieces can be cut at line feeds.)"""
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    data = np.frombuffer(start, dtype=np.uint8)
    quotes, lines = np.flatnonzero(data == QUOTE), line_ends(start)
    outside = lines[np.searchsorted(quotes, lines) % 2 == 0]
    ends = data[outside if len(outside) else lines]
    return int((ends == RETURN).sum()) * 2 > len(ends)


def with_line_feeds(path: Path, room: Room, *, within_quotes: bool) -> Path:
    """With a line feed for each carriage return that stands alone: for those outside quotes, or for all. The byte is no part
    of another character in UTF-8 and GB18030."""
    copy, open_quote, held = room.new_file(".csv"), 0, b""
    with path.open("rb") as given, copy.open("wb") as sink:
        while (more := given.read(_PIECE)) or held:
            # The last return may be half a line end.
            piece, held = held + more, b"\r" if more.endswith(b"\r") else b""
            piece = piece.removesuffix(held)
            data = np.frombuffer(bytearray(piece), dtype=np.uint8)
            ends = line_ends(piece)
            quotes = np.flatnonzero(data == QUOTE)
            outside = (np.searchsorted(quotes, ends) + open_quote) % 2 == 0
            data[ends if within_quotes else ends[outside]] = NEWLINE
            open_quote += len(quotes)
            sink.write(data.tobytes())
    return copy


def has_text_formulas(piece: bytes) -> bool:
    """Whether cells like ="0123" stand in some whole lines without quotes around them."""
    return b'"' in piece and b'="' in piece and _TEXT_FORMULA.search(piece) is not None


def with_quoted_formulas(path: Path, room: Room) -> tuple[Path, str]:
    """With cells like ="0123" quoted as CSV asks for; and the SHA-256 of what it was made of."""
    return _copied(path, room, lambda piece: _TEXT_FORMULA.sub(rb'\1"=""\2"""', piece))


def _copied(path: Path, room: Room, change: Callable[[bytes], bytes]) -> tuple[Path, str]:
    """A copy, changed in pieces that end with a line."""
    copy = room.new_file(".csv")
    with hashing(path) as (given, digest), copy.open("wb") as sink:
        while piece := given.read(_PIECE):
            sink.write(change(piece + given.readline(_PIECE)))
    return copy, digest.hexdigest()
