"""The batch rules: what only shows when all inventories of a run are looked at together. Warnings, all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import Hashes, Ints, hashes
from aggregator.model.findings import FINDINGS, findings_of
from aggregator.schemas.modes.m9610.rules.batch import values_with_several

PLACED = FINDINGS.append(pa.field("chunk", pa.int32()))


@dataclass(frozen=True)
class BatchFindings:
    """`placed`: at the first line of an inventory (with its chunk). `placeless`: about firms and merged items."""

    placed: pa.Table
    placeless: pa.Table


def shared_numbers(
    code: str, column: str, seen: list[Hashes], units: list[str], read: Callable[[str], pa.Table]
) -> pa.Table:
    """Inventories that share a value of `column` with another inventory. `seen`: hashes of the values, by unit; `read`
    gives a unit's inventories. Hashes only say where to look: the values themselves are compared."""
    everything = np.concatenate(seen) if seen else np.zeros(0, dtype=np.uint64)
    values, counts = np.unique(everything, return_counts=True)
    suspect = values[counts > 1]
    if not len(suspect):
        return PLACED.empty_table()
    tables = []
    for unit, unit_hashes in zip(units, seen, strict=True):
        if np.isin(unit_hashes, suspect).any():
            table = read(unit).select(["inventory_no", column, "chunk", "line"])
            table = table.filter(table[column].is_valid()).combine_chunks()
            tables.append(table.filter(pa.array(np.isin(hashes(table[column].combine_chunks()), suspect))))
    candidates = pa.concat_tables(tables).combine_chunks()
    several = values_with_several(candidates, column, "inventory_no")
    shared = candidates.filter(pc.is_in(candidates[column], value_set=several[column].combine_chunks())).combine_chunks()
    number = shared["inventory_no"].combine_chunks()
    found = findings_of(
        code, column, shared["line"].to_numpy(), shared[column].combine_chunks(), number, pa.nulls(len(number), pa.string())
    )
    return found.append_column("chunk", shared["chunk"].combine_chunks())


def several_names(names: pa.Table) -> pa.Table:
    """B204 and B205. In: consignor_code and consignor_name of what is declared."""
    return pa.concat_tables(
        [
            _several("B204", "consignor_name", names, "consignor_code", "consignor_name"),
            _several("B205", "consignor_code", names, "consignor_name", "consignor_code"),
        ]
    )


def several_units(items: pa.Table, header: Ints) -> pa.Table:
    """B203. In: merged items and the header key (0, 1, …) of each."""
    same = ("commodity_code", "destination_country_code", "currency_code", "item_name")
    separator = "\x1f"
    key = pc.binary_join_element_wise(
        pa.array(header).cast(pa.string()), *(items[column].combine_chunks() for column in same), separator
    )
    found = []
    for column in ("declared_unit_code", "statutory_unit_code"):
        several = values_with_several(pa.table({"key": key, column: items[column].combine_chunks()}), "key", column)
        codes = pc.list_element(pc.split_pattern(several["key"].combine_chunks(), separator), 1)
        shown = pc.binary_join_element_wise(codes, pc.binary_join(several[column].combine_chunks(), " / "), ": ")
        found.append(_placeless("B203", column, shown))
    return pa.concat_tables(found)


def without_packages(refs: Iterable[str]) -> pa.Table:
    """B206. In: declarations left with 0 packages."""
    return _placeless("B206", "package_count", pa.array(list(refs), pa.string()))


def _several(code: str, column: str, pairs: pa.Table, of: str, each: str) -> pa.Table:
    several = values_with_several(pairs, of, each)
    shown = pc.binary_join_element_wise(
        several[of].combine_chunks(), pc.binary_join(several[each].combine_chunks(), " / "), ": "
    )
    return _placeless(code, column, shown)


def _placeless(code: str, column: str, values: pa.Array) -> pa.Table:
    count = len(values)
    blank = pa.nulls(count, pa.string())
    return findings_of(code, column, np.full(count, -1), values, blank, blank)
