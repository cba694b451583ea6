"""The chain of events in its table."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from aggregator.ledger.chain import event_hash


def append_event(connection: sqlite3.Connection, at: str, kind: str, subject: str, detail: dict[str, Any]) -> None:
    """Within a transaction."""
    last = connection.execute("SELECT hash FROM event ORDER BY event_no DESC LIMIT 1").fetchone()
    previous = str(last[0]) if last else ""
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    digest = event_hash(previous, at, kind, subject, text)
    connection.execute(
        "INSERT INTO event (at, kind, subject, detail, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (at, kind, subject, text, previous, digest),
    )


def broken_event(connection: sqlite3.Connection) -> int | None:
    """The first event that does not follow from the one before; None where the chain is whole."""
    previous, expected = "", 1
    rows = connection.execute("SELECT event_no, at, kind, subject, detail, previous_hash, hash FROM event ORDER BY event_no")
    for number, at, kind, subject, detail, chained, digest in rows:
        if number != expected or chained != previous or digest != event_hash(previous, at, kind, subject, detail):
            return int(expected)
        previous, expected = digest, expected + 1
    return None
