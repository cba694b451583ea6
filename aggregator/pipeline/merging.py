"""The barrier of a mode that merges: partial items of all units to items, split and numbered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aggregator.domain.merge import combine_partials
from aggregator.domain.split import split_items
from aggregator.pipeline.emit import Numbering
from aggregator.pipeline.placed import Placed, leave_items, leave_split, no_items
from aggregator.pipeline.settle import Settled
from aggregator.pipeline.work import Work

_ROWS_AT_A_TIME = 100_000


class _Fold(NamedTuple):
    """Partial rows of some units, added to the items so far. `items`: how many these were; `sizes`: rows of each unit. Where all of them
    went is left in the storage."""

    name: str
    items: int
    units: list[Settled]
    sizes: list[int]


def merge_items(work: Work, settled: list[Settled], run_ref: str) -> Placed:
    """Where each unit's rows went is left for emit.

    Partial rows of some units at a time are added to the items so far: memory follows the number of keys, and neither that of
    chunks nor of lines.
    """
    items, folds, waiting = list[pa.Table](), list[_Fold](), list(settled)
    while waiting:
        before = items[0].num_rows if items else 0
        # With the items so far they are as many each time; of very many items at least as many as there are.
        units = list(_some(waiting, max(_ROWS_AT_A_TIME - before, before)))
        del waiting[: len(units)]
        partials = [work.storage.read(work.shards.partials.of(unit.unit)) for unit in units]
        folds.append(_Fold(f"fold-{len(folds)}", before, units, [table.num_rows for table in partials]))
        together = pa.concat_tables([*items, *partials]).combine_chunks()
        partials.clear()
        items.clear()
        merged, item_of_row = combine_partials(together, work.mode)
        items.append(merged)
        work.storage.save(folds[-1].name, item_of_row)
        del together, merged, item_of_row
        pa.default_memory_pool().release_unused()
    if not items:
        return no_items(work.mode, run_ref)
    return _placed(work, folds, items[0], run_ref)


def _placed(work: Work, folds: list[_Fold], items: pa.Table, run_ref: str) -> Placed:
    _leave_items(work, folds, items.num_rows)
    split = split_items(items, work.mode.header_key.value, work.mode.items_per_declaration.value)
    leave_split(work, split)
    return Placed(items, split, Numbering(run_ref, split.declarations))


def _leave_items(work: Work, folds: list[_Fold], count: int) -> None:
    """From the last fold back to the first: where its rows went is known by where the items of the next one did."""
    became = np.arange(count)
    for fold in reversed(folds):
        item_of_row = became[work.storage.load(fold.name)]
        leave_items(work, fold.units, fold.sizes, item_of_row[fold.items :])
        became = item_of_row[: fold.items]


def _some(settled: list[Settled], most: int) -> Iterator[Settled]:
    """The first units, of so many partial rows together, or the first one."""
    rows = 0
    for place, unit in enumerate(settled):
        rows += unit.partial_rows
        if place and rows > most:
            return
        yield unit
