"""What a run writes to the ledger. Every function here belongs within one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from aggregator.ledger.chain import DIGESTED, RowDigest
from aggregator.ledger.sql.chain import append_event
from aggregator.ledger.sql.connection import Connection, rows_of
from aggregator.ledger.sql.words import LIVE
from aggregator.model.answers import Sent
from aggregator.model.names import told
from aggregator.model.records import FIRST_MODE, RUN_LIVE, RecordedRows, State, application_ref
from aggregator.model.remote import AnyPath

OF_RUN_REF = "declaration_ref BETWEEN :run_ref || '-' AND :run_ref || '-~'"
"""Declarations of a run, by the order they are kept in."""
OF_RUN = (
    "inventory_id BETWEEN (SELECT first_inventory_id FROM run WHERE run_no = :run_no) "
    "AND (SELECT last_inventory_id FROM run WHERE run_no = :run_no)"
)
"""Inventories of a run: they stand together."""
HOME = "home"
"""The setting of a ledger that was a file elsewhere before: the folder of that."""
RECEIVED = "received:"
"""Before the hash of a file that was received, and not only used by a run."""
SEEN_AGAIN = (
    "ON CONFLICT (inventory_no) DO UPDATE SET cleared_period = excluded.cleared_period, seen_period = excluded.seen_period, "
    "fate = excluded.fate, reason = excluded.reason, seen_in = excluded.seen_in"
)
"""Of what waits the last that was seen of it counts."""
_NOT_NOW = "('later_period', 'late_held')"
_OPEN = f"(waiting.fate IN ('rejected', '{State.VOIDED}', '{State.REFUSED}') OR waiting.reason IN {_NOT_NOW})"
_OF_ANOTHER_PERIOD = f"(waiting.seen_period <> excluded.seen_period AND {_OPEN})"
_KNOWN_LONGER = "waiting.cleared_period <> '' AND (excluded.cleared_period = '' OR waiting.cleared_period < excluded.cleared_period)"
_SEEN_BY_A_RUN = f"""ON CONFLICT (inventory_no) DO UPDATE SET
    cleared_period = CASE WHEN {_OF_ANOTHER_PERIOD} AND {_KNOWN_LONGER} THEN waiting.cleared_period ELSE excluded.cleared_period END,
    seen_period = CASE WHEN {_OF_ANOTHER_PERIOD} THEN waiting.seen_period ELSE excluded.seen_period END,
    fate = excluded.fate, reason = excluded.reason, seen_in = excluded.seen_in
