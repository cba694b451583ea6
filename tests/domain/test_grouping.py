"""Hashes of many values looked for among those of a few, and the reverse."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.domain.grouping import among, counted, distinct


@pytest.mark.parametrize(("values", "others"), [(0, 5), (50_000, 0), (50_000, 1), (50_000, 3_000), (50_000, 60_000), (5, 60_000)])
def test_what_stands_among_others_is_found(values: int, others: int) -> None:
    random = np.random.default_rng(values + others)
    ordered = distinct(random.integers(0, 1 << 63, others, dtype=np.uint64))
    looked_for = random.integers(0, 1 << 63, values, dtype=np.uint64)
    count = min(values, others)
    looked_for[:count] = random.permutation(ordered)[:count]
    # The last bits of one that is there.
    looked_for[count : count + 10] = (ordered[0] if others else np.uint64(7)) ^ np.uint64(1 << 40)
    assert among(looked_for, ordered).tolist() == np.isin(looked_for, ordered).tolist()
    assert among(looked_for, ordered).sum() >= count


@pytest.mark.parametrize("stretches", [[], [[]], [[3]], [[1, 2, 2], [2, 5], []], [[9], [1], [1]]])
def test_values_of_several_stretches_are_counted(stretches: list[list[int]]) -> None:
    everything = [value for stretch in stretches for value in stretch]
    values, counts = counted(np.array(everything, dtype=np.uint64))
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {value: everything.count(value) for value in sorted(set(everything))}
    assert values.tolist() == sorted(set(everything))
