"""The tables of a ledger, in SQLite's words; what another kind calls them is its own affair.

    run          what was declared together, or marked as declared elsewhere (an import)
    application  the summary applications of a run: one for one declaring customs, declarant, consignor and premises
    declaration  the declarations of a run
    inventory    every inventory a run declared, with its state; rows of a run stand together and are never removed
    tally        how many inventories of a run stand in which state: what status reads instead of counting millions
    waiting      what was seen and not declared, and why: it must not be forgotten
    receipt      files of customs' answers that were used, by hash
    event        what was done to the ledger, as a hash chain (ledger/chain.py)

and what customs' messages said, by business key, the latest customs time winning (answers.py):

    sent                 in how many parts an application was sent, and under which number
    application_receipt  CEB702, every one of each part of an application
    result, result_part  CEB792, what is known of a declaration of customs, and which of its parts came
    result_number        CEB792, every declaration number that a declaration of customs was given
    result_line          CEB792, which line of which inventory went into which declaration
    clearance            CEB604 and CEB606, what is known of an inventory
"""

from __future__ import annotations

import re

import pyarrow as pa

from aggregator.ledger.sql.words import DEAD, LIVE, UNDOES

VERSION = 5
"""Of the tables; the same in every kind."""

TABLES = f"""
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
CREATE UNIQUE INDEX live_inventory ON inventory (inventory_no) WHERE {LIVE};
CREATE INDEX IF NOT EXISTS dead_inventory ON inventory (inventory_no) WHERE {DEAD};
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
"""
"""`items` of an inventory: declaration number and item number of each of its lines by item number, as `1/3 1/17`; blank
where not known. `content` is null for what was declared elsewhere. `cancelled`: the run in whose input customs had
cancelled it or sent it back after it was declared. `folder` of a run is relative to the ledger's own where it lies below
it. Periods are yyyymm."""


ANSWER_TABLES = f"""
CREATE TABLE IF NOT EXISTS sent (
    application_ref TEXT PRIMARY KEY, parts INTEGER NOT NULL, cop_no TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS application_receipt (
    application_ref TEXT NOT NULL, part_no INTEGER NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL, sum_no TEXT NOT NULL,
    info TEXT NOT NULL, PRIMARY KEY (application_ref, part_no, status, at)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result (
    summary_seq_no TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (summary_seq_no, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result_part (
    summary_seq_no TEXT NOT NULL, part_no INTEGER NOT NULL, PRIMARY KEY (summary_seq_no, part_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result_number (
    summary_seq_no TEXT NOT NULL, declaration_no TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (summary_seq_no, declaration_no)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS result_line (
    inventory_no TEXT NOT NULL, item_no INTEGER NOT NULL, summary_seq_no TEXT NOT NULL, customs_item_no INTEGER NOT NULL,
    commodity_code TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (inventory_no, item_no, summary_seq_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS line_of_result ON result_line (summary_seq_no);
CREATE TABLE IF NOT EXISTS clearance (
    inventory_no TEXT NOT NULL, message TEXT NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (inventory_no, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cleared_inventory ON clearance (substr(at, 1, 6)) WHERE message = 'CEB604' AND status = '899';
CREATE INDEX IF NOT EXISTS undone_inventory ON clearance (inventory_no) WHERE {UNDOES};
"""
"""A result is kept by field: a later message may fill in a number, and one that came before it must not take it away.
`customs_item_no` is 0 where the message has none (edition 2018-113)."""

ARROW_TYPES = {"TEXT": pa.string(), "INTEGER": pa.int64(), "BLOB": pa.binary()}
_COLUMN = re.compile(r"(\w+) (TEXT|INTEGER|BLOB)\b")
_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*?)\) STRICT", re.DOTALL)
COLUMNS = {
    name: pa.schema([(column, ARROW_TYPES[kind]) for column, kind in _COLUMN.findall(columns)])
    for name, columns in _TABLE.findall(TABLES + ANSWER_TABLES)
}
"""By table, in the order in which they are described."""


def key_of(table: str) -> list[str]:
    """The columns of its primary key."""
    [described] = [columns for name, columns in _TABLE.findall(TABLES + ANSWER_TABLES) if name == table]
    several = re.search(r"PRIMARY KEY \(([^)]*)\)", described)
    return several[1].split(", ") if several else re.findall(r"(\w+) (?:TEXT|INTEGER) PRIMARY KEY", described)
