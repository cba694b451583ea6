"""Whether the ledger's tables are what was recorded."""

from __future__ import annotations

from aggregator.ledger.postgres.connection import PostgresConnection
from aggregator.ledger.postgres.seal import counted, description, sum_of
from aggregator.ledger.sql.verify import ALWAYS_WHOLE, UNREADABLE, altered_records, altered_rows, altered_tables, refuse
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
        problems = altered_records(connection) or altered_tables(connection, description, sum_of, whole=whole, since=counted)
        return problems or (altered_rows(connection) if whole else [])
    except UNREADABLE as error:
        return [Text(f"a value in it cannot be read ({error})", f"其中有无法读取的值（{error}）")]
