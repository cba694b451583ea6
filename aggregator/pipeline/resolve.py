"""Resolve complete inventories: what becomes of each, and the partial sums of what is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.clearance import Clearing, Received, clearing_of
from aggregator.domain.fate import Verdict, exclusions, known_before, verdicts, with_customs
from aggregator.domain.grouping import Hashes, among, hashes
from aggregator.domain.inventories import Grouped, content_hashes, group_inventories
from aggregator.domain.merge import partial_items
from aggregator.domain.simplified import on_simplified
from aggregator.domain.tariff import against_tariff
from aggregator.domain.totals import TOTALS, count_total, header_totals
from aggregator.engines.engine import Shared
from aggregator.engines.files import with_dictionaries
from aggregator.model.findings import FINDINGS, no_findings
from aggregator.model.records import Declared, kept_period
from aggregator.pipeline.changes import changes
from aggregator.pipeline.orders import listed_modes, with_route
from aggregator.pipeline.shards import EXCLUDED
from aggregator.pipeline.slips import unknown_flags, with_slip_facts
from aggregator.pipeline.tied import tied_in
from aggregator.pipeline.work import Work, chunk_unit, partition_unit
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.field import Dictionary
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes import Mode
from aggregator.schemas.statuses import STATUS_CANCELLED
from aggregator.schemas.units import shown_numbers

SIMPLIFIED_NAMED = 10
SCATTERED = "scattered"
"""The array of hashes of inventories seen in more than one chunk."""


@dataclass(frozen=True)
class Resolved:
    """What the barriers after resolving need of one unit. `orders`, `waybills`: hashes of those given, one an inventory.
    `incomplete`: how many inventories are rejected because a line is missing. `simplified`: code of a rule on declaration mode A, how many
    inventories it names, and the first of them."""

    unit: str
    partial_rows: int
    totals: pa.Table
    counts: dict[str, int]
    orders: Hashes
    waybills: Hashes
    names: pa.Table
    incomplete: int
    simplified: dict[str, tuple[int, tuple[str, ...]]]


def resolve_chunk(shared: Shared[Work], chunk: int, partitions: int) -> Resolved:
    """Resolve the inventories that stand in this chunk alone; put the lines of the others aside by partition."""
    work = shared.value
    lines = work.storage.read(work.shards.lines.of(chunk_unit(chunk)))
    length = lines.num_rows
    lines = lines.append_column("chunk", pa.array(np.full(length, chunk, dtype=np.int32)))
    lines = lines.append_column("line", pa.array(np.arange(length)))
    if partitions:
        elsewhere = work.storage.load(SCATTERED)
        numbers = lines["inventory_no"].combine_chunks().dictionary_encode()
        of_number = hashes(numbers.dictionary)
        spilled = np.append(among(of_number, elsewhere), False)
        place = pc.fill_null(numbers.indices, len(of_number)).to_numpy()
        away = np.flatnonzero(spilled[place])
        part = (np.append(of_number, np.uint64(0))[place[away]] % np.uint64(partitions)).astype(np.int64)
        work.storage.write_parts(work.shards.spilled.of(chunk_unit(chunk)), lines.take(pa.array(away)), part, partitions)
        lines = lines.filter(pa.array(~spilled[place])).combine_chunks()
    return _resolve(work, chunk_unit(chunk), lines)


def resolve_partition(shared: Shared[Work], partition: int) -> Resolved:
    """Resolve the scattered inventories of one partition."""
    work = shared.value
    lines = work.storage.read_part((work.shards.spilled.of(chunk_unit(chunk)) for chunk in range(len(work.chunks))), partition)
    return _resolve(work, partition_unit(partition), with_dictionaries(lines, work.mode.dictionary.repeating))


@dataclass(frozen=True)
class _Decided:
    """What is decided of the inventories of a unit. `records`: how the ledger has each; `live`: it has it as declared;
    `newly_undone`: declared, and cancelled or sent back since, which no run has reported yet; `released`: declared, and refused by customs
    one by one since. `found`: findings of the ledger,
    receipts and tariff."""

    bits: Ints
    reasons: Ints
    of_inventory: Ints
    of_line: Ints
    contents: list[bytes | None]
    clearing: Clearing
    records: list[Declared | None]
    live: Mask
    newly_undone: Mask
    released: Mask
    found: list[pa.Table]


def _resolve(work: Work, unit: str, lines: pa.Table) -> Resolved:
    grouped, facts = group_inventories(lines, work.mode), None
    if work.mode.packing is not None:
        grouped, facts = with_slip_facts(work, grouped)
    elif work.mode.routing is not None:
        grouped = with_route(work, grouped)
    decided = _decide(work, unit, grouped)
    if facts is not None:
        listed = np.isin(decided.of_line, (Verdict.DECLARED, Verdict.LATE)) | work.all_findings
        decided.found.extend(unknown_flags(work, grouped, facts, listed))
    elif work.mode.routing is not None:
        decided.found.append(listed_modes(work, grouped, np.isin(decided.of_line, (Verdict.DECLARED, Verdict.LATE)) | work.all_findings))
    simplified = _simplified(work, grouped, decided)
    taken, key, partials = _merge(work, grouped, decided)
    _leave(work, unit, grouped, decided, key, partials)
    table = _inventory_table(work.mode, grouped, decided, key)
    work.storage.write(work.shards.inventories.of(unit), table)
    totals, counts = _counted(work.mode, grouped, decided)
    orders, waybills = (hashes(table[name].combine_chunks().drop_null()) for name in ("order_no", "waybill_no"))
    return Resolved(unit, partials.num_rows, totals, counts, orders, waybills, _names(taken), _incomplete(work.mode, grouped, decided), simplified)


def _simplified(work: Work, grouped: Grouped, decided: _Decided) -> dict[str, tuple[int, tuple[str, ...]]]:
    """What is to be said of declaration mode A: `check` lists it, a run only counts it and names the first."""
    if work.simplified is None:
        return {}
    found = on_simplified(work.mode, grouped.inventories, work.simplified)
    if work.all_findings:
        decided.found.append(found)
    codes = [work.mode.rules.codes[code] for code in found["code"].to_pylist()]
    numbers: dict[str, list[str]] = {}
    for code, number in zip(codes, found["inventory_no"].to_pylist(), strict=True):
        numbers.setdefault(code, []).append(number or "")
    return {code: (len(each), tuple(each[:SIMPLIFIED_NAMED])) for code, each in numbers.items()}


def _decide(work: Work, unit: str, grouped: Grouped) -> _Decided:
    """The fate of each inventory, by its own lines, the ledger, receipts and the tariff."""
    mode, inventories, numbers = work.mode, grouped.inventories, grouped.numbers
    received = work.receipts.of(numbers) if work.receipts is not None else None
    contents = content_hashes(inventories, grouped.bits == 0, mode)
    in_ledger: dict[str, Declared] = {}
    refused: frozenset[str] = frozenset()
    if work.known is not None:
        in_ledger, customs = work.known.of(numbers)
        refused = customs.refused
        in_ledger = {number: record for number, record in in_ledger.items() if number not in refused} if refused else in_ledger
        in_ledger, received = with_customs(in_ledger, received, customs, numbers)
    records, known, changed = known_before(contents, in_ledger, numbers)
    bits = grouped.bits | np.where(changed, mode.rules.error_bit("B101"), 0)
    clearing = clearing_of(mode, inventories, bits, received, work.question)
    found = [grouped.findings]
    if work.has_tariff:
        tariff = work.storage.read(work.shards.tariff.of("all"))
        found_there, tariff_bits = against_tariff(mode, inventories, clearing.cleared_at, tariff)
        found, bits = [*found, found_there], bits | tariff_bits
    reasons, late = exclusions(mode, inventories, bits, clearing, work.question, known)
    tied = tied_in(work, unit)
    may_lack = pc.is_in(numbers, value_set=tied["inventory_no"].combine_chunks()).to_numpy(zero_copy_only=False)
    bits = bits | np.where(may_lack, mode.rules.error_bit("B104"), 0)
    of_inventory, of_line = verdicts(inventories, bits, reasons, late)
    released = pc.is_in(numbers, value_set=pa.array(sorted(refused), pa.string())).to_numpy(zero_copy_only=False)
    live = np.array([record is not None for record in records], dtype=bool)
    undone = live & (clearing.cancelled | clearing.refused)
    newly_undone = undone & ~np.array([record is not None and record.cancelled for record in records], dtype=bool)
    if may_lack.any():
        found.append(_reported(mode, "B104", inventories, numbers, tied))
    if changed.any():
        found.append(_changed(work, inventories, numbers, changed, records))
    if newly_undone.any():
        found.append(_undone(mode, inventories, numbers, newly_undone, records, received))
    return _Decided(bits, reasons, of_inventory, of_line, contents, clearing, records, live, newly_undone, released, found)


def _merge(work: Work, grouped: Grouped, decided: _Decided) -> tuple[pa.Table, Ints, pa.Table]:
    """The declared lines, the partial item each line of the unit goes into (-1: none), and the partial items."""
    declared_lines = np.isin(decided.of_line, (Verdict.DECLARED, Verdict.LATE))
    key = np.full(len(decided.of_line), -1, dtype=np.int64)
    taken = _declared_lines(grouped, declared_lines)
    partials, key[declared_lines] = partial_items(taken, work.mode, work.flags)
    return taken, key, partials


def _leave(work: Work, unit: str, grouped: Grouped, decided: _Decided, key: Ints, partials: pa.Table) -> None:
    """What emit needs of this unit, as shards."""
    inventories, shards, write = grouped.inventories, work.shards, work.storage.write
    write(shards.partials.of(unit), partials)
    decisions = inventories.lines.select(["chunk", "line"]).append_column("verdict", pa.array(decided.of_line.astype(np.int8)))
    decisions = decisions.append_column("key", pa.array(key))
    if work.mode.numbers_items:
        decisions = decisions.append_column("item_no", inventories.lines["item_no"])
    write(shards.decisions.of(unit), decisions.append_column("bits", pa.array(decided.bits[inventories.inventory_of])))
    write(shards.findings.of(unit), _placed(inventories, decided.found, work.mode.dictionary))
    write(shards.excluded.of(unit), _excluded(work.mode, grouped, decided))


def _counted(mode: Mode, grouped: Grouped, decided: _Decided) -> tuple[pa.Table, dict[str, int]]:
    """Control totals of inventories and of the summed header columns, and how many inventories have which fate."""
    is_number = grouped.numbers.is_valid().to_numpy(zero_copy_only=False)
    buckets = np.array(["declared", "declared", "rejected", "excluded"])[decided.of_inventory]
    totals = [*_header_totals(mode, grouped.inventories, buckets), _unreadable_headers(mode, grouped.inventories)]
    totals += [count_total("inventories", "read", int(is_number.sum()))]
    counts = {bucket: int((is_number & (buckets == bucket)).sum()) for bucket in ("declared", "rejected", "excluded")}
    totals += [count_total("inventories", bucket, count) for bucket, count in counts.items()]
    counts["late"] = int((decided.of_inventory == Verdict.LATE).sum())
    return pa.concat_tables(totals), counts


def _incomplete(mode: Mode, grouped: Grouped, decided: _Decided) -> int:
    lacks = (decided.of_inventory == Verdict.REJECTED) & (decided.bits & mode.rules.bit.get("I103", 0) != 0)
    return int((grouped.numbers.is_valid().to_numpy(zero_copy_only=False) & lacks).sum())


def _names(taken: pa.Table) -> pa.Table:
    """The consignors of what is declared: code and name, each pair once."""
    columns = ["consignor_code", "consignor_name"]
    pairs = taken.select(columns).group_by(columns, use_threads=False).aggregate([])
    return pa.table({name: pairs[name].cast(pa.string()) for name in columns})


def _header_totals(mode: Mode, inventories: Inventories, buckets: np.ndarray[Any, Any]) -> list[pa.Table]:
    """Header sums as read, and of what is not declared; what is declared is summed from the declarations themselves."""
    totals = header_totals(inventories, buckets, mode.dictionary)
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


def _declared_lines(grouped: Grouped, declared: np.ndarray[Any, Any]) -> pa.Table:
    """Declared lines with `number_rank`: the rank of their inventory number, by code point, among those of this unit."""
    order = pc.sort_indices(grouped.numbers).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    inventories = grouped.inventories
    lines = inventories.lines.append_column("number_rank", pa.array(rank[inventories.inventory_of]))
    lines = lines.append_column("inventory", pa.array(inventories.inventory_of))
    return lines.filter(pa.array(declared)).combine_chunks()


def _inventory_table(mode: Mode, grouped: Grouped, decided: _Decided, key: Ints) -> pa.Table:
    inventories, period = grouped.inventories, decided.clearing.period
    kept = pa.array(np.where(period == "000000", "", period), pa.string())
    if not mode.waits_for_clearing:
        kept = pc.binary_join_element_wise(kept_period(mode.code, ""), kept, "")
    first = inventories.lines.take(pa.array(inventories.starts)).combine_chunks()

    def given(name: str) -> pa.Array:
        return first[name].combine_chunks() if name in first.column_names else pa.nulls(first.num_rows, pa.string())

    return pa.table(
        {
            "inventory_no": grouped.numbers,
            "verdict": decided.of_inventory.astype(np.int8),
            "reasons": decided.reasons,
            "bits": decided.bits,
            "content": pa.array(decided.contents, pa.binary()),
            "cleared_period": kept,
            "chunk": first["chunk"].combine_chunks(),
            "line": first["line"].combine_chunks(),
            "order_no": given("order_no"),
            "waybill_no": given("waybill_no"),
            "internal_no": given("internal_no"),
            "live": decided.live,
            "newly_undone": decided.newly_undone,
            "released": decided.released,
            "keys": _keys_by_item(inventories, key),
        }
    )


def _keys_by_item(inventories: Inventories, key: Ints) -> pa.Array:
    """For each inventory the keys (rows of this unit's partial items) of its declared lines, by item number."""
    items, _ = inventories.numbers("item_no")
    places = np.flatnonzero(key >= 0)
    places = places[np.lexsort((items[places], inventories.inventory_of[places]))]
    counts = np.bincount(inventories.inventory_of[places], minlength=len(inventories.starts))
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(counts)).astype(np.int32)), pa.array(key[places]))


