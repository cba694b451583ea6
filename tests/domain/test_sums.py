"""Exact sums by group, and what the bench looks the steps of the line up by."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from aggregator.domain.grouping import sums_of_groups
from aggregator.pipeline import line
from benchmarks.steps import STEPS

AMOUNT = pa.decimal128(38, 5)
LARGEST = Decimal("99999999999999.99999")


@pytest.mark.parametrize(
    ("amounts", "groups", "sums"),
    [
        (pa.array([Decimal("1.5"), None, Decimal("-2.25"), Decimal("0.00001")], AMOUNT), [0, 1, 1, 0], [Decimal("1.50001"), Decimal("-2.25"), None]),
        (pa.array([LARGEST, LARGEST, -LARGEST, -LARGEST, -LARGEST], AMOUNT), [0, 0, 1, 1, 1], [2 * LARGEST, -3 * LARGEST, None]),
        (pa.array([LARGEST] * 100, AMOUNT), [1] * 100, [None, 100 * LARGEST, None]),
        (pa.array([15, 37, None], pa.int32()), [2, 2, 0], [None, None, 52]),
        (pa.nulls(3, AMOUNT), [0, 1, 2], [None, None, None]),
        (pa.array([], AMOUNT), [], [None, None, None]),
    ],
)
def test_sums_are_exact(amounts: pa.Array, groups: list[int], sums: list[Decimal | None]) -> None:
    assert sums_of_groups(amounts, np.array(groups, dtype=np.int64), 3).to_pylist() == sums


def test_the_bench_finds_every_step() -> None:
    assert [name for name in STEPS if not hasattr(line, name)] == []
