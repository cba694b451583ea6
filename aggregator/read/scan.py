"""One pass over a CSV export: its encoding, headings and record borders, and whether it can be read at all."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from aggregator.read.export import Block, Dialect, Export, Source, Taken, unusable
from aggregator.read.headings import match_headings
from aggregator.read.reading import Reading
from aggregator.read.records import Quoting, cells_of, cut_records, quotes_are_sound
from aggregator.read.rewritten import (
    has_text_formulas,
    in_plain_dress,
    is_empty,
    is_in_other_dress,
    with_quoted_formulas,
)
from aggregator.read.sheet import HEAD_ROWS, Head, find_head
from aggregator.read.unchanged import Sealing, changed, held, taken_of

LONGEST_RECORD = 1 << 18
"""Bytes; an inventory line has less than 10 kB even with every field full."""
_PIECE = 1 << 20
"""Bytes looked at at once: small enough to stay in the processor's cache."""
_MANY_NON_ASCII = 12
"""Bytes of valid UTF-8 beyond ASCII (some four Chinese characters) after which a file is not GB18030 by chance."""
_SHORT = 64
"""Bytes that every inventory line has: of shorter ones no more make a block, so that memory stays bounded."""
_LINES_A_HEADING = 20
_SEPARATOR_LINE = re.compile(r"\s*sep=([,;\t])\s*", re.IGNORECASE)


class _Undecodable(Exception):  # noqa: N818 - not an error yet: another encoding may fit
    def __init__(self, offset: int, before: bytes) -> None:
        self.offset = offset
        self.line = before.count(b"\n") + 1
        self.non_ascii_before = len(before) - len(before.translate(None, bytes(range(0x80, 0x100))))


class _BrokenQuotes(Exception):  # noqa: N818 - not an error: the file is read line by line instead
    pass


def open_csv(source: Source, how: Reading) -> Export:
    """One pass over the file. Its headings are the row of which most is known (at least `how.least_known` headings).

    Raises UnusableInput that says what to do; OSError where the file cannot be read.
    """
    if not is_in_other_dress(source.path):
        export = _opened(source, source.path, how)
        return replace(export, taken=(replace(export.taken[0], packed_in=source.packed_in),))
    with held(source, how.room) as copy:
        path, repairs = in_plain_dress(copy, how.room)
        export = _opened(source, path, how)
        return replace(export, taken=(taken_of(copy),), repairs=(*repairs.items(), *export.repairs))


def _opened(source: Source, path: Path, how: Reading) -> Export:
    if is_empty(path):
        raise unusable("F105", source.name)
    export = _open(source.name, path, how)
    broken = export.dialect is not None and export.dialect.quoting is Quoting.BROKEN
    if not broken or not has_text_formulas(path):
        return export
    copy, sha256 = with_quoted_formulas(path, how.room)
    if sha256 != export.taken[0].sha256:
        raise changed(source.name)
    return replace(_open(source.name, copy, how), taken=export.taken)


def _open(name: str, path: Path, how: Reading) -> Export:
    failures: list[tuple[str, _Undecodable]] = []
    unknown: tuple[str, ...] = ()
    with path.open("rb") as file:
        bom = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0
        for encoding in ("utf-8",) if bom else ("utf-8", "gb18030"):
            try:
                found = _headings(name, file, bom, encoding, how)
                if isinstance(found, tuple):
                    unknown = unknown or found
                    continue
                for quoting in (None, Quoting.BROKEN):
                    try:
                        return _scan(name, path, file, encoding, found, quoting, how.chunk_bytes)
                    except _BrokenQuotes:
                        continue
            except _Undecodable as undecodable:
                failures.append((encoding, undecodable))
                if undecodable.non_ascii_before >= _MANY_NON_ASCII:
                    break
    if failures and not (unknown and failures[0][0] != "utf-8"):
        encoding, failure = failures[0]
        raise unusable(
            "F104",
            name,
            f"The byte at offset {failure.offset} (line {failure.line}) is not {encoding.upper()}.",
            f"偏移量 {failure.offset}（第 {failure.line} 行）处的字节不是 {encoding.upper()} 编码。",
        )
    listed = ", ".join(heading.strip() for heading in unknown)[:500]
    raise unusable("F101", name, f"Found: {listed}.", f"文件开头内容：{listed}。")


@dataclass(frozen=True)
class _Found:
    """`above`: the bytes up to the end of the heading record; `row`: its row number."""

    head: Head
    delimiter: str
    above: bytes
    row: int
    separator_line: bool


