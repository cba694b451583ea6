"""Read a CSV export chunk by chunk, as its scan (scan.py) has cut it.

Nothing is inferred from the values: every cell is text. A record that is not a row of cells (other number of cells,
broken quote, control character) becomes a line with nothing but its inventory number, where one can be seen in it, and
a finding; it is never padded, shifted or dropped.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from aggregator.inputs.export import ITEM_LINES, Block, Cut, Export, TextChunk, unusable
from aggregator.inputs.formats.records import (
    LINE_ENDS,
    Dialect,
    Filled,
    Quoting,
    Records,
    cells_of,
    cut_records,
    filled_lines,
    good_stretches,
    lone_returns,
    stand_together,
    white,
)
from aggregator.inputs.sources.unchanged import Again, sealed
from aggregator.inputs.tables.others import BLANK, kind_of_row, others, suspects
from aggregator.inputs.tables.unnamed import places_to_read, set_apart
from aggregator.model.errors import OurFault
from aggregator.schemas import patterns as shapes
from aggregator.schemas.arrays import Ints, Mask, spread
from aggregator.schemas.lines import TEXT, text_type

PARSE_AT_ONCE = 2 << 20
"""Bytes Arrow parses at once: above the longest record, small enough to stay in the processor's cache."""
_MANY = 100_000
"""So many rows of another number of cells, more than half of a chunk, are no slips of an export."""
_SEVERAL = 1000
"""From so many of them on, they are looked at for blanks together: one by one each costs more than a line."""
_ODD, _BESIDE_A_PIECE = 1, 2
"""As Cut has them."""
_NONE = np.zeros(1, dtype=np.int64)
_INVENTORY_NO = re.compile(rf"(?<![0-9A-Z]){shapes.INVENTORY_NO}(?![0-9A-Z])")


class _MoreThanSeveral(Exception):  # noqa: N818 - not an error: what is wrong with them may be one thing
    pass


def _dialect(file: Export) -> Dialect:
    assert file.dialect is not None
    return file.dialect


def read_block(file: Export, block: Block) -> bytes:
    return sealed(file.name, file.path, block).data


def read_chunk(file: Export, block: Block) -> TextChunk:
    """Read one block. Columns out: the matched ones, raw text (dictionary encoded where values repeat)."""
    whole, marks = sealed(file.name, file.path, block)
    filled = _filled(whole, file, block)
    data = filled.data
    records = cut_records(data, _dialect(file)) if _needs_cutting(data, file, block) else None
    try:
        lines, miscounted = _parse(file, _as_utf_8(good_stretches(data, records), file), _SEVERAL)
    except _MoreThanSeveral:
        filled = filled_lines(whole, _dialect(file), _nothing(file))
        data = filled.data
        records = cut_records(data, _dialect(file))
        lines, miscounted = _parse(file, _as_utf_8(good_stretches(data, records), file))
    wrong = dict(records.wrong) if records is not None else {}
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
    if len(miscounted) > _MANY and len(miscounted) * 2 > total + filled.passed[-1]:
        raise unusable("F114", file.name, f"From row {block.first_row} on.", f"自第 {block.first_row} 行起。")
    for place in parsed[miscounted].tolist():
        wrong[place] = "F203" if records is not None and records.by_return[place] else "F201"
    rows = block.first_row + _places(total, records, filled)
    places = np.flatnonzero(given)
    pieces: dict[int, list[int]] = {}
    if wrong:
        # Cut once for all of them: a chunk may hold nothing but wrong records.
        records = records or cut_records(data, _dialect(file))
        kept[list(wrong)] = False
        parsed = np.flatnonzero(kept)
        pieces = _pieces(wrong, data, records, file)
        wrong |= dict.fromkeys(_beside_pieces(wrong, pieces, data, records, file), "F206")
        numbers = {place: _number_in(place, wrong, rows, data, records, file) for place in wrong}
        lines = _with_wrong_rows(lines, places, parsed, wrong, numbers)
        wrong = {int(np.searchsorted(places, place)): code for place, code in wrong.items()}
    # Whoever reads some of its lines again need not cut it anew.
    cut = None if records is None else _cut(records, pieces, filled, marks)
    total += int(filled.passed[-1])
    blank = {BLANK: total - len(places)}
    takes = np.ones(len(places), dtype=np.int64) if records is None else records.lines[places]
    chunk = TextChunk(lines, rows[given], wrong, blank, int(block.first_row + total - 1), physical={**blank, ITEM_LINES: int(takes.sum())}, cut=cut)
    return set_apart(_without_others(chunk, places, takes, data, file, records), file)


