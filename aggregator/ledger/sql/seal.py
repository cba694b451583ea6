"""What the tables hold, under the chain of events: of every table the number of its rows and the sum of their hashes, and a
digest of how the tables are described. A transaction ends with an event that holds them (`sealed`).

How a row is hashed and how the sums are kept up is a kind's own affair.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from aggregator.ledger.sql.chain import append_event
from aggregator.ledger.sql.connection import Connection

SEALED = "sealed"
BYTES = 16
ALL = 1 << 8 * BYTES


@dataclass
class Sum:
    """How many rows, and the sum of their hashes: the order of the rows does not matter."""

    rows: int = 0
    hashes: int = 0

    def add(self, rows: int, hashes: int) -> None:
        """Rows that came, less those that went."""
        self.rows += rows
        self.hashes = (self.hashes + hashes) % ALL

    def __str__(self) -> str:
        return f"{self.rows}:{self.hashes:0{2 * BYTES}x}"

    @classmethod
    def parse(cls, text: str) -> Sum:
        rows, _, hashes = text.partition(":")
        return cls(int(rows), int(hashes, 16))


@dataclass
class Seal:
    """`tables`: a digest of their description; `sums`: by table."""

    tables: str
    sums: dict[str, Sum] = field(default_factory=dict)

    def detail(self) -> dict[str, str]:
        return {"tables": self.tables, **{name: str(held) for name, held in sorted(self.sums.items())}}


def last_seal(connection: Connection) -> Seal | None:
    """What the last transaction sealed. None for a ledger of an earlier version."""
    row = connection.execute("SELECT detail FROM event WHERE kind = ? ORDER BY event_no DESC LIMIT 1", (SEALED,)).fetchone()
    if row is None:
        return None
    held: dict[str, str] = json.loads(row[0])
    return Seal(held.pop("tables"), {name: Sum.parse(text) for name, text in held.items()})


def append_seal(connection: Connection, at: str, seal: Seal) -> None:
    """`at`: when; blank: as the last event."""
    append_event(connection, at or _last_time(connection), SEALED, "", seal.detail())


def _last_time(connection: Connection) -> str:
    return str(connection.execute("SELECT at FROM event ORDER BY event_no DESC LIMIT 1").fetchone()[0])
