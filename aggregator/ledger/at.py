"""Which kind of ledger lies at a place."""

from __future__ import annotations

from pathlib import Path

from aggregator.ledger.ledger import LedgerAt
from aggregator.ledger.postgres.errors import NoDriver
from aggregator.ledger.sqlite.ledger import SqliteLedgerAt
from aggregator.model.place import Place


def ledger_at(place: Place) -> LedgerAt:
    if isinstance(place, Path):
        return SqliteLedgerAt(place)
    try:
        # Not everybody has the library for it.
        from aggregator.ledger.postgres.ledger import PostgresLedgerAt
    except ImportError:
        raise NoDriver(place) from None
    return PostgresLedgerAt(place)
