"""The tables of the ledger for other programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aggregator.ledger.sql.copy import all_rows
from aggregator.ledger.sql.tables import COLUMNS
from aggregator.ledger.sql.words import EXPORTED
from aggregator.ledger.sqlite.connection import SqliteConnection
from aggregator.model.records import ExportedTable


def export(connection: SqliteConnection) -> Iterator[ExportedTable]:
    with at_one_moment(connection):
        for table, name in EXPORTED.items():
            yield ExportedTable(name, COLUMNS[table], all_rows(connection, table))


@contextmanager
def at_one_moment(connection: SqliteConnection) -> Iterator[None]:
    """All that is read is as it is now."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        # Left halfway, it is closed after the ledger perhaps.
        with suppress(sqlite3.ProgrammingError):
            connection.execute("ROLLBACK")
