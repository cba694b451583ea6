"""What is written to the ledger. Every function here belongs within one transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from aggregator.errors import OurFault, WrongConfiguration, WrongUsage
from aggregator.ledger.chain import RowDigest, append_event
from aggregator.ledger.tables import LIVE, State

RUN_LIVE, RUN_VOIDED = "live", "voided"
DISMISSED = "dismissed"
"""The fate of what waited and of which a person said that it is never to be declared here."""
IMPORT_PREFIX = "import"
"""Inventories declared elsewhere are a run of their own, without a folder: `import-01`, `import-02`, …"""

ANSWERS: dict[State, tuple[State, ...]] = {
    State.APPLIED: (State.ACCEPTED, State.REFUSED),
    State.ACCEPTED: (State.MERGED, State.REFUSED),
    State.MERGED: (State.ENTERED,),
}
"""Which state customs' answer can bring an application into, from the one it is in."""


OF_RUN_REF = "declaration_ref BETWEEN :run_ref || '-' AND :run_ref || '-~'"
"""Declarations of a run, by the order they are kept in."""
_OF_RUN = (
    "inventory_id BETWEEN (SELECT first_inventory_id FROM run WHERE run_no = :run_no) "
    "AND (SELECT last_inventory_id FROM run WHERE run_no = :run_no)"
)


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


@dataclass(frozen=True)
class Rows:
    """The inventories of a run as they were recorded: their ids, one hash over them (chain.RowDigest), and how many stand
    in which state (columns of the table tally, but for the run)."""

    first_id: int
    last_id: int
    sha256: str
    tally: pa.Table


def relative_folder(ledger: Path, folder: Path) -> str:
    """A run folder as the ledger keeps it: relative to the ledger's own folder where it lies below it, so that both can be
    moved together."""
    home, folder = ledger.resolve().parent, folder.resolve()
    return folder.relative_to(home).as_posix() if folder.is_relative_to(home) else str(folder)


TALLY = pa.schema(
    [("application_no", pa.int64()), ("cleared_period", pa.string()), ("late", pa.bool_()), ("state", pa.string()), ("inventories", pa.int64())]
)


def next_run_no(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(run_no), 0) + 1 FROM run").fetchone()[0])


def next_run_ref(connection: sqlite3.Connection, prefix: str) -> str:
    """`202610-01`, `-02`, …: a number is never used again, not even that of a voided run."""
    refs = [row[0] for row in connection.execute("SELECT run_ref FROM run WHERE run_ref LIKE ?", (f"{prefix}-%",))]
    return f"{prefix}-{max((int(ref.split('-')[1]) for ref in refs), default=0) + 1:02d}"


def record_rows(connection: sqlite3.Connection, run_no: int, state: State, tables: Iterable[pa.Table]) -> Rows:
    """The inventories a run declares. Tables: inventory_no, content, cleared_period, late, application_no, items."""
    counts = [TALLY.empty_table()]
    first = int(connection.execute("SELECT coalesce(max(inventory_id), 0) + 1 FROM inventory").fetchone()[0])
    last, digest = first - 1, RowDigest()
    columns = ("inventory_no", "content", "cleared_period", "late", "application_no", "items")
    try:
        for table in tables:
            digest.add(table)
            connection.executemany(
                "INSERT INTO inventory (inventory_no, content, cleared_period, late, application_no, items, run_no, state) "
                f"VALUES (?, ?, ?, ?, ?, ?, {run_no}, '{state}')",
                _rows(table, columns),
            )
            counts.append(_counted(table, state))
            last += table.num_rows
    except sqlite3.IntegrityError as error:
        raise OurFault(
            f"an inventory would be declared twice ({error}); nothing was published. Report this.",
            f"有清单将被重复申报（{error}）；未发布任何内容。请报告此错误。",
        ) from None
    tally = pa.concat_tables(counts).group_by(TALLY.names[:-1], use_threads=False).aggregate([("inventories", "sum")])
    return Rows(first, last, digest.hexdigest(), tally)


def _counted(table: pa.Table, state: State) -> pa.Table:
    keys = ["application_no", "cleared_period", "late"]
    counted = table.group_by(keys, use_threads=False).aggregate([("late", "count")])
    columns = [*(counted[name] for name in keys), pa.array([str(state)] * counted.num_rows, pa.string()), counted["late_count"]]
    return pa.table(columns, names=TALLY.names).cast(TALLY)


