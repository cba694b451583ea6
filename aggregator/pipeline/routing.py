"""The barrier of a mode that routes: every order is a declaration by itself, or a list."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import run_starts
from aggregator.domain.merge import number_ranks
from aggregator.domain.route import DECLARATION
from aggregator.domain.split import Split
from aggregator.outputs.checked import checked
from aggregator.pipeline.emit import Numbering
from aggregator.pipeline.placed import Placed, leave_items, leave_split, nothing_placed
from aggregator.pipeline.settle import Settled
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints


def route_orders(work: Work, settled: list[Settled], run_ref: str) -> Placed:
    """Partial rows are items of orders. Where each went is left for emit. Orders to be declared come first, then those that go as
    lists, each by platform and number."""
    partials = [work.storage.read(work.shards.partials.of(unit.unit)) for unit in settled]
    sizes = [table.num_rows for table in partials]
    if not sum(sizes):
        return nothing_placed(work, settled, run_ref)
    rows = pa.concat_tables(partials).combine_chunks()
    partials.clear()
    order = _order(rows)
    in_order = bool((np.diff(order) == 1).all())
    items = rows if in_order else rows.take(pa.array(order)).combine_chunks()
    starts = _starts(items)
    item_of_row = np.empty(len(order), dtype=np.int64)
    item_of_row[order] = np.arange(len(order))
    leave_items(work, settled, sizes, item_of_row)
    lengths = np.diff(np.append(starts, len(order)))
    declaration = np.repeat(np.arange(len(starts)), lengths)
    split = Split(declaration, declaration, np.arange(len(order)) - np.repeat(starts, lengths) + 1)
    leave_split(work, split)
    heads = items.take(pa.array(starts)).combine_chunks()
    declared = int(pc.sum(pc.equal(heads["route"], DECLARATION)).as_py())
    numbering = Numbering(run_ref, declared, len(starts) - declared)
    return Placed(_with_document(work, items), split, numbering, {"routes": _routes(work, heads, numbering)})


def _order(rows: pa.Table) -> Ints:
    """By route, platform, number, item."""
    listed = pc.not_equal(rows["route"], DECLARATION).combine_chunks().to_numpy(zero_copy_only=False)
    platform, number = (number_ranks(rows[name].combine_chunks()) for name in ("platform_code", "order_no"))
    found: Ints = np.lexsort((rows["first_item_no"].to_numpy(), number, platform, listed))
    return found


def _starts(items: pa.Table) -> Ints:
    """The first item of each order."""
    return run_starts(items["inventory_no"].combine_chunks().dictionary_encode().indices.to_numpy())


def _with_document(work: Work, items: pa.Table) -> pa.Table:
    """The document by which a declaration names its order."""
    assert work.mode.routing is not None
    category = pa.array([work.mode.routing.attached_category.value] * items.num_rows, pa.string())
    return items.append_column("attached_document_category_code", category).append_column("attached_document_no", items["order_no"])


def _routes(work: Work, heads: pa.Table, numbering: Numbering) -> pa.Table:
    """An order a row, by platform and number."""
    table = heads.select(["platform_code", "order_no", "route", "value_cny", "reasons"]).append_column("declaration_ref", numbering.refs)
    order = np.lexsort(tuple(number_ranks(heads[name].combine_chunks()) for name in ("order_no", "platform_code")))
    return checked(work.mode, "routes", table.take(pa.array(order)))
