"""The comparison of each run that customs has answered: what the ledger knows of customs' answers against the audit map.

Compared are the inventories that a run holds: what was refused and is declared again is the other run's."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregator.domain.reconcile import (
    Difference,
    Kind,
    customs_items,
    group_differences,
    head_differences,
    line_differences,
    weight_differences,
)
from aggregator.jobs.publish import make_folder, void_folder
from aggregator.ledger.sqlite.amend import DISMISSED
from aggregator.ledger.sqlite.query import Run, runs
from aggregator.ledger.sqlite.record import OF_RUN
from aggregator.ledger.sqlite.rows import fetched
from aggregator.ledger.sqlite.settle import applications_of
from aggregator.ledger.sqlite.states import Application, decisive, said
from aggregator.ledger.sqlite.tables import DEAD, LIVE, LIVE_STATES, State
from aggregator.model.errors import CannotReadOrWrite
from aggregator.outputs.tables import csv_bytes
from aggregator.schemas.modes.m9610.limits import HEADER_KEY, NO_PRODUCER_CODE
from aggregator.schemas.modes.m9610.messages import Says

_PARTS_SHOWN = 100
FOLDER, RECONCILIATION, STRAYS = "reconciliation", "reconciliation.csv", "not-applied"
_OURS = (
    "inventory_no", "item_no", "declaration_ref", "declaration_item_no", "commodity_code", "destination_country_code", "currency_code",
    "declared_unit_code", "statutory_unit_code", "second_statutory_unit_code", "declared_quantity", "statutory_quantity",
    "second_statutory_quantity", "total_price", "gross_weight_kg", "net_weight_kg", "package_count",
)  # fmt: skip
_THEIRS = pa.schema(
    [("inventory_no", pa.string()), ("item_no", pa.int64()), ("summary_seq_no", pa.string()), ("customs_item_no", pa.int64()), ("commodity_code", pa.string())]
)
_LINES = "SELECT l.inventory_no, l.item_no, l.summary_seq_no, l.customs_item_no, l.commodity_code FROM result_line l "


@dataclass
class Reconciled:
    """A run, how far customs' answers to it have come, and how they differ. `folder`: where that is written."""

    run_ref: str
    folder: Path | None
    applications: Counter[str] = field(default_factory=Counter)
    inventories: int = 0
    lines: int = 0
    results: int = 0
    declaration_nos: int = 0
    differences: list[Difference] = field(default_factory=list)


def reconcile_runs(connection: sqlite3.Connection, ledger: Path, out: Path, answered: set[int]) -> Iterator[Reconciled]:
    """Runs that customs has answered, the earliest first; and, under no run, what customs has that none applied for. Runs that
    are done with, and not among those `answered` now, are left as they were."""
    for run in runs(connection, ledger):
        if run.folder is None or (run.run_no not in answered and _is_done(connection, run, out)):
            continue
        if _is_answered(connection, run):
            yield _reconciled(connection, run, audit_map(run).parent, out)
    strays = _theirs(connection, f"{_LINES} WHERE {_STRAY}", {})
    if strays.num_rows:
        numbers = sorted(set(strays["inventory_no"].to_pylist()))
        stray = Reconciled("", None, inventories=len(numbers), lines=strays.num_rows)
        of = dict(zip(strays["inventory_no"].to_pylist(), strays["summary_seq_no"].to_pylist(), strict=True))
        stray.differences = [Difference(Kind.NOT_APPLIED, number, "", "", of[number]) for number in numbers]
        stray.folder = _written(out / FOLDER / STRAYS, stray.differences, None)
        yield stray
    elif (out / FOLDER / STRAYS).exists():
        _written(out / FOLDER / STRAYS, [], None)


_STRAY = (
    f"NOT EXISTS (SELECT 1 FROM inventory i WHERE i.inventory_no = l.inventory_no AND i.{LIVE}) "
    f"AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.inventory_no = l.inventory_no AND w.fate = '{DISMISSED}') "
    "AND NOT EXISTS (SELECT 1 FROM result r WHERE r.summary_seq_no = l.summary_seq_no AND r.name = 'consignor_code' "
    "AND r.value NOT IN (SELECT consignor_code FROM application))"
)
"""In a result, and declared nowhere here; results of consignors that the ledger never applied for are none of ours."""


def audit_map(run: Run) -> Path:
    """Where our lines of a run are; also of one that was taken back."""
    assert run.folder is not None
    path = (run.folder if run.live else void_folder(run.folder)) / "audit_map.parquet"
    if not path.exists():
        raise CannotReadOrWrite(
            f"{path} is not there: the folder of the run {run.run_ref} was moved or removed. Put it back.",
            f"{path} 不存在：批次 {run.run_ref} 的文件夹已被移动或删除。请放回原处。",
        )
    return path