def record_waiting(connection: sqlite3.Connection, seen_in: str, seen_period: str, tables: Iterable[pa.Table]) -> None:
    """What was seen and not declared. Tables: inventory_no, cleared_period, fate, reason."""
    for table in tables:
        connection.executemany(
            "INSERT INTO waiting (inventory_no, cleared_period, fate, reason, seen_period, seen_in) "
            f"VALUES (?, ?, ?, ?, '{seen_period}', '{seen_in}') ON CONFLICT (inventory_no) DO UPDATE SET "
            "cleared_period = excluded.cleared_period, fate = excluded.fate, reason = excluded.reason, "
            "seen_period = excluded.seen_period, seen_in = excluded.seen_in",
            _rows(table, ("inventory_no", "cleared_period", "fate", "reason")),
        )


def record_first_period(connection: sqlite3.Connection, first_period: str, at: str) -> None:
    if connection.execute("INSERT OR IGNORE INTO setting VALUES ('first_period', ?)", (first_period,)).rowcount:
        append_event(connection, at, "first_period", first_period, {})


def record_cancelled(connection: sqlite3.Connection, run_ref: str, at: str, numbers: Sequence[str]) -> None:
    """Declared inventories that customs has since cancelled or sent back, told in this run (or in this period's)."""
    if numbers:
        connection.executemany(f"UPDATE inventory SET cancelled = ? WHERE inventory_no = ? AND {LIVE}", ((run_ref, n) for n in numbers))
        digest = hashlib.sha256("\n".join(sorted(numbers)).encode()).hexdigest()
        append_event(connection, at, "cancelled", run_ref, {"inventories": len(numbers), "sha256": digest})


def record_receipts(connection: sqlite3.Connection, at: str, receipts: Iterable[tuple[str, str]]) -> None:
    """Files of customs' answers that were used: (SHA-256, name)."""
    connection.executemany("INSERT OR IGNORE INTO receipt VALUES (?, ?, ?)", ((sha, name, at) for sha, name in receipts))


def record_run(
    connection: sqlite3.Connection, run: RunRecord, rows: Rows, applications: pa.Table, declarations: pa.Table
) -> None:
    """The run itself. The end of its transaction is the moment of declaring.

    Applications: application_no, declaring_customs_code, declarant_code, consignor_code, premises_code. Declarations:
    declaration_ref, application_no, item_count, inventory_count.
    """
    keys = ("application_no", "declaring_customs_code", "declarant_code", "consignor_code", "premises_code")
    connection.executemany(
        f"INSERT INTO application VALUES ({run.run_no}, ?, ?, ?, ?, ?, ?, '{State.APPLIED}', '', '')",
        (
            (number, f"{run.run_ref}-A{number:03d}", *key)
            for number, *key in _rows(applications, keys)
        ),
    )
    connection.executemany(
        f"INSERT INTO declaration (declaration_ref, run_no, application_no, item_count, inventory_count) VALUES (?, {run.run_no}, ?, ?, ?)",
        _rows(declarations, ("declaration_ref", "application_no", "item_count", "inventory_count")),
    )
    insert_run(connection, run, rows)
    _no_longer_waiting(connection, rows)


def record_import(connection: sqlite3.Connection, at: str, file: str, sha256: str, numbers: pa.Table) -> str:
    """Inventories declared elsewhere before, as a run of their own. In: inventory_no, cleared_period of what is not declared
    here, each number once. Out: how the import is called."""
    count = numbers.num_rows
    run_no, run_ref = next_run_no(connection), next_run_ref(connection, IMPORT_PREFIX)
    blank = {"content": pa.nulls(count, pa.binary()), "late": pa.array([False] * count), "application_no": pa.array([0] * count),
             "items": pa.array([""] * count)}  # fmt: skip
    rows = record_rows(connection, run_no, State.ENTERED, [pa.table({**{n: numbers[n] for n in numbers.column_names}, **blank})])
    insert_run(connection, RunRecord(run_no, run_ref, "", "", at, "", ""), rows)
    append_event(connection, at, "import", run_ref, {"file": file, "sha256": sha256})
    _no_longer_waiting(connection, rows)
    return run_ref


