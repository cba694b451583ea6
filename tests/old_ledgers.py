"""Ledgers as earlier versions of this tool made them, written from their own statements of the time."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from aggregator.ledger.sqlite.seal import sealing

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
VERSION_2 = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE event (
    event_no INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE run (
    run_no INTEGER PRIMARY KEY, run_ref TEXT NOT NULL UNIQUE, period TEXT NOT NULL, state TEXT NOT NULL,
    folder TEXT NOT NULL, recorded_at TEXT NOT NULL, manifest_sha256 TEXT NOT NULL, rejections_sha256 TEXT NOT NULL,
    first_inventory_id INTEGER NOT NULL, last_inventory_id INTEGER NOT NULL, inventories_sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE application (
    run_no INTEGER NOT NULL, application_no INTEGER NOT NULL, application_ref TEXT NOT NULL UNIQUE,
    declaring_customs_code TEXT NOT NULL, declarant_code TEXT NOT NULL, consignor_code TEXT NOT NULL,
    premises_code TEXT NOT NULL, state TEXT NOT NULL, answered_at TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (run_no, application_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE declaration (
    declaration_ref TEXT PRIMARY KEY, run_no INTEGER NOT NULL, application_no INTEGER NOT NULL, item_count INTEGER NOT NULL,
    inventory_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE inventory (
    inventory_id INTEGER PRIMARY KEY, inventory_no TEXT NOT NULL, content BLOB, run_no INTEGER NOT NULL,
    application_no INTEGER NOT NULL, state TEXT NOT NULL, cleared_period TEXT NOT NULL, late INTEGER NOT NULL,
    items TEXT NOT NULL, cancelled TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX live_inventory ON inventory (inventory_no) WHERE state NOT IN ('refused', 'voided');
CREATE INDEX cancelled_inventory ON inventory (inventory_id) WHERE cancelled <> '';
CREATE TABLE tally (
    run_no INTEGER NOT NULL, application_no INTEGER NOT NULL, cleared_period TEXT NOT NULL, late INTEGER NOT NULL,
    state TEXT NOT NULL, inventories INTEGER NOT NULL,
    PRIMARY KEY (run_no, application_no, cleared_period, late, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (
    inventory_no TEXT PRIMARY KEY, cleared_period TEXT NOT NULL, seen_period TEXT NOT NULL, fate TEXT NOT NULL,
    reason TEXT NOT NULL, seen_in TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt (sha256 TEXT PRIMARY KEY, file TEXT NOT NULL, seen_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA application_id=964047152;
PRAGMA user_version=2;
"""
VERSION_3 = """
CREATE TABLE sent (application_ref TEXT PRIMARY KEY, parts INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE application_receipt (
    application_ref TEXT NOT NULL, part_no INTEGER NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL, sum_no TEXT NOT NULL,
    info TEXT NOT NULL, PRIMARY KEY (application_ref, part_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE result (
    summary_seq_no TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (summary_seq_no, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE result_part (
    summary_seq_no TEXT NOT NULL, part_no INTEGER NOT NULL, PRIMARY KEY (summary_seq_no, part_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE result_line (
    inventory_no TEXT NOT NULL, item_no INTEGER NOT NULL, summary_seq_no TEXT NOT NULL, customs_item_no INTEGER NOT NULL,
    commodity_code TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (inventory_no, item_no, summary_seq_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX line_of_result ON result_line (summary_seq_no);
CREATE TABLE clearance (
    inventory_no TEXT NOT NULL, message TEXT NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (inventory_no, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX cleared_inventory ON clearance (substr(at, 1, 6)) WHERE message = 'CEB604' AND status = '899';
PRAGMA user_version=3;
"""
"""What version 3 has beside the tables of version 2."""
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


AT = "2026-11-05T09:00:00+08:00"
NUMBERS = ("22442026E000000001", "22442026E000000002")


