"""Read a CSV export: find encoding, headings and record borders in one pass, then read it chunk by chunk.

Nothing is inferred from the values: every cell is text. A record that is not a row of cells (other number of cells,
broken quote, control character) becomes a line with nothing but its inventory number, where one can be seen in it, and
a finding; it is never padded, shifted or dropped.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from aggregator.errors import CannotReadOrWrite, NoInput, OurFault, UnusableInput
from aggregator.read.headings import Matched, match_headings
from aggregator.read.records import NEWLINE, Quoting, Records, cut_records, quotes_are_sound
from schemas import shapes
from schemas.inventory import TEXT, text_type
from schemas.rules import RULES

LONGEST_RECORD = 1 << 18
"""Bytes; an inventory line has less than 10 kB even with every field full."""
_PIECE = 1 << 20
_PARSE_AT_ONCE = 2 << 20
"""Bytes Arrow parses at once: above the longest record, small enough to stay in the processor's cache."""
_MANY_NON_ASCII = 12
"""Bytes of valid UTF-8 beyond ASCII (some four Chinese characters) after which a file is not GB18030 by chance."""
_INVENTORY_NO = re.compile(rf"(?<![0-9A-Z]){shapes.INVENTORY_NO}(?![0-9A-Z])")
REJECT_CODES = "reject_codes"


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


@dataclass(frozen=True)
class TextChunk:
    """A block as text: one row a record that is not blank.

    `lines`: raw text columns of the matched headings. `rows`: row number of each. `wrong`: position to rule code for
    records that are not rows of cells (all their columns null but, if one was seen, `inventory_no`). `blank`: how many
    records held nothing at all and are not in `lines`.
    """

    lines: pa.Table
    rows: np.ndarray[Any, np.dtype[np.int64]]
    wrong: dict[int, str]
    blank: int


class _Undecodable(Exception):  # noqa: N818 - not an error yet: another encoding may fit
    def __init__(self, offset: int, before: bytes) -> None:
        self.offset = offset
        self.line = before.count(b"\n") + 1
        self.non_ascii_before = len(before) - len(before.translate(None, bytes(range(0x80, 0x100))))


class _BrokenQuotes(Exception):  # noqa: N818 - not an error: the file is read line by line instead
    pass


def open_csv(path: Path, mapping: tuple[tuple[str, str], ...], chunk_bytes: int) -> CsvFile:
    """One pass over the file. Raises UnusableInput, NoInput or CannotReadOrWrite; says which and what to do."""
    name = str(path)
    try:
        with path.open("rb") as file:
            start = file.read(4096)
            _refuse_what_is_no_csv(name, start)
            return _open(name, path, file, start, mapping, chunk_bytes)
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
    name: str, path: Path, file: BinaryIO, start: bytes, mapping: tuple[tuple[str, str], ...], chunk_bytes: int
) -> CsvFile:
    bom = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    failures: list[tuple[str, _Undecodable]] = []
    unknown: tuple[str, ...] = ()
    for encoding in ("utf-8",) if bom else ("utf-8", "gb18030"):
        try:
            found = _headings(name, start, file, bom, encoding, mapping)
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
    name: str, start: bytes, file: BinaryIO, bom: int, encoding: str, mapping: tuple[tuple[str, str], ...]
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
    best: tuple[str, ...] = ()
    for delimiter in (",", ";", "\t"):
        headings = tuple(next(csv.reader(io.StringIO(text), delimiter=delimiter), []))
        try:
            matched = match_headings(headings, mapping)
        except UnusableInput as error:
            raise UnusableInput(f"{name}: {error.text.en}", f"{name}：{error.text.zh}") from None
        if len(matched.places) > 1:
            return _Head(headings, delimiter, matched, len(line), 1)
        best = max(best, headings, key=len)
    return best


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


def read_block(file: CsvFile, block: Block) -> bytes:
    with file.path.open("rb") as source:
        source.seek(block.start)
        data = source.read(block.end - block.start)
    if len(data) != block.end - block.start:
        raise CannotReadOrWrite(
            f"{file.name} was changed while it was read. Run again when it is complete.",
            f"{file.name} 在读取过程中被改动。请待文件完整后重新运行。",
        )
    return data


