"""What a person or customs changes afterwards: runs taken back, applications answered, inventories declared elsewhere or never
to be declared. Every function here belongs within one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from aggregator.domain.states import MAY_BECOME
from aggregator.ledger.errors import (
    FirstPeriodFixed,
    NoSuchAnswer,
    NotWaiting,
    RunAnswered,
    UnknownApplication,
    UnknownRun,
    VoidedBefore,
)
from aggregator.ledger.sql.chain import append_event
from aggregator.ledger.sql.connection import Connection
from aggregator.ledger.sql.orders import ANSWERED_ORDERS
from aggregator.ledger.sql.record import (
    OF_RUN,
    RunRecord,
    insert_run,
    next_run_no,
    next_run_ref,
    no_longer_waiting,
    record_rows,
)
from aggregator.ledger.sql.settle import HAND_ANSWER, customs_time, latest_known, settle
from aggregator.ledger.sql.words import LIVE
from aggregator.model.records import DISMISSED, RUN_VOIDED, State

IMPORT_PREFIX = "import"
"""Inventories declared elsewhere are a run of their own, without a folder: `import-01`, `import-02`, …"""


def void_run(connection: Connection, run_ref: str, at: str, reason: str) -> int:
    """Take a run back: its inventories are free to be declared again, and wait until they are. Out: how many they are."""
    row = connection.execute("SELECT run_no, state FROM run WHERE run_ref = ?", (run_ref,)).fetchone()
    if row is None:
        known = [ref for (ref,) in connection.execute("SELECT run_ref FROM run ORDER BY run_no DESC LIMIT 5")]
        raise UnknownRun(run_ref, known)
    run_no, state = row
    if state == RUN_VOIDED:
        raise VoidedBefore(run_ref)
    _refuse_answered(connection, run_no, run_ref)
    connection.execute("UPDATE run SET state = ? WHERE run_no = ?", (RUN_VOIDED, run_no))
    _, freed = settle(connection, {run_no}, at)
    append_event(connection, at, "void", run_ref, {"inventories": freed, "reason": reason})
    return freed


def _refuse_answered(connection: Connection, run_no: int, run_ref: str) -> None:
    """Raise RunAnswered where anything says that the run was sent."""
    answered = dict(
        connection.execute("SELECT application_ref, state FROM application WHERE run_no = ? AND state <> ? ORDER BY 1", (run_no, State.APPLIED))
    )
    for ref, status in connection.execute(
        "SELECT application_ref, max(status) FROM application JOIN application_receipt USING (application_ref) WHERE run_no = ? GROUP BY 1", (run_no,)
    ):
        answered.setdefault(ref, f"status {status}")
    for number, said in connection.execute(f"{ANSWERED_ORDERS} ORDER BY 1 LIMIT 5", {"run_no": run_no, "run_ref": run_ref}) if not answered else ():
        answered[number] = said
    in_results = f"SELECT inventory_no FROM inventory i WHERE {OF_RUN} AND EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no)"
    for (number,) in connection.execute(f"{in_results} AND {LIVE} ORDER BY 1 LIMIT 5", {"run_no": run_no}) if not answered else ():
        answered[number] = "in a result"
    if answered:
        raise RunAnswered(run_ref, answered)


def answer_application(connection: Connection, application_ref: str, answer: State, at: str, reason: str) -> int:
    """Customs' answer to an application as a whole. A refusal frees its inventories, but for those in results. Out: how many
    inventories it is about."""
    row = connection.execute(
        "SELECT run_no, application_no, application.state, run.state FROM application JOIN run USING (run_no) WHERE application_ref = ?",
        (application_ref,),
    ).fetchone()
    if row is None:
        raise UnknownApplication(application_ref)
    run_no, application_no, state, run_state = row
    is_state = State.VOIDED if run_state == RUN_VOIDED and state == State.APPLIED else State(state)
    if answer not in MAY_BECOME.get(is_state, ()):
        raise NoSuchAnswer(application_ref, is_state, answer)
    after = max(customs_time(at), latest_known(connection, run_no, application_no, application_ref))
    append_event(connection, at, HAND_ANSWER, application_ref, {"state": answer, "after": after, "reason": reason})
    changes, freed = settle(connection, {run_no}, at)
    return freed if answer is State.REFUSED else sum(each.inventories for each in changes if each.application_ref == application_ref)


def dismiss(connection: Connection, numbers: Sequence[str], at: str, reason: str) -> int:
    """Inventories that wait and are never to be declared here: a number typed wrongly and corrected since, an inventory that is
    another firm's, whether an export had it or only a message of customs. A run that sees one again takes it up again. Out:
    how many they are."""
    distinct = sorted(set(numbers))
    heard = "SELECT 1 FROM clearance WHERE inventory_no = :no UNION ALL SELECT 1 FROM result_line WHERE inventory_no = :no"
    free = f"({heard}) AND NOT EXISTS (SELECT 1 FROM inventory WHERE inventory_no = :no AND {LIVE})"
    waits = f"SELECT EXISTS (SELECT 1 FROM waiting WHERE inventory_no = :no) OR EXISTS {free}"
    absent = [number for number in distinct if connection.execute(waits, {"no": number}).fetchone() == (0,)]
    if absent:
        raise NotWaiting(absent)
    connection.executemany(
        "INSERT INTO waiting (inventory_no, cleared_period, seen_period, fate, reason, seen_in) VALUES (?, '', ?, ?, ?, '') "
        "ON CONFLICT (inventory_no) DO UPDATE SET fate = excluded.fate, reason = excluded.reason",
        ((number, customs_time(at)[:6], DISMISSED, reason) for number in distinct),
    )
    append_event(connection, at, "dismissed", "", {"inventories": distinct, "reason": reason})
    return len(distinct)


def correct_first_period(connection: Connection, first_period: str, at: str, reason: str) -> str:
    """The first period the ledger answers for, where it was set wrongly and nothing rests on it. Out: what it was, or blank."""
    [declared] = connection.execute(
        f"SELECT coalesce(sum(inventories), 0) FROM tally JOIN run USING (run_no) WHERE run.period <> '' AND tally.{LIVE}"
    ).fetchone()
    row = connection.execute("SELECT value FROM setting WHERE name = 'first_period'").fetchone()
    former = str(row[0]) if row else ""
    if declared and former != first_period:
        raise FirstPeriodFixed(former, declared)
    if former == first_period:
        return former
    connection.execute("INSERT INTO setting VALUES ('first_period', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (first_period,))
    connection.execute(
        "UPDATE waiting SET reason = trim(replace(' ' || reason || ' ', ' before_ledger ', ' ')) "
        "WHERE fate = 'excluded' AND ' ' || reason || ' ' LIKE '% before_ledger %' AND cleared_period >= ?",
        (first_period,),
    )
    append_event(connection, at, "first_period", first_period, {"former": former, "reason": reason})
    return former


def record_import(connection: Connection, at: str, file: str, sha256: str, numbers: pa.Table) -> str:
    """Inventories declared elsewhere before, as a run of their own. In: inventory_no, cleared_period of what is not declared
    here, each number once. Out: how the import is called."""
    count = numbers.num_rows
    run_no, run_ref = next_run_no(connection), next_run_ref(connection, IMPORT_PREFIX)
    blank = {"content": pa.nulls(count, pa.binary()), "late": pa.array([False] * count), "application_no": pa.array([0] * count),
             "items": pa.array([""] * count)}  # fmt: skip
    rows = record_rows(connection, run_no, State.ENTERED, [pa.table({**{n: numbers[n] for n in numbers.column_names}, **blank})])
    insert_run(connection, RunRecord(run_no, run_ref, "", "", at, "", ""), rows)
    append_event(connection, at, "import", run_ref, {"file": file, "sha256": sha256})
    no_longer_waiting(connection, rows)
    return run_ref
