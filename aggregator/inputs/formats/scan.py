"""One pass over a CSV export: its encoding, headings and record borders, and whether it can be read at all."""

from __future__ import annotations

import codecs
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from aggregator.inputs.export import FILE_LINES, Block, Export, Source, Taken, unusable
from aggregator.inputs.formats.decoding import Undecodable, must_decode
from aggregator.inputs.formats.lookalikes import must_be_chinese
from aggregator.inputs.formats.pieces import (
    LONGEST_RECORD,
    PIECE,
    BrokenQuotes,
    LoneReturns,
    count_filled,
    count_lines,
    count_records,
    is_between_rows,
    is_blank,
    is_sparse,
    logical_line,
    whole_records,
)
from aggregator.inputs.formats.records import DELIMITERS, SHORT, Dialect, Quoting, cells_of
from aggregator.inputs.formats.rewritten import (
    as_utf_8,
    has_mac_line_ends,
    has_text_formulas,
    is_empty,
    must_be_rewritten,
    with_line_feeds,
    with_quoted_formulas,
)
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.unchanged import Sealing, changed, held, taken_of
from aggregator.inputs.tables.headings import match_headings
from aggregator.inputs.tables.others import BLANK
from aggregator.inputs.tables.sheet import HEAD_ROWS, Head, find_head

_MANY_NON_ASCII = 12
"""Bytes of valid UTF-8 beyond ASCII (some four Chinese characters) after which a file is not GB18030 by chance."""
_WORTH_A_THREAD = 1 << 20
_SEPARATOR_LINE = re.compile(r"\s*sep=([,;\t])\s*", re.IGNORECASE)


def open_csv(source: Source, how: Reading) -> Export:
    """One pass over the file. Its headings are the row of which most is known (at least `how.least_known` headings).

    Raises UnusableInput that says what to do; OSError where the file cannot be read.
    """
    if not must_be_rewritten(source.path):
        try:
            export = _opened(source, source.path, how)
            return replace(export, taken=(replace(export.taken[0], packed_in=source.packed_in),))
        except LoneReturns:
            pass
    with held(source, how.room) as copy:
        path = as_utf_8(copy, how.room)
        export, copied = _with_line_feeds(source, path, how)
        if path == copy.path and not copied:
            # It needed rewriting a moment ago.
            raise changed(source.name)
        repairs = (("utf_16", int(path != copy.path)), ("mac_line_ends", int(copied)))
        return replace(export, taken=(taken_of(copy),), repairs=(*repairs, *export.repairs))


def _opened(source: Source, path: Path, how: Reading) -> Export:
    if is_empty(path):
        raise unusable("F105", source.name)
    export = _open(source.name, path, how)
    if not export.text_formulas:
        return export
    copy, sha256 = with_quoted_formulas(path, how.room)
    if sha256 != export.taken[0].sha256:
        raise changed(source.name)
    return replace(_open(source.name, copy, how), taken=export.taken)


def _with_line_feeds(source: Source, path: Path, how: Reading) -> tuple[Export, bool]:
    """The export, and whether it was copied: where carriage returns end its lines, they become line feeds.

    Carriage returns within quotes stay what they are, unless the quotes are broken."""
    if not has_mac_line_ends(path):
        try:
            return _opened(source, path, how), False
        except LoneReturns:
            pass
    for within_quotes in (False, True):
        copy = with_line_feeds(path, how.room, within_quotes=within_quotes)
        try:
            export = _opened(source, copy, how)
        except LoneReturns:
            continue
        if within_quotes or not _is_broken(export):
            break
    return export, True


def _is_broken(export: Export) -> bool:
    return export.dialect is not None and export.dialect.quoting is Quoting.BROKEN


def _open(name: str, path: Path, how: Reading) -> Export:
    failures: list[tuple[str, Undecodable]] = []
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
                        return _scan(name, path, file, encoding, found, quoting, how)
                    except BrokenQuotes:
                        continue
            except Undecodable as undecodable:
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
    """`above`: the bytes up to the end of the heading record; `row`: its row number; `lines`: of the file up to there, by kind."""

    head: Head
    delimiter: str
    above: bytes
    row: int
    lines: dict[str, int]


def _headings(name: str, file: BinaryIO, bom: int, encoding: str, how: Reading) -> _Found | tuple[str, ...]:
    """The heading record, or what stood in the first row where no row is known enough."""
    file.seek(0)
    mark = file.read(bom)
    if mark != codecs.BOM_UTF8[:bom]:
        raise changed(name)
    records: list[bytes] = []
    while len(records) < HEAD_ROWS and (record := logical_line(file)):
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
            failure = Undecodable(bom + len(before), before)
            if place == 0:
                raise failure from None
            break  # the scan will say so, unless the headings stand before it
    delimiters: tuple[str, ...] = DELIMITERS
    separator = _SEPARATOR_LINE.fullmatch(texts[0])
    if separator:
        delimiters, texts = (separator.group(1),), texts[1:]
    best: tuple[int, int, _Found] | None = None
    for delimiter in delimiters:
        if best is not None and best[0] > 1 and not any(delimiter in text for text in texts):
            # Each row would be one cell, of which no more can be known.
            continue
        rows = [cells_of(text, delimiter) for text in texts]
        head = find_head(name, rows, how, max(how.least_known, 1))
        if head is not None:
            found = _found(head, delimiter, mark, records, 1 if separator else 0)
            best = max(best or (-1, 0, found), (len(head.matched.places), -head.row, found), key=lambda each: each[:2])
    if best is not None:
        best[2].head.must_be_on_top(name)
        return best[2]
    rows = [cells_of(texts[0], delimiter) if texts else [] for delimiter in delimiters]
    widest = max(range(len(rows)), key=lambda place: len(rows[place]))
    if how.least_known:
        return tuple(rows[widest])
    head = Head(0, tuple(rows[widest]), match_headings(how.dictionary, rows[widest], how.columns))
    return _found(head, delimiters[widest], mark, records, 1 if separator else 0)