def _nothing(file: Export) -> bytes:
    return white(file.encoding) + _dialect(file).delimiter.encode()


def _filled(data: bytes, file: Export, block: Block) -> Filled:
    """The lines of a block without the blank ones, which would take as long as others: those where nothing stands, and where they must be many,
    those of white space and empty cells too."""
    if block.sparse:
        return filled_lines(data, _dialect(file), _nothing(file))
    if _has_empty_lines(data):
        return filled_lines(data, _dialect(file), LINE_ENDS)
    return Filled(data, _NONE, _NONE)


def _places(count: int, records: Records | None, filled: Filled) -> Ints:
    """Where so many records stood in their block before blank lines were left out."""
    places = np.arange(count)
    return places + filled.passed[_first_lines(count, records)] if filled.passed[-1] else places


def _first_lines(count: int, records: Records | None) -> Ints:
    """Which line of their text each record begins with."""
    return np.arange(count) if records is None else np.cumsum(records.lines) - records.lines


def plain_text(file: Export, block: Block) -> bytes | None:
    """A block in UTF-8 whose every line is a record, the last with its end too; None where it has to be looked at more closely."""
    if len(places_to_read(file)) > len(file.matched.places):
        return None
    data = read_block(file, block)
    if _needs_cutting(data, file, block) or _has_empty_lines(data):
        return None
    text = _as_utf_8(data, file)
    return text if text.endswith(b"\n") else text + b"\n"


def plain_lines(file: Export, text: bytes, count: int) -> pa.Table | None:
    """So many lines of plain text as columns; None where some row is, or may be, no item line. `file`: one of those it came from."""
    lines, miscounted = _parse(file, text)
    if miscounted or lines.num_rows != count or suspects(file.dictionary, lines, file.headings, file.matched).any():
        return None
    return lines


def _has_empty_lines(data: bytes) -> bool:
    return data.startswith((b"\n", b"\r")) or stand_together(data, b"\n\n") or (b"\r" in data and b"\n\r\n" in data)


def _needs_cutting(data: bytes, file: Export, block: Block) -> bool:
    """Whether some line of a block without empty ones may be no record."""
    return block.over_lines or _dialect(file).quoting is Quoting.BROKEN or b"\0" in data or len(lone_returns(data)) > 0


def _pieces(wrong: dict[int, str], data: bytes, records: Records, file: Export) -> dict[int, list[int]]:
    """Which of the wrong rows are pieces of one cell, that a line end may have cut off, and the rows beside each."""
    pieces = (place for place in wrong if _is_piece(_record(data, place, records, file), file))
    return {place: _neighbours(data, place, records, file) for place in pieces}


def _beside_pieces(wrong: dict[int, str], pieces: dict[int, list[int]], data: bytes, records: Records, file: Export) -> set[int]:
    """Rows that stand before or after a piece of one cell: a line end may have cut off their last or first cell."""
    return {
        each for place, beside in pieces.items() if wrong[place] != "F202" for each in beside
        if each not in wrong and kind_of_row(file.dictionary, _cells(data, each, records, file), file.headings, file.matched) is None
    }  # fmt: skip


def _cut(records: Records, pieces: dict[int, list[int]], filled: Filled, marks: Ints) -> Cut | None:
    """None where most of the block are blank lines."""
    count = len(records.starts)
    if filled.passed[-1] > count:
        return None
    odd = np.zeros(count, dtype=np.uint8)
    odd[[each for beside in pieces.values() for each in beside]] = _BESIDE_A_PIECE
    odd[list(records.wrong)] = _ODD
    starts, ends = records.starts, records.ends
    if filled.passed[-1]:
        skipped, places = filled.skipped[_first_lines(count, records)], _places(count, records, filled)
        starts, ends, odd = (_at(values, places, count + int(filled.passed[-1])) for values in (starts + skipped, ends + skipped, odd))
    return Cut(starts.astype(np.uint32), ends.astype(np.uint32), odd, marks.astype(np.uint32))


