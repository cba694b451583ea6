"""Cut the merged items of each header key into declarations of at most so many, and number both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints


@dataclass(frozen=True)
class Split:
    """For each merged item its header key, its declaration (both 0, 1, …) and its number in it (1, 2, …)."""

    header: Ints
    declaration: Ints
    item_no: Ints

    @property
    def declarations(self) -> int:
        return int(self.declaration[-1]) + 1 if len(self.declaration) else 0


def split_items(items: pa.Table, header_key: Sequence[str], limit: int) -> Split:
    """In: merged items in the order of the key; how many items a declaration may hold. Every declaration of a header key is full but the last."""
    count = items.num_rows
    new_header = np.zeros(count, dtype=bool)
    new_header[:1] = True
    for column in header_key:
        values = items[column].combine_chunks()
        if count > 1:
            new_header[1:] |= pc.not_equal(values.slice(1), values.slice(0, count - 1)).to_numpy(
                zero_copy_only=False
            )
    header = np.cumsum(new_header) - 1
    start = np.maximum.accumulate(np.where(new_header, np.arange(count), 0))
    place = np.arange(count) - start
    new_declaration = place % limit == 0
    return Split(header, np.cumsum(new_declaration) - 1, place % limit + 1)


def declaration_refs(run_ref: str, count: int) -> pa.Array:
    """Our references `202610-01-000001`, …: never customs' numbers, which come back from customs."""
    numbers = pc.utf8_lpad(pa.array(np.arange(1, count + 1)).cast(pa.string()), 6, "0")
    return pc.binary_join_element_wise(run_ref, numbers, "-")
