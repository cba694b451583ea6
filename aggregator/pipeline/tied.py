"""Inventories that a line without a number may belong to. It is known only once all lines were seen: it is left for a unit that
was resolved already, for when it is settled."""

from __future__ import annotations

import pyarrow as pa

from aggregator.pipeline.shards import TIED
from aggregator.pipeline.work import Work


def leave_tied(work: Work, unit: str, numbers: pa.Array, values: pa.Array) -> None:
    """`values`: file and row of the line."""
    count = len(numbers)
    cells = [numbers, pa.nulls(count, pa.string()), pa.array(["inventory_no"] * count, pa.string()), values]
    work.storage.write(work.shards.tied.of(unit), pa.table(cells, schema=TIED))


def tied_in(work: Work, unit: str) -> pa.Table:
    """Columns out: inventory_no, item_no (none), column, value."""
    shard = work.shards.tied.of(unit)
    return work.storage.read(shard) if work.storage.has(shard) else TIED.empty_table()