def _headings(name: str, file: BinaryIO, bom: int, encoding: str, how: Reading) -> _Found | tuple[str, ...]:
    """The heading record, or what stood in the first row where no row is known enough."""
    file.seek(0)
    mark = file.read(bom)
    if mark != codecs.BOM_UTF8[:bom]:
        raise changed(name)
    records: list[bytes] = []
    while len(records) < HEAD_ROWS and (record := _logical_line(file)):
        if len(record) >= LONGEST_RECORD:
            if not records:
                raise unusable("F107", name, "Row 1.", "第1行。")
            break
        records.append(record)
    texts = []
    for place, record in enumerate(records):
        try:
            texts.append(record.decode(encoding))
        except UnicodeDecodeError as error:
            before = b"".join(records[:place]) + record[: error.start]
            failure = _Undecodable(bom + len(before), before)
            if place == 0:
                raise failure from None
            break  # the scan will say so, unless the headings stand before it
    delimiters: tuple[str, ...] = (",", ";", "\t")
    separator = _SEPARATOR_LINE.fullmatch(texts[0])
    if separator:
        delimiters, texts = (separator.group(1),), texts[1:]
    best: tuple[int, int, _Found] | None = None
    for delimiter in delimiters:
        rows = [cells_of(text, delimiter) for text in texts]
        head = find_head(name, rows, how.columns, max(how.least_known, 1))
        if head is not None:
            above = b"".join([mark, *records[: head.row + 1 + bool(separator)]])
            found = _Found(head, delimiter, above, head.row + 1, bool(separator))
            best = max(best or (-1, 0, found), (len(head.matched.places), -head.row, found), key=lambda each: each[:2])
    if best is not None:
        return best[2]
    rows = [cells_of(texts[0], delimiter) if texts else [] for delimiter in delimiters]
    widest = max(range(len(rows)), key=lambda place: len(rows[place]))
    if how.least_known:
        return tuple(rows[widest])
    head = Head(0, tuple(rows[widest]), match_headings(rows[widest], how.columns))
    return _Found(head, delimiters[widest], b"".join([mark, *records[: 1 + bool(separator)]]), 1, bool(separator))


def _logical_line(file: BinaryIO) -> bytes:
    """A line, or, where a quoted cell goes on over line ends, all lines of it."""
    begin = file.tell()
    first = file.readline(LONGEST_RECORD)
    line = first
    for _ in range(_LINES_A_HEADING):
        if line.count(b'"') % 2 == 0 or len(line) >= LONGEST_RECORD:
            return line
        line += file.readline(LONGEST_RECORD)
    file.seek(begin + len(first))
    return first


def _scan(
    name: str, path: Path, file: BinaryIO, encoding: str, found: _Found, quoting: Quoting | None, chunk_bytes: int
) -> Export:
    file.seek(0)
    if file.read(len(found.above)) != found.above:
        raise changed(name)
    # Hashing lets go of the interpreter: it runs beside the rest of the scan.
    with ThreadPoolExecutor(1) as beside:
        sealing = Sealing(beside)
        sealing.add(found.above)
        blocks, ends_with_newline, any_quote, size = _cut_blocks(
            name, file, encoding, len(found.above), 1 + found.row, ord(found.delimiter), quoting, chunk_bytes, sealing
        )
    head = found.head
    return Export(
        name=name,
        path=path,
        format="csv",
        encoding=encoding,
        headings=head.headings,
        matched=head.matched,
        blocks=sealing.sealed(blocks),
        taken=(Taken(name, sealing.sha256(), size),),
        dialect=Dialect(found.delimiter, quoting or (Quoting.SOUND if any_quote else Quoting.NONE)),
        ends_with_newline=ends_with_newline,
        head_values=head.values,
        told=head.told(found.row),
        repairs=tuple({"separator_line": int(found.separator_line), "title_rows": head.row}.items()),
    )


def _cut_blocks(
    name: str,
    file: BinaryIO,
    encoding: str,
    offset: int,
    row: int,
    delimiter: int,
    quoting: Quoting | None,
    chunk_bytes: int,
    sealing: Sealing,
) -> tuple[list[Block], bool, bool, int]:
    """Blocks of about `chunk_bytes`; whether the file ends with a line end; whether it has quotes; its size."""
    start, first_row = offset, row
    blocks: list[Block] = []
    any_quote, last = False, b"\n"
    for piece in _whole_records(name, file, quoting, min(_PIECE, chunk_bytes)):
        if offset > start and (offset - start + len(piece) > chunk_bytes or row - first_row > chunk_bytes // _SHORT):
            blocks.append(Block(start, offset, first_row))
            sealing.end_block()
            start, first_row = offset, row
        sealing.add(piece)
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
        sealing.end_block()
    return blocks, last == b"\n", any_quote, offset


def _whole_records(name: str, file: BinaryIO, quoting: Quoting | None, size: int) -> Iterator[bytes]:
    """The file in pieces of whole records, small enough to stay in the processor's cache."""

    def rest_of_line() -> bytes:
        line = file.readline(LONGEST_RECORD)
        if len(line) >= LONGEST_RECORD:
            offset = file.tell()
            raise unusable("F107", name, f"Before byte {offset}.", f"在第 {offset} 字节之前。")
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
            raise unusable("F107", name, f"Before byte {offset}.", f"在第 {offset} 字节之前。")
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