WHERE NOT ({_OF_ANOTHER_PERIOD} AND excluded.fate = 'excluded' AND (
    (waiting.fate <> 'excluded' AND excluded.reason IN {_NOT_NOW})
    OR (waiting.cleared_period <> '' AND excluded.reason = 'not_cleared')))"""
"""So it does of what a run sees, but for one thing: what is to be declared by one period's deadline is not hidden by a run of
another, which has it as not its own, or lacks the receipts or the date by which it was known to be cleared."""
TALLY = pa.schema(
    [("application_no", pa.int64()), ("cleared_period", pa.string()), ("late", pa.bool_()), ("state", pa.string()), ("inventories", pa.int64())]
)


MODE = "mode"
"""The event that says which customs mode a run is of; a run without one is of the first."""


@dataclass(frozen=True)
class RunRecord:
    """A run as it is recorded. `folder`: see `relative_folder`; `period`: yyyymm."""

    run_no: int
    run_ref: str
    period: str
    folder: str
    recorded_at: str
    manifest_sha256: str
    rejections_sha256: str
    mode: str = FIRST_MODE


def relative_folder(home: Path | None, folder: AnyPath) -> str:
    """A run folder as the ledger keeps it: relative to the ledger's own folder where it lies below it, so that both can be
    moved together."""
    if not isinstance(folder, Path):
        return str(folder)
    folder = folder.resolve()
    return told(folder.relative_to(home).as_posix() if home is not None and folder.is_relative_to(home) else folder)


def next_run_no(connection: Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(run_no), 0) + 1 FROM run").fetchone()[0])


def next_run_ref(connection: Connection, prefix: str) -> str:
    """`202610-01`, `-02`, …: a number is never used again, not even that of a voided run."""
    refs = [row[0] for row in connection.execute("SELECT run_ref FROM run WHERE run_ref LIKE ?", (f"{prefix}-%",))]
    return f"{prefix}-{max((int(ref.split('-')[1]) for ref in refs), default=0) + 1:02d}"


def record_rows(connection: Connection, run_no: int, state: State, tables: Iterable[pa.Table]) -> RecordedRows:
    """The inventories a run declares. Tables: inventory_no, content, cleared_period, late, application_no, items."""
    counts = [TALLY.empty_table()]
    first = int(connection.execute("SELECT coalesce(max(inventory_id), 0) + 1 FROM inventory").fetchone()[0])
    last, digest = first - 1, RowDigest()
    for table in tables:
        digest.add(table)
        connection.insert_inventories(last + 1, table.select(DIGESTED), {"run_no": run_no, "state": str(state)})
        counts.append(_counted(table, state))
        last += table.num_rows
    tally = pa.concat_tables(counts).group_by(TALLY.names[:-1], use_threads=False).aggregate([("inventories", "sum")])
    return RecordedRows(first, last, digest.hexdigest(), tally)


def _counted(table: pa.Table, state: State) -> pa.Table:
    keys = ["application_no", "cleared_period", "late"]
    counted = table.group_by(keys, use_threads=False).aggregate([("late", "count")])
    columns = [*(counted[name] for name in keys), pa.array([str(state)] * counted.num_rows, pa.string()), counted["late_count"]]
    return pa.table(columns, names=TALLY.names).cast(TALLY)


def record_waiting(connection: Connection, seen_in: str, seen_period: str, tables: Iterable[pa.Table]) -> None:
    """What was seen and not declared. Tables: inventory_no, cleared_period, fate, reason."""
    for table in tables:
        rows = table.select(("inventory_no", "cleared_period", "fate", "reason"))
        connection.insert("waiting", rows, {"seen_period": seen_period, "seen_in": seen_in}, _SEEN_BY_A_RUN)


def record_first_period(connection: Connection, first_period: str, at: str) -> None:
    if connection.execute("INSERT INTO setting VALUES ('first_period', ?) ON CONFLICT DO NOTHING", (first_period,)).rowcount:
        append_event(connection, at, "first_period", first_period, {})


def record_cancelled(connection: Connection, run_ref: str, at: str, numbers: Sequence[str]) -> None:
    """Declared inventories that customs has since cancelled or sent back, told in this run (or in this period's)."""
    if numbers:
        connection.executemany(f"UPDATE inventory SET cancelled = ? WHERE inventory_no = ? AND {LIVE}", ((run_ref, n) for n in numbers))
        digest = hashlib.sha256("\n".join(sorted(numbers)).encode()).hexdigest()
        append_event(connection, at, "cancelled", run_ref, {"inventories": len(numbers), "sha256": digest})


def record_sent(connection: Connection, sent: Iterable[Sent]) -> None:
    connection.executemany("INSERT INTO sent (application_ref, parts, cop_no) VALUES (?, ?, ?)", sent)


def record_receipts(connection: Connection, at: str, receipts: Iterable[tuple[str, str]]) -> None:
    """Files of customs' answers that were used: (SHA-256, name)."""
    connection.executemany("INSERT INTO receipt VALUES (?, ?, ?) ON CONFLICT DO NOTHING", ((sha, name, at) for sha, name in receipts))


def record_run(
    connection: Connection, run: RunRecord, rows: RecordedRows, applications: pa.Table, declarations: pa.Table
) -> None:
    """The run itself. The end of its transaction is the moment of declaring.

    Applications: application_no, declaring_customs_code, declarant_code, consignor_code, premises_code. Declarations:
    declaration_ref, application_no, item_count, inventory_count.
    """
    keys = ("application_no", "declaring_customs_code", "declarant_code", "consignor_code", "premises_code")
    connection.executemany(
        f"INSERT INTO application VALUES ({run.run_no}, ?, ?, ?, ?, ?, ?, '{State.APPLIED}', '', '')",
        (
            (number, application_ref(run.run_ref, int(str(number))), *key)
            for number, *key in rows_of(applications, keys)
        ),
    )
    connection.executemany(
        f"INSERT INTO declaration (declaration_ref, run_no, application_no, item_count, inventory_count) VALUES (?, {run.run_no}, ?, ?, ?)",
        rows_of(declarations, ("declaration_ref", "application_no", "item_count", "inventory_count")),
    )
    insert_run(connection, run, rows)
    no_longer_waiting(connection, rows)


def no_longer_waiting(connection: Connection, rows: RecordedRows) -> None:
    """What was declared waits no longer; looked up from the side that has fewer."""
    [waiting] = connection.execute("SELECT count(*) FROM waiting").fetchone()
    of_run = "SELECT inventory_no FROM inventory WHERE inventory_id BETWEEN ? AND ?"
    if waiting > rows.last_id - rows.first_id:
        connection.execute(f"DELETE FROM waiting WHERE inventory_no IN ({of_run})", (rows.first_id, rows.last_id))
    elif waiting:
        declared = f"{of_run} AND inventory.inventory_no = waiting.inventory_no AND {LIVE}"
        connection.execute(f"DELETE FROM waiting WHERE EXISTS ({declared})", (rows.first_id, rows.last_id))


def insert_run(connection: Connection, run: RunRecord, rows: RecordedRows) -> None:
    connection.execute(
        "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (run.run_no, run.run_ref, run.period, RUN_LIVE, run.folder, run.recorded_at, run.manifest_sha256, run.rejections_sha256,
         rows.first_id, rows.last_id, rows.sha256),
    )  # fmt: skip
    connection.executemany(f"INSERT INTO tally VALUES ({run.run_no}, ?, ?, ?, ?, ?)", rows_of(rows.tally, tuple(rows.tally.column_names)))
    append_event(connection, run.recorded_at, "run", run.run_ref, run_detail(connection, run.run_no))
    if run.mode != FIRST_MODE:
        append_event(connection, run.recorded_at, MODE, run.run_ref, {"mode": run.mode})


