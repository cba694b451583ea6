"""The verbs of a ledger (ledger/ledger.py), kept in a PostgreSQL database."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psycopg
import pyarrow as pa

from aggregator.ledger.ledger import Rows
from aggregator.ledger.postgres import store
from aggregator.ledger.postgres.connection import PostgresConnection
from aggregator.ledger.postgres.errors import ConnectionLost, ServerUnreachable
from aggregator.ledger.postgres.refusals import explained
from aggregator.ledger.postgres.verify import found_altered, refuse_altered, size_of
from aggregator.ledger.sql import query
from aggregator.ledger.sql.copy import all_rows, all_tables
from aggregator.ledger.sql.ledger import SqlLedger
from aggregator.ledger.sql.tables import COLUMNS
from aggregator.ledger.sql.words import EXPORTED
from aggregator.model.errors import Busy, StopRun
from aggregator.model.place import Database, Place
from aggregator.model.records import Customs, Declared, ExportedTable, Known, Span
from aggregator.schemas.text import Text

_ASKS, _PAUSE_SECONDS = 10, 3.0


class PostgresLedgerAt:
    """`locked` and `opened` share a connection, as long as they are of one process."""

    def __init__(self, place: Database) -> None:
        self.place = place
        self.folder = None
        self._held: PostgresConnection | None = None
        self._holder = 0

    def exists(self) -> bool:
        with store.connected(self.place) as connection:
            return store.is_there(connection, self.place)

    @contextmanager
    def locked(self, wait_seconds: float = 0) -> Iterator[None]:
        with store.connected(self.place) as connection:
            store.take_lock(connection, self.place, wait_seconds)
            self._held, self._holder = connection, os.getpid()
            try:
                yield
            finally:
                self._held = None
                # Gone with its connection, if that is lost.
                with suppress(psycopg.Error):
                    store.release_lock(connection, self.place)

    def is_locked(self) -> bool:
        with store.connected(self.place) as connection:
            return not connection.execute("SELECT pg_try_advisory_lock(?, ?)", store.lock_key(self.place)).fetchone()[0]

    @contextmanager
    def opened(self, *, create: bool = False, migrate: bool = False, at: str = "") -> Iterator[PostgresLedger]:
        with self._connection() as connection, store.ledger_in(connection, self.place, create=create, at=at):
            yield PostgresLedger(connection, self.place)

    @contextmanager
    def _connection(self) -> Iterator[PostgresConnection]:
        held = self._held if self._holder == os.getpid() else None
        if held is None:
            with store.connected(self.place) as connection:
                yield connection
            return
        self._held = None
        try:
            with explained(self.place):
                yield held
        finally:
            self._held = held

    def filled(self, tables: Iterator[Rows], *, at: str = "", moved_from: Place | None = None) -> None:
        with self._connection() as connection:
            store.fill_ledger(connection, self.place, tables, at, moved_from)

    def has_run(self, run_ref: str) -> bool | None:
        """Asked in a transaction that writes: it begins only once that of a lost connection has ended, one way or the other."""
        for attempt in range(_ASKS):
            try:
                with self.opened() as ledger, ledger.transaction(""):
                    return run_ref in {run.run_ref for run in ledger.runs()}
            except (ConnectionLost, ServerUnreachable, Busy):
                if attempt + 1 < _ASKS:
                    time.sleep(_PAUSE_SECONDS)
            except StopRun:
                break
        return None

    def size(self) -> int:
        with store.connected(self.place) as connection:
            return size_of(connection)

    def known(self) -> Known:
        return KnownInventories(self.place)


class KnownInventories:
    """What a ledger knows of inventories, asked from any process."""

    def __init__(self, place: Database) -> None:
        self.place = place

    def of(self, numbers: pa.Array) -> tuple[dict[str, Declared], Customs]:
        with self._asked() as connection:
            return query.declared_and_heard(connection, self.place, numbers)

    def within(self, spans: Iterable[Span]) -> Iterator[tuple[dict[str, Declared], Customs]]:
        with self._asked() as connection:
            yield from query.all_within(connection, self.place, spans)

    @contextmanager
    def _asked(self) -> Iterator[PostgresConnection]:
        with store.connected(self.place) as connection:
            # Some thousands of numbers among many millions: by the index, whatever the planner thinks of it.
            connection.script("SET enable_hashjoin TO off; SET enable_mergejoin TO off")
            yield connection


class PostgresLedger(SqlLedger):
    def __init__(self, connection: PostgresConnection, place: Database) -> None:
        super().__init__(connection, place)
        self._database, self._url = connection, place

    @contextmanager
    def transaction(self, at: str) -> Iterator[None]:
        with store.transaction(self._database, at), self._at_time(at):
            yield

    def altered(self) -> list[Text]:
        return found_altered(self._database, whole=True)

    def refuse_altered(self) -> None:
        refuse_altered(self._database, self._url)

    def export(self) -> Iterator[ExportedTable]:
        """All as they are at one and the same moment."""
        with self._at_one_moment():
            for table, name in EXPORTED.items():
                yield ExportedTable(name, COLUMNS[table], all_rows(self._database, table))

    def all_tables(self) -> Iterator[Rows]:
        with self._at_one_moment():
            yield from all_tables(self._database)

    @contextmanager
    def _at_one_moment(self) -> Iterator[None]:
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            # Left halfway, it is closed after the ledger perhaps.
            with suppress(psycopg.Error):
                self._database.execute("ROLLBACK")
