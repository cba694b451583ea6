"""Inventories seen in more than one chunk: they are resolved by partitions of their numbers."""

from __future__ import annotations

import numpy as np

from aggregator.domain.grouping import Hashes, among, counted
from aggregator.engines.engine import Engine, Shared
from aggregator.pipeline.hashed import HashSet, spread, within
from aggregator.pipeline.work import Work, chunk_unit
from aggregator.schemas.arrays import Ints

_NAME = "scattered"
_LINES_A_PARTITION = 32_768


def leave_numbers(work: Work, chunk: int, hashes: Hashes, counts: Ints) -> None:
    """What finding them needs of a chunk: hashes of its inventory numbers, and how many lines each has."""
    order = np.argsort(hashes)
    work.storage.save(numbers_of(chunk), hashes[order])
    work.storage.save(_counts_of(chunk), counts[order])


def numbers_of(chunk: int) -> str:
    """The array of the hashes of a chunk's inventory numbers, sorted."""
    return f"numbers-{chunk_unit(chunk)}"


def _counts_of(chunk: int) -> str:
    return f"counts-{chunk_unit(chunk)}"


def scattered(engine: Engine, shared: Shared[Work], ranges: int) -> tuple[HashSet, int]:
    """The inventories seen in more than one chunk (by hash: one too many does no harm), and how many partitions to resolve them in."""
    lines = sum(spread(engine, find_scattered, ((shared, number, ranges) for number in range(ranges))))
    return (HashSet(_NAME, ranges), lines // _LINES_A_PARTITION + 1) if lines else (HashSet(_NAME), 0)


def find_scattered(shared: Shared[Work], number: int, ranges: int) -> int:
    """Leave those of one range of the hash. Out: how many lines they have."""
    work, counts = shared.value, list[Ints]()
    hashes = [np.zeros(0, dtype=np.uint64)]
    for chunk in range(len(work.chunks)):
        ordered = work.storage.load(numbers_of(chunk))
        at = within(ordered, number, ranges)
        hashes.append(np.array(ordered[at]))
        counts.append(np.array(work.storage.load(_counts_of(chunk))[at]))
    everything = np.concatenate(hashes)
    values, seen = counted(everything)
    several = values[seen > 1]
    HashSet(_NAME, ranges).save(work.storage, number, several)
    return int(np.concatenate(counts)[among(everything, several)].sum()) if len(several) else 0
