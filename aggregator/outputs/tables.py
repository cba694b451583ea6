"""Write result tables: CSV for people and spreadsheets, Parquet for programs. The same input gives the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from aggregator.inputs.tables.canonical import FORMULA

ROW_GROUP = 131_072
_BOM = b"\xef\xbb\xbf"
_NEARLY_UNIQUE = {"inventory_no", "order_no", "waybill_no", "total_price", "source_row"}
"""Columns whose values hardly repeat: a dictionary of them would only be given up again."""
_SEARCHED = {"inventory_no", "order_no", "waybill_no", "source_row"}
"""Columns that rows are looked up by: of these the least and the greatest value are told. Of all columns that takes a third of the writing."""


def guarded(table: pa.Table) -> pa.Table:
    """Text cells that a spreadsheet would run as a formula get a leading apostrophe; our reader takes it off again."""
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and any(_may_be_guarded(chunk) for chunk in table[field.name].chunks):
            values = pc.replace_substring_regex(table[field.name], f"^('*{FORMULA})", r"'\1")
            table = table.set_column(position, field.name, values)
    return table


_FORMULA = re.compile(f"'*{FORMULA}")
FIRST_OF_GUARDED = np.isin(np.arange(256), np.frombuffer(b"'=+-@\t\r\n\v\f \xc2\xe3\xef", dtype=np.uint8))
"""By byte, whether a cell that may be guarded begins with it; those of full-width signs and spaces begin other characters too."""


def guarded_cell(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _may_be_guarded(values: pa.Array) -> bool:
    """Whether any cell begins so that it may be a formula: far cheaper than looking at all with a pattern."""
    if values.buffers()[2] is None:
        return False
    bounds = np.frombuffer(values.buffers()[1], dtype=np.int32)[values.offset : values.offset + len(values) + 1]
    given = bounds[:-1][np.diff(bounds) > 0]
    return bool(FIRST_OF_GUARDED[np.frombuffer(values.buffers()[2], dtype=np.uint8)[given]].any())


def csv_bytes(table: pa.Table, *, header: bool) -> bytes:
    sink = io.BytesIO()
    # In one piece: where chunks differ by column and one is empty, Arrow writes memory that is not the table's.
    pa_csv.write_csv(guarded(table).combine_chunks(), sink, pa_csv.WriteOptions(include_header=header, quoting_style="needed"))
    return sink.getvalue()


def write_csv(path: Path, schema: pa.Schema, tables: Iterable[pa.Table], headings: Sequence[str] = ()) -> int:
    """UTF-8 with BOM, line ends \\n, RFC 4180. `headings`: if not the names of the schema. Returns how many rows were written."""
    with path.open("wb") as file:
        return write_csv_to(file, schema, tables, headings)


def csv_head(schema: pa.Schema, headings: Sequence[str] = ()) -> bytes:
    return _BOM + csv_bytes(schema.empty_table().rename_columns(list(headings or schema.names)), header=True)


def write_csv_to(file: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table], headings: Sequence[str] = ()) -> int:
    rows = 0
    file.write(csv_head(schema, headings))
    for table in tables:
        rows += table.num_rows
        file.write(csv_bytes(table.cast(schema), header=False))
    return rows


def write_parquet(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Row groups of ROW_GROUP rows, whatever tables the rows come in."""
    with path.open("wb") as file:
        return write_parquet_to(file, schema, tables)


def write_parquet_to(file: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    rows = 0
    repeating = [name for name in schema.names if name not in _NEARLY_UNIQUE]
    told = [name for name in schema.names if name in _SEARCHED]
    # Texts that repeat go in as they are encoded: Arrow then has no need to find out again which are equal. The types it would note are those.
    kinds = pa.schema([field.with_type(_packed_type(field)) for field in schema])
    with pq.ParquetWriter(file, kinds, compression="zstd", use_dictionary=repeating, write_statistics=told, store_schema=False) as writer:
        for group in _row_groups(kinds, tables):
            rows += group.num_rows
            writer.write_table(group, row_group_size=ROW_GROUP)
    return rows


def _row_groups(schema: pa.Schema, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    room = ROW_GROUP
    for table in tables:
        while table.num_rows >= room:
            yield _together(schema, [*waiting, table.slice(0, room)])
            waiting, table, room = [], table.slice(room), ROW_GROUP
        if table.num_rows:
            waiting.append(table)
            room -= table.num_rows
    if waiting:
        yield _together(schema, waiting)


def _packed_type(field: pa.Field) -> pa.DataType:
    return pa.dictionary(pa.int32(), pa.string()) if pa.types.is_string(field.type) and field.name not in _NEARLY_UNIQUE else field.type


def _together(kinds: pa.Schema, tables: list[pa.Table]) -> pa.Table:
    """One chunk a column. A column at a time: of a whole group only one copy is ever held."""
    columns = []
    for field in kinds:
        parts = [_of_type(part, field.type) for table in tables for part in table[field.name].chunks]
        if pa.types.is_dictionary(field.type):
            columns.append(_in_order(pa.chunked_array(parts, field.type).unify_dictionaries().combine_chunks()))
        else:
            columns.append(pa.concat_arrays(parts) if parts else pa.array([], field.type))
    return pa.table(columns, schema=kinds)


def _of_type(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if values.type == kind or not pa.types.is_dictionary(kind):
        return values.cast(kind)
    return values.cast(kind.value_type).dictionary_encode()


def _in_order(values: pa.DictionaryArray) -> pa.DictionaryArray:
    """With the values that stand there only, in the order in which they come: however the rows were cut, the bytes are the same."""
    indices, size = values.indices, len(values.dictionary)
    at = indices.fill_null(size).to_numpy()
    first = np.full(size + 1, len(at))
    # Of places that come more than once the last is kept: that is the first row.
    first[at[::-1]] = np.arange(len(at))[::-1]
    order = np.argsort(first[:-1], kind="stable")
    order = order[first[order] < len(at)]
    place = np.zeros(size + 1, dtype=np.int32)
    place[order] = np.arange(len(order))
    encoded = pa.array(place[at], mask=at == size) if indices.null_count else pa.array(place[at])
    return pa.DictionaryArray.from_arrays(encoded, values.dictionary.take(pa.array(order)))
