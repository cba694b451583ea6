"""The test of the rules about values that stand with more than one other value."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def values_with_several(pairs: pa.Table, of: str, each: str) -> pa.Table:
    """Values of column `of` that stand with more than one value of column `each`.

    In: a table with string columns `of` and `each`. Out: `of` and `each` (a sorted list), in the order of `of`.
    """
    distinct = pairs.select([of, each]).group_by([of, each], use_threads=False).aggregate([])
    distinct = distinct.filter(pc.and_(distinct[of].is_valid(), distinct[each].is_valid()))
    distinct = distinct.sort_by([(of, "ascending"), (each, "ascending")])
    grouped = distinct.group_by(of, use_threads=False).aggregate([(each, "list")])
    several = grouped.filter(pc.greater(pc.list_value_length(grouped[f"{each}_list"]), 1))
    return several.select([of, f"{each}_list"]).rename_columns([of, each])
