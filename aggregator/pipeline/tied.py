"""Inventories that a line without a number may belong to. It is known only once all lines were seen: it is left for a unit that
was settled already, which is settled again."""

from __future__ import annotations

import pyarrow as pa

from aggregator.engines.shards import read_table, write_table
from aggregator.pipeline.work import Work

_FOUND = pa.schema([(name, pa.string()) for name in ("inventory_no", "item_no", "column", "value")])


def leave_tied(work: Work, unit: str, numbers: pa.Array, values: pa.Array) -> None:
    """`values`: file and row of the line."""
    count = len(numbers)
    cells = [numbers, pa.nulls(count, pa.string()), pa.array(["inventory_no"] * count, pa.string()), values]
    write_table(work.unit(unit, "tied"), pa.table(cells, schema=_FOUND))


def tied_in(work: Work, unit: str) -> pa.Table:
    """Columns out: inventory_no, item_no (none), column, value."""
    path = work.unit(unit, "tied")
    return read_table(path) if path.exists() else _FOUND.empty_table()
