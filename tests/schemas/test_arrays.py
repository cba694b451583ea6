"""What Arrow's arrays lack."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from aggregator.schemas.arrays import rows_at, spread, without


@pytest.mark.parametrize("begin", [0, 3])
@pytest.mark.parametrize("encoded", [False, True])
def test_values_stand_where_they_belong_and_nothing_elsewhere(encoded: bool, begin: int) -> None:
    values = ["a", "", "夏季", "", "long enough", "a", "z"]
    column = pa.array(values).slice(begin)
    column = column.dictionary_encode() if encoded else column
    stands = np.array([False, *[True, False] * len(column), False, True])[: 2 * len(column) + 1]
    valid = stands.copy()
    valid[1] = False
    made = spread(column, stands, valid)
    made.validate(full=True)
    there = iter(values[begin:])
    expected = [next(there) if each else None for each in stands]
    expected[1] = None
    assert made.cast(pa.string()).to_pylist() == expected


def test_nothing_on_no_rows() -> None:
    none = np.zeros(2, dtype=bool)
    assert spread(pa.array([], pa.string()), none, none).to_pylist() == [None, None]
    assert spread(pa.array([], pa.string()).dictionary_encode(), none, none).cast(pa.string()).to_pylist() == [None, None]


@pytest.mark.parametrize("begin", [0, 3])
@pytest.mark.parametrize("encoded", [False, True])
def test_nothing_stands_on_rows_that_are_dropped(encoded: bool, begin: int) -> None:
    values = ["a", "", None, "夏季", "long enough", None, "a", "z"]
    column = pa.array(values).dictionary_encode() if encoded else pa.array(values)
    column = column.slice(begin)
    dropped = np.arange(len(column)) % 3 == 1
    made = without(column, dropped)
    made.validate(full=True)
    expected = [None if drop else value for value, drop in zip(values[begin:], dropped, strict=True)]
    assert made.cast(pa.string()).to_pylist() == expected
    assert without(column, np.zeros(len(column), dtype=bool)) is column


@pytest.mark.parametrize(
    "places",
    [range(0), range(3000), range(2999), range(1, 3000), [*range(1200), *range(1300, 3000)], [*range(2000, 3000), *range(1500)], range(0, 3000, 2), [5, 5, 4]],
    ids=["none", "all", "but the last", "but the first", "two stretches", "in another order", "every other", "one twice"],
)
def test_rows_are_those_at_their_places(places: list[int]) -> None:
    texts = pa.array([None if number % 7 == 0 else f"value {number % 90}" for number in range(3000)])
    table = pa.table({"number": np.arange(3000), "text": texts, "encoded": texts.dictionary_encode()})
    made = rows_at(table, np.array(places, dtype=np.int64))
    made.validate(full=True)
    assert made.equals(table.take(pa.array(places, pa.int64())))
    assert all(column.num_chunks <= 1 for column in made.columns)
