"""Sets of hashes of everything, which no process holds whole: each unit leaves its own, sorted, and sets of all are made by ranges
of the hash, one after the other or on workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from aggregator.domain.grouping import Hashes, among
from aggregator.engines.engine import Engine, Storage, Task
from aggregator.schemas.arrays import Ints, Mask

A_RANGE = 1 << 20
"""Hashes that a range has, about, at the most."""
_ALONE, _SHARED = 1 << 17, 4
"""More hashes than that are cut into so many ranges at least, for workers to share them."""
_BITS = 64
T = TypeVar("T")


def ranges_for(hashes: int) -> int:
    """Into how many ranges to cut what has so many: a power of two."""
    return max(1 << max(-(-hashes // A_RANGE) - 1, 0).bit_length(), _SHARED if hashes > _ALONE else 1)


def range_of(values: Hashes, ranges: int) -> Ints:
    """The range that each hash is in."""
    if ranges == 1:
        return np.zeros(len(values), dtype=np.int64)
    return (values >> np.uint64(_BITS - ranges.bit_length() + 1)).astype(np.int64)


def within(ordered: Hashes, number: int, ranges: int) -> slice:
    """Where the hashes of a range stand among some, sorted ascending."""
    width = (1 << _BITS) // ranges
    begin = np.searchsorted(ordered, np.uint64(number * width))
    return slice(int(begin), len(ordered) if number + 1 == ranges else int(np.searchsorted(ordered, np.uint64((number + 1) * width))))


@dataclass(frozen=True)
class HashSet:
    """In the storage, an array a range. One without ranges is empty."""

    name: str
    ranges: int = 0

    def save(self, storage: Storage, number: int, ordered: Hashes) -> None:
        storage.save(f"{self.name}-{number}", ordered)

    def among(self, load: Callable[[str], Hashes], values: Hashes) -> Mask:
        """Which values are in the set. `load`: an array of the storage, by its name."""
        found = np.zeros(len(values), dtype=bool)
        if not self.ranges or not len(values):
            return found
        if self.ranges == 1:
            return among(values, load(f"{self.name}-0"))
        number = range_of(values, self.ranges)
        for each in np.unique(number):
            at = number == each
            found[at] = among(values[at], load(f"{self.name}-{each}"))
        return found


def stretches(storage: Storage, names: Iterable[str], number: int, ranges: int) -> Hashes:
    """The hashes of a range, of all the sorted arrays that have these names, one after the other."""
    found = [np.zeros(0, dtype=np.uint64)]
    for name in names:
        ordered = storage.load(name)
        found.append(np.array(ordered[within(ordered, number, ranges)]))
    return np.concatenate(found)


def spread(engine: Engine, step: Callable[..., T], tasks: Iterable[Task]) -> list[T]:
    """On workers, where there are several tasks."""
    listed = list(tasks)
    return list(engine.map(step, listed)) if len(listed) > 1 else [step(*task) for task in listed]
