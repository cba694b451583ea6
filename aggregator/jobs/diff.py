"""`aggregator diff`: what changed between two runs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.compare import (
    changed_fates,
    changed_lines,
    changed_sums,
    fates,
    summed_by,
)
from aggregator.model.errors import WrongUsage
from aggregator.model.remote import AnyPath
from aggregator.outputs.run_tables import RunTables
from aggregator.schemas.modes import Mode

_BUCKETS = ("read", "declared", "rejected", "excluded")


@dataclass(frozen=True)
class Head:
    run_ref: str
    period: str
    folder: str
    declarations: int
    inventories: dict[str, int]


@dataclass(frozen=True)
class Difference:
    """`fates`: how many inventories went from which fate to which; `fate_examples`, `line_examples`: rows of what changed, the first.
    `lines`: by column, how many values are other; `items`: by what became of them; `totals`: control totals that differ, before and
    after."""

    mode: Mode
    before: Head
    after: Head
    fates: dict[tuple[str, str], int]
    fate_examples: list[dict[str, Any]]
    lines: dict[str, int]
    inventories_changed: int
    line_examples: list[dict[str, Any]]
    items: dict[str, int]
    item_examples: list[dict[str, Any]]
    item_sums: tuple[str, ...]
    totals: list[dict[str, Any]]

    @property
    def same(self) -> bool:
        return not (self.fates or self.lines or self.items or self.totals) and self.before.declarations == self.after.declarations


def diff(first: AnyPath, second: AnyPath, most: int) -> Difference:
    """`most`: how many examples to keep of each kind."""
    before, after = RunTables(first), RunTables(second)
    if before.mode.code != after.mode.code:
        raise WrongUsage(
            f"{before.run_ref} is a run of mode {before.mode.code}, {after.run_ref} of {after.mode.code}: they cannot be compared.",
            f"批次 {before.run_ref} 的监管方式为 {before.mode.code}，{after.run_ref} 为 {after.mode.code}，无法比较。",
        )
    maps = before.table("audit_map"), after.table("audit_map")
    of_fates = changed_fates(*(_fates(run, lines) for run, lines in zip((before, after), maps, strict=True)))
    of_lines = changed_lines(*maps)
    items, sums, keys = _items(before, after)
    numbers = of_lines["inventory_no"].unique()
    return Difference(
        before.mode, _head(before, first), _head(after, second),
        {(way["before"], way["after"]): count for way, count in _counted(of_fates, ("before", "after"))}, _examples(of_fates, most),
        {each["column"]: count for each, count in _counted(of_lines, ("column",))}, len(numbers), of_lines.slice(0, most).to_pylist(),
        _kinds(items, sums), [{**{key: row[key] for key in keys}, **{name: (row[name], row[f"{name}_after"]) for name in sums}} for row in items.slice(0, most).to_pylist()],
        sums, _totals(before, after),
    )  # fmt: skip


def _head(run: RunTables, folder: AnyPath) -> Head:
    counts = run.counts
    return Head(run.run_ref, run.period, str(folder), counts.get("declarations", 0), {name: counts.get(f"inventories_{name}", 0) for name in _BUCKETS})


def _fates(run: RunTables, audit_map: pa.Table) -> pa.Table:
    excluded, findings = run.table("excluded", ("inventory_no", "reason")), run.table("findings", ("inventory_no", "code", "severity"))
    return fates(audit_map.select(["inventory_no"]), excluded, findings)


def _counted(table: pa.Table, names: tuple[str, ...]) -> list[tuple[dict[str, str], int]]:
    """How many rows have each combination of values."""
    counts = table.group_by(list(names), use_threads=False).aggregate([([], "count_all")]).sort_by([(name, "ascending") for name in names])
    return [({name: row[name] for name in names}, row["count_all"]) for row in counts.to_pylist()]


def _examples(found: pa.Table, most: int) -> list[dict[str, Any]]:
    """The first of each way that inventories went."""
    ordered = found.sort_by([("before", "ascending"), ("after", "ascending"), ("inventory_no", "ascending")]).combine_chunks()
    ways = pc.binary_join_element_wise(ordered["before"], ordered["after"], " ").combine_chunks().dictionary_encode().indices.to_numpy()
    begins = np.flatnonzero(np.diff(ways, prepend=-1))
    place = np.arange(len(ways)) - np.repeat(begins, np.diff(begins, append=len(ways)))
    return list(ordered.take(pa.array(np.flatnonzero(place < most))).to_pylist())


def _items(before: RunTables, after: RunTables) -> tuple[pa.Table, tuple[str, ...], tuple[str, ...]]:
    """Items that differ, by what they are merged by: how they are numbered, and cut into declarations, is nothing of theirs."""
    mode = before.mode
    tables = [run.table("declaration_items").join(run.table("declarations"), keys="declaration_ref", right_suffix="_head", use_threads=False) for run in (before, after)]
    shared = [name for name in tables[0].column_names if name in tables[1].column_names]
    keys = tuple(name for name in dict.fromkeys((*mode.key, "goods_name", "order_no")) if name in shared)
    sums = tuple(name for name in mode.dictionary.summed_items if name in shared)
    first, second = (summed_by(table, keys, sums) for table in tables)
    return changed_sums(first, second, keys), sums, keys


def _kinds(items: pa.Table, sums: tuple[str, ...]) -> dict[str, int]:
    new, gone = items[sums[0]].null_count, items[f"{sums[0]}_after"].null_count
    kinds = {"new": new, "gone": gone, "changed": items.num_rows - new - gone}
    return {kind: count for kind, count in kinds.items() if count}


def _totals(before: RunTables, after: RunTables) -> list[dict[str, Any]]:
    keys = ("column", "currency_or_unit")
    first, second = (summed_by(run.table("control_totals"), keys, _BUCKETS) for run in (before, after))
    rows = changed_sums(first, second, keys).to_pylist()
    return [{**{key: row[key] for key in keys}, **{name: (row[name] or Decimal(0), row[f"{name}_after"] or Decimal(0)) for name in _BUCKETS}} for row in rows]


