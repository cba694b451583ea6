"""What differs between two runs, as pure functions of their tables: fates, lines, items, sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.outputs import AMOUNT

DECLARED, EXCLUDED, REJECTED, ABSENT = "declared", "excluded", "rejected", "absent"
NOT_CONTENT = frozenset({"declaration_ref", "declaration_item_no", "source_file", "source_row"})
"""Columns of the audit map that say where a line lies, not what it is."""
_REPEAT = "repeat"


def fates(audit_map: pa.Table, excluded: pa.Table, findings: pa.Table) -> pa.Table:
    """What became of each inventory of a run: inventory_no, fate, why (codes or reasons, blank-separated)."""
    declared = audit_map.group_by("inventory_no", use_threads=False).aggregate([])
    parts = [_with(declared, DECLARED, None)]
    for table, column, fate in (
        (excluded.filter(pc.not_equal(excluded["reason"], _REPEAT)), "reason", EXCLUDED),
        (findings.filter(pc.equal(findings["severity"], "error")), "code", REJECTED),
    ):
        seen = pa.concat_tables([part.select(["inventory_no"]) for part in parts])["inventory_no"]
        fresh = pc.and_(pc.not_equal(table["inventory_no"], ""), pc.invert(pc.is_in(table["inventory_no"], seen)))
        why = _joined(table.filter(fresh), column)
        parts.append(_with(why, fate, why["why"]))
    return pa.concat_tables(parts).combine_chunks()


def _with(table: pa.Table, fate: str, why: pa.ChunkedArray | None) -> pa.Table:
    count = table.num_rows
    return pa.table({
        "inventory_no": table["inventory_no"].cast(pa.string()), "fate": pa.array([fate] * count, pa.string()),
        "why": why if why is not None else pa.array([""] * count, pa.string()),
    })  # fmt: skip


def _joined(table: pa.Table, column: str) -> pa.Table:
    """For each inventory the different values of a column, in order: inventory_no, why."""
    pairs = table.group_by(["inventory_no", column], use_threads=False).aggregate([]).sort_by([("inventory_no", "ascending"), (column, "ascending")])
    numbers = pairs["inventory_no"].combine_chunks()
    codes = numbers.dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    lists = pa.ListArray.from_arrays(pa.array(np.append(starts, len(codes)).astype(np.int32)), pairs[column].combine_chunks())
    return pa.table({"inventory_no": numbers.take(pa.array(starts)), "why": pc.binary_join(lists, " ") if len(starts) else pa.array([], pa.string())})


def changed_fates(before: pa.Table, after: pa.Table) -> pa.Table:
    """Inventories whose fate or its reason is another: inventory_no, before, why_before, after, why_after; by number. `absent`: in one
    run only."""
    theirs = after.rename_columns(["inventory_no", "after", "why_after"])
    both = before.rename_columns(["inventory_no", "before", "why_before"]).join(theirs, keys="inventory_no", join_type="full outer", use_threads=False)
    filled = {name: pc.fill_null(both[name], "" if name.startswith("why") else ABSENT) for name in ("before", "why_before", "after", "why_after")}
    table = pa.table({"inventory_no": both["inventory_no"], **filled})
    other = pc.or_(pc.not_equal(table["before"], table["after"]), pc.not_equal(table["why_before"], table["why_after"]))
    return table.filter(other).sort_by("inventory_no").combine_chunks()


def changed_lines(before: pa.Table, after: pa.Table) -> pa.Table:
    """Values of inventories declared in both runs that are other: inventory_no, item_no, column, before, after; by line. A line in one
    run only has a blank column."""
    keys = ["inventory_no", "item_no"]
    shared = pc.is_in(before["inventory_no"], after["inventory_no"])
    ours = before.select(keys).append_column("ours", pa.array(np.arange(before.num_rows))).filter(shared)
    theirs = after.select(keys).append_column("theirs", pa.array(np.arange(after.num_rows))).filter(pc.is_in(after["inventory_no"], before["inventory_no"]))
    pairs = ours.join(theirs, keys=keys, join_type="full outer", use_threads=False).sort_by([(key, "ascending") for key in keys]).combine_chunks()
    alone = pairs.filter(pc.or_(pairs["ours"].is_null(), pairs["theirs"].is_null()))
    parts = [_changes(alone, "", pc.if_else(alone["ours"].is_valid(), "+", ""), pc.if_else(alone["theirs"].is_valid(), "+", ""))]
    pairs = pairs.filter(pc.and_(pairs["ours"].is_valid(), pairs["theirs"].is_valid()))
    for name in before.column_names:
        if name in NOT_CONTENT or name in keys or name not in after.column_names:
            continue
        first, second = (_text(table[name]).take(pairs[side].combine_chunks()) for table, side in ((before, "ours"), (after, "theirs")))
        other = pc.not_equal(first, second)
        if pc.any(other).as_py():
            parts.append(_changes(pairs.filter(other), name, first.filter(other), second.filter(other)))
    return pa.concat_tables(parts).sort_by([*((key, "ascending") for key in keys), ("column", "ascending")]).combine_chunks()


def _changes(lines: pa.Table, column: str, before: pa.ChunkedArray, after: pa.ChunkedArray) -> pa.Table:
    return pa.table({
        "inventory_no": lines["inventory_no"].cast(pa.string()), "item_no": lines["item_no"].cast(pa.int64()),
        "column": pa.array([column] * lines.num_rows, pa.string()), "before": before, "after": after,
    })  # fmt: skip


def _text(column: pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(column.combine_chunks().cast(pa.string()), "")


def summed_by(table: pa.Table, keys: Sequence[str], sums: Sequence[str]) -> pa.Table:
    """Sums of the rows of each key, which is text; null is blank and adds nothing."""
    columns = {name: _text(table[name]) for name in keys}
    columns |= {name: pc.fill_null(table[name].combine_chunks().cast(AMOUNT), pa.scalar(0).cast(AMOUNT)) for name in sums}
    summed = pa.table(columns).group_by(list(keys), use_threads=False).aggregate([(name, "sum") for name in sums])
    return summed.select([*keys, *(f"{name}_sum" for name in sums)]).rename_columns([*keys, *sums])


def changed_sums(before: pa.Table, after: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Rows of two tables of sums (keys, then sums) that differ: keys, each sum before (`x`) and after (`x_after`); null where a run has no such row."""
    sums = [name for name in before.column_names if name not in keys]
    theirs = after.rename_columns([name if name in keys else f"{name}_after" for name in after.column_names])
    marked = before.append_column("there", pa.array([True] * before.num_rows, pa.bool_())), theirs.append_column("there_after", pa.array([True] * after.num_rows, pa.bool_()))
    both = marked[0].join(marked[1], keys=list(keys), join_type="full outer", use_threads=False).sort_by([(key, "ascending") for key in keys])
    other = pc.or_(both["there"].is_null(), both["there_after"].is_null())
    for name in sums:
        other = pc.or_(other, pc.fill_null(pc.not_equal(both[name], both[f"{name}_after"]), False))
    return both.filter(other).drop_columns(["there", "there_after"]).combine_chunks()
