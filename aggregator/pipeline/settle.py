"""Settle a unit: the fates of its inventories once it is known what stray lines may belong to, and the partial sums of what is
declared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.fate import Verdict
from aggregator.domain.figures import figures_of
from aggregator.domain.merge import columns_of_items, partial_items
from aggregator.domain.totals import TOTALS, count_total, header_totals
from aggregator.engines.engine import Shared
from aggregator.engines.files import with_dictionaries
from aggregator.model.findings import no_findings
from aggregator.pipeline.found import placed, reported
from aggregator.pipeline.orders import listed_modes
from aggregator.pipeline.slips import unknown_flags
from aggregator.pipeline.tied import tied_in
from aggregator.pipeline.work import Work, chunk_unit, partition_unit
from aggregator.schemas.arrays import Ints, Mask, only_given, rows_at
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes import Mode

_BUCKETS = ("declared", "rejected", "excluded")
_BUCKET = np.array([_BUCKETS.index(name) for name in ("declared", "declared", "rejected", "excluded")])
"""By the verdict of an inventory (Verdict)."""
_CONSIGNOR = ("consignor_code", "consignor_name")


@dataclass(frozen=True)
class Settled:
    """What the barriers after settling need of one unit. `counts`: inventories by fate. `names`: the consignors of what is declared,
    code and name. `figures`: see figures.py."""

    unit: str
    partial_rows: int
    totals: pa.Table
    counts: dict[str, int]
    names: pa.Table
    figures: pa.Table


def settle_chunk(shared: Shared[Work], chunk: int) -> Settled:
    """Settle the inventories that stand in this chunk alone."""
    work, unit = shared.value, chunk_unit(chunk)
    judged = work.storage.read(work.shards.judged.of(unit))
    lines = work.storage.read(work.shards.lines.of(unit), _columns(work.mode))
    at = judged["line"].to_numpy()
    return _settle(work, unit, judged, rows_at(lines, at))


def settle_partition(shared: Shared[Work], partition: int) -> Settled:
    """Settle the scattered inventories of one partition."""
    work, unit = shared.value, partition_unit(partition)
    judged = work.storage.read(work.shards.judged.of(unit))
    lines = work.spilled_lines(partition)
    # Lines lie in input order, what was judged by inventory.
    place = np.empty(len(judged), dtype=np.int64)
    place[np.lexsort((judged["line"].to_numpy(), judged["chunk"].to_numpy()))] = np.arange(len(judged))
    lines = only_given(lines, _columns(work.mode)).take(pa.array(place)).combine_chunks()
    return _settle(work, unit, judged, with_dictionaries(lines, work.mode.dictionary.repeating))


def _columns(mode: Mode) -> tuple[str, ...]:
    named = ("inventory_no", "item_no", *_CONSIGNOR, *columns_of_items(mode), *mode.dictionary.summed_headers, "commodity_code", "declaration_mode_code")
    return tuple(dict.fromkeys(named))


def _settle(work: Work, unit: str, judged: pa.Table, lines: pa.Table) -> Settled:
    mode, shards, write = work.mode, work.shards, work.storage.write
    resolved = work.storage.read(shards.inventories.of(unit))
    lines = _as_resolved(lines, judged)
    inventories = _grouped(lines, resolved["lines"].to_numpy().astype(np.int64))
    of_inventory, bits, tied = _with_ties(work, unit, resolved, inventories.starts)
    of_line = judged["verdict"].to_numpy()
    if len(tied):
        now_rejected = (of_inventory == Verdict.REJECTED)[inventories.inventory_of] & np.isin(of_line, (Verdict.DECLARED, Verdict.LATE))
        of_line = np.where(now_rejected, Verdict.REJECTED, of_line)
    declared = np.isin(of_line, (Verdict.DECLARED, Verdict.LATE))
    taken, key, partials = _merged(work, inventories, resolved["inventory_no"].combine_chunks(), declared)
    write(shards.partials.of(unit), partials)
    decisions = only_given(judged, ("chunk", "line", "item_no"))
    decisions = decisions.append_column("verdict", pa.array(of_line.astype(np.int8))).append_column("bits", pa.array(bits[inventories.inventory_of]))
    write(shards.decisions.of(unit), decisions.append_column("key", pa.array(key)))
    _leave_inventories(work, unit, resolved, of_inventory, bits, _keys_by_item(inventories, key))
    found = [tied, *_of_what_is_listed(work, lines, declared | work.all_findings)]
    write(shards.settled_findings.of(unit), placed(judged, found, mode.dictionary))
    totals, counts = _counted(mode, inventories, resolved["inventory_no"].combine_chunks(), of_inventory)
    figures = figures_of(taken, resolved["cleared_on"].to_numpy())
    return Settled(unit, partials.num_rows, totals, counts, _names(taken), figures)


def _as_resolved(lines: pa.Table, judged: pa.Table) -> pa.Table:
    """The lines with what resolving them said of each."""
    for name in judged.column_names:
        if name in ("verdict", "chunk", "line"):
            continue
        place = lines.column_names.index(name) if name in lines.column_names else -1
        lines = lines.set_column(place, name, judged[name]) if place >= 0 else lines.append_column(name, judged[name])
    return lines


def _grouped(lines: pa.Table, lengths: Ints) -> Inventories:
    none, no_inventory = np.zeros(lines.num_rows, dtype=bool), np.zeros(len(lengths), dtype=bool)
    starts = (np.cumsum(lengths) - lengths).astype(np.int64)
    return Inventories(lines, starts, none, none, np.ones(len(lengths), dtype=np.int64), no_inventory)


def _with_ties(work: Work, unit: str, resolved: pa.Table, starts: Ints) -> tuple[Ints, Ints, pa.Table]:
    """The verdict and error bits of each inventory, and findings (B104): of the inventories that a line elsewhere may belong to."""
    of_inventory, bits = resolved["verdict"].to_numpy().astype(np.int64), resolved["bits"].to_numpy()
    tied, bit = tied_in(work, unit), work.mode.rules.error_bit("B104")
    if not len(tied):
        return of_inventory, bits, no_findings()
    numbers = resolved["inventory_no"].combine_chunks()
    may_lack = pc.is_in(numbers, value_set=tied["inventory_no"].combine_chunks()).to_numpy(zero_copy_only=False)
    if bit:
        bits = np.where(may_lack, bits | bit, bits)
        of_inventory = np.where(may_lack & (of_inventory != Verdict.EXCLUDED), Verdict.REJECTED, of_inventory)
    return of_inventory, bits, reported(work.mode, "B104", starts, numbers, tied)


def _merged(work: Work, inventories: Inventories, numbers: pa.Array, declared: Mask) -> tuple[pa.Table, Ints, pa.Table]:
    """The declared lines, the partial item each line of the unit goes into (-1: none), and the partial items."""
    key = np.full(len(declared), -1, dtype=np.int64)
    taken = _declared_lines(inventories, numbers, declared)
    partials, key[declared] = partial_items(taken, work.mode, work.flags)
    return taken, key, partials


def _declared_lines(inventories: Inventories, numbers: pa.Array, declared: Mask) -> pa.Table:
    """Declared lines with `number_rank`: the rank of their inventory number, by code point, among those of this unit."""
    order = pc.sort_indices(numbers).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    lines = inventories.lines.append_column("number_rank", pa.array(rank[inventories.inventory_of]))
    lines = lines.append_column("inventory", pa.array(inventories.inventory_of))
    return rows_at(lines, np.flatnonzero(declared))


def _keys_by_item(inventories: Inventories, key: Ints) -> pa.Array:
    """For each inventory the keys (rows of this unit's partial items) of its declared lines, by item number."""
    items, _ = inventories.numbers("item_no")
    places = np.flatnonzero(key >= 0)
    of_place = inventories.inventory_of[places]
    ordered = of_place * 1_000_000 + items[places]
    if len(places) and np.any(np.diff(ordered) < 0):
        places = places[np.argsort(ordered, kind="stable")]
    counts = np.bincount(of_place, minlength=len(inventories.starts))
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(counts)).astype(np.int32)), pa.array(key[places]))


