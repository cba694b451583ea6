"""Bring the ledger into the state that all it knows together say it is in: read the facts, ask `states`, write what differs.

Runs that share no inventory say nothing of one another: what is read is the runs something was said of, and those they share
inventories with. Every function here belongs within one transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.states import (
    APPLIED,
    RANK,
    VOIDED,
    Application,
    Entry,
    Ints,
    Mask,
    Receipt,
    Rows,
    said,
    settled,
)
from aggregator.ledger.sql.chain import append_event
from aggregator.ledger.sql.connection import Connection, fetched
from aggregator.ledger.sql.record import OF_RUN, SEEN_AGAIN, settle_tally
from aggregator.ledger.sql.words import DEAD, LIVE
from aggregator.model.answers import Change
from aggregator.model.records import RUN_VOIDED, State
from aggregator.schemas.modes.m9610.messages import Says
from aggregator.schemas.patterns import CHINA

HAND_ANSWER = "hand_answer"
"""The event of what a person entered as customs' answer; the events `answer` are what came of it, or of messages."""
_ROWS = pa.schema(
    [("id", pa.int64()), ("inventory_no", pa.string()), ("application_no", pa.int64()), ("state", pa.string()),
     ("seen", pa.int64()), ("numbered", pa.int64()), ("at", pa.string())]
)  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """Applications in the order of the runs, with their keys; and the rows they declared."""

    keys: list[tuple[int, int]]
    applications: list[Application]
    former: list[str]
    ids: Ints
    states: Ints
    rows: Rows


def settle(connection: Connection, runs: Iterable[int] | None, at: str) -> tuple[list[Change], int]:
    """Out: what changed, and how many inventories became free. `runs`: those of which something new is known; None: all."""
    related = _related(connection, set(runs)) if runs is not None else [no for (no,) in connection.execute("SELECT run_no FROM run ORDER BY 1")]
    if not related:
        return [], 0
    known = _known(connection, related)
    now = settled(known.applications, known.rows)
    changed = now.rows != known.states
    freed = _write_rows(connection, known, now.rows, changed)
    for run_no in sorted({known.keys[index][0] for index in known.rows.application[changed]}):
        settle_tally(connection, run_no)
    counts = np.bincount(known.rows.application[changed], minlength=len(known.keys))
    return list(_write_applications(connection, known, now.applications, counts, at)), freed


def latest_known(connection: Connection, run_no: int, application_no: int, application_ref: str) -> str:
    """The latest time that anything was said of an application, blank where nothing was."""
    query = (
        "SELECT max(at) FROM (SELECT at FROM application_receipt WHERE application_ref = :ref UNION ALL "
        "SELECT CASE WHEN l.at > r.at THEN l.at ELSE r.at END "
        f"FROM inventory i CROSS JOIN result_line l USING (inventory_no) JOIN result r USING (summary_seq_no) WHERE i.{OF_RUN} AND i.application_no = :no) AS said"
    )
    [latest] = connection.execute(query, {"ref": application_ref, "run_no": run_no, "no": application_no}).fetchone()
    return latest or ""


def customs_time(at: str) -> str:
    """A time as the ledger records it, as customs writes it: 17 digits of China time."""
    return datetime.fromisoformat(at).astimezone(CHINA).strftime("%Y%m%d%H%M%S000")


def entered_by_hand(connection: Connection) -> list[tuple[str, State, str, str]]:
    """Answers of a ledger that did not tell a person's from customs': those that what customs said does not account for."""
    known = _known(connection, [no for (no,) in connection.execute("SELECT run_no FROM run ORDER BY 1")])
    found = []
    for application, former, rank in zip(known.applications, known.former, settled(known.applications, known.rows).applications.tolist(), strict=True):
        refused = any(each.says in (Says.REFUSED, Says.HELD) for each in application.receipts)
        further = former != State.REFUSED and bool(former) and RANK.index(State(former)) > max(rank, APPLIED)
        if further or (former == State.REFUSED and not refused):
            found.append(application.application_ref)
    query = "SELECT application_ref, state, answered_at, reason FROM application WHERE application_ref = ?"
    return [(ref, State(state), answered_at, reason) for ref in found for ref, state, answered_at, reason in connection.execute(query, (ref,))]


