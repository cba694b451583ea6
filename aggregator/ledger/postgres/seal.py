"""What the tables of the database hold (../sql/seal.py).

The sums are kept up by triggers (tables.py), once a statement: nothing has to be read for them, whatever changed the rows. Only
where the tables themselves have changed, or another kind of ledger has sealed last, everything is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

from aggregator.ledger.postgres.connection import PostgresConnection
from aggregator.ledger.postgres.tables import COUNTED, SEALED_TABLES, summed
from aggregator.ledger.sql.seal import BYTES, Seal, Sum, append_seal, last_seal
from aggregator.ledger.sql.words import CHANGES, INVENTORY, RECORDED_AS

_DESCRIBED = (
    "SELECT 'column', c.relname, a.attnum::int, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::int, a.attcollation::bigint "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = {0} AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 "
    "AND NOT a.attisdropped ORDER BY 2, 3",
    "SELECT 'index', c.relname, t.relname, i.indisunique::int, i.indisvalid::int, i.indkey::text, coalesce(pg_get_expr(i.indpred, i.indrelid), '') "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid WHERE c.relnamespace = {0} ORDER BY 2",
    "SELECT 'trigger', t.relname, g.tgname, g.tgtype::int, g.tgenabled::text, p.proname FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid "
    "JOIN pg_proc p ON p.oid = g.tgfoid WHERE t.relnamespace = {0} AND NOT g.tgisinternal ORDER BY 2, 3",
    "SELECT 'function', proname, md5(prosrc || coalesce(pg_get_function_sqlbody(oid), '')) FROM pg_proc WHERE pronamespace = {0} ORDER BY 2",
)
_OF_INVENTORY = ", ".join(f"i.{name}" for name in CHANGES)


def description(connection: PostgresConnection) -> str:
    """A digest of tables, indexes, triggers and functions as they are described."""
    schema = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    found = [row for query in _DESCRIBED for row in connection.execute(query.format(schema))]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[: 2 * BYTES]


def sum_of(connection: PostgresConnection, table: str, most: int | None = None) -> Sum:
    """The sum of a table as it stands; of a table with more rows than `most` that of the first of them."""
    if table == INVENTORY:
        changed = f"FROM inventory i JOIN run USING (run_no) WHERE i.state <> {RECORDED_AS} OR i.cancelled <> ''"
        now, then = Sum(), Sum()
        now.add(*_read(connection, f"SELECT ROW({_OF_INVENTORY})::text AS line {changed}"))
        then.add(*_read(connection, f"SELECT ROW(i.inventory_id, {RECORDED_AS}, '')::text AS line {changed}"))
        now.add(-then.rows, -then.hashes)
        return now
    limit = "" if most is None else f" LIMIT {most + 1}"
    found = Sum()
    found.add(*_read(connection, f"SELECT x::text AS line FROM {table} AS x{limit}"))
    return found


def _read(connection: PostgresConnection, lines: str) -> tuple[int, int]:
    rows, high, low = connection.execute(summed(lines)).fetchone()
    return rows, _hashes(high, low)


def _hashes(high: int, low: int) -> int:
    return (high << 64) + low


def seal_of(connection: PostgresConnection) -> Seal:
    """Everything as it stands."""
    return Seal(description(connection), {name: sum_of(connection, name) for name in SEALED_TABLES})


def counted(connection: PostgresConnection, after: int = 0) -> dict[str, Sum]:
    """By table what was changed and not undone since a place in `counted`."""
    query = f"SELECT name, sum(rows), sum(high), sum(low) FROM {COUNTED} WHERE counted_no > ? GROUP BY 1"
    found = {name: Sum() for name in SEALED_TABLES}
    for name, rows, high, low in connection.execute(query, (after,)):
        found[name].add(rows, _hashes(high, low))
    return {name: change for name, change in found.items() if change != Sum()}


@contextmanager
def sealing(connection: PostgresConnection, at: str) -> Iterator[None]:
    """Within a transaction that lets nobody else write: what is changed is sealed at its end."""
    before = last_seal(connection)
    [begun] = connection.execute(f"SELECT coalesce(max(counted_no), 0) FROM {COUNTED}").fetchone()
    yield
    if before is None or description(connection) != before.tables:
        after = seal_of(connection)
    else:
        after = Seal(before.tables, {name: Sum(held.rows, held.hashes) for name, held in before.sums.items()})
        for name, change in counted(connection, begun).items():
            after.sums[name].add(change.rows, change.hashes)
    # What another hand changed before stays counted.
    connection.execute(f"DELETE FROM {COUNTED} WHERE counted_no > ?", (begun,))
    if after != before:
        append_seal(connection, at, after)
