"""Where what is declared went: what the barrier between resolving and emitting comes to, whatever a mode does there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from aggregator.domain.split import Split
from aggregator.model.findings import no_findings
from aggregator.pipeline.emit import Numbering
from aggregator.pipeline.settle import Settled
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints
from aggregator.schemas.modes import Mode


@dataclass(frozen=True)
class Placed:
    """`items`: in the order of the declarations, `split` says which and where. `tables`: further outputs by name. `findings`: about
    declarations, without a place in the input."""

    items: pa.Table
    split: Split
    numbering: Numbering
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    findings: pa.Table = field(default_factory=no_findings)


def no_items(mode: Mode, run_ref: str) -> Placed:
    empty = Split(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    return Placed(pa.table({name: pa.array([], pa.string()) for name in (*mode.key, *mode.application_key.value)}), empty, Numbering(run_ref, 0))


def leave_items(work: Work, units: Sequence[Settled], sizes: Sequence[int], item_of_row: Ints) -> None:
    """For emit: the item of each partial row, unit by unit. In: units one after the other, and how many rows each has."""
    for unit, end, size in zip(units, np.cumsum(sizes), sizes, strict=True):
        work.storage.save(f"items-{unit.unit}", item_of_row[end - size : end])


def leave_split(work: Work, split: Split) -> None:
    """For emit: the declaration of each item, and its number there."""
    work.storage.save("declaration", split.declaration)
    work.storage.save("item_no", split.item_no)


def nothing_placed(work: Work, units: Sequence[Settled], run_ref: str) -> Placed:
    """Where no unit has partial rows."""
    placed = no_items(work.mode, run_ref)
    leave_items(work, units, [0] * len(units), np.zeros(0, dtype=np.int64))
    leave_split(work, placed.split)
    return placed
