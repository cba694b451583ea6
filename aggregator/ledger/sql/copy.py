"""All tables of one ledger into another that has none, of whatever kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from aggregator.ledger.chain import TableDigest
from aggregator.ledger.errors import CopyDiffers
from aggregator.ledger.ledger import Rows
from aggregator.ledger.sql.chain import MOVED_FROM, append_event
from aggregator.ledger.sql.connection import Connection, fetched
from aggregator.ledger.sql.record import HOME
from aggregator.ledger.sql.tables import COLUMNS, key_of
from aggregator.model.place import Place


def all_rows(connection: Connection, table: str) -> Iterator[pa.Table]:
    """In the order of the key, in tables of a bounded size."""
    statement = f"SELECT {', '.join(COLUMNS[table].names)} FROM {table} ORDER BY {', '.join(key_of(table))}"
    return fetched(connection.stream(statement), COLUMNS[table])


def all_tables(connection: Connection) -> Iterator[Rows]:
    for table in COLUMNS:
        yield Rows(table, all_rows(connection, table))


def fill(connection: Connection, place: Place, tables: Iterator[Rows]) -> None:
    """Within a transaction: what came is read back, and has to be the same."""
    for table, several in tables:
        came = TableDigest()
        for rows in several:
            came.add(rows)
            connection.insert(table, rows)
        kept = TableDigest()
        for rows in all_rows(connection, table):
            kept.add(rows)
        if str(kept) != str(came):
            raise CopyDiffers(place, table)


def record_moved_from(connection: Connection, at: str, former: Place) -> None:
    """That the ledger was at another place before; folders of runs are found from there."""
    append_event(connection, at, MOVED_FROM, str(former), {})
    if isinstance(former, Path):
        connection.execute("INSERT INTO setting VALUES (?, ?) ON CONFLICT DO NOTHING", (HOME, str(former.resolve().parent)))
