"""The tables of a ledger in SQLite's file."""

from __future__ import annotations

from aggregator.ledger.sql.tables import ANSWER_TABLES, TABLES, VERSION
from aggregator.ledger.sql.words import DEAD, LIVE, UNDOES
from aggregator.ledger.sqlite.connection import SqliteConnection

__all__ = ["APPLICATION_ID", "DEAD", "LIVE", "TABLES", "UNDOES", "VERSION", "make_answer_tables", "make_tables"]

APPLICATION_ID = 0x39363130  # "9610"
def make_answer_tables(connection: SqliteConnection) -> None:
    """Within a transaction."""
    for statement in ANSWER_TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)


def make_tables(connection: SqliteConnection) -> None:
    """Within a transaction."""
    for statement in TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    make_answer_tables(connection)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")
