"""One pass over a CSV export: its encoding, headings and record borders, and whether it can be read at all."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from aggregator.errors import CannotReadOrWrite, NoInput, UnusableInput
from aggregator.read.headings import Matched, match_headings
from aggregator.read.records import Quoting, cut_records, quotes_are_sound
from schemas.rules import RULES

LONGEST_RECORD = 1 << 18
"""Bytes; an inventory line has less than 10 kB even with every field full."""
_PIECE = 1 << 20
"""Bytes looked at at once: small enough to stay in the processor's cache."""
_MANY_NON_ASCII = 12
"""Bytes of valid UTF-8 beyond ASCII (some four Chinese characters) after which a file is not GB18030 by chance."""


@dataclass(frozen=True)
class Block:
    """A stretch of whole records: byte offsets, and the row number (as a spreadsheet shows it) of its first record."""

    start: int
    end: int
    first_row: int


@dataclass(frozen=True)
class CsvFile:
    """What one pass over a file found out."""

    name: str
    path: Path
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    matched: Matched
    quoting: Quoting
    blocks: tuple[Block, ...]
    sha256: str
    size: int
    ends_with_newline: bool

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.matched.places)


class _Undecodable(Exception):  # noqa: N818 - not an error yet: another encoding may fit
    def __init__(self, offset: int, before: bytes) -> None:
        self.offset = offset
        self.line = before.count(b"\n") + 1
        self.non_ascii_before = len(before) - len(before.translate(None, bytes(range(0x80, 0x100))))


class _BrokenQuotes(Exception):  # noqa: N818 - not an error: the file is read line by line instead
    pass


