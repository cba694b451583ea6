"""Resolve complete inventories: what becomes of each, but for what lines elsewhere may change (settle.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.clearance import Clearing, Received, clearing_of
from aggregator.domain.fate import Verdict, exclusions, known_before, verdicts, with_customs
from aggregator.domain.figures import days_of
from aggregator.domain.grouping import hashes
from aggregator.domain.inventories import Grouped, content_hashes, group_inventories
from aggregator.domain.simplified import on_simplified
from aggregator.domain.tariff import against_tariff
from aggregator.engines.engine import Shared
from aggregator.engines.files import with_dictionaries
from aggregator.model.records import Declared, kept_period
from aggregator.pipeline.changes import changes
from aggregator.pipeline.found import placed, reported
from aggregator.pipeline.given import leave_given
from aggregator.pipeline.learnt import known_of
from aggregator.pipeline.orders import with_route
from aggregator.pipeline.shards import EXCLUDED
from aggregator.pipeline.slips import with_slip_facts
from aggregator.pipeline.work import Work, chunk_unit, unit_at
from aggregator.schemas.arrays import Ints, Mask, only_given, rows_at
from aggregator.schemas.inventories import IDENTIFIERS, Inventories
from aggregator.schemas.modes import Mode
from aggregator.schemas.statuses import STATUS_CANCELLED
from aggregator.schemas.units import shown_numbers

SIMPLIFIED_NAMED = 10


@dataclass(frozen=True)
class Resolved:
    """What the barriers after resolving need of one unit, besides its hashes (given.py). `incomplete`: how many inventories are rejected
    because a line is missing. `simplified`: code of a rule on declaration mode A, how many inventories it names, and the first of them.
    `answered`: of how many the receipts given say something."""

    unit: str
    incomplete: int
    simplified: dict[str, tuple[int, tuple[str, ...]]]
    answered: int


def resolve_chunk(shared: Shared[Work], chunk: int, partitions: int) -> Resolved:
    """Resolve the inventories that stand in this chunk alone; put the lines of the others aside by partition."""
    work = shared.value
    lines = work.storage.read(work.shards.lines.of(chunk_unit(chunk)))
    length = lines.num_rows
    lines = lines.append_column("chunk", pa.array(np.full(length, chunk, dtype=np.int32)))
    lines = lines.append_column("line", pa.array(np.arange(length)))
    if partitions:
        numbers = lines["inventory_no"].combine_chunks().dictionary_encode()
        of_number = hashes(numbers.dictionary)
        spilled = np.append(work.scattered.among(work.storage.load, of_number), False)
        place = pc.fill_null(numbers.indices, len(of_number)).to_numpy()
        away = np.flatnonzero(spilled[place])
        part = (np.append(of_number, np.uint64(0))[place[away]] % np.uint64(partitions)).astype(np.int64)
        work.storage.write_parts(work.shards.spilled.of(chunk_unit(chunk)), lines.take(pa.array(away)), part, partitions)
        lines = rows_at(lines, np.flatnonzero(~spilled[place]))
    return _resolve(work, chunk, lines)


def resolve_partition(shared: Shared[Work], partition: int) -> Resolved:
    """Resolve the scattered inventories of one partition."""
    work = shared.value
    lines = work.spilled_lines(partition)
    return _resolve(work, len(work.chunks) + partition, with_dictionaries(lines, work.mode.dictionary.repeating))


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
    answered: int


def _resolve(work: Work, place: int, lines: pa.Table) -> Resolved:
    """`place`: of the unit."""
    unit = unit_at(work, place)
    grouped = group_inventories(lines, work.mode)
    facts: dict[str, pa.Array] = {}
    if work.mode.packing is not None:
        grouped, facts = with_slip_facts(work, grouped)
    elif work.mode.routing is not None:
        grouped, facts = with_route(work, grouped)
    decided = _decide(work, place, grouped)
    simplified = _simplified(work, grouped, decided)
    _leave(work, unit, grouped, decided, facts)
    table = _inventory_table(work.mode, grouped, decided)
    work.storage.write(work.shards.inventories.of(unit), table)
    leave_given(work, unit, table)
    return Resolved(unit, _incomplete(work.mode, grouped, decided), simplified, decided.answered)


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


def _decide(work: Work, place: int, grouped: Grouped) -> _Decided:
    """The fate of each inventory, by its own lines, the ledger, receipts and the tariff."""
    mode, inventories, numbers = work.mode, grouped.inventories, grouped.numbers
    received = work.receipts.of(numbers) if work.receipts is not None else None
    answered = 0 if received is None else int(((received.status != "") | received.cancelled).sum())
    contents = content_hashes(inventories, grouped.bits == 0, mode)
    in_ledger: dict[str, Declared] = {}
    refused: frozenset[str] = frozenset()
    if work.knows:
        in_ledger, customs = known_of(work, numbers, place)
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
    of_inventory, of_line = verdicts(inventories, bits, reasons, late)
    released = pc.is_in(numbers, value_set=pa.array(sorted(refused), pa.string())).to_numpy(zero_copy_only=False)
    live = np.array([record is not None for record in records], dtype=bool)
    undone = live & (clearing.cancelled | clearing.refused)
    newly_undone = undone & ~np.array([record is not None and record.cancelled for record in records], dtype=bool)
    if changed.any():
        found.append(_changed(work, inventories, numbers, changed, records))
    if newly_undone.any():
        found.append(_undone(mode, inventories, numbers, newly_undone, records, received))
    return _Decided(bits, reasons, of_inventory, of_line, contents, clearing, records, live, newly_undone, released, found, answered)


def _leave(work: Work, unit: str, grouped: Grouped, decided: _Decided, facts: dict[str, pa.Array]) -> None:
    """What settling and emitting need of this unit, as shards. `facts`: further columns of the lines."""
    inventories, shards, write = grouped.inventories, work.shards, work.storage.write
    judged = inventories.lines.select(["chunk", "line"]).append_column("verdict", pa.array(decided.of_line.astype(np.int8)))
    if work.mode.numbers_items:
        judged = judged.append_column("item_no", inventories.lines["item_no"])
    for name, values in facts.items():
        judged = judged.append_column(name, values)
    write(shards.judged.of(unit), judged)
    write(shards.findings.of(unit), placed(inventories.lines, decided.found, work.mode.dictionary))
    write(shards.excluded.of(unit), _excluded(work.mode, grouped, decided))


def _incomplete(mode: Mode, grouped: Grouped, decided: _Decided) -> int:
    lacks = (decided.of_inventory == Verdict.REJECTED) & (decided.bits & mode.rules.bit.get("I103", 0) != 0)
    return int((grouped.numbers.is_valid().to_numpy(zero_copy_only=False) & lacks).sum())


def _inventory_table(mode: Mode, grouped: Grouped, decided: _Decided) -> pa.Table:
    inventories, period = grouped.inventories, decided.clearing.period
    kept = pa.array(np.where(period == "000000", "", period), pa.string())
    if not mode.waits_for_clearing:
        kept = pc.binary_join_element_wise(kept_period(mode.code, ""), kept, "")
    first = only_given(inventories.lines, ("chunk", "line", "naming", *IDENTIFIERS)).take(pa.array(inventories.starts)).combine_chunks()

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
            **{name: given(name) for name in IDENTIFIERS},
            "live": decided.live,
            "newly_undone": decided.newly_undone,
            "released": decided.released,
            "lines": pa.array(inventories.lengths.astype(np.int32)),
            "cleared_on": days_of(decided.clearing.cleared_at),
            "naming": first["naming"].combine_chunks(),
        }
    )


def _changed(
    work: Work, inventories: Inventories, numbers: pa.Array, changed: Mask, records: list[Declared | None]
) -> pa.Table:
    """B101: a finding a value that is not what was declared."""
    lines = inventories.lines.filter(pa.array(changed[inventories.inventory_of])).combine_chunks()
    recorded = {
        number: record for number, record, is_changed in zip(numbers.to_pylist(), records, changed, strict=True) if is_changed and record
    }
    found = changes(lines, recorded, work.mode)
    return reported(work.mode, "B101", inventories.starts, numbers, found)


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
    return reported(mode, "B103", inventories.starts, numbers, pa.table(columns))


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