def _is_done(connection: sqlite3.Connection, run: Run, out: Path) -> bool:
    """Whether all its applications are entered or refused, and nothing differed."""
    path = out / FOLDER / run.run_ref / RECONCILIATION
    states = {state for (state,) in connection.execute("SELECT state FROM application WHERE run_no = ?", (run.run_no,))}
    return states <= {State.ENTERED, State.REFUSED} and path.exists() and path.read_bytes().count(b"\n") == 1


def _is_answered(connection: sqlite3.Connection, run: Run) -> bool:
    query = (
        "SELECT EXISTS (SELECT 1 FROM application JOIN application_receipt USING (application_ref) WHERE run_no = :run_no) OR "
        f"EXISTS (SELECT 1 FROM inventory i WHERE {OF_RUN} AND {LIVE} AND EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no))"
    )
    return bool(connection.execute(query, {"run_no": run.run_no}).fetchone()[0])


def _reconciled(connection: sqlite3.Connection, run: Run, folder: Path, out: Path) -> Reconciled:
    found = Reconciled(run.run_ref, None)
    known = [(key, application, State(state)) for _, key, application, state in applications_of(connection, [run.run_no]) if key]
    found.applications = Counter(str(state) for *_, state in known)
    theirs = _theirs(connection, f"{_LINES} JOIN inventory i ON i.inventory_no = l.inventory_no WHERE {OF_RUN} AND {LIVE}", {"run_no": run.run_no})
    ours = _held(connection, run, _ours(folder / "audit_map.parquet"))
    results = _results(connection, set(theirs["summary_seq_no"].to_pylist()))
    found.inventories = len(set(theirs["inventory_no"].to_pylist()))
    found.lines, found.results = theirs.num_rows, len(results)
    found.declaration_nos = sum("declaration_no" in told for told in results.values())
    if theirs.num_rows:
        found.differences += _compared(connection, ours, theirs, results)
        found.differences += head_differences(ours, theirs, _heads(folder / "declarations.csv"), results)
        found.differences += _of_results(connection, run, theirs, results)
    found.differences += _of_parts(connection, results)
    found.differences += _of_applications(connection, run, known)
    items = customs_items(ours, theirs) if theirs.num_rows else None
    found.folder = _written(out / FOLDER / run.run_ref, found.differences, items)
    return found


def _held(connection: sqlite3.Connection, run: Run, ours: pa.Table) -> pa.Table:
    """Lines of the inventories that the run holds, in declarations of applications that customs has begun to merge: one of which
    nothing is merged yet is only waited for."""
    in_results = "EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no)"
    begun = {no for (no,) in connection.execute(f"SELECT DISTINCT application_no FROM inventory i WHERE {OF_RUN} AND {LIVE} AND {in_results}", {"run_no": run.run_no})}
    declarations = connection.execute("SELECT declaration_ref, application_no FROM declaration WHERE run_no = ?", (run.run_no,))
    answered = pa.array(sorted(ref for ref, number in declarations if number in begun), pa.string())
    dead = [number for (number,) in connection.execute(f"SELECT inventory_no FROM inventory WHERE {OF_RUN} AND {DEAD}", {"run_no": run.run_no})]
    mask = pc.and_(pc.is_in(ours["declaration_ref"], answered), pc.invert(pc.is_in(ours["inventory_no"], pa.array(dead, pa.string()))))
    return ours.filter(mask).combine_chunks()


