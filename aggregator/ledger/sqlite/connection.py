"""A connection to a ledger's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pyarrow as pa

from aggregator.ledger.errors import DeclaredTwice
from aggregator.ledger.sql.connection import ROWS_OF_PYTHON
from aggregator.ledger.sql.tables import COLUMNS
from aggregator.ledger.sql.words import INVENTORY

_ROWS_A_STATEMENT = 50
"""One statement for each row takes twice as long; for more than some hundred the gain is lost again."""


def _bound(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    """The rows, of the types that sqlite3 binds as they are: it looks for an adapter for each `bytes` and each `bool`, which takes as long
    as the insert itself."""
    for batch in rows.to_batches(max_chunksize=ROWS_OF_PYTHON):
        yield from zip(*(_bound_column(column) for column in batch.columns), strict=True)


def _bound_column(column: pa.Array) -> list[Any]:
    values: list[Any] = (column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column).to_pylist()
    return [value if value is None else bytearray(value) for value in values] if pa.types.is_binary(column.type) else values


class SqliteConnection(sqlite3.Connection):
    def stream(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        return self.execute(statement, values)

    def insert(self, table: str, rows: pa.Table, constants: Mapping[str, str | int] | None = None, otherwise: str = "") -> None:
        fixed = constants or {}
        values = [*("?" for _ in rows.column_names), *(str(value) if isinstance(value, int) else f"'{value}'" for value in fixed.values())]
        columns, row = ", ".join([*rows.column_names, *fixed]), f"({', '.join(values)})"
        together = rows.num_rows - rows.num_rows % _ROWS_A_STATEMENT
        for part, count in ((rows.slice(0, together), _ROWS_A_STATEMENT), (rows.slice(together), 1)):
            each = zip(*[_bound(part)] * count, strict=True)
            # A row that is refused ends the transaction. FAIL says so: else SQLite writes down every page before each statement, to undo it alone.
            statement = f"INSERT OR FAIL INTO {table} ({columns}) VALUES {', '.join([row] * count)} {otherwise}"
            self.executemany(statement, (tuple(chain.from_iterable(group)) for group in each))

    def merge(self, table: str, rows: Iterable[tuple[Any, ...]], otherwise: str) -> None:
        self.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in COLUMNS[table])}) {otherwise}", rows)

    def wait_no_longer(self, numbers: Iterable[str]) -> None:
        self.executemany("DELETE FROM waiting WHERE inventory_no = ? AND fate <> 'dismissed'", ((number,) for number in numbers))

    def insert_inventories(self, first_id: int, rows: pa.Table, constants: Mapping[str, str | int]) -> None:
        # SQLite numbers them itself, one after the other.
        try:
            self.insert(INVENTORY, rows, constants)
        except sqlite3.IntegrityError as error:
            raise DeclaredTwice(error) from None

    @contextmanager
    def wanted(self, numbers: Sequence[str]) -> Iterator[str]:
        if not self.in_transaction:
            self.execute("PRAGMA temp_store=MEMORY")
        self.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (inventory_no TEXT PRIMARY KEY) WITHOUT ROWID")
        self.execute("DELETE FROM wanted")
        self.executemany("INSERT INTO wanted VALUES (?)", ((number,) for number in numbers))
        yield "wanted"
