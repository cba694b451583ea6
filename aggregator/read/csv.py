"""Read a CSV export chunk by chunk, as its scan (scan.py) has cut it.

Nothing is inferred from the values: every cell is text. A record that is not a row of cells (other number of cells,
broken quote, control character) becomes a line with nothing but its inventory number, where one can be seen in it, and
a finding; it is never padded, shifted or dropped.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from aggregator.errors import OurFault
from aggregator.read.export import Block, Dialect, Export, TextChunk, unusable
from aggregator.read.records import Quoting, Records, cells_of, cut_records
from aggregator.read.sheet import BLANK, kind_of_row, suspects
from aggregator.read.unchanged import sealed_bytes
from schemas import shapes
from schemas.inventory import TEXT, text_type

_PARSE_AT_ONCE = 2 << 20
"""Bytes Arrow parses at once: above the longest record, small enough to stay in the processor's cache."""
_MANY = 100_000
"""So many rows of another number of cells, more than half of a chunk, are no slips of an export."""
_INVENTORY_NO = re.compile(rf"(?<![0-9A-Z]){shapes.INVENTORY_NO}(?![0-9A-Z])")


def _dialect(file: Export) -> Dialect:
    assert file.dialect is not None
    return file.dialect


def read_block(file: Export, block: Block) -> bytes:
    return sealed_bytes(file.name, file.path, block)


def read_chunk(file: Export, block: Block) -> TextChunk:
    """Read one block. Columns out: the matched ones, raw text (dictionary encoded where values repeat)."""
    data = read_block(file, block)
    records = cut_records(data, _dialect(file).quoting, ord(_dialect(file).delimiter)) if _needs_cutting(data, file) else None
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
    if len(miscounted) > _MANY and len(miscounted) * 2 > total:
        raise unusable("F114", file.name, f"From row {block.first_row} on.", f"自第 {block.first_row} 行起。")
    wrong |= {int(parsed[position]): "F201" for position in miscounted}
    rows = block.first_row + np.arange(total)
    places = np.flatnonzero(given)
    if wrong:
        # Cut once for all of them: a chunk may hold nothing but wrong records.
        records = records or cut_records(data, _dialect(file).quoting, ord(_dialect(file).delimiter))
        numbers = {place: _number_in(_record(data, place, records, file), file) for place in wrong}
        lines = _with_wrong_rows(lines, places, wrong, numbers)
        wrong = {int(np.searchsorted(places, place)): code for place, code in wrong.items()}
    chunk = TextChunk(lines, rows[given], wrong, {BLANK: total - len(places)}, int(block.first_row + total - 1))
    return _without_others(chunk, np.flatnonzero(given), data, file, records)


def _needs_cutting(data: bytes, file: Export) -> bool:
    return (
        _dialect(file).quoting is Quoting.BROKEN
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


def _parse(file: Export, body: bytes) -> tuple[pa.Table, list[int]]:
    """Cells of the matched columns, and the positions of records with another number of cells."""
    miscounted: list[int] = []

    def note(row: Any) -> str:
        miscounted.append(row.number - 1)
        return "skip"

    if file.encoding != "utf-8":
        body = body.decode(file.encoding).encode()
    if body.startswith(codecs.BOM_UTF8):
        # Arrow takes one mark off whatever it is given: where a chunk begins with a cell that does, that is no file's mark.
        body = codecs.BOM_UTF8 + body
    names = [f"c{position}" for position in range(len(file.headings))]
    wanted = {f"c{position}": TEXT for position in file.matched.places.values()}
    if len(body) < _PARSE_AT_ONCE and not body.strip(b"\r\n"):
        empty = {column: pa.array([], text_type(column)) for column in file.matched.places}
        return pa.table(empty), miscounted
    table = pa_csv.read_csv(
        pa.py_buffer(body),
        read_options=pa_csv.ReadOptions(
            column_names=names, use_threads=False, block_size=_PARSE_AT_ONCE
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=_dialect(file).delimiter,
            newlines_in_values=_dialect(file).quoting is Quoting.SOUND,
            invalid_row_handler=note,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=wanted, include_columns=list(wanted), strings_can_be_null=False, check_utf8=False
        ),
    )
    cells = {column: values.combine_chunks() for column, values in zip(file.matched.places, table.columns, strict=True)}
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


def _record(data: bytes, place: int, records: Records, file: Export) -> str:
    return data[records.starts[place] : records.ends[place]].decode(file.encoding)


def _number_in(record: str, file: Export) -> str | None:
    """The inventory number of a record that is not a row of cells: what looks like one, else what stands in its place."""
    seen = _INVENTORY_NO.search(record.upper())
    if seen:
        return seen.group()
    cells = record.split(_dialect(file).delimiter)
    place = file.matched.places.get("inventory_no", len(cells))
    return cells[place].strip().strip('"') or None if place < len(cells) else None


def _without_others(chunk: TextChunk, at: np.ndarray[Any, Any], data: bytes, file: Export, records: Records | None) -> TextChunk:
    """Drop what is no item line: blank rows, headings again, totals. `at`: for each line its record."""
    maybe = suspects(chunk.lines, file.headings, file.matched)
    maybe[list(chunk.wrong)] = [code == "F201" for code in chunk.wrong.values()]
    if not maybe.any():
        return chunk
    records = records or cut_records(data, _dialect(file).quoting, ord(_dialect(file).delimiter))
    kept = np.ones(chunk.lines.num_rows, dtype=bool)
    skipped = Counter(chunk.skipped)
    for place in np.flatnonzero(maybe):
        kind = kind_of_row(cells_of(_record(data, int(at[place]), records, file), _dialect(file).delimiter), file.headings, file.matched)
        if kind is not None:
            kept[place] = False
            skipped[kind] += 1
    places = np.flatnonzero(kept)
    wrong = {int(np.searchsorted(places, place)): code for place, code in chunk.wrong.items() if kept[place]}
    return TextChunk(chunk.lines.take(pa.array(places)), chunk.rows[places], wrong, dict(skipped), chunk.last_row)


def raw_records(file: Export, block: Block, rows: np.ndarray[Any, np.dtype[np.int64]]) -> list[bytes]:
    """The bytes of the records with the given row numbers (of this block), decoded to UTF-8, without line ends."""
    data = read_block(file, block)
    records = cut_records(data, _dialect(file).quoting, ord(_dialect(file).delimiter))
    places = rows - block.first_row
    slices = zip(records.starts[places].tolist(), records.ends[places].tolist(), strict=True)
    if file.encoding == "utf-8":
        return [data[start:end] for start, end in slices]
    return [data[start:end].decode(file.encoding).encode() for start, end in slices]