def _at(values: Any, places: Ints, length: int) -> Any:
    """The values where they belong, nothing on the rows between them."""
    made = np.zeros(length, dtype=values.dtype)
    made[places] = values
    return made


def _is_piece(record: str, file: Export) -> bool:
    return _dialect(file).delimiter not in record and kind_of_row(file.dictionary, [record], file.headings, file.matched) is None


def _neighbours(data: bytes, place: int, records: Records, file: Export) -> list[int]:
    """The records before and after one, but for blank ones."""
    ways = (range(place - 1, -1, -1), range(place + 1, len(records.starts)))
    beside = (next((each for each in way if not _is_blank(data, each, records, file)), None) for way in ways)
    return [each for each in beside if each is not None]


def _is_blank(data: bytes, place: int, records: Records, file: Export) -> bool:
    """White space, and cells with nothing in them."""
    record = data[records.starts[place] : records.ends[place]]
    return not record.strip(_nothing(file) + b'"') and b'"""' not in record


def _as_utf_8(data: bytes, file: Export) -> bytes:
    return data if file.encoding == "utf-8" else data.decode(file.encoding).encode()


def _parse(file: Export, body: bytes, most: int | None = None) -> tuple[pa.Table, list[int]]:
    """Cells of the matched columns, and the positions of records with another number of cells. Raises _MoreThanSeveral where there
    are more than so many."""
    miscounted: list[int] = []

    def note(row: Any) -> str:
        miscounted.append(row.number - 1)
        return "skip" if most is None or len(miscounted) <= most else "error"

    if body.startswith(codecs.BOM_UTF8):
        # Arrow takes one mark off whatever it is given: where a chunk begins with a cell that does, that is no file's mark.
        body = codecs.BOM_UTF8 + body
    names = [f"c{position}" for position in range(len(file.headings))]
    places = places_to_read(file)
    wanted = {f"c{position}": TEXT for position in places.values()}
    if len(body) < PARSE_AT_ONCE and not body.strip(b"\r\n"):
        empty = {column: pa.array([], text_type(file.dictionary.by_column.get(column))) for column in places}
        return pa.table(empty), miscounted
    try:
        table = _read(file, body, names, wanted, note)
    except pa.ArrowInvalid:
        if most is None or len(miscounted) <= most:
            raise
        raise _MoreThanSeveral from None
    cells = {column: values.combine_chunks() for column, values in zip(places, table.columns, strict=True)}
    for column, values in cells.items():
        # Encoded after parsing: Arrow's own encoding while it parses costs more.
        cells[column] = values.dictionary_encode() if text_type(file.dictionary.by_column.get(column)) != TEXT else values
    return pa.table(cells), miscounted


def _read(file: Export, body: bytes, names: list[str], wanted: dict[str, pa.DataType], note: Callable[[Any], str]) -> pa.Table:
    return pa_csv.read_csv(
        pa.py_buffer(body),
        read_options=pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=PARSE_AT_ONCE),
        parse_options=pa_csv.ParseOptions(
            delimiter=_dialect(file).delimiter,
            newlines_in_values=_dialect(file).quoting is Quoting.SOUND,
            invalid_row_handler=note,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=wanted, include_columns=list(wanted), strings_can_be_null=False, check_utf8=False
        ),
    )


def _with_wrong_rows(
    lines: pa.Table, given: Ints, parsed: Ints, wrong: dict[int, str], numbers: dict[int, str | None]
) -> pa.Table:
    """Put a row of nulls (but for the inventory number seen) where each wrong record stands. `parsed`: records of `lines`."""
    is_wrong, stands = np.zeros(len(given), dtype=bool), np.zeros(len(given), dtype=bool)
    is_wrong[np.searchsorted(given, sorted(wrong))] = True
    stands[np.searchsorted(given, parsed)] = True
    columns = {name: spread(lines[name].combine_chunks(), stands, ~is_wrong) for name in lines.column_names}
    if "inventory_no" in columns:
        seen = pa.array([numbers[place] for place in sorted(wrong)], TEXT)
        columns["inventory_no"] = pc.replace_with_mask(columns["inventory_no"], pa.array(is_wrong), seen)
    return pa.table(columns)


