"""Settle complete inventories: what becomes of each, and the partial sums of what is declared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.clearance import Mask, Received, clearing_of
from aggregator.domain.fate import REASON_BIT, Verdict, exclusions, known_before, verdicts, with_customs
from aggregator.domain.grouping import Hashes, Ints, hashes
from aggregator.domain.inventories import Grouped, content_hashes, group_inventories
from aggregator.domain.merge import partial_items
from aggregator.domain.tariff import against_tariff
from aggregator.domain.totals import count_total, header_totals, item_totals
from aggregator.engines.shards import read_part, read_table, with_dictionaries, write_parts, write_table
from aggregator.inputs.tables.receipts import Receipts
from aggregator.ledger.sqlite.query import Customs, Declared, declared_and_heard
from aggregator.model.findings import BIT, CODE_INDEX, COLUMN_INDEX, FINDINGS, error_bit
from aggregator.pipeline.changes import changes
from aggregator.pipeline.tied import tied_in
from aggregator.pipeline.work import DICTIONARY_COLUMNS, Work
from aggregator.schemas.modes.m9610.limits import STATUS_CANCELLED
from aggregator.schemas.modes.m9610.rules.inventory import Inventories


@dataclass(frozen=True)
class Settled:
    """What the barriers after settling need of one unit. `orders`, `waybills`: hashes of those given, one an inventory.
    `incomplete`: how many inventories are rejected because a line is missing."""

    unit: str
    partial_rows: int
    totals: pa.Table
    counts: dict[str, int]
    orders: Hashes
    waybills: Hashes
    names: pa.Table
    incomplete: int


def settle_chunk(work: Work, chunk: int, scattered: Path | None, partitions: int) -> Settled:
    """Settle the inventories that stand in this chunk alone; put the lines of the others aside by partition."""
    lines = read_table(work.lines(chunk))
    length = lines.num_rows
    lines = lines.append_column("chunk", pa.array(np.full(length, chunk, dtype=np.int32)))
    lines = lines.append_column("line", pa.array(np.arange(length)))
    if scattered is not None:
        elsewhere = np.load(scattered, mmap_mode="r")
        numbers = lines["inventory_no"].combine_chunks().dictionary_encode()
        of_number = hashes(numbers.dictionary)
        spilled = np.append(np.isin(of_number, elsewhere), False)
        place = pc.fill_null(numbers.indices, len(of_number)).to_numpy()
        away = np.flatnonzero(spilled[place])
        part = (np.append(of_number, np.uint64(0))[place[away]] % np.uint64(partitions)).astype(np.int64)
        write_parts(work.spilled(chunk), lines.take(pa.array(away)), part, partitions)
        lines = lines.filter(pa.array(~spilled[place])).combine_chunks()
    return _settle(work, f"c{chunk}", lines)


def settle_partition(work: Work, partition: int) -> Settled:
    """Settle the scattered inventories of one partition."""
    lines = read_part([work.spilled(chunk) for chunk in range(len(work.chunks))], partition)
    return _settle(work, f"p{partition}", with_dictionaries(lines, DICTIONARY_COLUMNS))


def _settle(work: Work, unit: str, lines: pa.Table) -> Settled:
    grouped = group_inventories(lines, work.severity)
    inventories, numbers = grouped.inventories, grouped.numbers
    received = Receipts.open(work.receipts).of(numbers) if work.receipts is not None else None
    contents = content_hashes(inventories, grouped.bits == 0)
    in_ledger, customs = declared_and_heard(work.ledger, numbers) if work.ledger is not None else ({}, Customs({}, {}))
    in_ledger, received = with_customs(in_ledger, received, customs, numbers)
    records, known, changed = known_before(contents, in_ledger, numbers)
    bits = grouped.bits | np.where(changed, error_bit("B101", work.severity), 0)
    clearing = clearing_of(inventories, bits, received, work.question)
    tariff_found = []
    if work.tariff is not None:
        found_there, tariff_bits = against_tariff(inventories, clearing.cleared_at, read_table(work.tariff), work.severity)
        tariff_found, bits = [found_there], bits | tariff_bits
    reasons, late = exclusions(inventories, bits, clearing, work.question, known)
    tied = tied_in(work, unit)
    may_lack = pc.is_in(numbers, value_set=tied["inventory_no"].combine_chunks()).to_numpy(zero_copy_only=False)
    bits = bits | np.where(may_lack, error_bit("B104", work.severity), 0)
    of_inventory, of_line = verdicts(inventories, bits, reasons, late)
    live = np.array([record is not None for record in records], dtype=bool)
    undone = live & (clearing.cancelled | clearing.refused)
    newly_undone = undone & ~np.array([record is not None and record.cancelled for record in records], dtype=bool)
    table = _inventory_table(grouped, of_inventory, reasons, contents, clearing.period, bits)
    declared_lines = np.isin(of_line, (Verdict.DECLARED, Verdict.LATE))
    key = np.full(len(of_line), -1, dtype=np.int64)
    taken = _declared_lines(grouped, declared_lines)
    partials, key[declared_lines] = partial_items(taken, work.flags)
    table = table.append_column("live", pa.array(live)).append_column("newly_undone", pa.array(newly_undone))
    write_table(work.unit(unit, "inventories"), table.append_column("keys", _keys_by_item(inventories, key)))
    write_table(work.unit(unit, "partials"), partials)
    decisions = inventories.lines.select(["chunk", "line"]).append_column("verdict", pa.array(of_line.astype(np.int8)))
    decisions = decisions.append_column("key", pa.array(key))
    decisions = decisions.append_column("bits", pa.array(bits[inventories.inventory_of]))
    write_table(work.unit(unit, "decisions"), decisions)
    found = [grouped.findings, *tariff_found]
    if may_lack.any():
        found.append(_told("B104", inventories, numbers, tied))
    if changed.any():
        found.append(_changed(work, inventories, numbers, changed, records))
    if newly_undone.any():
        found.append(_undone(inventories, numbers, newly_undone, records, received))
    write_table(work.unit(unit, "findings"), _placed(inventories, found))
    write_table(work.unit(unit, "excluded"), _excluded(grouped, reasons, of_line, clearing.cleared_at, records))
    is_number = numbers.is_valid().to_numpy(zero_copy_only=False)
    buckets = np.array(["declared", "declared", "rejected", "excluded"])[of_inventory]
    totals = [*_header_totals(inventories, buckets), _unreadable_headers(inventories)]
    totals += [count_total("inventories", "read", int(is_number.sum()))]
    counts = {}
    for bucket in ("declared", "rejected", "excluded"):
        counts[bucket] = int((is_number & (buckets == bucket)).sum())
        totals.append(count_total("inventories", bucket, counts[bucket]))
    counts["late"] = int((of_inventory == Verdict.LATE).sum())
    names = taken.select(["consignor_code", "consignor_name"]).group_by(["consignor_code", "consignor_name"], use_threads=False)
    plain_names = pa.table({name: names.aggregate([])[name].cast(pa.string()) for name in ("consignor_code", "consignor_name")})
    given = [table[name].combine_chunks().drop_null() for name in ("order_no", "waybill_no")]
    incomplete = int((is_number & (of_inventory == Verdict.REJECTED) & (bits & BIT["I103"] != 0)).sum())
    return Settled(
        unit, partials.num_rows, pa.concat_tables(totals), counts, hashes(given[0]), hashes(given[1]), plain_names, incomplete
    )


def _header_totals(inventories: Inventories, buckets: np.ndarray[Any, Any]) -> list[pa.Table]:
    """Header sums as read, and of what is not declared; what is declared is summed from the declarations themselves."""
    totals = header_totals(inventories, buckets)
    read = totals.set_column(2, "bucket", pa.array(["read"] * totals.num_rows, pa.string()))
    return [read, totals.filter(pc.not_equal(totals["bucket"], "declared"))]


def _unreadable_headers(inventories: Inventories) -> pa.Table:
    parts = [item_totals(inventories.lines.slice(0, 0), "read").slice(0, 0)]
    for column in ("package_count", "gross_weight_kg", "net_weight_kg"):
        bad = inventories.any(inventories.lines[column].is_null().combine_chunks().to_numpy(zero_copy_only=False))
        if bad.any():
            total = count_total(column, "unreadable", int(bad.sum()))
            unit = pa.array(["" if column == "package_count" else "kg"])
            parts.append(total.set_column(1, "currency_or_unit", unit))
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


def _inventory_table(
    grouped: Grouped, verdict: Ints, reasons: Ints, contents: list[bytes | None], period: Any, bits: Ints
) -> pa.Table:
    inventories = grouped.inventories
    first = inventories.lines.take(pa.array(inventories.starts)).combine_chunks()

    def given(name: str) -> pa.Array:
        return first[name].combine_chunks() if name in first.column_names else pa.nulls(first.num_rows, pa.string())

    return pa.table(
        {
            "inventory_no": grouped.numbers,
            "verdict": verdict.astype(np.int8),
            "reasons": reasons,
            "bits": bits,
            "content": pa.array(contents, pa.binary()),
            "cleared_period": pa.array(np.where(period == "000000", "", period), pa.string()),
            "chunk": first["chunk"].combine_chunks(),
            "line": first["line"].combine_chunks(),
            "order_no": given("order_no"),
            "waybill_no": given("waybill_no"),
            "internal_no": given("internal_no"),
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
    assert work.ledger is not None
    lines = inventories.lines.filter(pa.array(changed[inventories.inventory_of])).combine_chunks()
    recorded = {
        number: record for number, record, is_changed in zip(numbers.to_pylist(), records, changed, strict=True) if is_changed and record
    }
    found = changes(lines, recorded, work.ledger.parent)
    return _told("B101", inventories, numbers, found)


def _undone(
    inventories: Inventories, numbers: pa.Array, undone: Mask, records: list[Declared | None], received: Received | None
) -> pa.Table:
    """B103: declared, and cancelled or sent back since; the status that says so, and where it was declared."""
    places = np.flatnonzero(undone)
    first = inventories.lines.take(pa.array(inventories.starts[places])).combine_chunks()
    given = "status_code" in first.column_names
    status = np.array(pc.fill_null(first["status_code"].cast(pa.string()), "").to_pylist() if given else [""] * len(places), dtype=object)
    if received is not None:
        told = np.where(received.cancelled, f"CEB606 {STATUS_CANCELLED}", received.status)[places]
        status = np.where(told != "", told, status)
    values = [f"{text} @ {record.places}" for text, place in zip(status, places, strict=True) if (record := records[place])]
    columns = {
        "inventory_no": numbers.take(pa.array(places)),
        "item_no": pa.nulls(len(places), pa.string()),
        "column": pa.array(["status_code"] * len(places), pa.string()),
        "value": pa.array(values, pa.string()),
    }
    return _told("B103", inventories, numbers, pa.table(columns))


def _told(code: str, inventories: Inventories, numbers: pa.Array, found: pa.Table) -> pa.Table:
    """Findings of one code at the first lines of their inventories. In: inventory_no, item_no, column, value."""
    first_line = pa.array(inventories.starts).take(pc.index_in(found["inventory_no"].combine_chunks(), value_set=numbers))
    count = found.num_rows
    columns = pa.array([COLUMN_INDEX[name] for name in found["column"].to_pylist()], pa.int16())
    code_index = pa.array(np.full(count, CODE_INDEX[code], dtype=np.int16))
    return pa.table([first_line, code_index, columns, found["value"], found["inventory_no"], found["item_no"]], schema=FINDINGS)


def _placed(inventories: Inventories, found: list[pa.Table]) -> pa.Table:
    """Findings with the chunk and line of what they are about instead of its place among the inventories' lines."""
    findings = pa.concat_tables(found).combine_chunks()
    at = findings["line"].combine_chunks()
    chunk = inventories.lines["chunk"].combine_chunks().take(at)
    line = inventories.lines["line"].combine_chunks().take(at)
    return findings.set_column(0, "line", line).append_column("chunk", chunk)


