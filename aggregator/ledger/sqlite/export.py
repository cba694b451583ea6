"""The tables of the ledger for other programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress

import pyarrow as pa

from aggregator.ledger.sql.connection import fetched
from aggregator.ledger.sql.words import EXPORTED
from aggregator.ledger.sqlite.connection import SqliteConnection
from aggregator.model.records import ExportedTable

_ARROW_TYPES = {"TEXT": pa.string(), "INTEGER": pa.int64(), "BLOB": pa.binary()}


def export(connection: SqliteConnection) -> Iterator[ExportedTable]:
    """All as they are at one and the same moment."""
    connection.execute("BEGIN")
    try:
        for table, name in EXPORTED.items():
            description = connection.execute(f"PRAGMA table_info({table})").fetchall()
            schema = pa.schema([(column, _ARROW_TYPES[kind]) for _, column, kind, *_ in description])
            order = ", ".join(column for _, column, _, _, _, key in description if key)
            yield ExportedTable(name, schema, fetched(connection.execute(f"SELECT * FROM {table} ORDER BY {order}"), schema))
    finally:
        # Left halfway, it is closed after the ledger perhaps.
        with suppress(sqlite3.ProgrammingError):
            connection.execute("ROLLBACK")
