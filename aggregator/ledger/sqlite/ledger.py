"""The verbs of a ledger (ledger/ledger.py), kept in one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from filelock import Timeout

from aggregator.ledger.errors import CannotCopyLedger
from aggregator.ledger.ledger import LedgerAt, Rows
from aggregator.ledger.sql import query
from aggregator.ledger.sql.copy import all_tables
from aggregator.ledger.sql.ledger import SqlLedger
from aggregator.ledger.sqlite.connection import SqliteConnection
from aggregator.ledger.sqlite.export import at_one_moment, export
from aggregator.ledger.sqlite.refusals import explained, is_busy
from aggregator.ledger.sqlite.store import copy_ledger, fill_ledger, lock_of, locked, open_ledger, transaction
from aggregator.ledger.sqlite.verify import found_altered, refuse_altered
from aggregator.model.answers import Result
from aggregator.model.errors import StopRun
from aggregator.model.place import Place
from aggregator.model.records import Customs, Declared, ExportedTable, Known, Span
from aggregator.schemas.text import Text

_PAGE_CACHE_KIB = 262_144
"""For results: their lines come in the order of customs' items, and are kept by inventory, all over the table."""


@dataclass(frozen=True)
class SqliteLedgerAt:
    place: Path

    @property
    def folder(self) -> Path:
        return self.place.parent

    def exists(self) -> bool:
        return self.place.exists()

    @contextmanager
    def locked(self, wait_seconds: float = 0) -> Iterator[None]:
        with locked(self.place, wait_seconds):
            yield

    def is_locked(self) -> bool:
        try:
            with lock_of(self.place):
                return False
        except Timeout:
            return True

    @contextmanager
    def opened(self, *, create: bool = False, migrate: bool = False, at: str = "") -> Iterator[SqliteLedger]:
        with open_ledger(self.place, create=create, migrate=migrate, at=at) as connection:
            yield SqliteLedger(connection, self.place)

    def filled(self, tables: Iterator[Rows], *, at: str = "", moved_from: Place | None = None) -> None:
        with explained(self.place):
            fill_ledger(self.place, tables, at, moved_from)

    def has_run(self, run_ref: str) -> bool | None:
        try:
            with self.opened() as ledger:
                return run_ref in {run.run_ref for run in ledger.runs()}
        except (StopRun, OSError):
            return False

    def size(self) -> int:
        return self.place.stat().st_size if self.place.is_file() else 0

    def known(self) -> Known:
        return KnownInventories(self.place)


@dataclass(frozen=True)
class KnownInventories:
    """What a ledger knows of inventories, asked from any process."""

    ledger: Path

    def of(self, numbers: pa.Array) -> tuple[dict[str, Declared], Customs]:
        with _reading(self.ledger) as connection:
            return query.declared_and_heard(connection, self.ledger, numbers)

    def within(self, spans: Iterable[Span]) -> Iterator[tuple[dict[str, Declared], Customs]]:
        with _reading(self.ledger) as connection:
            yield from query.all_within(connection, self.ledger, spans)


def declared(ledger: Path, numbers: pa.Array) -> dict[str, Declared]:
    """Those of the given inventories that the ledger has as declared."""
    with _reading(ledger) as connection:
        return query.declared(connection, ledger, numbers)


@contextmanager
def _reading(ledger: Path) -> Iterator[SqliteConnection]:
    """All as it is at one and the same moment."""
    place = f"{ledger.resolve().as_uri()}?mode=ro"
    with explained(ledger), closing(sqlite3.connect(place, uri=True, isolation_level=None, factory=SqliteConnection)) as connection:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("BEGIN")
        yield connection


class SqliteLedger(SqlLedger):
    def __init__(self, connection: SqliteConnection, place: Path) -> None:
        super().__init__(connection, place)
        self._file, self._path = connection, place
        self._takes_results = False

    @contextmanager
    def transaction(self, at: str) -> Iterator[None]:
        with transaction(self._file, at), self._at_time(at):
            yield

    def altered(self) -> list[Text]:
        return found_altered(self._file, whole=True)

    def refuse_altered(self) -> None:
        refuse_altered(self._file, self._path)

    def copy_to(self, target: LedgerAt) -> None:
        if not isinstance(target.place, Path):
            super().copy_to(target)
            return
        try:
            copy_ledger(self._file, target.place.resolve())
        except (OSError, sqlite3.OperationalError) as error:
            if isinstance(error, sqlite3.OperationalError) and is_busy(error):
                raise
            raise CannotCopyLedger(target.place, error) from None

    def export(self) -> Iterator[ExportedTable]:
        return export(self._file)

    def all_tables(self) -> Iterator[Rows]:
        with at_one_moment(self._file):
            yield from all_tables(self._file)

    def take_result(self, result: Result) -> None:
        if not self._takes_results:
            self._writing().execute(f"PRAGMA cache_size=-{_PAGE_CACHE_KIB}")
            self._takes_results = True
        super().take_result(result)
