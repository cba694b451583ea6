"""Text that is CSV but for its dress: UTF-16, line ends of old Macs, cells like `="0123"`. It is copied into plain dress
first, so that there is one reader; no cell changes by it, and rows keep their numbers."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path

from aggregator.read.export import Source, unusable
from aggregator.read.room import Room
from aggregator.read.unchanged import changed, hashing

_PIECE = 1 << 20
_TEXT_FORMULA = re.compile(rb'(^|[,;\t\n])="([^"\r\n]+)"(?=[,;\t\r\n]|$)')
"""A cell like ="0123", as programs write text for Excel. In a soundly quoted cell every quote is doubled, so that the
first character after `="` is a quote there: this cannot match inside one."""


def is_empty(path: Path) -> bool:
    return not _start(path).strip(b"\xef\xbb\xbf\r\n \t")


def is_in_other_dress(path: Path) -> bool:
    """Whether a text has to be rewritten as a whole before it can be read."""
    start = _start(path)
    return utf_16_of(start) is not None or has_mac_line_ends(path, start)


def in_plain_dress(copy: Source, room: Room) -> tuple[Path, dict[str, int]]:
    """The text of a held file rewritten, and what was put right."""
    path, repairs = copy.path, dict[str, int]()
    if encoding := utf_16_of(_start(path)):
        path = from_utf_16(copy, encoding, room)
        repairs["utf_16"] = 1
    if has_mac_line_ends(path, _start(path)):
        path = with_line_feeds(path, room)
        repairs["mac_line_ends"] = 1
    if not repairs:
        raise changed(copy.name)
    return path, repairs


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


def has_mac_line_ends(path: Path, start: bytes) -> bool:
    """Whether carriage returns stand alone, without one line feed in the whole file."""
    if b"\r" not in start or b"\n" in start:
        return False
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if b"\n" in piece:
                return False
    return True


def with_line_feeds(path: Path, room: Room) -> Path:
    """Of a file with the line ends of old Macs. The byte is no part of another character in UTF-8 and GB18030."""
    return _copied(path, room, lambda piece: piece.replace(b"\r", b"\n"))[0]


def has_text_formulas(path: Path) -> bool:
    """Whether cells like ="0123" stand in the file without quotes around them."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            piece += file.readline(_PIECE)
            if b'="' in piece and _TEXT_FORMULA.search(piece):
                return True
    return False


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