def _changed(
    work: Work, inventories: Inventories, numbers: pa.Array, changed: Mask, records: list[Declared | None]
) -> pa.Table:
    """B101: a finding a value that is not what was declared."""
    lines = inventories.lines.filter(pa.array(changed[inventories.inventory_of])).combine_chunks()
    recorded = {
        number: record for number, record, is_changed in zip(numbers.to_pylist(), records, changed, strict=True) if is_changed and record
    }
    found = changes(lines, recorded, work.mode.dictionary)
    return _reported(work.mode, "B101", inventories, numbers, found)


def _undone(
    mode: Mode, inventories: Inventories, numbers: pa.Array, undone: Mask, records: list[Declared | None], received: Received | None
) -> pa.Table:
    """B103: declared, and cancelled or sent back since; the status that says so, and where it was declared."""
    places = np.flatnonzero(undone)
    first = inventories.lines.take(pa.array(inventories.starts[places])).combine_chunks()
    given = "status_code" in first.column_names
    status = np.array(pc.fill_null(first["status_code"].cast(pa.string()), "").to_pylist() if given else [""] * len(places), dtype=object)
    if received is not None:
        answered = np.where(received.cancelled, f"CEB606 {STATUS_CANCELLED}", received.status)[places]
        status = np.where(answered != "", answered, status)
    values = [f"{text} @ {record.places}" for text, place in zip(status, places, strict=True) if (record := records[place])]
    columns = {
        "inventory_no": numbers.take(pa.array(places)),
        "item_no": pa.nulls(len(places), pa.string()),
        "column": pa.array(["status_code"] * len(places), pa.string()),
        "value": pa.array(values, pa.string()),
    }
    return _reported(mode, "B103", inventories, numbers, pa.table(columns))


