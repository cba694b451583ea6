"""The barrier of a mode that merges: partial items of all units to items, split and numbered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from aggregator.domain.merge import combine_partials
from aggregator.domain.split import split_items
from aggregator.pipeline.emit import Numbering
from aggregator.pipeline.placed import Placed, leave_items, leave_split, no_items
from aggregator.pipeline.settle import Settled
from aggregator.pipeline.work import Work

_ROWS_AT_A_TIME = 250_000


def merge_items(work: Work, settled: list[Settled], run_ref: str) -> Placed:
    """Where each unit's rows went is left for emit.

    In two steps, so that memory follows the number of keys and not of chunks: partial rows of some units at a time, then
    what became of them.
    """
    if not settled:
        return no_items(work.mode, run_ref)
    merged, places = [], []
    for units in _some_at_a_time(settled):
        partials = [work.storage.read(work.shards.partials.of(unit.unit)) for unit in units]
        sizes = [table.num_rows for table in partials]
        together = pa.concat_tables(partials).combine_chunks()
        partials.clear()
        items, item_of_row = combine_partials(together, work.mode)
        merged.append(items)
        places.append((units, sizes, item_of_row))
    offsets = np.cumsum([0, *(items.num_rows for items in merged)])
    items, item_of_row = combine_partials(pa.concat_tables(merged).combine_chunks(), work.mode)
    merged.clear()
    pa.default_memory_pool().release_unused()
    split = split_items(items, work.mode.header_key.value, work.mode.items_per_declaration.value)
    for offset, (units, sizes, item_in_part) in zip(offsets, places, strict=False):
        leave_items(work, units, sizes, item_of_row[offset + item_in_part])
    leave_split(work, split)
    return Placed(items, split, Numbering(run_ref, split.declarations))


def _some_at_a_time(settled: list[Settled]) -> Iterator[list[Settled]]:
    """Units whose partial rows together are few enough to be merged at once."""
    units: list[Settled] = []
    rows = 0
    for unit in settled:
        if units and rows + unit.partial_rows > _ROWS_AT_A_TIME:
            yield units
            units, rows = [], 0
        units.append(unit)
        rows += unit.partial_rows
    yield units
