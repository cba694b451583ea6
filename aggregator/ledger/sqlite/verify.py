"""Whether the ledger's file is what was recorded: the file itself, what its tables hold (seal.py), and what every kind verifies."""

from __future__ import annotations

from pathlib import Path

from aggregator.ledger.sql.verify import ALWAYS_WHOLE, UNREADABLE, altered_records, altered_rows, altered_tables, refuse
from aggregator.ledger.sqlite.connection import SqliteConnection
from aggregator.ledger.sqlite.seal import description, sum_of
from aggregator.schemas.text import Text


def refuse_altered(connection: SqliteConnection, ledger: Path) -> None:
    """Raise LedgerAltered where the ledger is not what was recorded. Every row is looked at only of a small one."""
    refuse(ledger, found_altered(connection, whole=ledger.stat().st_size <= ALWAYS_WHOLE))


def found_altered(connection: SqliteConnection, *, whole: bool, sealed: bool = True) -> list[Text]:
    """All that is not as it was recorded; every page and row only if `whole`. Not `sealed`: of an earlier version."""
    try:
        problems = damage(connection) if whole else []
        problems = problems or altered_records(connection) or (altered_tables(connection, description, sum_of, whole=whole) if sealed else [])
        return problems or (altered_rows(connection, sealed=sealed) if whole else [])
    except UNREADABLE as error:
        return [Text(f"a value in it cannot be read ({error})", f"其中有无法读取的值（{error}）")]


def damage(connection: SqliteConnection) -> list[Text]:
    """What SQLite's own check finds."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    return [] if found == ["ok"] else [Text(f"the file is damaged ({text})", f"文件已损坏（{text}）") for text in found]