def open_csv(path: Path, mapping: tuple[tuple[str, str], ...], chunk_bytes: int, least_known: int = 2) -> CsvFile:
    """One pass over the file; its first row is the headings if at least `least_known` of them are known (0: it is, whatever it holds).

    Raises UnusableInput, NoInput or CannotReadOrWrite; says which and what to do.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            start = file.read(4096)
            _refuse_what_is_no_csv(name, start)
            return _open(name, path, file, start, mapping, chunk_bytes, least_known)
    except (FileNotFoundError, IsADirectoryError):
        raise NoInput(
            f"{name}: no such file. Check the path.", f"{name}：文件不存在。请检查路径。"
        ) from None
    except OSError as error:
        raise CannotReadOrWrite(
            f"{name}: cannot be read: {error.strerror}.", f"{name}：无法读取：{error.strerror}。"
        ) from None


def _stop(code: str, name: str, detail_en: str = "", detail_zh: str = "") -> UnusableInput:
    rule = RULES[code]
    return UnusableInput(
        f"[{code}] {name}: {rule.message.en} {detail_en}{' ' if detail_en else ''}{rule.remedy.en}",
        f"[{code}] {name}：{rule.message.zh}{detail_zh}{rule.remedy.zh}",
    )


def _refuse_what_is_no_csv(name: str, start: bytes) -> None:
    if not start.strip(b"\xef\xbb\xbf\r\n \t"):
        raise _stop("F105", name)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _stop("F104", name, "It looks like UTF-16.", "该文件似乎是UTF-16编码。")
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"PAR1")):
        raise _stop("F104", name, "It is a workbook or a packed file, not CSV.", "该文件是工作簿或压缩文件，不是CSV。")


def _open(
    name: str, path: Path, file: BinaryIO, start: bytes, mapping: tuple[tuple[str, str], ...], chunk_bytes: int, least_known: int
) -> CsvFile:
    bom = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    failures: list[tuple[str, _Undecodable]] = []
    unknown: tuple[str, ...] = ()
    for encoding in ("utf-8",) if bom else ("utf-8", "gb18030"):
        try:
            found = _headings(name, file, bom, encoding, mapping, least_known)
            if isinstance(found, tuple):
                unknown = unknown or found
                continue
            for quoting in (None, Quoting.BROKEN):
                try:
                    return _scan(name, path, file, encoding, bom, found, quoting, chunk_bytes)
                except _BrokenQuotes:
                    continue
        except _Undecodable as undecodable:
            failures.append((encoding, undecodable))
            if undecodable.non_ascii_before >= _MANY_NON_ASCII:
                break
    if failures:
        encoding, failure = failures[0]
        raise _stop(
            "F104",
            name,
            f"The byte at offset {failure.offset} (line {failure.line}) is not {encoding.upper()}.",
            f"偏移量 {failure.offset}（第 {failure.line} 行）处的字节不是 {encoding.upper()} 编码。",
        )
    listed = ", ".join(heading.strip() for heading in unknown)[:500]
    raise _stop("F101", name, f"Found: {listed}.", f"首行内容：{listed}。")


@dataclass(frozen=True)
class _Head:
    headings: tuple[str, ...]
    delimiter: str
    matched: Matched
    length: int
    rows: int


def _headings(
    name: str, file: BinaryIO, bom: int, encoding: str, mapping: tuple[tuple[str, str], ...], least_known: int
) -> _Head | tuple[str, ...]:
    """The heading record, or what stood in the first row where none of it is known."""
    file.seek(bom)
    line = file.readline(LONGEST_RECORD)
    while line.count(b'"') % 2 and len(line) < LONGEST_RECORD and (more := file.readline(LONGEST_RECORD)):
        line += more
    if len(line) >= LONGEST_RECORD:
        raise _stop("F107", name, "Row 1.", "第1行。")
    try:
        text = line.decode(encoding)
    except UnicodeDecodeError as error:
        raise _Undecodable(bom + error.start, line[: error.start]) from None
    best = _Head((), ",", Matched({}, ()), len(line), 1)
    for delimiter in (",", ";", "\t"):
        headings = tuple(next(csv.reader(io.StringIO(text), delimiter=delimiter), []))
        try:
            matched = match_headings(headings, mapping)
        except UnusableInput as error:
            raise UnusableInput(f"{name}: {error.text.en}", f"{name}：{error.text.zh}") from None
        head = _Head(headings, delimiter, matched, len(line), 1)
        if len(matched.places) >= max(least_known, 1):
            return head
        best = max(best, head, key=lambda each: len(each.headings))
    return best.headings if least_known else best


def _scan(
    name: str,
    path: Path,
    file: BinaryIO,
    encoding: str,
    bom: int,
    head: _Head,
    quoting: Quoting | None,
    chunk_bytes: int,
) -> CsvFile:
    digest = hashlib.sha256()
    file.seek(0)
    digest.update(file.read(bom + head.length))
    # Hashing lets go of the interpreter: it runs beside the rest of the scan.
    with ThreadPoolExecutor(1) as hashing:
        blocks, ends_with_newline, any_quote, size = _cut_blocks(
            name, file, encoding, bom + head.length, 1 + head.rows, ord(head.delimiter), quoting, chunk_bytes,
            lambda piece: hashing.submit(digest.update, piece),
        )  # fmt: skip
    found = quoting or (Quoting.SOUND if any_quote else Quoting.NONE)
    return CsvFile(
        name, path, encoding, head.delimiter, head.headings, head.matched, found, tuple(blocks),
        digest.hexdigest(), size, ends_with_newline,
    )  # fmt: skip


def _cut_blocks(
    name: str,
    file: BinaryIO,
    encoding: str,
    offset: int,
    row: int,
    delimiter: int,
    quoting: Quoting | None,
    chunk_bytes: int,
    hash_piece: Callable[[bytes], object],
) -> tuple[list[Block], bool, bool, int]:
    """Blocks of about `chunk_bytes`; whether the file ends with a line end; whether it has quotes; its size."""
    start, first_row = offset, row
    blocks: list[Block] = []
    any_quote, last = False, b"\n"
    for piece in _whole_records(name, file, quoting, min(_PIECE, chunk_bytes)):
        if offset - start + len(piece) > chunk_bytes and offset > start:
            blocks.append(Block(start, offset, first_row))
            start, first_row = offset, row
        hash_piece(piece)
        _must_decode(piece, encoding, offset, row)
        quoted = b'"' in piece
        any_quote = any_quote or quoted
        if quoting is None and quoted and not quotes_are_sound(piece, delimiter):
            raise _BrokenQuotes
        offset += len(piece)
        row += _count_records(piece, quoting or (Quoting.SOUND if quoted else Quoting.NONE))
        last = piece[-1:]
    if offset > start:
        blocks.append(Block(start, offset, first_row))
    return blocks, last == b"\n", any_quote, offset


def _whole_records(name: str, file: BinaryIO, quoting: Quoting | None, size: int) -> Iterator[bytes]:
    """The file in pieces of whole records, small enough to stay in the processor's cache."""

    def rest_of_line() -> bytes:
        line = file.readline(LONGEST_RECORD)
        if len(line) >= LONGEST_RECORD:
            offset = file.tell()
            raise _stop("F107", name, f"Before byte {offset}.", f"在第 {offset} 字节之前。")
        return line

    while piece := file.read(size):
        if not piece.endswith(b"\n"):
            piece += rest_of_line()
        if quoting is None:
            tail: list[bytes] = []
            quotes, length = piece.count(b'"'), 0
            while quotes % 2 and length < LONGEST_RECORD and (line := rest_of_line()):
                tail.append(line)
                length += len(line)
                quotes += line.count(b'"')
            if quotes % 2:
                raise _BrokenQuotes
            piece += b"".join(tail)
        if piece.count(b"\n") * LONGEST_RECORD < len(piece) - LONGEST_RECORD:
            offset = file.tell()
            raise _stop("F107", name, f"Before byte {offset}.", f"在第 {offset} 字节之前。")
        yield piece


def _must_decode(block: bytes, encoding: str, offset: int, row: int) -> None:
    try:
        if encoding == "utf-8":
            bounds = pa.py_buffer(np.array([0, len(block)], dtype=np.int32))
            pa.Array.from_buffers(pa.binary(), 1, [None, bounds, pa.py_buffer(block)]).cast(pa.string())
        else:
            block.decode(encoding)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        try:
            block.decode(encoding)
        except UnicodeDecodeError as error:
            failure = _Undecodable(offset + error.start, block[: error.start])
            failure.line += row - 1
            raise failure from None


def _count_records(block: bytes, quoting: Quoting) -> int:
    if quoting is Quoting.SOUND:
        return len(cut_records(block, quoting, 0).starts)
    return block.count(b"\n") + (not block.endswith(b"\n"))