def _no_longer_waiting(connection: sqlite3.Connection, rows: Rows) -> None:
    """What was declared waits no longer; looked up from the side that has fewer."""
    [waiting] = connection.execute("SELECT count(*) FROM waiting").fetchone()
    of_run = "SELECT inventory_no FROM inventory WHERE inventory_id BETWEEN ? AND ?"
    if waiting > rows.last_id - rows.first_id:
        connection.execute(f"DELETE FROM waiting WHERE inventory_no IN ({of_run})", (rows.first_id, rows.last_id))
    elif waiting:
        declared = f"{of_run} AND inventory.inventory_no = waiting.inventory_no AND {LIVE}"
        connection.execute(f"DELETE FROM waiting WHERE EXISTS ({declared})", (rows.first_id, rows.last_id))


def insert_run(connection: sqlite3.Connection, run: RunRecord, rows: Rows) -> None:
    connection.execute(
        "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (run.run_no, run.run_ref, run.period, RUN_LIVE, run.folder, run.recorded_at, run.manifest_sha256, run.rejections_sha256,
         rows.first_id, rows.last_id, rows.sha256),
    )  # fmt: skip
    connection.executemany(f"INSERT INTO tally VALUES ({run.run_no}, ?, ?, ?, ?, ?)", _rows(rows.tally, tuple(rows.tally.column_names)))
    append_event(connection, run.recorded_at, "run", run.run_ref, run_detail(connection, run.run_no))


def run_detail(connection: sqlite3.Connection, run_no: int) -> dict[str, object]:
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


def settle_tally(connection: sqlite3.Connection, run_no: int) -> None:
    """Count the inventories of a run anew, by state."""
    connection.execute("DELETE FROM tally WHERE run_no = ?", (run_no,))
    connection.execute(
        "INSERT INTO tally SELECT run_no, application_no, cleared_period, late, state, count(*) FROM inventory "
        "WHERE inventory_id BETWEEN (SELECT first_inventory_id FROM run WHERE run_no = ?1) "
        "AND (SELECT last_inventory_id FROM run WHERE run_no = ?1) GROUP BY 1, 2, 3, 4, 5",
        (run_no,),
    )


def void_run(connection: sqlite3.Connection, run_ref: str, at: str, reason: str) -> int:
    """Take a run back: its inventories are free to be declared again, and wait until they are. Out: how many they are."""
    row = connection.execute("SELECT run_no, state FROM run WHERE run_ref = ?", (run_ref,)).fetchone()
    if row is None:
        known = [ref for (ref,) in connection.execute("SELECT run_ref FROM run ORDER BY run_no DESC LIMIT 5")]
        raise WrongUsage(
            f"The ledger has no run {run_ref}. Nothing was changed. Its last runs: {', '.join(known) or 'none'}.",
            f"台账中没有批次 {run_ref}。未作任何更改。最近的批次：{', '.join(known) or '无'}。",
        )
    run_no, state = row
    if state == RUN_VOIDED:
        raise WrongConfiguration(
            f"The run {run_ref} was voided before. Nothing was changed.", f"批次 {run_ref} 此前已作废。未作任何更改。"
        )
    answered = connection.execute(
        "SELECT application_ref, state FROM application WHERE run_no = ? AND state <> ? ORDER BY 1", (run_no, State.APPLIED)
    ).fetchall()
    if answered:
        listed = ", ".join(f"{ref} ({answer})" for ref, answer in answered[:5])
        raise WrongConfiguration(
            f"The run {run_ref} cannot be voided: customs has answered its applications {listed}. Nothing was changed. What "
            "customs refused is free to be declared again without it; what it accepted is changed by amending the declaration.",
            f"批次 {run_ref} 不能作废：海关已答复其汇总申请单 {listed}。未作任何更改。海关退回的清单无需作废即可重新申报；已受理的须通过修改报关单更正。",
        )
    connection.execute("UPDATE run SET state = ? WHERE run_no = ?", (RUN_VOIDED, run_no))
    freed = _free(connection, run_no, None, State.VOIDED, run_ref)
    append_event(connection, at, "void", run_ref, {"inventories": freed, "reason": reason})
    return freed