def run_detail(connection: Connection, run_no: int) -> dict[str, object]:
    """What of a run never changes once it is recorded, as its event holds it."""
    names = ("run_no", "period", "folder", "manifest_sha256", "rejections_sha256", "first_inventory_id", "last_inventory_id",
             "inventories_sha256")  # fmt: skip
    run_ref, *row = connection.execute(f"SELECT run_ref, {', '.join(names)} FROM run WHERE run_no = ?", (run_no,)).fetchone()
    parts = hashlib.sha256()
    for query in (
        "SELECT application_no, application_ref, declaring_customs_code, declarant_code, consignor_code, premises_code "
        "FROM application WHERE run_no = :run_no ORDER BY application_no",
        "SELECT declaration_ref, application_no, item_count, inventory_count FROM declaration "
        f"WHERE {OF_RUN_REF} ORDER BY declaration_ref",
    ):
        for part in connection.execute(query, {"run_no": run_no, "run_ref": run_ref}):
            parts.update(json.dumps(part).encode())
    return dict(zip(names, row, strict=True)) | {"declarations_sha256": parts.hexdigest()}


def settle_tally(connection: Connection, run_no: int) -> None:
    """Count the inventories of a run anew, by state."""
    connection.execute("DELETE FROM tally WHERE run_no = ?", (run_no,))
    connection.execute(
        "INSERT INTO tally SELECT run_no, application_no, cleared_period, late, state, count(*) FROM inventory "
        f"WHERE {OF_RUN} GROUP BY 1, 2, 3, 4, 5",
        {"run_no": run_no},
    )
