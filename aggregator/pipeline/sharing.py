"""The barrier of the batch rules: which inventories have an order or waybill number that another has too. Hashes say where to look;
the values themselves are compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from aggregator.domain.batch import shared_numbers
from aggregator.domain.grouping import among, counted, hashes
from aggregator.engines.engine import Engine, Shared
from aggregator.pipeline.given import column_of
from aggregator.pipeline.hashed import HashSet, range_of, spread, stretches
from aggregator.pipeline.work import Work, units_of
from aggregator.schemas.modes import Mode

_RULES = {"B201": "order_no", "B202": "waybill_no"}


def share_numbers(engine: Engine, shared: Shared[Work], partitions: int, ranges: int) -> tuple[str, ...]:
    """Leave a finding at the first line of each of these inventories. Out: the units of the shards with these."""
    work = shared.value
    numbers = [(shared, partitions, ranges, number) for number in range(ranges)]
    if not sum(spread(engine, find_suspects, numbers)):
        return ()
    units = units_of(work, partitions)
    holding = engine.share([unit for unit, holds in zip(units, spread(engine, put_aside, ((shared, unit, ranges) for unit in units)), strict=True) if holds])
    return tuple(unit for found in spread(engine, compare, ((shared, holding, number) for number in range(ranges))) for unit in found)


def _columns(mode: Mode) -> dict[str, str]:
    return {code: column for code, column in _RULES.items() if code in mode.rules}


def _suspects(column: str, ranges: int) -> HashSet:
    return HashSet(f"suspect-{column}", ranges)


def find_suspects(shared: Shared[Work], partitions: int, ranges: int, number: int) -> int:
    """Leave the hashes of a range that stand more than once. Out: how many they are."""
    work, count = shared.value, 0
    for column in _columns(work.mode).values():
        names = (column_of(column, unit) for unit in units_of(work, partitions))
        values, seen = counted(stretches(work.storage, names, number, ranges))
        _suspects(column, ranges).save(work.storage, number, values[seen > 1])
        count += int((seen > 1).sum())
    return count


def put_aside(shared: Shared[Work], unit: str, ranges: int) -> bool:
    """Leave the inventories of a unit that have a suspect number, by range. Out: whether there are any."""
    work, load = shared.value, shared.value.storage.load
    standing = {column: load(column_of(column, unit)) for column in _columns(work.mode).values()}
    suspect = {column: np.array(given[_suspects(column, ranges).among(load, given)]) for column, given in standing.items()}
    holds = any(map(len, suspect.values()))
    for column, few in suspect.items() if holds else ():
        table = work.storage.read(work.shards.inventories.of(unit), ("inventory_no", column, "chunk", "line"))
        of_value = hashes(table[column].combine_chunks())
        at = np.flatnonzero(among(of_value, few))
        chosen = table.take(pa.array(at)).select(["inventory_no", column, "chunk", "line"]).rename_columns(["inventory_no", "value", "chunk", "line"])
        work.storage.write_parts(work.shards.sharing.of(f"{column}-{unit}"), chosen, range_of(of_value[at], ranges), ranges)
    return holds


def compare(shared: Shared[Work], holding: Shared[list[str]], number: int) -> list[str]:
    return list(_compare(shared.value, holding.value, number))


def _compare(work: Work, units: list[str], number: int) -> Iterator[str]:
    """The shards with findings that are left, of one range."""
    for code, column in _columns(work.mode).items():
        candidates = work.storage.read_part((work.shards.sharing.of(f"{column}-{unit}") for unit in units), number)
        found = shared_numbers(work.mode, code, column, candidates)
        if found.num_rows:
            unit = f"{column}-{number}"
            work.storage.write_parts(work.shards.batch.of(unit), found, found["chunk"].to_numpy(), len(work.chunks))
            yield unit