def _excluded(
    grouped: Grouped, reasons: Ints, of_line: Ints, cleared_at: np.ndarray[Any, Any], records: list[Declared | None]
) -> pa.Table:
    """Excluded inventories × reason, and repeated lines by inventory: chunk, line, inventory_no, reason, item_lines, detail.

    The detail is the time of clearance where that decides, and where it was declared for what the ledger has."""
    inventories = grouped.inventories
    repeats = of_line == Verdict.REPEAT
    count = len(inventories.starts)
    parts: list[tuple[str, Ints, Ints, Ints]] = []
    if count:
        repeated = np.add.reduceat(repeats, inventories.starts, dtype=np.int64)
        for reason, bit in REASON_BIT.items():
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
            details = cleared_at[places].tolist()
        elif reason in ("known", "cancelled"):
            details = [record.places if (record := records[place]) else "" for place in places]
        tables.append(
            pa.table(
                {
                    "chunk": inventories.lines["chunk"].combine_chunks().take(pa.array(at)),
                    "line": inventories.lines["line"].combine_chunks().take(pa.array(at)),
                    "inventory_no": grouped.numbers.take(pa.array(places)),
                    "reason": pa.array([reason] * len(places), pa.string()),
                    "item_lines": pa.array(item_lines),
                    "detail": pa.array(details, pa.string()),
                }
            )
        )
    return pa.concat_tables(tables).combine_chunks() if tables else EXCLUDED.empty_table()


EXCLUDED = pa.schema(
    [
        ("chunk", pa.int32()),
        ("line", pa.int64()),
        ("inventory_no", pa.string()),
        ("reason", pa.string()),
        ("item_lines", pa.int64()),
        ("detail", pa.string()),
    ]
)
