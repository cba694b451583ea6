"""What a workbook would take in memory, before its reader takes it: a few bytes may ask for more than a machine has.

The reader of workbooks makes room for as many texts as a part says it has, and for the whole rectangle that the cells of a sheet
span. Both are looked at in the parts as a stream.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aggregator.inputs.export import Source, unusable
from aggregator.inputs.sources.unpack import MOST_BYTES, MOST_MEMBERS, MOST_TIMES
from aggregator.inputs.sources.zipped import sound_archive
from aggregator.model.memory import require

_SMALL = 64 << 20
_BEGIN, _PIECE = 1 << 12, 1 << 20
_REFERENCE = 16
"""Bytes of the longest reference to a cell, with what stands before it."""
_ROOT = re.compile(rb"<(?:\w+:)?([A-Za-z]\w*)([^<>]*)>")
_TEXTS = re.compile(rb"""\buniqueCount\s*=\s*["'](\d+)""")
_LEAST_TEXT = 4
_TEXT, _LEAST_CELL, _MOSTLY = b"<si", 20, 4
"""A text in its part, the bytes of a cell that shows one, and how many times as large as all else the part of texts is where they are counted."""
_FOR_A_BYTE, _SPARE = 3, 32 << 20
"""Memory that the reader takes for a byte of the unpacked parts, at the most, and what everything else takes meanwhile."""
_SOME_TEXTS = 1_000_000
_SOME_CELLS, _EMPTY_FOR_ONE = 5_000_000, 8
"""Cells of the rectangle, and how many of it may be empty for one that is not."""
_CELL = re.compile(rb"""<(?:\w+:)?c\s[^<>]*?\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["'][^<>]*(?<!/)>(?!</)""")
_SPACED = re.compile(rb"\sr(?:\s+=|=\s)")


def refuse_bomb(source: Source) -> int:
    """A workbook is unpacked in memory: what would not fit is refused before. Its unpacked size."""
    with sound_archive(source.name), zipfile.ZipFile(source.path) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        packed = source.path.stat().st_size
        if len(members) > MOST_MEMBERS or size > MOST_BYTES or size > max(packed * MOST_TIMES, _SMALL):
            raise unusable("F109", source.name, f"Unpacked it has {size:,} bytes, from {packed:,}.", f"解压后 {size:,} 字节，压缩后 {packed:,} 字节。")
        require(_FOR_A_BYTE * size + _SPARE)
        for member in members:
            if member.filename.lower().endswith(".xml"):
                _refuse_texts(source, archive, member, size - member.file_size)
    return size


def _refuse_texts(source: Source, archive: zipfile.ZipFile, member: zipfile.ZipInfo, others: int) -> None:
    """Raise UnusableInput for a part of texts that says it has more than it can hold, or holds more than all other parts, of so many bytes, can show."""
    with archive.open(member) as part:
        begin = part.read(_BEGIN)
        while (root := _ROOT.search(begin)) is None and len(begin) < _PIECE and (more := part.read(_BEGIN)):
            begin += more
    said = _TEXTS.search(root[2]) if root is not None and root[1] == b"sst" else None
    if said is not None and (count := int(said[1][:20])) > max(member.file_size // _LEAST_TEXT, _SOME_TEXTS):
        raise unusable("F108", source.name, f"{member.filename} says that it has {count:,} texts.", f"{member.filename} 声称含有 {count:,} 个文本。")
    if root is None or root[1] != b"sst" or member.file_size <= _MOSTLY * others:
        return
    most, held = max(others // _LEAST_CELL, _SOME_TEXTS), 0
    with archive.open(member) as part:
        while held <= most and (piece := part.read(_PIECE)):
            held += piece.count(_TEXT)
    if held > most:
        raise unusable("F108", source.name, f"{member.filename} has more than {most:,} texts, which its cells cannot show.", f"{member.filename} 含有超过 {most:,} 个文本，其单元格无法全部引用。")


@dataclass
class Extent:
    """How far cells reach, and how many there are, found without a parser: `r="XFD1048576"`."""

    rows: int = 0
    columns: int = 0
    cells: int = 0
    spaced: bool = False

    @property
    def is_far(self) -> bool:
        return self.spaced or self.rows * self.columns > _SOME_CELLS + _EMPTY_FOR_ONE * self.cells

    def add(self, piece: bytes) -> None:
        data = np.frombuffer(piece + b"\0" * _REFERENCE, dtype=np.uint8)
        at = np.flatnonzero(data == ord("="))
        if ((data[at - 1] <= ord(" ")) | (data[at + 1] <= ord(" "))).any():
            # Nobody writes a reference so, but then it would not be found here.
            self.spaced = self.spaced or _SPACED.search(piece) is not None
        at = at[(data[at - 1] == ord("r")) & ((data[at + 1] == ord('"')) | (data[at + 1] == ord("'")))] + 2
        column, row, letters = np.zeros((3, len(at)), dtype=np.int32)
        reading = np.ones(len(at), dtype=bool)
        for _ in range(3):
            letter = data[at] - np.uint8(ord("A") - 1)
            reading &= (letter >= 1) & (letter <= 26)
            column = np.where(reading, column * 26 + letter, column)
            letters += reading
            at = at + reading
        reading = np.ones(len(at), dtype=bool)
        for _ in range(7):
            digit = data[at] - np.uint8(ord("0"))
            reading &= digit <= 9
            if not reading.any():
                break
            row = np.where(reading, row * 10 + digit, row)
            at = at + reading
        cells = (letters > 0) & (row > 0)
        self.cells += int(cells.sum())
        self.rows = max(self.rows, int(row[cells].max(initial=0)))
        self.columns = max(self.columns, int(column[cells].max(initial=0)))


def far_cell(pieces: Iterable[bytes]) -> str:
    """The farthest cell that holds something, where the rectangle to it is nearly empty; else blank."""
    rows, columns, cells, names = 0, 0, 0, ("", "")
    for piece in pieces:
        for found in _CELL.finditer(piece):
            row, column = int(found[2]), _column(found[1])
            cells += 1
            name = (found[1] + found[2]).decode()
            names = (name if row > rows else names[0], name if column > columns else names[1])
            rows, columns = max(rows, row), max(columns, column)
    return (names[0] if rows > columns else names[1]) if rows * columns > _SOME_CELLS + _EMPTY_FOR_ONE * cells else ""


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place