def dismiss(connection: sqlite3.Connection, numbers: list[str], at: str, reason: str) -> int:
    """Inventories that wait and are never to be declared here: a number typed wrongly and mended since, a list that is
    another firm's. A run that sees one again takes it up again. Out: how many they are."""
    distinct = sorted(set(numbers))
    absent = [n for n in distinct if connection.execute("SELECT 1 FROM waiting WHERE inventory_no = ?", (n,)).fetchone() is None]
    if absent:
        listed = ", ".join(absent[:5])
        raise WrongUsage(
            f"The ledger has no inventory {listed} among those that wait. Nothing was changed. 'aggregator status' lists them.",
            f"台账的待申报清单中没有 {listed}。未作任何更改。请运行 aggregator status 查看。",
        )
    connection.executemany(
        "UPDATE waiting SET fate = ?, reason = ? WHERE inventory_no = ?", ((DISMISSED, reason, number) for number in distinct)
    )
    append_event(connection, at, "dismissed", "", {"inventories": distinct, "reason": reason})
    return len(distinct)


def answer_application(connection: sqlite3.Connection, application_ref: str, answer: State, at: str, reason: str) -> int:
    """Customs' answer to an application as a whole. A refusal frees its inventories. Out: how many inventories it is about."""
    row = connection.execute(
        "SELECT run_no, application_no, application.state, run.state FROM application JOIN run USING (run_no) WHERE application_ref = ?",
        (application_ref,),
    ).fetchone()
    if row is None:
        raise WrongUsage(
            f"The ledger has no application {application_ref}. Nothing was changed. 'aggregator ledger show' lists all applications.",
            f"台账中没有汇总申请单 {application_ref}。未作任何更改。请运行 aggregator ledger show 查看。",
        )
    run_no, application_no, state, run_state = row
    if run_state == RUN_VOIDED or answer not in ANSWERS.get(State(state), ()):
        is_state = State.VOIDED if run_state == RUN_VOIDED else state
        raise WrongConfiguration(
            f"The application {application_ref} is {is_state} and cannot become {answer}. Nothing was changed. "
            "'aggregator ledger show' lists all applications.",
            f"汇总申请单 {application_ref} 的状态为 {is_state}，不能变为 {answer}。未作任何更改。请运行 aggregator ledger show 查看。",
        )
    connection.execute(
        "UPDATE application SET state = ?, answered_at = ?, reason = ? WHERE run_no = ? AND application_no = ?",
        (answer, at, reason, run_no, application_no),
    )
    if answer == State.REFUSED:
        changed = _free(connection, run_no, application_no, answer, application_ref)
    else:
        changed = connection.execute(
            f"UPDATE inventory SET state = :state WHERE {_OF_RUN} AND application_no = :application_no AND {LIVE}",
            {"state": answer, "application_no": application_no, "run_no": run_no},
        ).rowcount
        settle_tally(connection, run_no)
    append_event(connection, at, "answer", application_ref, {"state": answer, "inventories": changed, "reason": reason})
    return changed


_SEEN_PERIOD = (
    "(SELECT CASE period WHEN '' THEN replace(substr(recorded_at, 1, 7), '-', '') ELSE period END FROM run WHERE run_no = :run_no)"
)
"""The period a run was for; for an import the month it was made in."""


def _free(connection: sqlite3.Connection, run_no: int, application_no: int | None, state: State, seen_in: str) -> int:
    """Live inventories of a run (or of one of its applications) are declared no longer: they wait, unless customs has
    cancelled them."""
    which = f"{_OF_RUN} AND {LIVE}" + ("" if application_no is None else " AND application_no = :application_no")
    values = {"run_no": run_no, "application_no": application_no, "state": state, "seen_in": seen_in}
    connection.execute(
        "INSERT INTO waiting (inventory_no, cleared_period, seen_period, fate, reason, seen_in) "
        f"SELECT inventory_no, cleared_period, {_SEEN_PERIOD}, CASE cancelled WHEN '' THEN :state ELSE 'excluded' END, "
        f"CASE cancelled WHEN '' THEN '' ELSE 'cancelled' END, :seen_in FROM inventory WHERE {which} "
        "ON CONFLICT (inventory_no) DO UPDATE SET cleared_period = excluded.cleared_period, seen_period = excluded.seen_period, "
        "fate = excluded.fate, reason = excluded.reason, seen_in = excluded.seen_in",
        values,
    )
    freed = connection.execute(f"UPDATE inventory SET state = :state WHERE {which}", values).rowcount
    settle_tally(connection, run_no)
    return freed


def _rows(table: pa.Table, columns: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    for batch in table.select(columns).to_batches(max_chunksize=65_536):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