def _found(head: Head, delimiter: str, mark: bytes, records: list[bytes], separator_lines: int) -> _Found:
    lines = list(map(count_lines, records))
    at = separator_lines + head.row
    kinds = {"separator_line": separator_lines, "title_rows": sum(lines[separator_lines:at]), "headings": lines[at]}
    return _Found(head, delimiter, b"".join([mark, *records[: at + 1]]), head.row + 1, kinds)


def _scan(
    name: str, path: Path, file: BinaryIO, encoding: str, found: _Found, quoting: Quoting | None, how: Reading
) -> Export:
    head = found.head
    dialect = Dialect(found.delimiter, quoting or Quoting.SOUND, len(head.headings), head.matched.places.get("inventory_no"))
    file.seek(0)
    if file.read(len(found.above)) != found.above:
        raise changed(name)
    # Hashing lets go of the interpreter: it runs beside the rest of the scan, where that pays for the start of a thread.
    with ThreadPoolExecutor(1) if path.stat().st_size > _WORTH_A_THREAD else nullcontext() as beside:
        sealing = Sealing(beside)
        sealing.add(found.above)
        cut = _cut_blocks(name, file, encoding, found, dialect, quoting, how.chunk_bytes, sealing)
    if encoding == "gb18030":
        must_be_chinese(name, path, head.headings, how.dictionary)
    return Export(
        name=name,
        path=path,
        dictionary=how.dictionary,
        format="csv",
        encoding=encoding,
        headings=head.headings,
        matched=head.matched,
        blocks=sealing.sealed(cut.blocks, cut.size),
        taken=(Taken(name, sealing.sha256(), cut.size),),
        dialect=replace(dialect, quoting=quoting or (Quoting.SOUND if cut.any_quote else Quoting.NONE)),
        text_formulas=cut.text_formulas,
        ends_with_newline=cut.ends_with_newline,
        head_values=head.values,
        reported=head.reported(found.row),
        repairs=(("separator_line", found.lines["separator_line"]), ("title_rows", head.row), (BLANK, cut.blank)),
        physical=tuple({FILE_LINES: cut.lines + sum(found.lines.values()), **found.lines, BLANK: cut.blank}.items()),
    )


@dataclass
class _Cut:
    """What a pass over the rows found out. `size`: of the file; `lines`: of it below the headings; `blank`: those of them that are
    in no block, for nothing stands there."""

    size: int
    blocks: list[Block] = field(default_factory=list)
    lines: int = 0
    blank: int = 0
    any_quote: bool = False
    text_formulas: bool = False
    ends_with_newline: bool = True


def _cut_blocks(
    name: str,
    file: BinaryIO,
    encoding: str,
    found: _Found,
    dialect: Dialect,
    quoting: Quoting | None,
    chunk_bytes: int,
    sealing: Sealing,
) -> _Cut:
    """Blocks of about `chunk_bytes`, none of which begins or ends beside a piece of a row, if that can be helped. Of short lines no more
    make a block, so that memory stays bounded; blank ones do not count."""
    cut, row, filled = _Cut(len(found.above)), 1 + found.row, 0
    block, before = Block(cut.size, cut.size, row), b""
    for piece in whole_records(name, file, quoting, min(PIECE, chunk_bytes)):
        if is_blank(piece, dialect.delimiter, encoding):
            if cut.size > block.start:
                cut.blocks.append(replace(block, end=cut.size))
                sealing.end_block()
            sealing.add(piece)
            lines = count_lines(piece)
            cut.size, cut.lines, cut.blank, row, before = cut.size + len(piece), cut.lines + lines, cut.blank + lines, row + lines, piece
            block, filled = Block(cut.size, cut.size, row), 0
            continue
        for more in (0, PIECE):
            full = cut.size - block.start + len(piece) > chunk_bytes + more or filled > (chunk_bytes + more) // SHORT
            if full and block.start < cut.size and (more or is_between_rows(before, piece, dialect.delimiter)):
                cut.blocks.append(replace(block, end=cut.size))
                sealing.end_block()
                block, filled = Block(cut.size, cut.size, row), 0
        sealing.add(piece)
        must_decode(piece, encoding, cut.size, row)
        lines = count_lines(piece)
        filled += count_filled(piece, lines, dialect.delimiter, encoding)
        records, over_lines = count_records(piece, lines, quoting, dialect)
        block = replace(block, over_lines=block.over_lines or over_lines, sparse=block.sparse or is_sparse(piece, lines))
        cut.any_quote = cut.any_quote or b'"' in piece
        cut.text_formulas = cut.text_formulas or (quoting is Quoting.BROKEN and has_text_formulas(piece))
        cut.size, cut.lines, row, before = cut.size + len(piece), cut.lines + lines, row + records, piece
    if cut.size > block.start:
        cut.blocks.append(replace(block, end=cut.size))
        sealing.end_block()
    cut.ends_with_newline = before.endswith((b"\n", b"\r")) or not before
    return cut
