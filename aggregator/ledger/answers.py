"""Fold what customs' messages say into the ledger, by business key, the latest customs time winning: in whatever order they
come, and however often, the ledger ends in the same state. Every function here belongs within one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aggregator.ledger.amend import settle_application
from aggregator.ledger.record import OF_RUN, RUN_LIVE
from aggregator.ledger.tables import State

_LATEST = "DO UPDATE SET {columns} WHERE (excluded.at, excluded.{tie}) > (at, {tie})"
_ACCEPTED = ("120", "399", "800", "899")
_REFUSED = ("4", "100")
_ORDER = {State.APPLIED: 0, State.REFUSED: 0, State.ACCEPTED: 1, State.MERGED: 2, State.ENTERED: 3}


@dataclass(frozen=True)
class ApplicationReceipt:
    """A CEB702 for a part of an application: `cop_no` is the enterprise's number of the application."""

    cop_no: str
    consignor_code: str
    part_no: int
    status: str
    at: str
    sum_no: str
    info: str


@dataclass(frozen=True)
class ResultLine:
    """Which declaration item of customs (0: not said) a line of an inventory went into."""

    inventory_no: str
    item_no: int
    customs_item_no: int
    commodity_code: str


@dataclass(frozen=True)
class Result:
    """A CEB792: one declaration of customs, or a part of it. `fields`: what is given of it (see read/answers.py), by name;
    `part_no` of `fields["parts"]`; `lines` may be empty in later messages."""

    summary_seq_no: str
    at: str
    part_no: int
    fields: dict[str, str]
    lines: tuple[ResultLine, ...]


def fold_receipt(connection: sqlite3.Connection, application_ref: str, receipt: ApplicationReceipt) -> None:
    rule = _LATEST.format(columns="status = excluded.status, at = excluded.at, sum_no = excluded.sum_no, info = excluded.info", tie="status")
    connection.execute(
        f"INSERT INTO application_receipt VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (application_ref, part_no) {rule}",
        (application_ref, receipt.part_no, receipt.status, receipt.at, receipt.sum_no, receipt.info),
    )


def fold_result(connection: sqlite3.Connection, result: Result) -> None:
    rule = _LATEST.format(columns="value = excluded.value, at = excluded.at", tie="value")
    connection.executemany(
        f"INSERT INTO result VALUES (?, ?, ?, ?) ON CONFLICT (summary_seq_no, name) {rule}",
        ((result.summary_seq_no, name, value, result.at) for name, value in result.fields.items() if value),
    )
    if result.lines:
        connection.execute("INSERT OR IGNORE INTO result_part VALUES (?, ?)", (result.summary_seq_no, result.part_no))
    rule = _LATEST.format(
        columns="customs_item_no = excluded.customs_item_no, commodity_code = excluded.commodity_code, at = excluded.at", tie="customs_item_no"
    )
    connection.executemany(
        f"INSERT INTO result_line VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (inventory_no, item_no, summary_seq_no) {rule}",
        ((line.inventory_no, line.item_no, result.summary_seq_no, line.customs_item_no, line.commodity_code, result.at) for line in result.lines),
    )


def fold_clearances(connection: sqlite3.Connection, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """Rows: inventory_no, message (CEB604, CEB606), status, at."""
    rule = _LATEST.format(columns="status = excluded.status, at = excluded.at", tie="status")
    connection.executemany(f"INSERT INTO clearance VALUES (?, ?, ?, ?) ON CONFLICT (inventory_no, message) {rule}", rows)


def is_refusal(status: str) -> bool:
    return status in _REFUSED or status.startswith("-")


def settle_applications(connection: sqlite3.Connection, at: str) -> list[tuple[str, State]]:
    """Bring every application into the state that all answers together say it is in; those that changed.

    Entered: all its inventories are in results that have their declaration numbers. Merged: all are in results. Refused: the
    latest receipts of all its parts refuse. Accepted: one of them accepts, or a part of it is in results."""
    changed = []
    query = (
        "SELECT run_no, application_no, application_ref, application.state FROM application JOIN run USING (run_no) "
        "WHERE run.state = ? ORDER BY run_no, application_no"
    )
    for run_no, application_no, ref, state in connection.execute(query, (RUN_LIVE,)).fetchall():
        receipts = connection.execute("SELECT status, at, info FROM application_receipt WHERE application_ref = ? ORDER BY part_no", (ref,)).fetchall()
        says, reason = _state_of(connection, run_no, application_no, ref, receipts)
        if says is None or says == state or (says != State.REFUSED and _ORDER[State(state)] > _ORDER[says]):
            # What a person has entered by hand may be further than the messages that came.
            continue
        if settle_application(connection, run_no, application_no, ref, says, at, reason):
            changed.append((ref, says))
    return changed


def _state_of(
    connection: sqlite3.Connection, run_no: int, application_no: int, ref: str, receipts: Sequence[tuple[str, str, str]]
) -> tuple[State | None, str]:
    [inventories, merged, entered] = connection.execute(
        "SELECT count(*), coalesce(sum(seen), 0), coalesce(sum(seen AND entered), 0) FROM (SELECT "
        "EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no) AS seen, "
        "NOT EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no AND NOT EXISTS "
        "(SELECT 1 FROM result r WHERE r.summary_seq_no = l.summary_seq_no AND r.name = 'declaration_no')) AS entered "
        f"FROM inventory i WHERE {OF_RUN} AND i.application_no = :application_no AND state <> '{State.VOIDED}')",
        {"run_no": run_no, "application_no": application_no},
    ).fetchone()
    refusals = [info or status for status, _, info in receipts if is_refusal(status)]
    if merged and not (refusals and len(refusals) == len(receipts)):
        if entered == inventories:
            return State.ENTERED, ""
        return (State.MERGED if merged == inventories else State.ACCEPTED), ""
    row = connection.execute("SELECT parts FROM sent WHERE application_ref = ?", (ref,)).fetchone()
    if refusals and len(refusals) >= (row[0] if row else 1) and len(refusals) == len(receipts):
        return State.REFUSED, refusals[0]
    if any(status in _ACCEPTED for status, _, _ in receipts):
        return State.ACCEPTED, ""
    return None, ""