def _leave_inventories(work: Work, unit: str, resolved: pa.Table, of_inventory: Ints, bits: Ints, keys: pa.Array) -> None:
    """What the ledger takes down: what is declared, and what is not."""
    is_declared = np.isin(of_inventory, (Verdict.DECLARED, Verdict.LATE))
    late = pa.array(of_inventory == Verdict.LATE)
    declared = resolved.select(["inventory_no", "content", "cleared_period", "released"]).append_column("late", late).append_column("keys", keys)
    others = resolved.select(["inventory_no", "cleared_period", "reasons", "live"]).append_column("verdict", pa.array(of_inventory.astype(np.int8)))
    others = others.append_column("bits", pa.array(bits))
    work.storage.write(work.shards.declared.of(unit), declared.filter(pa.array(is_declared)).combine_chunks())
    work.storage.write(work.shards.undeclared.of(unit), others.filter(pa.array(~is_declared)).combine_chunks())


def _of_what_is_listed(work: Work, lines: pa.Table, listed: Mask) -> list[pa.Table]:
    """Findings about what is declared, of modes that have such."""
    if work.mode.packing is not None:
        return unknown_flags(work.mode, lines, listed)
    return [listed_modes(work.mode, lines, listed)] if work.mode.routing is not None else []


def _counted(mode: Mode, inventories: Inventories, numbers: pa.Array, of_inventory: Ints) -> tuple[pa.Table, dict[str, int]]:
    """Control totals of inventories and of the summed header columns, and how many inventories have which fate."""
    is_number = numbers.is_valid().to_numpy(zero_copy_only=False)
    bucket = _BUCKET[of_inventory]
    totals = [*_header_totals(mode, inventories, bucket), _unreadable_headers(mode, inventories)]
    totals += [count_total("inventories", "read", int(is_number.sum()))]
    counts = dict(zip(_BUCKETS, np.bincount(bucket[is_number], minlength=len(_BUCKETS)).tolist(), strict=True))
    totals += [count_total("inventories", name, count) for name, count in counts.items()]
    counts["late"] = int((of_inventory == Verdict.LATE).sum())
    return pa.concat_tables(totals).combine_chunks(), counts