def _heads(path: Path) -> dict[str, dict[str, str]]:
    """What of each of our declarations must not mix with another's."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["declaration_ref"]: {name: row.get(name, "") for name in HEADER_KEY.value} for row in csv.DictReader(file)}
    for head in rows.values():
        if head["producer_seller_code"] not in ("", NO_PRODUCER_CODE):
            head["producer_seller_name"] = ""
    return rows


def _compared(
    connection: sqlite3.Connection, ours: pa.Table, theirs: pa.Table, results: dict[str, dict[str, str]]
) -> Iterator[Difference]:
    yield from line_differences(ours, theirs)
    yield from group_differences(ours, theirs)
    whole = {name: told for name, told in results.items() if not _missing_parts(connection, name, told)}
    yield from weight_differences(ours, theirs, whole)


def _of_results(connection: sqlite3.Connection, run: Run, theirs: pa.Table, results: dict[str, dict[str, str]]) -> Iterator[Difference]:
    """Results that hold inventories of other runs too; declaration numbers that changed, or that two results have."""
    counts = theirs.group_by("summary_seq_no").aggregate([("item_no", "count")])
    for seq_no, count in sorted(zip(*(column.to_pylist() for column in counts.columns), strict=True)):
        if connection.execute("SELECT count(*) FROM result_line WHERE summary_seq_no = ?", (seq_no,)).fetchone() != (count,):
            others = connection.execute(
                f"SELECT DISTINCT run_ref FROM result_line l CROSS JOIN inventory i ON i.inventory_no = l.inventory_no AND i.{LIVE} "
                "JOIN run USING (run_no) WHERE summary_seq_no = ? AND run_no <> ? ORDER BY 1",
                (seq_no, run.run_no),
            ).fetchall()
            if others:
                yield Difference(Kind.TWO_RUNS, seq_no, "", run.run_ref, " ".join(ref for (ref,) in others))
        numbers = connection.execute("SELECT declaration_no FROM result_number WHERE summary_seq_no = ? ORDER BY at, declaration_no", (seq_no,)).fetchall()
        if len(numbers) > 1:
            yield Difference(Kind.NUMBER_CHANGED, seq_no, "", "", " → ".join(number for (number,) in numbers))
        number = results[seq_no].get("declaration_no")
        same = connection.execute("SELECT summary_seq_no FROM result WHERE name = 'declaration_no' AND value = ? ORDER BY 1", (number,)).fetchall()
        if len(same) > 1 and same[0] == (seq_no,):
            yield Difference(Kind.NUMBER_TWICE, str(number), "", "", " ".join(each for (each,) in same))


def _theirs(connection: sqlite3.Connection, query: str, values: dict[str, int]) -> pa.Table:
    cursor = connection.execute(f"{query} ORDER BY 1, 2, 3", values)
    return pa.concat_tables([_THEIRS.empty_table(), *fetched(cursor, _THEIRS)]).combine_chunks()


def _ours(path: Path) -> pa.Table:
    names = [name for name in _OURS if name in pq.read_schema(path).names]
    table = pq.read_table(path, columns=names)
    return table.set_column(names.index("item_no"), "item_no", table["item_no"].cast(pa.int64()))


def _results(connection: sqlite3.Connection, wanted: set[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {name: {} for name in wanted}
    for seq_no, name, value in connection.execute("SELECT summary_seq_no, name, value FROM result ORDER BY 1, 2"):
        if seq_no in found:
            found[seq_no][name] = value
    return found


def _missing_parts(connection: sqlite3.Connection, summary_seq_no: str, told: dict[str, str]) -> list[tuple[int, int]]:
    """First and last of the parts that have not come, a few of them one by one."""
    have = [part for (part,) in connection.execute("SELECT part_no FROM result_part WHERE summary_seq_no = ? ORDER BY 1", (summary_seq_no,))]
    parts = int(told.get("parts") or "1")
    gaps = [(before + 1, after - 1) for before, after in zip([0, *have], [*have, parts + 1], strict=True) if after - before > 1]
    single = [(part, part) for first, last in gaps for part in range(first, min(last, first + _PARTS_SHOWN - 1) + 1)]
    return single if len(single) <= _PARTS_SHOWN and sum(last - first + 1 for first, last in gaps) == len(single) else gaps


def _of_parts(connection: sqlite3.Connection, results: dict[str, dict[str, str]]) -> Iterator[Difference]:
    for seq_no, told in sorted(results.items()):
        for first, last in _missing_parts(connection, seq_no, told):
            yield Difference(Kind.PART_MISSING, seq_no, "", "", f"{first if first == last else f'{first}-{last}'}/{told.get('parts')}")


def _of_applications(connection: sqlite3.Connection, run: Run, known: list[tuple[int, Application, State]]) -> Iterator[Difference]:
    """Where receipts, results, a person and a later run say different things of an application."""
    for key, application, state in known:
        ref, [says, _] = application.application_ref, said(application)
        [alive, dead] = connection.execute(
            f"SELECT coalesce(sum({LIVE}), 0), coalesce(sum({DEAD}), 0) FROM inventory WHERE {OF_RUN} AND application_no = :no", {"run_no": run.run_no, "no": key}
        ).fetchone()
        if application.voided and (alive or application.receipts):
            latest = max((f"{each.at} {each.status}" for each in application.receipts), default="")
            yield Difference(Kind.ANSWER_AFTER_VOID, ref, "", "voided", latest.partition(" ")[2] or "in a result")
        elif says not in LIVE_STATES and alive:
            yield Difference(Kind.ANSWER_AFTER_REFUSAL, ref, "", "refused", f"in a result: {alive}")
        if says in (State.ACCEPTED, State.MERGED, State.ENTERED) and dead:
            yield Difference(Kind.ANSWER_AFTER_REFUSAL, ref, "", f"declared again: {dead}", "accepted")
        if state is State.REFUSED or application.voided:
            continue
        for part, receipt in sorted(decisive(application.receipts).items()):
            if receipt.says is Says.REFUSED:
                yield Difference(Kind.PART_REFUSED, ref, "", str(state), f"{part}: {receipt.status} {receipt.info}".strip())


def _written(folder: Path, differences: list[Difference], items: pa.Table | None) -> Path:
    """reconciliation.csv, and customs_items.csv: customs' items from our lines."""
    make_folder(folder)
    columns = {
        "kind": [str(each.kind) for each in differences],
        **{name: [getattr(each, name) for each in differences] for name in ("subject", "item_no", "ours", "customs")},
    }
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    _replace(folder / RECONCILIATION, b"\xef\xbb\xbf" + csv_bytes(table, header=True))
    if items is not None:
        _replace(folder / "customs_items.csv", b"\xef\xbb\xbf" + csv_bytes(items, header=True))
    return folder


def _replace(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)
