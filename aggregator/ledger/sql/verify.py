"""Whether what is kept is what was recorded: the chain of events, the runs and applications they speak of, every inventory."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator
from typing import Any, TypeVar

import pyarrow as pa

from aggregator.ledger.chain import DIGESTED, RowDigest
from aggregator.ledger.errors import LedgerAltered
from aggregator.ledger.sql.chain import broken_event
from aggregator.ledger.sql.connection import Connection, fetched
from aggregator.ledger.sql.record import run_detail
from aggregator.ledger.sql.seal import Sum, last_seal
from aggregator.ledger.sql.words import INVENTORY
from aggregator.model.place import Place
from aggregator.model.records import RUN_LIVE, RUN_VOIDED, State
from aggregator.schemas.text import Text

_C = TypeVar("_C", bound=Connection)
ALWAYS_WHOLE = 32 << 20
"""Bytes up to which a ledger is checked whole before every run: it takes less than a second."""
_ALWAYS_READ = 100_000
"""Rows up to which a table is read before every run, however large the ledger is."""
UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
"""What comes of a value that is not even of its kind: bytes that are no text, a detail that is no JSON."""
_NEVER_SEALED = Text("what its tables hold was never sealed", "各表内容从未封存")
_OTHER_TABLES = Text("its tables are not those that were made", "其表结构与创建时不符")
_SETTING_OF_EVENT = {"created": "ledger_id", "first_period": "first_period"}
_DIGESTED = pa.schema(
    [(name, {"content": pa.binary(), "late": pa.int64(), "application_no": pa.int64()}.get(name, pa.string())) for name in DIGESTED]
)


def refuse(ledger: Place, problems: list[Text]) -> None:
    if problems:
        raise LedgerAltered(ledger, problems)


def _altered_table(name: str) -> Text:
    return Text(f"the table {name} is not what was recorded", f"表 {name} 与登记时不符")


def altered_tables(
    connection: _C, description: Callable[[_C], str], sum_of: Callable[[_C, str, int | None], Sum], *, whole: bool, since: Callable[[_C], Container[str]] = lambda _: ()
) -> list[Text]:
    """How the tables are described and what they hold, against what the last transaction sealed. `since`: tables of which the kind
    itself says that they changed, however large they are."""
    seal = last_seal(connection)
    if seal is None:
        return [_NEVER_SEALED]
    if description(connection) != seal.tables:
        return [_OTHER_TABLES]
    changed = since(connection)
    wanted = [name for name, held in seal.sums.items() if whole or (held.rows <= _ALWAYS_READ and name != INVENTORY)]
    return [
        _altered_table(name)
        for name in seal.sums
        if name in changed or (name in wanted and sum_of(connection, name, None if whole else _ALWAYS_READ) != seal.sums[name])
    ]


def altered_records(connection: Connection) -> list[Text]:
    """The chain, and runs and applications against it."""
    broken = broken_event(connection)
    if broken is not None:
        return [Text(f"event {broken} does not follow from the one before", f"第 {broken} 条记录与前一条不相承接")]
    stated: dict[str, Any] = {}
    run_states: dict[str, str] = {}
    times: dict[str, str] = {}
    answers: dict[str, str] = {}
    settings: dict[str, str] = {}
    for kind, subject, detail, at in connection.execute("SELECT kind, subject, detail, at FROM event ORDER BY event_no"):
        if kind == "run":
            stated[subject], run_states[subject], times[subject] = json.loads(detail), RUN_LIVE, at
        elif kind == "void":
            run_states[subject] = RUN_VOIDED
        elif kind == "answer":
            answers[subject] = json.loads(detail)["state"]
        elif kind in _SETTING_OF_EVENT:
            settings[_SETTING_OF_EVENT[kind]] = subject
    rows = connection.execute("SELECT run_ref, run_no, state, recorded_at FROM run").fetchall()
    found = {ref: (number, state, recorded_at) for ref, number, state, recorded_at in rows}
    held = dict(connection.execute("SELECT name, value FROM setting").fetchall())
    if any(held.get(name) != value for name, value in settings.items()):
        return [Text("its id or first period is not what was recorded", "其编号或起始申报期与登记时不符")]
    problems = [
        Text(f"run {ref} was removed or put in by hand", f"批次 {ref} 被手工删除或添加") for ref in sorted(set(stated) ^ set(found))
    ]
    for ref in sorted(set(stated) & set(found)):
        number, state, recorded_at = found[ref]
        if run_detail(connection, number) != stated[ref] or state != run_states[ref] or recorded_at != times[ref]:
            problems.append(Text(f"run {ref} is not what was recorded", f"批次 {ref} 与登记时不符"))
    for ref, state in connection.execute("SELECT application_ref, state FROM application ORDER BY 1"):
        if state != answers.get(ref, State.APPLIED):
            problems.append(Text(f"application {ref} is not what was recorded", f"汇总申请单 {ref} 与登记时不符"))
    return problems


def altered_rows(connection: Connection, *, sealed: bool = True) -> list[Text]:
    """Every inventory against the hash its run recorded, and the tally. States are sealed; where they are not, that of each
    inventory against that of its run and application, which were one in earlier versions."""
    problems = []
    runs = connection.execute(
        "SELECT run_no, run_ref, state, first_inventory_id, last_inventory_id, inventories_sha256 FROM run ORDER BY run_no"
    ).fetchall()
    for number, ref, state, first, last, sha256 in runs:
        digest = RowDigest()
        for rows in _rows_between(connection, first, last):
            digest.add(rows)
        if digest.hexdigest() != sha256:
            problems.append(Text(f"inventories of run {ref} are not what was recorded", f"批次 {ref} 的清单与登记时不符"))
        elif _stray_states(connection, number, state, first, last, sealed):
            problems.append(Text(f"states of inventories of run {ref} are not its own", f"批次 {ref} 的清单状态与批次不符"))
    [strays] = connection.execute("SELECT count(*) FROM inventory WHERE run_no NOT IN (SELECT run_no FROM run)").fetchone()
    [rows_held] = connection.execute("SELECT count(*) FROM inventory").fetchone()
    if strays or rows_held != sum(last - first + 1 for _, _, _, first, last, _ in runs):
        problems.append(Text("inventories were removed or put in by hand", "有清单被手工删除或添加"))
    return problems


def _stray_states(connection: Connection, run_no: int, run_state: str, first: int, last: int, sealed: bool) -> bool:
    query = (
        "SELECT run_no, application_no, cleared_period, late, state, count(*) FROM inventory WHERE inventory_id BETWEEN ? AND ? "
        "GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
    )
    counted = connection.execute(query, (first, last)).fetchall()
    tallied = connection.execute("SELECT * FROM tally WHERE run_no = ? ORDER BY 1, 2, 3, 4, 5", (run_no,)).fetchall()
    refused_ones = {
        row[0]
        for row in connection.execute("SELECT application_no FROM application WHERE run_no = ? AND state = ?", (run_no, State.REFUSED))
    }
    wrong = any(
        number != run_no
        or (not sealed and (state == State.VOIDED) != (run_state == RUN_VOIDED and state != State.REFUSED))
        or (not sealed and (state == State.REFUSED) != (application in refused_ones))
        for number, application, _, _, state, _ in counted
    )
    return wrong or counted != tallied


def _rows_between(connection: Connection, first: int, last: int) -> Iterator[pa.Table]:
    query = f"SELECT {', '.join(DIGESTED)} FROM inventory WHERE inventory_id BETWEEN ? AND ? ORDER BY inventory_id"
    return fetched(connection.stream(query, (first, last)), _DIGESTED)