def _names(taken: pa.Table) -> pa.Table:
    """The consignors of what is declared: code and name, each pair once."""
    pairs = taken.select(_CONSIGNOR).group_by(list(_CONSIGNOR), use_threads=False).aggregate([])
    return pa.table({name: pairs[name].cast(pa.string()) for name in _CONSIGNOR}).combine_chunks()


def _header_totals(mode: Mode, inventories: Inventories, bucket: Ints) -> list[pa.Table]:
    """Header sums as read, and of what is not declared; what is declared is summed from the declarations themselves."""
    totals = header_totals(inventories, bucket, _BUCKETS, mode.dictionary)
    read = totals.set_column(2, "bucket", pa.array(["read"] * totals.num_rows, pa.string()))
    return [read, totals.filter(pc.not_equal(totals["bucket"], "declared"))]


def _unreadable_headers(mode: Mode, inventories: Inventories) -> pa.Table:
    parts = [TOTALS.empty_table()]
    for column, held_in in mode.dictionary.summed_headers.items():
        bad = inventories.any(inventories.lines[column].is_null().combine_chunks().to_numpy(zero_copy_only=False))
        if bad.any():
            total = count_total(column, "unreadable", int(bad.sum()))
            parts.append(total.set_column(1, "currency_or_unit", pa.array([held_in])))
    return pa.concat_tables(parts)
