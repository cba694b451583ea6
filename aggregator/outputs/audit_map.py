"""Read an audit map back, no more of it than a file of its size can be: where rows are alike, a few bytes stand for any number of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_MOST, _TIMES = 16 << 20, 200
"""Cells, and bytes as they are packed: so many, or so many times the size of the file. Of lines that differ by their numbers only there are
13 cells a byte."""
_MOST_TEXT, _TIMES_TEXT = 64 << 20, 1000
"""Bytes of text: of such lines 110 a byte."""


def read_audit_map(file: Path, wanted: Callable[[list[str]], list[str]], filters: Any) -> pa.Table:
    """`wanted`: which of its columns. Raises ValueError or OSError where it is none of ours."""
    facts, size = pq.read_metadata(file), file.stat().st_size
    schema, most = facts.schema.to_arrow_schema(), max(_MOST, size * _TIMES)
    groups = [facts.row_group(place) for place in range(facts.num_row_groups)]
    _refuse_more("cells", facts.num_rows * facts.num_columns, most)
    _refuse_more("bytes", sum(group.total_byte_size for group in groups), most)
    columns = wanted(list(schema.names))
    if nested := [name for name in columns if pa.types.is_nested(schema.field(name).type)]:
        raise ValueError(f"the column '{nested[0]}' is of type {schema.field(nested[0]).type}")
    packed = {group.column(place).path_in_schema for group in groups for place in range(group.num_columns) if group.column(place).has_dictionary_page}
    table = pq.read_table(file, columns=columns, filters=filters, read_dictionary=sorted(packed.intersection(columns)))
    _refuse_more("bytes of text", sum(map(_text_of, table.columns)), max(_MOST_TEXT, size * _TIMES_TEXT))
    return table


def _refuse_more(what: str, count: int, most: int) -> None:
    if count > most:
        raise ValueError(f"{count:,} {what}, and {most:,} at most fit into a file of its size")


def _text_of(column: pa.ChunkedArray) -> int:
    """Bytes of text that are held once, however often they stand."""
    if not pa.types.is_dictionary(column.type) or not pa.types.is_string(column.type.value_type):
        return 0
    size = 0
    for chunk in column.chunks:
        if len(chunk.dictionary):
            lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
            size += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return size
