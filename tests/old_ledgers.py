"""Ledgers as earlier versions of this tool made them, written from their own statements of the time."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

VERSION_1 = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run (
    run_ref TEXT PRIMARY KEY, period TEXT NOT NULL, state TEXT NOT NULL, folder TEXT NOT NULL,
    recorded_at TEXT NOT NULL, manifest_sha256 TEXT NOT NULL, rejections_sha256 TEXT NOT NULL,
    previous_hash TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE declared (
    inventory_no TEXT PRIMARY KEY, content BLOB NOT NULL, run_ref TEXT NOT NULL, cleared_period TEXT NOT NULL,
    late INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (
    inventory_no TEXT PRIMARY KEY, cleared_period TEXT NOT NULL, fate TEXT NOT NULL, reason TEXT NOT NULL,
    seen_in TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE declaration (
    declaration_ref TEXT PRIMARY KEY, run_ref TEXT NOT NULL, item_count INTEGER NOT NULL, inventory_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA application_id=964047152;
PRAGMA user_version=1;
"""
LEDGER_ID = "0C3F8E5A-0000-4000-8000-000000000001"


def make_version_1(path: Path, *, manifest_sha256: str = "00", contents: dict[str, bytes] | None = None) -> None:
    """Two runs in 2026-10, the first with the given inventories, and one inventory that waits."""
    declared = contents if contents is not None else {f"22442026E{n:09d}": hashlib.sha256(b"%d" % n).digest() for n in (1, 2)}
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.replace("964047152", str(0x39363130)))
        connection.executemany("INSERT INTO setting VALUES (?, ?)", [("ledger_id", LEDGER_ID), ("first_period", "202609")])
        previous = ""
        for run_ref in ("202610-01", "202610-02"):
            row = [run_ref, "2026-10", f"out/2026-10/{run_ref}", "2026-11-02T09:00:00+08:00", manifest_sha256, "11"]
            digest = hashlib.sha256(json.dumps([previous, *row]).encode()).hexdigest()
            connection.execute("INSERT INTO run VALUES (?, ?, 'live', ?, ?, ?, ?, ?, ?)", (*row, previous, digest))
            previous = digest
        connection.executemany("INSERT INTO declared VALUES (?, ?, '202610-01', '202610', 0)", declared.items())
        connection.execute("INSERT INTO waiting VALUES ('22442026E000000008', '', 'excluded', 'not_cleared', '202610-02')")
        connection.execute("INSERT INTO declaration VALUES ('202610-01-000001', '202610-01', 1, 2)")
        connection.commit()
