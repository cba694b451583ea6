"""Whether a peer did the same job: its folder and ledger beside ours."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

_TABLES = ("declarations", "declaration_items", "weight_shares")
_LINE = ["inventory_no", "item_no", "declaration_ref", "declaration_item_no", "late", "source_row"]
_BUCKETS = ("read", "declared", "rejected", "excluded")
_LEDGER = (
    "SELECT inventory_no, application_no, items, cleared_period, late FROM inventory ORDER BY 1",
    "SELECT inventory_no, cleared_period, fate FROM waiting ORDER BY 1",
    "SELECT declaration_ref, application_no, item_count, inventory_count FROM declaration ORDER BY 1",
    "SELECT application_no, declaring_customs_code, declarant_code, consignor_code, premises_code FROM application ORDER BY 1",
    "SELECT * FROM tally ORDER BY 1, 2, 3, 4, 5",
)


def assert_same(ours: Path, peer: Path, our_ledger: Path) -> None:
    """Control totals, declarations, items, weight shares, audit map and, where the peer fills one, the ledger's rows."""
    for name in _TABLES:
        mine, theirs = _rows(ours / f"{name}.csv"), _rows(peer / f"{name}.csv")
        columns = set(mine[0]) if mine else set()
        assert [_values(row, columns) for row in theirs] == [_values(row, columns) for row in mine], f"{peer}: {name}"
    assert _totals(peer) == _totals(ours), f"{peer}: control totals"
    mine, theirs = (pq.read_table(folder / "audit_map.parquet", columns=_LINE) for folder in (ours, peer))
    assert theirs.num_rows == mine.num_rows, f"{peer}: lines in the audit map"
    assert theirs.cast(mine.schema).sort_by("source_row") == mine.sort_by("source_row"), f"{peer}: audit map"
    if (peer / "ledger.sqlite").exists():
        with closing(sqlite3.connect(our_ledger)) as ledger, closing(sqlite3.connect(peer / "ledger.sqlite")) as other:
            for query in _LEDGER:
                assert other.execute(query).fetchall() == ledger.execute(query).fetchall(), f"{peer}: {query}"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _values(row: dict[str, str], columns: set[str]) -> dict[str, Any]:
    return {name: _value(text) for name, text in row.items() if name in columns}


def _value(text: str) -> Any:
    """10 and 10.00000 are one amount; what has no point is text."""
    try:
        return Decimal(text).normalize() if text else ""
    except InvalidOperation:
        return text


def _totals(folder: Path) -> dict[tuple[str, ...], tuple[Decimal, ...]]:
    """By column and unit; without what has nothing but unreadable values."""
    rows = [list(row.values()) for row in _rows(folder / "control_totals.csv")]
    totals = {tuple(row[:2]): tuple(Decimal(cell) for cell in row[2 : 2 + len(_BUCKETS)]) for row in rows}
    return {key: amounts for key, amounts in totals.items() if any(amounts)}
