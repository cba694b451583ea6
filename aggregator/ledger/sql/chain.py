"""The chain of events in its table."""

from __future__ import annotations

import json
from typing import Any

from aggregator.ledger.chain import event_hash
from aggregator.ledger.sql.connection import Connection

MOVED = "moved"
"""The event of a ledger that is elsewhere from then on: where. Of the one it became: `moved_from`."""
MOVED_FROM = "moved_from"


def moved_to(connection: Connection) -> str | None:
    row = connection.execute("SELECT subject FROM event WHERE kind = ? ORDER BY event_no DESC LIMIT 1", (MOVED,)).fetchone()
    return None if row is None else str(row[0])


def append_event(connection: Connection, at: str, kind: str, subject: str, detail: dict[str, Any]) -> None:
    """Within a transaction."""
    last = connection.execute("SELECT event_no, hash FROM event ORDER BY event_no DESC LIMIT 1").fetchone()
    number, previous = (int(last[0]), str(last[1])) if last else (0, "")
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    digest = event_hash(previous, at, kind, subject, text)
    connection.execute(
        "INSERT INTO event (event_no, at, kind, subject, detail, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number + 1, at, kind, subject, text, previous, digest),
    )


def broken_event(connection: Connection) -> int | None:
    """The first event that does not follow from the one before; None where the chain is whole."""
    previous, expected = "", 1
    rows = connection.execute("SELECT event_no, at, kind, subject, detail, previous_hash, hash FROM event ORDER BY event_no")
    for number, at, kind, subject, detail, chained, digest in rows:
        if number != expected or chained != previous or digest != event_hash(previous, at, kind, subject, detail):
            return int(expected)
        previous, expected = digest, expected + 1
    return None