def read_chunk(file: CsvFile, block: Block) -> TextChunk:
    """Read one block. Columns out: the matched ones, raw text (dictionary encoded where values repeat)."""
    data = read_block(file, block)
    records = cut_records(data, file.quoting, ord(file.delimiter)) if _needs_cutting(data, file) else None
    wrong: dict[int, str] = {}
    body = data
    if records is not None and records.wrong:
        body = b"".join(_good_stretches(data, records))
        wrong = dict(records.wrong)
    lines, miscounted = _parse(file, body)
    total = len(records.starts) if records is not None else lines.num_rows + len(miscounted)
    given = np.ones(total, dtype=bool)
    if records is not None:
        given &= ~records.blank
    kept = given.copy()
    kept[list(wrong)] = False
    parsed = np.flatnonzero(kept)
    if len(parsed) != lines.num_rows + len(miscounted):
        raise OurFault(
            f"{file.name}: {len(parsed)} records cut, {lines.num_rows + len(miscounted)} read.",
            f"{file.name}：切分出 {len(parsed)} 条记录，读到 {lines.num_rows + len(miscounted)} 条。",
        )
    wrong |= {int(parsed[position]): "F201" for position in miscounted}
    rows = block.first_row + np.arange(total)
    if not wrong:
        return _without_blank(lines, rows[given], {}, int(total - given.sum()), data, file, records)
    numbers = {place: _number_in(_record(data, place, records, file), file) for place in wrong}
    return _without_blank(
        _with_wrong_rows(lines, np.flatnonzero(given), wrong, numbers),
        rows[given],
        {int(np.searchsorted(np.flatnonzero(given), place)): code for place, code in wrong.items()},
        int(total - given.sum()),
        data,
        file,
        records,
    )


def _needs_cutting(data: bytes, file: CsvFile) -> bool:
    return (
        file.quoting is Quoting.BROKEN
        or b"\0" in data
        or b"\n\n" in data
        or b"\n\r\n" in data
        or data.startswith((b"\n", b"\r"))
        or data.count(b"\r") != data.count(b"\r\n")
    )


def _good_stretches(data: bytes, records: Records) -> Iterator[memoryview]:
    begin, view = 0, memoryview(data)
    bounds = np.append(records.starts, len(data))
    for place in sorted(records.wrong):
        yield view[begin : bounds[place]]
        begin = int(bounds[place + 1])
    yield view[begin:]


def _parse(file: CsvFile, body: bytes) -> tuple[pa.Table, list[int]]:
    """Cells of the matched columns, and the positions of records with another number of cells."""
    miscounted: list[int] = []

    def note(row: Any) -> str:
        miscounted.append(row.number - 1)
        return "skip"

    if file.encoding != "utf-8":
        body = body.decode(file.encoding).encode()
    names = [f"c{position}" for position in range(len(file.headings))]
    wanted = {f"c{position}": TEXT for position in file.matched.places.values()}
    if len(body) < _PIECE and not body.strip(b"\r\n"):
        empty = {column: pa.array([], text_type(column)) for column in file.columns}
        return pa.table(empty), miscounted
    table = pa_csv.read_csv(
        pa.py_buffer(body),
        read_options=pa_csv.ReadOptions(
            column_names=names, use_threads=False, block_size=_PARSE_AT_ONCE
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=file.delimiter,
            newlines_in_values=file.quoting is Quoting.SOUND,
            invalid_row_handler=note,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=wanted, include_columns=list(wanted), strings_can_be_null=False, check_utf8=False
        ),
    )
    cells = {column: values.combine_chunks() for column, values in zip(file.columns, table.columns, strict=True)}
    for column, values in cells.items():
        # Encoded after parsing: Arrow's own encoding while it parses costs more.
        cells[column] = values.dictionary_encode() if text_type(column) != TEXT else values
    return pa.table(cells), miscounted


