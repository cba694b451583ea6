"""What the tables of the file hold (../sql/seal.py).

The sums are kept up row by row by triggers of the connection, so that nothing has to be read for it, whatever statement changed
the rows; only where the tables themselves have changed, or nothing was sealed before, everything is read.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from aggregator.ledger.sql.seal import ALL, BYTES, Seal, Sum, append_seal, last_seal
from aggregator.ledger.sql.words import CHANGES, EVENT, INVENTORY, RECORDED_AS
from aggregator.ledger.sqlite.connection import SqliteConnection

_CHAINED = EVENT
"""The one table that needs no sum: each of its rows holds the hash of the one before. Of inventories is sealed what has become of
them since their run was recorded, so that the millions of which nothing has become cost nothing."""
_CHANGED = (
    f"SELECT inventory_id, inventory.state, cancelled, {RECORDED_AS} FROM inventory JOIN run USING (run_no) "
    f"WHERE inventory.state <> {RECORDED_AS} OR cancelled <> ''"
)
_CALLED_FAILED = "user-defined function raised exception"
Row = tuple[object, ...]


def row_hash(row: Row) -> int:
    # ascii() of text, numbers and bytes is the same in every version of Python; repr() is not.
    return int.from_bytes(hashlib.blake2b(ascii(row).encode(), digest_size=BYTES).digest())


def description(connection: SqliteConnection) -> str:
    """A digest of the tables and indexes as they are described; statistics of the query planner say nothing."""
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_stat_' ESCAPE '!' ORDER BY 1, 2, 3"
    return hashlib.sha256(json.dumps(connection.execute(query).fetchall()).encode()).hexdigest()[: 2 * BYTES]


def sum_of(connection: SqliteConnection, table: str, most: int | None = None) -> Sum:
    """The sum of a table as it stands; of a table with more rows than `most` that of the first of them."""
    found = Sum()
    count = _counter(found)
    if table == INVENTORY:
        for number, state, cancelled, recorded in connection.execute(_CHANGED):
            count(-1, number, recorded, "")
            count(1, number, state, cancelled)
        return found
    limit = "" if most is None else f" LIMIT {most + 1}"
    for row in connection.execute(f"SELECT {', '.join(_columns(connection, table))} FROM {table}{limit}"):
        count(1, *row)
    return found


def _counter(held: Sum, failures: list[BaseException] | None = None) -> Callable[..., None]:
    """Counts rows that come (1) or go (-1). `failures`: what SQLite would hide that calls it."""

    def count(sign: int, *row: object) -> None:
        try:
            held.rows += sign
            held.hashes = (held.hashes + sign * row_hash(row)) % ALL
        except BaseException as failure:
            if failures is not None:
                failures.append(failure)
            raise

    return count


def seal_of(connection: SqliteConnection) -> Seal:
    """Everything as it stands."""
    return Seal(description(connection), {name: sum_of(connection, name) for name in _tables(connection)})


@contextmanager
def sealing(connection: SqliteConnection, at: str) -> Iterator[None]:
    """Within a transaction: what is changed is sealed at its end. `at`: when; blank: as the last event."""
    before = last_seal(connection) if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_CHAINED,)).fetchone() else None
    if before is None:
        yield
        after = seal_of(connection)
    else:
        after = Seal(before.tables, {name: Sum(held.rows, held.hashes) for name, held in before.sums.items()})
        with _counting(connection, after.sums):
            yield
        if description(connection) != before.tables:
            after = seal_of(connection)
    if after != before:
        append_seal(connection, at, after)


@contextmanager
def _counting(connection: SqliteConnection, sums: dict[str, Sum]) -> Iterator[None]:
    # Without this, a row that REPLACE removes would go unseen.
    connection.execute("PRAGMA recursive_triggers=ON")
    triggers, failures = list(_triggers(connection, sums)), list[BaseException]()
    for name, table, when, counts in triggers:
        connection.create_function(f"count_{table}", -1, _counter(sums[table], failures))
        connection.execute(f"CREATE TEMP TRIGGER {name} AFTER {when} ON main.{table} BEGIN SELECT {counts}; END")
    try:
        yield
    except sqlite3.OperationalError as error:
        if str(error) != _CALLED_FAILED:
            raise
        # A signal may come while a row is counted: it says nothing of the ledger. Nothing else is raised before counting begins.
        raise (failures[0] if failures else KeyboardInterrupt) from None
    for name, *_ in triggers:
        # A table that was dropped took its triggers along.
        connection.execute(f"DROP TRIGGER IF EXISTS temp.{name}")


def _triggers(connection: SqliteConnection, tables: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """Of each trigger its name, its table, what it follows, and what it counts."""
    for table in tables:
        columns = CHANGES if table == INVENTORY else _columns(connection, table)
        gone = f"count_{table}(-1, {', '.join(f'OLD.{name}' for name in columns)})"
        come = f"count_{table}(1, {', '.join(f'NEW.{name}' for name in columns)})"
        changes = f"UPDATE OF {', '.join(columns)}"
        yield f"{table}_changed", table, changes, f"{gone}, {come}"
        if table != INVENTORY:
            yield f"{table}_come", table, "INSERT", come
            yield f"{table}_gone", table, "DELETE", gone


def _tables(connection: SqliteConnection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> ? ORDER BY 1"
    return [str(name) for (name,) in connection.execute(query, (_CHAINED,))]


def _columns(connection: SqliteConnection, table: str) -> tuple[str, ...]:
    return tuple(str(name) for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})"))