def _related(connection: Connection, runs: set[int]) -> list[int]:
    """The runs, and all that share an inventory with one of them or with one that does. Of an inventory that was declared more
    than once all rows but one are dead."""
    dead = {run_no for (run_no,) in connection.execute(f"SELECT DISTINCT run_no FROM tally WHERE {DEAD}")}
    shared = f"SELECT DISTINCT j.run_no FROM inventory i CROSS JOIN inventory j ON j.inventory_no = i.inventory_no AND j.{{}} WHERE i.{OF_RUN}"
    found, ahead = set(runs), set(runs)
    while ahead:
        more: set[int] = set()
        for run_no in ahead:
            if dead - {run_no}:
                more |= {row[0] for row in connection.execute(shared.format(DEAD), {"run_no": run_no})}
            if run_no in dead:
                more |= {row[0] for row in connection.execute(f"{shared.format(LIVE)} AND i.{DEAD}", {"run_no": run_no})}
        ahead = more - found
        found |= ahead
    return sorted(found)


def _known(connection: Connection, runs: list[int]) -> _Known:
    keys, applications, former = [], [], []
    for run_no, key, application, state in applications_of(connection, runs):
        keys.append((run_no, key))
        applications.append(application)
        former.append(state)
    rows = pa.concat_tables([_ROWS.empty_table(), *(table for run_no in runs for table in _rows(connection, run_no, applications))]).combine_chunks()
    numbers = rows["inventory_no"].combine_chunks().dictionary_encode()
    inventory = numbers.indices.to_numpy().astype(np.int64)
    first = np.unique(inventory, return_index=True)[1]
    place = {key: index for index, key in enumerate(keys)}
    run_of = np.repeat(runs, [_count(connection, run_no) for run_no in runs])
    of = _places(run_of, rows["application_no"].to_numpy(), place)
    seen, numbered = (rows[name].to_numpy()[first] != 0 for name in ("seen", "numbered"))
    at = pc.cast(rows["at"], pa.int64()).to_numpy()[first]
    ranks = pc.index_in(rows["state"].combine_chunks(), value_set=pa.array([str(state) for state in RANK]))
    return _Known(keys, applications, former, rows["id"].to_numpy(), ranks.to_numpy().astype(np.int64), Rows(inventory, of, seen, numbered, at))


def _places(run_of: Ints, application_no: Ints, place: dict[tuple[int, int], int]) -> Ints:
    """Which of the applications each row is of."""
    pairs, which = np.unique(np.column_stack([run_of, application_no]), axis=0, return_inverse=True)
    return np.array([place[int(run_no), int(key)] for run_no, key in pairs], dtype=np.int64)[which.reshape(-1)]


def _count(connection: Connection, run_no: int) -> int:
    return int(connection.execute(f"SELECT count(*) FROM inventory WHERE {OF_RUN}", {"run_no": run_no}).fetchone()[0])


def applications_of(connection: Connection, runs: list[int]) -> Iterator[tuple[int, int, Application, str]]:
    """Of each run what belongs to no application, then its applications: run, number, what is known, and the state it is in."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    for ref, detail in connection.execute("SELECT subject, detail FROM event WHERE kind = ? ORDER BY event_no", (HAND_ANSWER,)):
        entry = json.loads(detail)
        entries[ref].append(Entry(State(entry["state"]), entry["after"], entry["reason"]))
    for run_no in runs:
        [period, state] = connection.execute("SELECT period, state FROM run WHERE run_no = ?", (run_no,)).fetchone()
        voided = state == RUN_VOIDED
        yield run_no, 0, Application("", voided=voided, base=State.APPLIED if period else State.ENTERED), ""
        found = connection.execute(
            "SELECT application_no, application_ref, state, coalesce(parts, 0) FROM application LEFT JOIN sent USING (application_ref) "
            "WHERE run_no = ? ORDER BY 1",
            (run_no,),
        ).fetchall()
        for key, ref, former, parts in found:
            receipts = connection.execute("SELECT part_no, status, at, info FROM application_receipt WHERE application_ref = ? ORDER BY 1, 2, 3", (ref,))
            yield run_no, key, Application(ref, parts, voided, tuple(Receipt(*each) for each in receipts), tuple(entries[ref])), former


def _rows(connection: Connection, run_no: int, applications: list[Application]) -> Iterator[pa.Table]:
    """What a run declared, and what results say of it; the time of that only where somebody's word stands against it."""
    lines = "FROM result_line l WHERE l.inventory_no = i.inventory_no"
    seen = numbered = "0"
    at = "'0'"
    if connection.execute("SELECT 1 FROM result_line LIMIT 1").fetchone():
        seen = f"CASE WHEN EXISTS (SELECT 1 {lines}) THEN 1 ELSE 0 END"
        unnumbered = f"SELECT 1 {lines} AND NOT EXISTS (SELECT 1 FROM result r WHERE r.summary_seq_no = l.summary_seq_no AND r.name = 'declaration_no')"
        numbered = f"CASE WHEN EXISTS ({unnumbered}) THEN 0 ELSE 1 END"
        if any(each.refused_by_hand for each in applications):
            later = "coalesce((SELECT max(r.at) FROM result r WHERE r.summary_seq_no = l.summary_seq_no), '')"
            at = f"coalesce((SELECT max(CASE WHEN l.at > {later} THEN l.at ELSE {later} END) {lines}), '0')"
        else:
            at = "'1'"
    query = f"SELECT inventory_id, inventory_no, application_no, state, {seen}, {numbered}, {at} FROM inventory i WHERE {OF_RUN} ORDER BY 1"
    return fetched(connection.stream(query, {"run_no": run_no}), _ROWS)


