"""`aggregator trace`: from an inventory, order or waybill to our declaration item and customs', and the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.tables.canonical import folded
from aggregator.jobs.reconciliation import local
from aggregator.jobs.undeclared import undeclared
from aggregator.ledger.at import ledger_at
from aggregator.ledger.ledger import Ledger
from aggregator.model.place import Place
from aggregator.model.records import LIVE_STATES, Run
from aggregator.outputs.run_tables import as_written, table_in
from aggregator.schemas.modes import mode_of
from aggregator.schemas.text import Lang
from aggregator.schemas.units import SEPARATOR, unit_numbers

_OURS = ("inventory_no", "item_no", "order_no", "waybill_no", "declaration_ref", "declaration_item_no", "commodity_code", "declared_quantity", "total_price")
_BY_TEXT = ("inventory_no", "order_no", "waybill_no", "declaration_ref")
_FATE = ("fate", "reason", "run_ref", "explanation")
TRACE = pa.schema(
    [
        (name, pa.string())
        for name in ("refund_key", *_OURS, "summary_seq_no", "customs_item_no", "declaration_no", "list_no", "platform_code", *_FATE)
    ]
)
"""The refund line first. `fate`: declared, or what became of an inventory that is not; `reason`: codes of it, `explanation`: what they mean."""


def trace(place: Place, numbers: set[str], lang: Lang = "en") -> Iterator[pa.Table]:
    """Lines that any of the numbers stands for, a table (TRACE) a run; of an inventory that was declared more than once those
    of the run that holds it, or of the last that asked for it. A number may be that of an inventory, order, waybill,
    declaration of ours (`202610-01-000001`, or with its item `202610-01-000001/3`), list of an order (`list_no`), order with its platform (`platform/order`), declaration of customs (`summary_seq_no`,
    `declaration_no`) or a refund line (21 characters); its letters may be small or large, half or full width. What was seen and is not
    declared comes last: a row an inventory, with why."""
    as_given, numbers = numbers, set(folded(pa.array(sorted(numbers), pa.string())).to_pylist())
    with ledger_at(place).opened() as ledger:
        # A refund line (21 characters) begins with the number of its declaration.
        of_customs = ledger.inventories_in_results(numbers | {number[:18] for number in numbers if len(number) == 21})
        listed = ledger.listed_orders(numbers) if any(mode_of(run.mode).dictionary.unit for run in ledger.runs()) else set()
        for run in ledger.runs():
            if run.folder is None or not (run.live or _holds(ledger, run)):
                continue
            with local(run, "audit_map.parquet") as path:
                yield from _of_run(ledger, run, path, numbers, of_customs, listed)
        rows = list(undeclared(ledger, numbers | as_given, lang))
        if rows:
            yield pa.table({name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in TRACE.names})


def _holds(ledger: Ledger, run: Run) -> bool:
    """Whether anything of the run is declared still: of one that was taken back, what customs has all the same."""
    return any(each.state in LIVE_STATES for each in ledger.tally(run.run_no))


def _of_run(ledger: Ledger, run: Run, path: Path, numbers: set[str], of_customs: set[str], listed: set[str]) -> Iterator[pa.Table]:
    mode = mode_of(run.mode)
    unit = mode.dictionary.unit
    with as_written(path):
        ours = table_in(path, mode, "audit_map", dict.fromkeys((*_OURS, *unit)))
    names = ours.column_names
    if unit:
        # As the ledger knows them, until they are shown.
        ours = ours.set_column(ours.column_names.index("inventory_no"), "inventory_no", unit_numbers(ours, mode.dictionary))
    wanted = pa.array(sorted(numbers), pa.string())
    mask = pc.is_in(ours["inventory_no"], pa.array(sorted(of_customs | listed), pa.string()))
    for name in _BY_TEXT:
        if name in names:
            mask = pc.or_(mask, pc.is_in(_folded(ours, name), wanted))
    if any("/" in number for number in numbers):
        mask = pc.or_(mask, pc.is_in(_item_ref(ours), wanted))
    lines = _held_by(ledger, run, ours.filter(mask).combine_chunks())
    if not lines.num_rows:
        return
    found = _with_customs(ledger, pa.table({name: _text(lines, name) for name in _OURS}))
    numbers_of_lists = ledger.list_numbers(set(found["inventory_no"].to_pylist())) if unit else {}
    platforms = [number.partition(SEPARATOR)[0] if unit else "" for number in found["inventory_no"].to_pylist()]
    found = found.append_column("platform_code", pa.array(platforms, pa.string()))
    found = found.append_column("list_no", pa.array([numbers_of_lists.get(number, "") for number in found["inventory_no"].to_pylist()], pa.string()))
    named_by_customs = found.filter(pc.invert(pc.is_in(found["inventory_no"], pa.array(sorted(of_customs), pa.string()))))
    exact = found.filter(pc.is_in(found["inventory_no"], pa.array(sorted(of_customs), pa.string())))
    # Of an inventory spread over several declarations of customs only the lines in the one that was named.
    keep = pc.or_(pc.is_in(exact["refund_key"], wanted), pc.or_(pc.is_in(exact["declaration_no"], wanted), pc.is_in(exact["summary_seq_no"], wanted)))
    for name in _BY_TEXT:
        keep = pc.or_(keep, pc.is_in(_folded(exact, name), wanted))
    keep = pc.or_(keep, pc.is_in(_item_ref(exact), wanted))
    table = pa.concat_tables([named_by_customs, exact.filter(keep)]).sort_by([("inventory_no", "ascending"), ("item_order", "ascending")])
    if unit:
        table = table.set_column(table.column_names.index("inventory_no"), "inventory_no", table["order_no"])
    count = table.num_rows
    said = {"fate": ["declared"] * count, "reason": [""] * count, "run_ref": [run.run_ref] * count, "explanation": [""] * count}
    for name, values in said.items():
        table = table.append_column(name, pa.array(values, pa.string()))
    yield table.select(TRACE.names).cast(TRACE)


def _held_by(ledger: Ledger, run: Run, lines: pa.Table) -> pa.Table:
    """Without what another run holds, or asked for later where none does."""
    runs = ledger.latest_runs(numbers := set(lines["inventory_no"].to_pylist()))
    others = [number for number in numbers if runs.get(number) != run.run_no]
    return lines.filter(pc.invert(pc.is_in(lines["inventory_no"], pa.array(others, pa.string()))))


def _folded(lines: pa.Table, name: str) -> pa.Array:
    return folded(lines[name].combine_chunks().cast(pa.string()))


def _item_ref(lines: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(lines["declaration_ref"].cast(pa.string()), lines["declaration_item_no"].cast(pa.string()), "/")


def _text(lines: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in lines.column_names:
        return pa.chunked_array([pa.array([""] * lines.num_rows, pa.string())])
    return pc.fill_null(lines[name].cast(pa.string()), "")


def _with_customs(ledger: Ledger, lines: pa.Table) -> pa.Table:
    """With where customs put each line; blank where it has not answered."""
    theirs = ledger.traced_lines(sorted(set(lines["inventory_no"].to_pylist())))
    joined = lines.join(theirs, keys=["inventory_no", "item_no"], join_type="left outer").combine_chunks()
    columns = {name: pc.fill_null(joined[name], "") for name in joined.column_names}
    numbered = pc.and_(pc.not_equal(columns["declaration_no"], ""), pc.not_equal(columns["customs_item_no"], ""))
    key = pc.binary_join_element_wise(columns["declaration_no"], "0", pc.utf8_lpad(columns["customs_item_no"], 2, "0"), "")
    columns["refund_key"] = pc.if_else(numbered, key, "")
    columns["item_order"] = columns["item_no"].cast(pa.int64())
    return pa.table(columns)
