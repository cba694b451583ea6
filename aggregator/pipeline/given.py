"""Hashes of the identifiers that inventories are given, as each unit leaves them: what the barriers after resolving are made of."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aggregator.domain.grouping import BLANK, hashes
from aggregator.domain.strays import Naming, naming_of
from aggregator.pipeline.work import Work
from aggregator.schemas.inventories import IDENTIFIERS


def leave_given(work: Work, unit: str, inventories: pa.Table) -> None:
    """Sorted arrays, blank ones left out: of each column, and of all together but for what is no inventory."""
    named = naming_of(work.mode, inventories) != Naming.NOTHING
    together = []
    for name in IDENTIFIERS:
        values = hashes(inventories[name].combine_chunks())
        ordered = np.sort(values[values != BLANK])
        work.storage.save(column_of(name, unit), ordered)
        together.append(ordered if named.all() else np.sort(values[named & (values != BLANK)]))
    # Stretches that are sorted are merged by a stable sort.
    work.storage.save(identifiers_of(unit), np.sort(np.concatenate(together), kind="stable"))


def column_of(name: str, unit: str) -> str:
    return f"{name}-{unit}"


def identifiers_of(unit: str) -> str:
    return f"identifiers-{unit}"