def _with_wrong_rows(
    lines: pa.Table, given: np.ndarray[Any, Any], wrong: dict[int, str], numbers: dict[int, str | None]
) -> pa.Table:
    """Put a row of nulls (but for the inventory number seen) where each wrong record stands."""
    is_wrong = np.isin(given, list(wrong))
    places = np.full(len(given), lines.num_rows)
    places[~is_wrong] = np.arange(lines.num_rows)
    padded = pa.concat_tables([lines, _nulls(lines.schema)]).combine_chunks()
    spread = padded.take(pa.array(places))
    if "inventory_no" not in lines.column_names:
        return spread
    seen = pa.array([numbers[place] for place in sorted(wrong)], TEXT)
    column = spread["inventory_no"].combine_chunks()
    filled = pa.compute.replace_with_mask(column, pa.array(is_wrong), seen)
    return spread.set_column(spread.column_names.index("inventory_no"), "inventory_no", filled)


def _nulls(schema: pa.Schema) -> pa.Table:
    return pa.table([pa.nulls(1, field.type) for field in schema], schema=schema)


def _record(data: bytes, place: int, records: Records | None, file: CsvFile) -> str:
    records = records or cut_records(data, file.quoting, ord(file.delimiter))
    return data[records.starts[place] : records.ends[place]].decode(file.encoding)


def _number_in(record: str, file: CsvFile) -> str | None:
    """The inventory number of a record that is not a row of cells: what looks like one, else what stands in its place."""
    seen = _INVENTORY_NO.search(record.upper())
    if seen:
        return seen.group()
    cells = record.split(file.delimiter)
    place = file.matched.places.get("inventory_no", len(cells))
    return cells[place].strip().strip('"') or None if place < len(cells) else None


def _without_blank(
    lines: pa.Table,
    rows: np.ndarray[Any, np.dtype[np.int64]],
    wrong: dict[int, str],
    blank: int,
    data: bytes,
    file: CsvFile,
    records: Records | None,
) -> TextChunk:
    """Drop records that hold nothing but delimiters and white space; spreadsheets leave such rows behind."""
    suspect = np.ones(lines.num_rows, dtype=bool)
    for name in ("inventory_no", "item_no", "commodity_code", "total_price"):
        if name in lines.column_names and lines.num_rows:
            column = lines[name].combine_chunks()
            column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            suspect &= (pa.compute.fill_null(pa.compute.binary_length(column), 0).to_numpy() == 0)
    suspect[list(wrong)] = False
    places = np.flatnonzero(suspect)
    if not len(places):
        return TextChunk(lines, rows, wrong, blank)
    records = records or cut_records(data, file.quoting, ord(file.delimiter))
    given = np.flatnonzero(~records.blank)
    nothing = re.compile(rf'[{re.escape(file.delimiter)}\s"]*')
    empty = np.zeros(lines.num_rows, dtype=bool)
    for place in places:
        empty[place] = nothing.fullmatch(_record(data, int(given[place]), records, file)) is not None
    kept = np.flatnonzero(~empty)
    moved = {int(np.searchsorted(kept, place)): code for place, code in wrong.items()}
    return TextChunk(lines.take(pa.array(kept)), rows[kept], moved, blank + int(empty.sum()))


def raw_records(file: CsvFile, block: Block, rows: np.ndarray[Any, np.dtype[np.int64]]) -> list[bytes]:
    """The bytes of the records with the given row numbers (of this block), decoded to UTF-8, without line ends."""
    data = read_block(file, block)
    records = cut_records(data, file.quoting, ord(file.delimiter))
    places = rows - block.first_row
    slices = zip(records.starts[places].tolist(), records.ends[places].tolist(), strict=True)
    if file.encoding == "utf-8":
        return [data[start:end] for start, end in slices]
    return [data[start:end].decode(file.encoding).encode() for start, end in slices]


__all__ = ["NEWLINE", "REJECT_CODES", "Block", "CsvFile", "TextChunk", "open_csv", "raw_records", "read_chunk"]
