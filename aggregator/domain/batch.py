"""The batch rules: what only shows when all inventories of a run are looked at together. Warnings, all of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.model.findings import findings_of, no_findings
from aggregator.schemas.arrays import Ints
from aggregator.schemas.modes import Mode


def shared_numbers(mode: Mode, code: str, column: str, candidates: pa.Table) -> pa.Table:
    """Inventories that share a value of `column` with another inventory. In: inventory_no, value, chunk and line of those that may."""
    several = mode.rules[code].sound(candidates, "value", "inventory_no")
    shared = candidates.filter(pc.is_in(candidates["value"], value_set=several["value"].combine_chunks())).combine_chunks()
    number = shared["inventory_no"].combine_chunks()
    found = findings_of(
        mode, code, column, shared["line"].to_numpy(), shared["value"].combine_chunks(), number, pa.nulls(len(number), pa.string())
    )
    return found.append_column("chunk", shared["chunk"].combine_chunks())


def several_names(mode: Mode, names: pa.Table) -> pa.Table:
    """B204 and B205. In: consignor_code and consignor_name of what is declared."""
    return pa.concat_tables(
        [
            _several(mode, "B204", "consignor_name", names, "consignor_code", "consignor_name"),
            _several(mode, "B205", "consignor_code", names, "consignor_name", "consignor_code"),
        ]
    )


def several_units(mode: Mode, items: pa.Table, header: Ints) -> pa.Table:
    """B203. In: merged items and the header key (0, 1, …) of each."""
    if "B203" not in mode.rules:
        return no_findings()
    same = ("commodity_code", "destination_country_code", "currency_code", "item_name")
    separator = "\x1f"
    key = pc.binary_join_element_wise(
        pa.array(header).cast(pa.string()), *(items[column].combine_chunks() for column in same), separator
    )
    found = []
    for column in ("declared_unit_code", "statutory_unit_code"):
        several = mode.rules["B203"].sound(pa.table({"key": key, column: items[column].combine_chunks()}), "key", column)
        codes = pc.list_element(pc.split_pattern(several["key"].combine_chunks(), separator), 1)
        shown = pc.binary_join_element_wise(codes, pc.binary_join(several[column].combine_chunks(), " / "), ": ")
        found.append(_placeless(mode, "B203", column, shown))
    return pa.concat_tables(found)


def lines_as_slips(mode: Mode, count: int) -> pa.Table:
    """B213. In: how many lines were declared by themselves."""
    return _placeless(mode, "B213", "inventory_no", pa.array([str(count)] if count else [], pa.string()))


def without_packages(mode: Mode, refs: Iterable[str]) -> pa.Table:
    """B206. In: declarations left with 0 packages."""
    return _placeless(mode, "B206", "package_count", pa.array(list(refs), pa.string()))


def _several(mode: Mode, code: str, column: str, pairs: pa.Table, of: str, each: str) -> pa.Table:
    if code not in mode.rules:
        return no_findings()
    several = mode.rules[code].sound(pairs, of, each)
    shown = pc.binary_join_element_wise(
        several[of].combine_chunks(), pc.binary_join(several[each].combine_chunks(), " / "), ": "
    )
    return _placeless(mode, code, column, shown)


def _placeless(mode: Mode, code: str, column: str, values: pa.Array) -> pa.Table:
    count = len(values)
    blank = pa.nulls(count, pa.string())
    return findings_of(mode, code, column, np.full(count, -1), values, blank, blank)