def _record(data: bytes, place: int, records: Records, file: Export) -> str:
    return data[records.starts[place] : records.ends[place]].decode(file.encoding)


def _cells(data: bytes, place: int, records: Records, file: Export) -> list[str]:
    return cells_of(_record(data, place, records, file), _dialect(file).delimiter)


def _number_in(place: int, wrong: dict[int, str], rows: Ints, data: bytes, records: Records, file: Export) -> str | None:
    """The inventory number of a record that is not a row of cells: what looks like one in it or where it meets another such
    record, else what stands in its place."""
    record = _record(data, place, records, file)
    texts = [record]
    if place - 1 in wrong and rows[place] - rows[place - 1] == 1:
        texts.append(_record(data, place - 1, records, file) + record)
    if place + 1 in wrong and rows[place + 1] - rows[place] == 1:
        texts.append(record + _record(data, place + 1, records, file))
    for text in texts:
        if seen := _INVENTORY_NO.search(text.upper()):
            return seen.group()
    cells = record.split(_dialect(file).delimiter)
    at = file.matched.places.get("inventory_no", len(cells))
    return cells[at].strip().strip('"') or None if at < len(cells) else None


def _without_others(
    chunk: TextChunk, at: Ints, takes: Ints, data: bytes, file: Export, records: Records | None
) -> TextChunk:
    """Drop what is no item line: blank rows, headings again, totals. `at`: for each line its record; `takes`: how many lines of
    the file that is."""

    def cells_at(place: int) -> list[str]:
        nonlocal records
        records = records or cut_records(data, _dialect(file))
        # There may be as many blank rows as lines: to cut each of them takes longer than a line.
        return [] if _is_blank(data, at[place], records, file) else _cells(data, int(at[place]), records, file)

    kinds = others(file, chunk.lines, chunk.rows, cells_at, chunk.wrong)
    # Broken quotes are always reported, whatever else the row is.
    kinds = {place: kind for place, kind in kinds.items() if chunk.wrong.get(place, "F201") in ("F201", "F203")}
    if not kinds:
        return chunk
    kept = np.ones(chunk.lines.num_rows, dtype=bool)
    kept[list(kinds)] = False
    skipped, physical = Counter(chunk.skipped) + Counter(kinds.values()), Counter(chunk.physical)
    for place, kind in kinds.items():
        physical[kind] += int(takes[place])
        physical[ITEM_LINES] -= int(takes[place])
    places = np.flatnonzero(kept)
    wrong = {int(np.searchsorted(places, place)): code for place, code in chunk.wrong.items() if kept[place]}
    return replace(
        chunk, lines=chunk.lines.filter(pa.array(kept)).combine_chunks(), rows=chunk.rows[kept], wrong=wrong, skipped=dict(skipped), physical=dict(physical)
    )


def raw_records(file: Export, block: Block, rows: Ints, *, with_pieces: bool, cut: Cut | None = None) -> tuple[list[bytes], Mask]:
    """The bytes of the records with the given row numbers (of this block), decoded to UTF-8, without line ends; and which of
    them are no sound rows though they may have as many cells. `with_pieces`: some stand beside a piece of a row. `cut`: where records stand,
    if that is known; then nothing else is read."""
    if cut is not None:
        places = rows - block.first_row
        odd = cut.odd[places]
        raw = Again(file.name, file.path, block, cut.marks).pieces(cut.starts[places], cut.ends[places])
        return _in_utf_8(raw, file), odd > 0 if with_pieces else odd == _ODD
    filled = _filled(read_block(file, block), file, block)
    data = filled.data
    records = cut_records(data, _dialect(file))
    places = np.searchsorted(_places(len(records.starts), records, filled), rows - block.first_row)
    spoiled = set(records.wrong)
    if with_pieces:
        pieces = [place for place in places.tolist() if _is_piece(_record(data, place, records, file), file)]
        spoiled.update(each for place in pieces for each in _neighbours(data, place, records, file))
    slices = zip(records.starts[places].tolist(), records.ends[places].tolist(), strict=True)
    return _in_utf_8([data[start:end] for start, end in slices], file), np.isin(places, list(spoiled))


def _in_utf_8(records: list[bytes], file: Export) -> list[bytes]:
    return records if file.encoding == "utf-8" else [record.decode(file.encoding).encode() for record in records]
