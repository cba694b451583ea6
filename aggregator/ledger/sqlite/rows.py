"""What SQLite answers, as tables of a bounded size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pyarrow as pa

_ROWS_AT_ONCE = 131_072


def fetched(cursor: sqlite3.Cursor, schema: pa.Schema) -> Iterator[pa.Table]:
    """Rows as tables of a bounded size; its columns in the order of the schema."""
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield pa.table([pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)], schema=schema)
