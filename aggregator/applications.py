"""Which declarations one summary application (汇总申请单) asks for: those that share what an application holds once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aggregator.groups import Ints, group_codes
from aggregator.split import Split
from schemas.limits import APPLICATION_KEY


def applications(items: pa.Table, split: Split) -> tuple[pa.Table, Ints]:
    """In: merged items in the order of the key. Out: application_no (1, 2, …) and APPLICATION_KEY, in the order of the key;
    and for each declaration the number of its application."""
    first_item = np.flatnonzero(np.diff(split.declaration, prepend=-1))
    keys = items.select(APPLICATION_KEY.value).take(pa.array(first_item)).combine_chunks()
    groups, firsts = group_codes([column.combine_chunks() for column in keys.columns], keys.num_rows)
    distinct = keys.take(pa.array(firsts)).append_column("group", pa.array(np.arange(len(firsts))))
    distinct = distinct.sort_by([(name, "ascending") for name in APPLICATION_KEY.value])
    numbers = np.empty(len(firsts), dtype=np.int64)
    numbers[distinct["group"].to_numpy()] = np.arange(1, len(firsts) + 1)
    table = distinct.drop_columns("group").add_column(0, "application_no", pa.array(np.arange(1, len(firsts) + 1)))
    return table, numbers[groups]