def _reported(mode: Mode, code: str, inventories: Inventories, numbers: pa.Array, found: pa.Table) -> pa.Table:
    """Findings of one code at the first lines of their inventories. In: inventory_no, item_no, column, value."""
    first_line = pa.array(inventories.starts).take(pc.index_in(found["inventory_no"].combine_chunks(), value_set=numbers))
    count = found.num_rows
    if code not in mode.rules:
        return no_findings()
    columns = pa.array([mode.dictionary.number[name] for name in found["column"].to_pylist()], pa.int16())
    code_index = pa.array(np.full(count, mode.rules.index[code], dtype=np.int16))
    return pa.table([first_line, code_index, columns, found["value"], found["inventory_no"], found["item_no"]], schema=FINDINGS)


def _placed(inventories: Inventories, found: list[pa.Table], dictionary: Dictionary) -> pa.Table:
    """Findings with the chunk and line of what they are about instead of its place among the inventories' lines."""
    findings = pa.concat_tables(found).combine_chunks()
    shown = shown_numbers(findings["inventory_no"].combine_chunks(), dictionary)
    findings = findings.set_column(findings.column_names.index("inventory_no"), "inventory_no", shown)
    at = findings["line"].combine_chunks()
    chunk = inventories.lines["chunk"].combine_chunks().take(at)
    line = inventories.lines["line"].combine_chunks().take(at)
    return findings.set_column(0, "line", line).append_column("chunk", chunk)


