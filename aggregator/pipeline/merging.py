"""The barrier of a mode that merges: partial items of all units to items, split and numbered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aggregator.domain.merge import combine_partials
from aggregator.domain.split import split_items
from aggregator.engines.engine import Engine, Shared
from aggregator.pipeline.emit import Numbering
from aggregator.pipeline.hashed import spread
from aggregator.pipeline.placed import Placed, leave_items, leave_split, no_items
from aggregator.pipeline.settle import Settled
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints

_ROWS_AT_A_TIME = 100_000


class _Group(NamedTuple):
    """Some units, whose partial rows were made one a key (`rows`) by themselves. They are left under its name, and the row of each
    partial row."""

    name: str
    units: list[Settled]
    rows: int


class _Fold(NamedTuple):
    """Rows of some groups, added to the items so far. `items`: how many these were. Where all of them went is left in the storage."""

    name: str
    items: int
    groups: list[_Group]


def merge_items(engine: Engine, shared: Shared[Work], settled: list[Settled], run_ref: str) -> Placed:
    """Where each unit's rows went is left for emit.

    Partial rows of some units at a time are combined by workers, and what they leave is added to the items so far: memory follows the
    number of keys, and neither that of chunks nor of lines.
    """
    work = shared.value
    named = [(f"combined-{number}", units) for number, units in enumerate(_groups(settled))]
    counts = spread(engine, combine, ((shared, name, [unit.unit for unit in units]) for name, units in named))
    waiting = [_Group(name, units, rows) for (name, units), rows in zip(named, counts, strict=True)]
    items, folds = list[pa.Table](), list[_Fold]()
    while waiting:
        before = items[0].num_rows if items else 0
        # With the items so far they are as many each time; of very many items at least as many as there are.
        groups = list(_some(waiting, max(_ROWS_AT_A_TIME - before, before)))
        del waiting[: len(groups)]
        folds.append(_Fold(f"fold-{len(folds)}", before, groups))
        tables = [*items, *(work.storage.read(work.shards.partials.of(group.name)) for group in groups)]
        items.clear()
        merged, item_of_row = _combined(work, tables)
        items.append(merged)
        work.storage.save(folds[-1].name, item_of_row)
        del merged, item_of_row
        pa.default_memory_pool().release_unused()
    if not items:
        return no_items(work.mode, run_ref)
    return _placed(work, folds, items[0], run_ref)


def combine(shared: Shared[Work], name: str, units: list[str]) -> int:
    """Leave the partial rows of some units as one row a key, under a name, and of each the row of its key. Out: how many keys."""
    work = shared.value
    table, row_of_partial = combine_partials(pa.concat_tables(work.storage.read(work.shards.partials.of(unit)) for unit in units).combine_chunks(), work.mode)
    work.storage.write(work.shards.partials.of(name), table)
    work.storage.save(name, row_of_partial)
    return int(table.num_rows)


def _combined(work: Work, tables: list[pa.Table]) -> tuple[pa.Table, Ints]:
    """Their rows made one a key; one table has it so already."""
    if len(tables) == 1:
        return tables[0], np.arange(tables[0].num_rows)
    together = pa.concat_tables(tables).combine_chunks()
    tables.clear()
    return combine_partials(together, work.mode)


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
        begin = fold.items
        for group in fold.groups:
            item_of_partial = item_of_row[begin : begin + group.rows][work.storage.load(group.name)]
            leave_items(work, group.units, [unit.partial_rows for unit in group.units], item_of_partial)
            begin += group.rows
        became = item_of_row[: fold.items]


def _groups(settled: list[Settled]) -> Iterator[list[Settled]]:
    """Units one after the other, of so many partial rows together, or one."""
    group, rows = list[Settled](), 0
    for unit in settled:
        if group and rows + unit.partial_rows > _ROWS_AT_A_TIME:
            yield group
            group, rows = [], 0
        group.append(unit)
        rows += unit.partial_rows
    if group:
        yield group


def _some(groups: list[_Group], most: int) -> Iterator[_Group]:
    """The first groups, of so many rows together, or the first one."""
    rows = 0
    for place, group in enumerate(groups):
        rows += group.rows
        if place and rows > most:
            return
        yield group
