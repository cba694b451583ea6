"""Which kind of ledger lies at a place."""

from __future__ import annotations

from pathlib import Path

from aggregator.ledger.ledger import LedgerAt
from aggregator.ledger.sqlite.ledger import SqliteLedgerAt


def ledger_at(place: Path) -> LedgerAt:
    return SqliteLedgerAt(place)
