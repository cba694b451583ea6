"""Packing: nothing over the limit, nothing lost, the fewest where that is said, and the order of the input changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.domain.pack import Packing, lower_bound, pack
from tests.tries import tries


def anything(units: Sequence[int]) -> bool:
    return True


def partitions(units: list[int]) -> Iterator[list[list[int]]]:
    if not units:
        yield []
        return
    first, rest = units[0], units[1:]
    for smaller in partitions(rest):
        for place in range(len(smaller)):
            yield [*smaller[:place], [first, *smaller[place]], *smaller[place + 1 :]]
        yield [[first], *smaller]


def fewest(values: list[int], limit: int) -> int:
    """By brute force."""
    return min(
        (len(bins) for bins in partitions(list(range(len(values)))) if all(sum(values[u] for u in each) <= limit for each in bins)),
        default=0,
    )


def sound(packing: Packing, values: Sequence[int], limit: int) -> None:
    assert sorted(unit for each in packing.declarations for unit in each) == list(range(len(values)))
    assert all(sum(values[unit] for unit in each) <= limit for each in packing.declarations)
    assert len(packing.declarations) >= packing.lower_bound
    assert list(packing.declarations) == sorted(packing.declarations)


@pytest.mark.parametrize(
    ("values", "declarations"),
    [
        ([90, 70, 60, 40, 30, 10], 2),  # 90 + 60 = 150; 70 + 40 + 30 + 10 = 150
        ([60, 60, 45, 45, 45, 45], 2),  # first-fit decreasing makes 3: 60 + 60, 45 + 45 + 45, 45; 60 + 45 + 45 = 150 twice
        ([76, 76], 2),
        ([150], 1),
        ([150, 1], 2),
        ([], 0),
        ([0, 0, 0], 1),
    ],
)
def test_worked_numbers(values: list[int], declarations: int) -> None:
    packing = pack(values, 150, anything)
    sound(packing, values, 150)
    assert (len(packing.declarations), packing.proven) == (declarations, True)


@given(st.lists(st.integers(0, 100), max_size=7), st.integers(100, 160))
@settings(max_examples=tries(150))
def test_the_fewest_against_brute_force(values: list[int], limit: int) -> None:
    packing = pack(values, limit, anything)
    sound(packing, values, limit)
    assert packing.proven
    assert len(packing.declarations) == fewest(values, limit)


@given(st.lists(st.integers(1, 150_000), min_size=8, max_size=20))
@settings(max_examples=tries(60))
def test_up_to_twenty_units(values: list[int]) -> None:
    packing = pack(values, 150_000, anything)
    sound(packing, values, 150_000)
    assert packing.proven
    assert packing.lower_bound >= -(-sum(values) // 150_000)


@given(st.lists(st.integers(0, 60), max_size=9), st.randoms())
def test_the_bound_is_never_above_the_fewest(values: list[int], random: object) -> None:
    assert lower_bound(values or [0], 60) <= max(len(pack(values, 60, anything).declarations), 1)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=40), st.integers(1, 5))
def test_a_count_limit_holds_too(values: list[int], most: int) -> None:
    packing = pack(values, 150, lambda units: len(units) <= most)
    sound(packing, values, 150)
    assert all(len(each) <= most for each in packing.declarations)


def test_twenty_thousand_units_take_seconds() -> None:
    values = [(place * 7919) % 149_999 + 1 for place in range(20_000)]
    began = time.monotonic()
    packing = pack(values, 150_000, anything)
    assert time.monotonic() - began < 5
    sound(packing, values, 150_000)
    assert len(packing.declarations) <= packing.lower_bound * 11 / 9 + 1
