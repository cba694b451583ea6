"""One step for each earlier version. A step runs within the transaction and returns what keeps it from going on, if
anything does; a backup was made before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from aggregator.ledger.sql.chain import append_event
from aggregator.ledger.sql.record import RunRecord, insert_run, record_rows, relative_folder
from aggregator.ledger.sql.settle import HAND_ANSWER, customs_time, entered_by_hand, settle
from aggregator.ledger.sqlite.connection import SqliteConnection
from aggregator.ledger.sqlite.tables import DEAD, make_answer_tables, make_tables
from aggregator.ledger.sqlite.verify import found_altered
from aggregator.model.records import State
from aggregator.schemas.patterns import is_time
from aggregator.schemas.text import Text

_ROWS_AT_ONCE = 65_536


def _to_version_2(connection: SqliteConnection, ledger: Path, at: str) -> Text | None:
    """Version 1 kept inventories without state and items, a chain over the runs alone, and folders as they were typed."""
    runs = connection.execute(
        "SELECT run_ref, period, folder, recorded_at, manifest_sha256, rejections_sha256, hash FROM run ORDER BY rowid"
    ).fetchall()
    previous = ""
    for *row, digest in runs:
        if hashlib.sha256(json.dumps([previous, *row]).encode()).hexdigest() != digest:
            return Text(f"was changed by hand: its run {row[0]} is not what was recorded.", f"被手工改动：批次 {row[0]} 与登记时不符。")
        previous = digest
    for name in ("setting", "run", "declared", "waiting", "declaration"):
        connection.execute(f"ALTER TABLE {name} RENAME TO v1_{name}")
    make_tables(connection)
    connection.execute("INSERT INTO setting SELECT * FROM v1_setting")
    [ledger_id] = connection.execute("SELECT value FROM setting WHERE name = 'ledger_id'").fetchone()
    append_event(connection, at, "created", ledger_id, {"from_version": 1})
    for number, (run_ref, period, folder, recorded_at, manifest, rejections, _) in enumerate(runs, 1):
        connection.execute(
            f"INSERT INTO declaration SELECT declaration_ref, {number}, 0, item_count, inventory_count FROM v1_declaration WHERE run_ref = ?",
            (run_ref,),
        )
        rows = record_rows(connection, number, State.APPLIED, _declared_of(connection, run_ref))
        record = RunRecord(number, run_ref, period.replace("-", ""), _folder(ledger, period, run_ref, folder), recorded_at, manifest, rejections)
        insert_run(connection, record, rows)
    connection.execute(
        "INSERT INTO waiting SELECT inventory_no, cleared_period, substr(replace(seen_in, '-', ''), 1, 6), fate, reason, seen_in FROM v1_waiting"
    )
    for name in ("setting", "run", "declared", "waiting", "declaration"):
        connection.execute(f"DROP TABLE v1_{name}")
    return None


def _declared_of(connection: SqliteConnection, run_ref: str) -> Iterator[pa.Table]:
    cursor = connection.execute(
        "SELECT inventory_no, content, cleared_period, late FROM v1_declared WHERE run_ref = ? ORDER BY inventory_no", (run_ref,)
    )
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        numbers, contents, periods, late = zip(*rows, strict=True)
        yield pa.table(
            {
                "inventory_no": pa.array(numbers, pa.string()),
                "content": pa.array(contents, pa.binary()),
                "cleared_period": pa.array(periods, pa.string()),
                "late": pa.array([bool(value) for value in late]),
                "application_no": pa.array([0] * len(rows), pa.int64()),
                "items": pa.array([""] * len(rows), pa.string()),
            }
        )


def _folder(ledger: Path, period: str, run_ref: str, typed: str) -> str:
    """Where a folder that was typed relative to some working folder most likely lies."""
    beside = ledger.resolve().parent / period / run_ref
    return relative_folder(ledger.resolve().parent, beside if beside.is_dir() else Path(typed))


def _to_version_3(connection: SqliteConnection, ledger: Path, at: str) -> Text | None:
    """Version 2 kept nothing of customs' messages."""
    make_answer_tables(connection)
    return None


def _to_version_4(connection: SqliteConnection, ledger: Path, at: str) -> Text | None:
    """Version 3 sealed nothing. What its events can prove is proven first: what is sealed now is believed from now on."""
    problems = found_altered(connection, whole=True, sealed=False)
    if problems:
        return Text(f"was damaged or changed by hand: {problems[0].en}.", f"已损坏或被手工改动：{problems[0].zh}。")
    return None


def _to_version_5(connection: SqliteConnection, ledger: Path, at: str) -> Text | None:
    _keep_answers(connection)
    _forget_false_times(connection, at)
    for ref, state, answered_at, reason in entered_by_hand(connection):
        append_event(connection, at, HAND_ANSWER, ref, {"state": state, "after": customs_time(answered_at), "reason": reason})
    settle(connection, None, at)
    return None


def _forget_false_times(connection: SqliteConnection, at: str) -> None:
    """Version 4 took times that are none, or lie years ahead: nothing that comes later could outdo them, and 'status' failed."""
    now = customs_time(at)
    latest = f"{int(now[:4]) + 1}{now[4:]}"
    connection.create_function("is_false_time", 1, lambda value: not ("2000" <= value <= latest and is_time(value)))
    for table in ("application_receipt", "result", "result_number", "result_line", "clearance"):
        connection.execute(f"UPDATE {table} SET at = '{'0' * 17}' WHERE is_false_time(at)")


def _keep_answers(connection: SqliteConnection) -> None:
    """Version 4 kept only the latest receipt of each part, only the latest declaration number, not the number an application was
    sent under, and not what a person entered. Files of answers that it took may be received again: they are taken anew."""
    if "cop_no" not in {name for _, name, *_ in connection.execute("PRAGMA table_info(sent)")}:
        [ledger_id] = connection.execute("SELECT value FROM setting WHERE name = 'ledger_id'").fetchone()
        prefix = f"{ledger_id.replace('-', '')[:12].upper()}-"
        sent = connection.execute("SELECT application_ref, parts, ? || application_ref FROM sent", (prefix,)).fetchall()
        receipts = connection.execute("SELECT application_ref, part_no, status, at, sum_no, info FROM application_receipt").fetchall()
        for name in ("sent", "application_receipt"):
            connection.execute(f"DROP TABLE {name}")
        make_answer_tables(connection)
        connection.executemany("INSERT INTO sent VALUES (?, ?, ?)", sent)
        connection.executemany("INSERT INTO application_receipt VALUES (?, ?, ?, ?, ?, ?)", receipts)
    connection.execute("INSERT OR IGNORE INTO result_number SELECT summary_seq_no, value, at FROM result WHERE name = 'declaration_no'")
    connection.execute(f"CREATE INDEX IF NOT EXISTS dead_inventory ON inventory (inventory_no) WHERE {DEAD}")
    connection.execute("UPDATE receipt SET sha256 = 'v4-' || sha256 WHERE sha256 LIKE 'received:%'")


MIGRATIONS: dict[int, Callable[[SqliteConnection, Path, str], Text | None]] = {
    1: _to_version_2, 2: _to_version_3, 3: _to_version_4, 4: _to_version_5,
}  # fmt: skip
"""Version to the step that leads from it to the next."""
