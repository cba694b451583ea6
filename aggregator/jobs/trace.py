"""`aggregator trace`: from an inventory, order or waybill to our declaration item and customs', and the other way round."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregator.inputs.tables.canonical import folded
from aggregator.jobs.reconciliation import audit_map
from aggregator.ledger.sqlite.query import Run, runs
from aggregator.ledger.sqlite.record import RUN_LIVE
from aggregator.ledger.sqlite.rows import fetched
from aggregator.ledger.sqlite.store import open_ledger
from aggregator.ledger.sqlite.tables import DEAD, LIVE

_OURS = ("inventory_no", "item_no", "order_no", "waybill_no", "declaration_ref", "declaration_item_no", "commodity_code", "declared_quantity", "total_price")
_BY_TEXT = ("inventory_no", "order_no", "waybill_no", "declaration_ref")
TRACE = pa.schema(
    [
        *((name, pa.string()) for name in ("inventory_no", "item_no", "order_no", "waybill_no", "declaration_ref", "declaration_item_no")),
        *((name, pa.string()) for name in ("commodity_code", "declared_quantity", "total_price")),
        *((name, pa.string()) for name in ("summary_seq_no", "customs_item_no", "declaration_no", "refund_key")),
    ]
)
_THEIRS = pa.schema([(name, pa.string()) for name in ("inventory_no", "item_no", "summary_seq_no", "customs_item_no", "declaration_no")])


def trace(ledger: Path, numbers: set[str]) -> Iterator[pa.Table]:
    """Lines that any of the numbers stands for, a table (TRACE) a run; of an inventory that was declared more than once those
    of the run that holds it, or of the last that asked for it. A number may be that of an inventory, order, waybill,
    declaration of ours (`202610-01-000001`, or with its item `202610-01-000001/3`), declaration of customs (`summary_seq_no`,
    `declaration_no`) or a refund line (21 characters); its letters may be small or large, half or full width."""
    numbers = set(folded(pa.array(sorted(numbers), pa.string())).to_pylist())
    with open_ledger(ledger) as connection:
        of_customs = _inventories_of_results(connection, numbers)
        for run in runs(connection, ledger):
            if run.folder is None or not (run.live or _holds(connection, run)):
                continue
            yield from _of_run(connection, run, audit_map(run), numbers, of_customs)


def _holds(connection: sqlite3.Connection, run: Run) -> bool:
    """Whether anything of the run is declared still: of one that was taken back, what customs has all the same."""
    return connection.execute(f"SELECT 1 FROM tally WHERE run_no = ? AND {LIVE} LIMIT 1", (run.run_no,)).fetchone() is not None


def _inventories_of_results(connection: sqlite3.Connection, numbers: set[str]) -> set[str]:
    """Inventories in results that one of the numbers names."""
    named = set(numbers) | {number[:18] for number in numbers if len(number) == 21}
    query = "SELECT summary_seq_no, value FROM result WHERE name = 'declaration_no'"
    found = {seq_no for seq_no, declaration_no in connection.execute(query) if named & {seq_no, declaration_no}}
    found |= named & {row[0] for row in connection.execute("SELECT DISTINCT summary_seq_no FROM result_line")}
    inventories: set[str] = set()
    for seq_no in found:
        inventories |= {row[0] for row in connection.execute("SELECT DISTINCT inventory_no FROM result_line WHERE summary_seq_no = ?", (seq_no,))}
    return inventories


def _of_run(connection: sqlite3.Connection, run: Run, path: Path, numbers: set[str], of_customs: set[str]) -> Iterator[pa.Table]:
    names = [name for name in _OURS if name in pq.read_schema(path).names]
    ours = pq.read_table(path, columns=names)
    wanted = pa.array(sorted(numbers), pa.string())
    mask = pc.is_in(ours["inventory_no"], pa.array(sorted(of_customs), pa.string()))
    for name in _BY_TEXT:
        if name in names:
            mask = pc.or_(mask, pc.is_in(_folded(ours, name), wanted))
    if any("/" in number for number in numbers):
        mask = pc.or_(mask, pc.is_in(_item_ref(ours), wanted))
    lines = _held_by(connection, run, ours.filter(mask).combine_chunks())
    if not lines.num_rows:
        return
    found = _with_customs(connection, pa.table({name: _text(lines, name) for name in TRACE.names[:9]}))
    named_by_customs = found.filter(pc.invert(pc.is_in(found["inventory_no"], pa.array(sorted(of_customs), pa.string()))))
    exact = found.filter(pc.is_in(found["inventory_no"], pa.array(sorted(of_customs), pa.string())))
    # Of an inventory spread over several declarations of customs only the lines in the one that was named.
    keep = pc.or_(pc.is_in(exact["refund_key"], wanted), pc.or_(pc.is_in(exact["declaration_no"], wanted), pc.is_in(exact["summary_seq_no"], wanted)))
    for name in _BY_TEXT:
        keep = pc.or_(keep, pc.is_in(_folded(exact, name), wanted))
    keep = pc.or_(keep, pc.is_in(_item_ref(exact), wanted))
    table = pa.concat_tables([named_by_customs, exact.filter(keep)]).sort_by([("inventory_no", "ascending"), ("item_order", "ascending")])
    yield table.select(TRACE.names).cast(TRACE)


def _held_by(connection: sqlite3.Connection, run: Run, lines: pa.Table) -> pa.Table:
    """Without what another run holds, or asked for later where none does."""
    others = []
    for number in set(lines["inventory_no"].to_pylist()):
        values = {"no": number}
        held = connection.execute(f"SELECT run_no FROM inventory WHERE inventory_no = :no AND {LIVE}", values).fetchone()
        last = connection.execute(
            f"SELECT max(run_no) FROM inventory JOIN run USING (run_no) WHERE inventory_no = :no AND inventory.{DEAD} AND run.state = '{RUN_LIVE}'", values
        ).fetchone()
        if (held or last) != (run.run_no,):
            others.append(number)
    return lines.filter(pc.invert(pc.is_in(lines["inventory_no"], pa.array(others, pa.string()))))


def _folded(lines: pa.Table, name: str) -> pa.Array:
    return folded(lines[name].combine_chunks().cast(pa.string()))


def _item_ref(lines: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(lines["declaration_ref"].cast(pa.string()), lines["declaration_item_no"].cast(pa.string()), "/")


def _text(lines: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in lines.column_names:
        return pa.chunked_array([pa.array([""] * lines.num_rows, pa.string())])
    return pc.fill_null(lines[name].cast(pa.string()), "")


def _with_customs(connection: sqlite3.Connection, lines: pa.Table) -> pa.Table:
    """With where customs put each line; blank where it has not answered."""
    theirs = _theirs(connection, sorted(set(lines["inventory_no"].to_pylist())))
    joined = lines.join(theirs, keys=["inventory_no", "item_no"], join_type="left outer").combine_chunks()
    columns = {name: pc.fill_null(joined[name], "") for name in joined.column_names}
    numbered = pc.and_(pc.not_equal(columns["declaration_no"], ""), pc.not_equal(columns["customs_item_no"], ""))
    key = pc.binary_join_element_wise(columns["declaration_no"], "0", pc.utf8_lpad(columns["customs_item_no"], 2, "0"), "")
    columns["refund_key"] = pc.if_else(numbered, key, "")
    columns["item_order"] = columns["item_no"].cast(pa.int64())
    return pa.table(columns)


def _theirs(connection: sqlite3.Connection, numbers: list[str]) -> pa.Table:
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS traced (inventory_no TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM traced")
    connection.executemany("INSERT INTO traced VALUES (?)", ((number,) for number in numbers))
    cursor = connection.execute(
        "SELECT l.inventory_no, CAST(l.item_no AS TEXT), l.summary_seq_no, CASE l.customs_item_no WHEN 0 THEN '' ELSE CAST(l.customs_item_no AS TEXT) END, "
        "coalesce(r.value, '') FROM traced CROSS JOIN result_line l USING (inventory_no) "
        "LEFT JOIN result r ON r.summary_seq_no = l.summary_seq_no AND r.name = 'declaration_no' ORDER BY 1, 2"
    )
    return pa.concat_tables([_THEIRS.empty_table(), *fetched(cursor, _THEIRS)]).combine_chunks()
