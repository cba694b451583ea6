"""Whether the ledger's tables are what was recorded."""

from __future__ import annotations

from aggregator.ledger.postgres.connection import PostgresConnection
from aggregator.ledger.postgres.seal import counted, description, sum_of
from aggregator.ledger.sql.seal import last_seal
from aggregator.ledger.sql.verify import (
    ALWAYS_READ,
    ALWAYS_WHOLE,
    NEVER_SEALED,
    OTHER_TABLES,
    UNREADABLE,
    altered_records,
    altered_rows,
    altered_table,
    refuse,
)
from aggregator.ledger.sql.words import INVENTORY
from aggregator.model.place import Database
from aggregator.schemas.text import Text


def refuse_altered(connection: PostgresConnection, ledger: Database) -> None:
    """Raise LedgerAltered where the ledger is not what was recorded. Every row is looked at only of a small one."""
    refuse(ledger, found_altered(connection, whole=size_of(connection) <= ALWAYS_WHOLE))


def size_of(connection: PostgresConnection) -> int:
    """Bytes that the tables take."""
    query = (
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    )
    return int(connection.execute(query).fetchone()[0])


def found_altered(connection: PostgresConnection, *, whole: bool) -> list[Text]:
    """All that is not as it was recorded; every row only if `whole`."""
    try:
        problems = altered_records(connection) or _altered_tables(connection, whole=whole)
        return problems or (altered_rows(connection) if whole else [])
    except UNREADABLE as error:
        return [Text(f"a value in it cannot be read ({error})", f"其中有无法读取的值（{error}）")]


def _altered_tables(connection: PostgresConnection, *, whole: bool) -> list[Text]:
    """How the tables are described and what they hold, against what the last transaction sealed; and what was counted since,
    however large the table is."""
    seal = last_seal(connection)
    if seal is None:
        return [NEVER_SEALED]
    if description(connection) != seal.tables:
        return [OTHER_TABLES]
    since = counted(connection)
    wanted = [name for name, held in seal.sums.items() if whole or (held.rows <= ALWAYS_READ and name != INVENTORY)]
    return [
        altered_table(name)
        for name in seal.sums
        if name in since or (name in wanted and sum_of(connection, name, None if whole else ALWAYS_READ) != seal.sums[name])
    ]