def make_version_2(path: Path) -> None:
    """A run in 2026-10 of two inventories in one application that was accepted, and one inventory that waits."""
    content = hashlib.sha256(b"content").digest()
    rows = [(number, content, "202610", 0, 1, "1/1") for number in NUMBERS]
    digested = b"".join(b"\x1f".join(part if isinstance(part, bytes) else str(part).encode() for part in row) + b"\x1e" for row in rows)
    application = [1, "202610-01-A001", "2244", "4403180001", "91440300MA5F0A1B2N", ""]
    declaration = ["202610-01-000001", 1, 1, 2]
    run = {"run_no": 1, "period": "202610", "folder": "2026-10/202610-01", "manifest_sha256": "00", "rejections_sha256": "11",
           "first_inventory_id": 1, "last_inventory_id": 2, "inventories_sha256": hashlib.sha256(digested).hexdigest()}  # fmt: skip
    parts = hashlib.sha256(json.dumps(application).encode() + json.dumps(declaration).encode()).hexdigest()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_2.replace("964047152", str(0x39363130)))
        connection.executemany("INSERT INTO setting VALUES (?, ?)", [("ledger_id", LEDGER_ID), ("first_period", "202609")])
        connection.execute("INSERT INTO run VALUES (1, '202610-01', '202610', 'live', ?, ?, '00', '11', 1, 2, ?)",
                           (run["folder"], AT, run["inventories_sha256"]))  # fmt: skip
        connection.execute("INSERT INTO application VALUES (1, ?, ?, ?, ?, ?, ?, 'accepted', ?, '')", (*application, AT))
        connection.execute("INSERT INTO declaration VALUES (?, 1, ?, ?, ?)", (declaration[0], *declaration[1:]))
        columns = "inventory_no, content, cleared_period, late, application_no, items, run_no, state"
        connection.executemany(f"INSERT INTO inventory ({columns}) VALUES (?, ?, ?, ?, ?, ?, 1, 'accepted')", rows)
        connection.execute("INSERT INTO tally VALUES (1, 1, '202610', 0, 'accepted', 2)")
        connection.execute("INSERT INTO waiting VALUES ('22442026E000000008', '', '202610', 'rejected', 'R101', '202610-01')")
        connection.execute("INSERT INTO receipt VALUES ('22', 'receipts.csv', ?)", (AT,))
        _chain(connection, ("created", LEDGER_ID, {}), ("first_period", "202609", {}), ("run", "202610-01", run | {"declarations_sha256": parts}),
               ("answer", "202610-01-A001", {"state": "accepted", "inventories": 2, "reason": ""}))  # fmt: skip
        connection.commit()


def make_version_3(path: Path) -> None:
    """As version 2, and what customs' messages said of it."""
    make_version_2(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_3)
        connection.execute("INSERT INTO sent VALUES ('202610-01-A001', 1)")
        connection.execute("INSERT INTO application_receipt VALUES ('202610-01-A001', 1, '120', '20261105110000000', 'S', '')")
        connection.execute("INSERT INTO result VALUES ('1', 'declaration_no', '531420261234500001', '20261106110000000')")
        connection.execute("INSERT INTO result_part VALUES ('1', 1)")
        connection.execute("INSERT INTO result_line VALUES (?, 1, '1', 1, '6109100010', '20261106110000000')", NUMBERS[:1])
        connection.execute("INSERT INTO clearance VALUES (?, 'CEB604', '899', '20261015100000000')", NUMBERS[:1])
        connection.commit()


def make_version_4(path: Path) -> None:
    """As version 3, and sealed."""
    make_version_3(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=4")
        with sealing(connection, AT):
            pass
        connection.commit()


def _chain(connection: sqlite3.Connection, *events: tuple[str, str, dict[str, object]]) -> None:
    previous = ""
    for kind, subject, detail in events:
        text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(json.dumps([previous, AT, kind, subject, text]).encode()).hexdigest()
        connection.execute(
            "INSERT INTO event (at, kind, subject, detail, previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?)", (AT, kind, subject, text, previous, digest)
        )
        previous = digest