def _write_rows(connection: Connection, known: _Known, now: Ints, changed: Mask) -> int:
    """Those that die first: no inventory may be alive twice. Out: how many became free."""
    rows = known.rows
    alive = np.bincount(rows.inventory[now >= APPLIED], minlength=len(rows.seen)) > 0
    dies = changed & (now < APPLIED)
    free = dies & (known.states >= APPLIED) & ~alive[rows.inventory]
    for index, first, last in _stretches(known, rows.application, free):
        _wait(connection, known, index, first, last)
    for chosen in (dies, changed & ~dies):
        connection.executemany(
            "UPDATE inventory SET state = ? WHERE inventory_id BETWEEN ? AND ?",
            ((RANK[rank], first, last) for rank, first, last in _stretches(known, now, chosen)),
        )
    connection.executemany(
        "DELETE FROM waiting WHERE inventory_no IN (SELECT inventory_no FROM inventory WHERE inventory_id BETWEEN ? AND ?)",
        ((first, last) for _, first, last in _stretches(known, now, changed & ~dies)),
    )
    return int(free.sum())


def _stretches(known: _Known, values: Ints, chosen: Mask) -> Iterator[tuple[int, int, int]]:
    """Chosen rows that stand together and have the same value: that, and the first and last of them."""
    places = np.flatnonzero(chosen)
    if not len(places):
        return
    ids, values = known.ids[places], values[places]
    starts = np.flatnonzero(np.append(True, (np.diff(ids) != 1) | (np.diff(values) != 0)))
    ends = np.append(starts[1:], len(places)) - 1
    yield from zip(values[starts].tolist(), ids[starts].tolist(), ids[ends].tolist(), strict=True)


_SEEN_PERIOD = "(SELECT CASE period WHEN '' THEN replace(substr(recorded_at, 1, 7), '-', '') ELSE period END FROM run r WHERE r.run_no = i.run_no)"
"""The period a run was for; for an import the month it was made in."""


def _wait(connection: Connection, known: _Known, index: int, first: int, last: int) -> None:
    """What was declared and is free: it waits, unless a run was told that customs has cancelled it. What messages say of that is
    asked each time."""
    application, (run_no, _) = known.applications[index], known.keys[index]
    [run_ref] = connection.execute("SELECT run_ref FROM run WHERE run_no = ?", (run_no,)).fetchone()
    values = {
        "first": first, "last": last, "state": State.VOIDED if application.voided else State.REFUSED,
        "seen_in": run_ref if application.voided else application.application_ref,
    }  # fmt: skip
    connection.execute(
        "INSERT INTO waiting (inventory_no, cleared_period, seen_period, fate, reason, seen_in) "
        f"SELECT inventory_no, cleared_period, {_SEEN_PERIOD}, CASE cancelled WHEN '' THEN :state ELSE 'excluded' END, "
        f"CASE cancelled WHEN '' THEN '' ELSE 'cancelled' END, :seen_in FROM inventory i WHERE inventory_id BETWEEN :first AND :last {SEEN_AGAIN}",
        values,
    )


def _write_applications(connection: Connection, known: _Known, now: Ints, counts: Ints, at: str) -> Iterator[Change]:
    """An application that was taken back with its run is kept as it was before it was answered."""
    reasons = dict(connection.execute("SELECT application_ref, reason FROM application"))
    for (run_no, key), application, former, rank, count in zip(known.keys, known.applications, known.former, now.tolist(), counts.tolist(), strict=True):
        ref, state = application.application_ref, State.APPLIED if rank == VOIDED else RANK[rank]
        if not ref:
            continue
        says, why = said(application)
        reason = why if says is state else ""
        if state != former:
            values = (state, at, reason, run_no, key)
            connection.execute("UPDATE application SET state = ?, answered_at = ?, reason = ? WHERE run_no = ? AND application_no = ?", values)
        elif reason != reasons[ref]:
            connection.execute("UPDATE application SET reason = ? WHERE run_no = ? AND application_no = ?", (reason, run_no, key))
        if state != former or (count and rank != VOIDED):
            append_event(connection, at, "answer", ref, {"state": state, "inventories": count, "reason": reason if state != former else ""})
            yield Change(ref, state, state != former, count)
