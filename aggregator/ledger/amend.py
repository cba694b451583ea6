"""What a person or customs changes afterwards: runs taken back, applications answered, inventories declared elsewhere or never
to be declared. Every function here belongs within one transaction."""

from __future__ import annotations

import sqlite3

import pyarrow as pa

from aggregator.errors import WrongConfiguration, WrongUsage
from aggregator.ledger.chain import append_event
from aggregator.ledger.record import (
    OF_RUN,
    RUN_VOIDED,
    SEEN_AGAIN,
    RunRecord,
    insert_run,
    next_run_no,
    next_run_ref,
    no_longer_waiting,
    record_rows,
    settle_tally,
)
from aggregator.ledger.tables import LIVE, State

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
            f"UPDATE inventory SET state = :state WHERE {OF_RUN} AND application_no = :application_no AND {LIVE}",
            {"state": answer, "application_no": application_no, "run_no": run_no},
        ).rowcount
        settle_tally(connection, run_no)
    append_event(connection, at, "answer", application_ref, {"state": answer, "inventories": changed, "reason": reason})
    return changed


def settle_application(
    connection: sqlite3.Connection, run_no: int, application_no: int, application_ref: str, state: State, at: str, reason: str
) -> bool:
    """Bring an application and its inventories into a state, whatever state they were in. False where its inventories were
    refused, and are declared again elsewhere since: then nothing is changed."""
    values = {"run_no": run_no, "application_no": application_no, "state": state}
    mine = f"{OF_RUN} AND application_no = :application_no"
    if state == State.REFUSED:
        changed = _free(connection, run_no, application_no, state, application_ref)
    else:
        taken = f"SELECT 1 FROM inventory i WHERE {mine} AND i.state = '{State.REFUSED}' AND EXISTS ("
        taken += f"SELECT 1 FROM inventory j WHERE j.inventory_no = i.inventory_no AND j.inventory_id <> i.inventory_id AND j.{LIVE}) LIMIT 1"
        if connection.execute(taken, values).fetchone() is not None:
            return False
        changed = connection.execute(f"UPDATE inventory SET state = :state WHERE {mine} AND state <> '{State.VOIDED}'", values).rowcount
        connection.execute(f"DELETE FROM waiting WHERE inventory_no IN (SELECT inventory_no FROM inventory WHERE {mine})", values)
        settle_tally(connection, run_no)
    connection.execute(
        "UPDATE application SET state = ?, answered_at = ?, reason = ? WHERE run_no = ? AND application_no = ?",
        (state, at, reason, run_no, application_no),
    )
    append_event(connection, at, "answer", application_ref, {"state": state, "inventories": changed, "reason": reason})
    return True


_SEEN_PERIOD = (
    "(SELECT CASE period WHEN '' THEN replace(substr(recorded_at, 1, 7), '-', '') ELSE period END FROM run WHERE run_no = :run_no)"
)
"""The period a run was for; for an import the month it was made in."""


def _free(connection: sqlite3.Connection, run_no: int, application_no: int | None, state: State, seen_in: str) -> int:
    """Live inventories of a run (or of one of its applications) are declared no longer: they wait, unless customs has
    cancelled them."""
    which = f"{OF_RUN} AND {LIVE}" + ("" if application_no is None else " AND application_no = :application_no")
    values = {"run_no": run_no, "application_no": application_no, "state": state, "seen_in": seen_in}
    connection.execute(
        "INSERT INTO waiting (inventory_no, cleared_period, seen_period, fate, reason, seen_in) "
        f"SELECT inventory_no, cleared_period, {_SEEN_PERIOD}, CASE cancelled WHEN '' THEN :state ELSE 'excluded' END, "
        f"CASE cancelled WHEN '' THEN '' ELSE 'cancelled' END, :seen_in FROM inventory WHERE {which} {SEEN_AGAIN}",
        values,
    )
    freed = connection.execute(f"UPDATE inventory SET state = :state WHERE {which}", values).rowcount
    settle_tally(connection, run_no)
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
    no_longer_waiting(connection, rows)
    return run_ref