def _excluded(mode: Mode, grouped: Grouped, decided: _Decided) -> pa.Table:
    """Excluded inventories × reason, and repeated lines by inventory: chunk, line, inventory_no, reason, item_lines, detail.

    The detail is the time of clearance where that decides, and where it was declared for what the ledger has."""
    inventories, reasons, of_line = grouped.inventories, decided.reasons, decided.of_line
    repeats = of_line == Verdict.REPEAT
    count = len(inventories.starts)
    parts: list[tuple[str, Ints, Ints, Ints]] = []
    if count:
        repeated = np.add.reduceat(repeats, inventories.starts, dtype=np.int64)
        for reason, bit in mode.rules.reason_bit.items():
            places = np.flatnonzero(reasons & bit)
            parts.append((reason, places, inventories.starts[places], inventories.lengths[places]))
        with_repeats = np.flatnonzero(repeated)
        first_repeat = np.flatnonzero(repeats)
        first_repeat = first_repeat[np.searchsorted(inventories.inventory_of[first_repeat], with_repeats)]
        parts.append(("repeat", with_repeats, first_repeat, repeated[with_repeats]))
    tables = []
    for reason, places, at, item_lines in parts:
        details = [""] * len(places)
        if reason in ("later_period", "before_ledger", "late_held"):
            details = decided.clearing.cleared_at[places].tolist()
        elif reason in ("known", "cancelled"):
            details = [record.places if (record := decided.records[place]) else "" for place in places]
        tables.append(
            pa.table(
                {
                    "chunk": inventories.lines["chunk"].combine_chunks().take(pa.array(at)),
                    "line": inventories.lines["line"].combine_chunks().take(pa.array(at)),
                    "inventory_no": shown_numbers(grouped.numbers.take(pa.array(places)), mode.dictionary),
                    "reason": pa.array([reason] * len(places), pa.string()),
                    "item_lines": pa.array(item_lines),
                    "detail": pa.array(details, pa.string()),
                }
            )
        )
    return pa.concat_tables(tables).combine_chunks() if tables else EXCLUDED.empty_table()
