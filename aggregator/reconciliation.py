"""The comparison of each run that customs has answered: what the ledger knows of customs' answers against the audit map."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.ledger.answers import is_refusal
from aggregator.ledger.query import Run, fetched, runs
from aggregator.ledger.record import OF_RUN
from aggregator.ledger.tables import LIVE, State
from aggregator.publish import make_folder
from aggregator.reconcile import (
    Difference,
    Kind,
    customs_items,
    group_differences,
    line_differences,
    weight_differences,
)
from aggregator.write.tables import csv_bytes

FOLDER, RECONCILIATION = "reconciliation", "reconciliation.csv"
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


def reconcile_runs(connection: sqlite3.Connection, ledger: Path, out: Path, answered: set[str]) -> Iterator[Reconciled]:
    """Runs that customs has answered, the earliest first; and, under no run, what customs has that none applied for. Runs that
    are done with, and not among those `answered` now, are left as they were."""
    for run in runs(connection, ledger):
        if not run.live or run.folder is None or (run.run_ref not in answered and _is_done(connection, run, out)):
            continue
        if _is_answered(connection, run):
            yield _reconciled(connection, run, out)
    strays = _theirs(
        connection,
        f"{_LINES} WHERE NOT EXISTS (SELECT 1 FROM inventory i WHERE i.inventory_no = l.inventory_no AND i.{LIVE})"
        f" AND NOT EXISTS (SELECT 1 FROM inventory i WHERE i.inventory_no = l.inventory_no AND i.state = '{State.REFUSED}')",
        {},
    )
    if strays.num_rows:
        numbers = sorted(set(strays["inventory_no"].to_pylist()))
        stray = Reconciled("", None, inventories=len(numbers), lines=strays.num_rows)
        of = dict(zip(strays["inventory_no"].to_pylist(), strays["summary_seq_no"].to_pylist(), strict=True))
        stray.differences = [Difference(Kind.NOT_APPLIED, number, "", "", of[number]) for number in numbers]
        stray.folder = _written(out / FOLDER / "not-applied", stray.differences, None)
        yield stray


def _is_done(connection: sqlite3.Connection, run: Run, out: Path) -> bool:
    """Whether all its applications are entered or refused, and nothing differed."""
    path = out / FOLDER / run.run_ref / RECONCILIATION
    states = {state for (state,) in connection.execute("SELECT state FROM application WHERE run_no = ?", (run.run_no,))}
    return states <= {State.ENTERED, State.REFUSED} and path.exists() and path.read_bytes().count(b"\n") == 1


def _is_answered(connection: sqlite3.Connection, run: Run) -> bool:
    query = (
        "SELECT EXISTS (SELECT 1 FROM application JOIN application_receipt USING (application_ref) WHERE run_no = :run_no) OR "
        f"EXISTS (SELECT 1 FROM inventory i WHERE {OF_RUN} AND EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no))"
    )
    return bool(connection.execute(query, {"run_no": run.run_no}).fetchone()[0])


def _reconciled(connection: sqlite3.Connection, run: Run, out: Path) -> Reconciled:
    found = Reconciled(run.run_ref, None)
    assert run.folder is not None
    states = connection.execute("SELECT application_no, application_ref, state FROM application WHERE run_no = ?", (run.run_no,)).fetchall()
    found.applications = Counter(state for _, _, state in states)
    theirs = _theirs(connection, f"{_LINES} JOIN inventory i ON i.inventory_no = l.inventory_no WHERE {OF_RUN}", {"run_no": run.run_no})
    ours = _ours(run.folder / "audit_map.parquet")
    answered, refused = _answered_declarations(connection, run, states)
    of_answered = ours.filter(pa.compute.is_in(ours["declaration_ref"], pa.array(sorted(answered), pa.string()))).combine_chunks()
    of_refused = ours.filter(pa.compute.is_in(ours["declaration_ref"], pa.array(sorted(refused), pa.string())))
    theirs_of_refused = theirs.filter(pa.compute.is_in(theirs["inventory_no"], of_refused["inventory_no"].combine_chunks()))
    theirs = theirs.filter(pa.compute.is_in(theirs["inventory_no"], of_answered["inventory_no"].combine_chunks())).combine_chunks()
    results = _results(connection, set(theirs["summary_seq_no"].to_pylist()))
    found.inventories = len(set(theirs["inventory_no"].to_pylist()))
    found.lines, found.results = theirs.num_rows, len(results)
    found.declaration_nos = sum("declaration_no" in told for told in results.values())
    found.differences = [
        *(_compared(connection, of_answered, theirs, results) if theirs.num_rows else ()),
        *_of_parts(connection, results),
        *_of_applications(connection, states),
        *(
            Difference(Kind.ANSWER_AFTER_REFUSAL, number, "", "refused", "in a result")
            for number in sorted(set(theirs_of_refused["inventory_no"].to_pylist()))
        ),
    ]
    items = customs_items(of_answered, theirs) if theirs.num_rows else None
    found.folder = _written(out / FOLDER / run.run_ref, found.differences, items)
    return found


def _compared(
    connection: sqlite3.Connection, ours: pa.Table, theirs: pa.Table, results: dict[str, dict[str, str]]
) -> Iterator[Difference]:
    yield from line_differences(ours, theirs)
    yield from group_differences(ours, theirs)
    whole = {name: told for name, told in results.items() if not _missing_parts(connection, name, told)}
    yield from weight_differences(ours, theirs, whole)


def _answered_declarations(connection: sqlite3.Connection, run: Run, states: list[tuple[int, str, str]]) -> tuple[set[str], set[str]]:
    """Declarations of applications that customs has begun to merge, and of those it refused. An application of which nothing
    is merged yet is only waited for."""
    begun = set()
    for (number,) in connection.execute(
        f"SELECT DISTINCT application_no FROM inventory i WHERE {OF_RUN} AND EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no)",
        {"run_no": run.run_no},
    ):
        begun.add(number)
    refused = {number for number, _, state in states if state == State.REFUSED}
    declarations = connection.execute("SELECT declaration_ref, application_no FROM declaration WHERE run_no = ?", (run.run_no,)).fetchall()
    return {ref for ref, number in declarations if number in begun - refused}, {ref for ref, number in declarations if number in refused}


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


def _missing_parts(connection: sqlite3.Connection, summary_seq_no: str, told: dict[str, str]) -> list[int]:
    have = {part for (part,) in connection.execute("SELECT part_no FROM result_part WHERE summary_seq_no = ?", (summary_seq_no,))}
    return sorted(set(range(1, int(told.get("parts") or "1") + 1)) - have)


def _of_parts(connection: sqlite3.Connection, results: dict[str, dict[str, str]]) -> Iterator[Difference]:
    for seq_no, told in sorted(results.items()):
        for part in _missing_parts(connection, seq_no, told):
            yield Difference(Kind.PART_MISSING, seq_no, "", "", f"{part}/{told.get('parts')}")


def _of_applications(connection: sqlite3.Connection, states: list[tuple[int, str, str]]) -> Iterator[Difference]:
    for _, ref, state in states:
        if state == State.REFUSED:
            continue
        for part, status, info in connection.execute(
            "SELECT part_no, status, info FROM application_receipt WHERE application_ref = ? ORDER BY 1", (ref,)
        ):
            if is_refusal(status):
                yield Difference(Kind.PART_REFUSED, ref, "", state, f"{part}: {status} {info}".strip())


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
