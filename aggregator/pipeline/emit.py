"""Emit a chunk or partition once all items are numbered: weights, and everything that is written in input order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.fate import Verdict
from aggregator.domain.grouping import group_codes
from aggregator.domain.split import declaration_refs
from aggregator.domain.totals import audit_rows, item_totals
from aggregator.domain.weights import share_weights, sum_weights
from aggregator.engines.engine import Shard, Shared
from aggregator.model.findings import FINDINGS, MARKS
from aggregator.outputs.checked import checked, checked_by_values
from aggregator.outputs.rejected import rejected_records, rejected_spooled
from aggregator.pipeline.counting import ONCE, reported_once
from aggregator.pipeline.cuts import cut_of
from aggregator.pipeline.ruined import Ruined, ruined_in
from aggregator.pipeline.shards import BY_DECLARATION, PLACE, SPREAD
from aggregator.pipeline.work import Work, chunk_unit, part_of, partition_unit
from aggregator.schemas.arrays import Ints, only_given
from aggregator.schemas.rule import RuleBook, Severity

_WEIGHED = ("inventory_no", "item_no", "gross_weight_kg", "net_weight_kg", "package_count", "statutory_unit_code",
            "statutory_quantity", "currency_code", "total_price")  # fmt: skip


@dataclass(frozen=True)
class Numbering:
    """Where the merged items went (arrays `declaration` and `item_no` of each item; `items-UNIT`: the item of each partial row
    of a unit), and how the declarations are called. After them come so many units that are `listed`: counted like
    declarations, and none."""

    run_ref: str
    declarations: int
    listed: int = 0

    @property
    def units(self) -> int:
        return self.declarations + self.listed

    @property
    def refs(self) -> pa.Array:
        """Null for what is listed."""
        return pa.concat_arrays([declaration_refs(self.run_ref, self.declarations), pa.nulls(self.listed, pa.string())])


class Rejected(NamedTuple):
    """Rejected lines of a part of a chunk: the place of its file, the name of their bytes, how many they are, and what is wrong with
    them (MARKS)."""

    place: int
    name: str
    lines: int
    marks: Shard


@dataclass(frozen=True)
class Emitted:
    """`by_declaration`: weights and counts (see Shares). `pieces`: output to its shard, in the order of this chunk's rows.
    `rows`: how many these have. `found`: findings of each part of the chunk; `once`: those reported once a value (ONCE). `rejected`: of the parts that have any. `ruined`: see ruined.py."""

    by_declaration: pa.Table
    spread: Shard
    totals: pa.Table
    pieces: dict[str, Shard]
    rows: dict[str, int] = field(default_factory=dict)
    found: tuple[int, ...] = ()
    once: pa.Table = field(default_factory=ONCE.empty_table)
    rejected: tuple[Rejected, ...] = ()
    ruined: tuple[Ruined, ...] = ()


def _items_of(work: Work, unit: str) -> pa.Table:
    """Decisions of a unit with `item`, the merged item of each declared line (-1 for the others), instead of its own key."""
    decisions = work.storage.read(work.shards.decisions.of(unit))
    key = decisions["key"].to_numpy()
    item = np.append(work.storage.load(f"items-{unit}"), -1)[key]
    return decisions.drop_columns("key").append_column("item", pa.array(item))


def _share(work: Work, unit: str, decisions: pa.Table, lines: pa.Table, at: Ints) -> tuple[pa.Table, Shard]:
    """Weights of the declared lines. `at`: which of the lines each of the decisions is about."""
    item = decisions["item"].to_numpy()
    declared = np.flatnonzero(item >= 0)
    shard = work.shards.spread.of(unit)
    if not len(declared):
        work.storage.write(shard, SPREAD.empty_table())
        return BY_DECLARATION.empty_table(), shard
    taken = lines.select(_WEIGHED).take(pa.array(at[declared])).combine_chunks()
    if not work.mode.dictionary["gross_weight_kg"].header:
        work.storage.write(shard, SPREAD.empty_table())
        return sum_weights(taken, work.storage.load("declaration")[item[declared]]), shard
    numbers = taken["inventory_no"].combine_chunks().dictionary_encode().indices
    shares = share_weights(taken.append_column("inventory", numbers), work.storage.load("declaration")[item[declared]])
    work.storage.write(shard, shares.spread.sort_by([("inventory_no", "ascending"), ("declaration", "ascending")]))
    return shares.by_declaration, shard


def emit_partition(shared: Shared[Work], partition: int) -> Emitted:
    """Weights of the scattered inventories; what was decided on their lines goes back to the chunks they came from."""
    work = shared.value
    unit, count, shards = partition_unit(partition), len(work.chunks), work.shards
    lines = work.spilled_lines(partition)
    decisions = _items_of(work, unit)
    # Lines lie in input order, decisions by inventory: both are brought to the same order.
    order = pc.sort_indices(decisions, sort_keys=[("chunk", "ascending"), ("line", "ascending")])
    decisions = decisions.take(order).combine_chunks()
    by_declaration, spread = _share(work, unit, decisions, lines, np.arange(lines.num_rows))
    for back, table in (
        (shards.back_decisions, decisions),
        (shards.back_findings, pa.concat_tables(work.storage.read(kind.of(unit)) for kind in (shards.findings, shards.settled_findings))),
        (shards.back_excluded, work.storage.read(shards.excluded.of(unit))),
    ):
        work.storage.write_parts(back.of(unit), table, table["chunk"].to_numpy(), count)
    return Emitted(by_declaration, spread, item_totals(lines.slice(0, 0), "rejected", work.mode.dictionary), {})


def emit_chunk(shared: Shared[Work], chunk: int, numbering: Numbering, partitions: int) -> Emitted:
    """Everything that is written in input order, for the lines of one chunk."""
    work, unit = shared.value, chunk_unit(chunk)
    lines = work.storage.read(work.shards.lines.of(unit))
    own = _items_of(work, unit)
    by_declaration, spread = _share(work, unit, own, lines, own["line"].to_numpy())
    back = [work.shards.back_decisions.of(partition_unit(part)) for part in range(partitions)]
    decisions = pa.concat_tables([own, *([work.storage.read_part(back, chunk)] if partitions else [])]).sort_by("line")
    verdict, source = decisions["verdict"].to_numpy(), work.sources(chunk, lines)
    if work.mode.numbers_items:
        lines = lines.set_column(lines.column_names.index("item_no"), "item_no", decisions["item_no"])
    reported = _reported(work, _found(work, chunk, partitions), verdict)
    findings, found, once = _findings(work, chunk, reported, lines, source)
    made = {
        "audit_map": (work.shards.audit_map, _audit_map(work, numbering, lines, decisions, source)),
        "findings": (work.shards.published, findings),
        "excluded": (work.shards.listed, _listed(work, chunk, partitions, lines, source)),
    }
    for kind, table in made.values():
        work.storage.write(kind.of(unit), table)
    pieces, rows = {name: kind.of(unit) for name, (kind, _) in made.items()}, {name: table.num_rows for name, (_, table) in made.items()}
    rejected, ruined = tuple(_rejected(work, chunk, lines, decisions, reported)), tuple(ruined_in(work, chunk, reported, lines))
    return Emitted(by_declaration, spread, _undeclared_totals(work, lines, verdict), pieces, rows, found, once, rejected, ruined)


def _audit_map(work: Work, numbering: Numbering, lines: pa.Table, decisions: pa.Table, source: pa.Array) -> pa.Table:
    verdict, item = decisions["verdict"].to_numpy(), decisions["item"].to_numpy()
    schema = work.mode.outputs["audit_map"]
    declared = np.flatnonzero(item >= 0)
    audited = only_given(lines, schema.names).take(pa.array(declared)).combine_chunks()
    if work.mode.dictionary.unit:
        own = audited[work.mode.dictionary.unit[-1]] if work.mode.dictionary.unit[-1] in audited.column_names else audited["inventory_no"]
        audited = audited.set_column(audited.column_names.index("inventory_no"), "inventory_no", own)
    rows = audit_rows(
        audited,
        verdict[declared] == Verdict.LATE,
        source.take(pa.array(declared)),
        numbering.refs,
        work.storage.load("declaration")[item[declared]],
        work.storage.load("item_no")[item[declared]],
        schema,
    )
    return checked_by_values(work.mode, "audit_map", rows)


def _found(work: Work, chunk: int, partitions: int) -> pa.Table:
    unit, shards, storage = chunk_unit(chunk), work.shards, work.storage
    found = [storage.read(kind.of(unit)).select(FINDINGS.names) for kind in (shards.row_findings, shards.findings, shards.settled_findings)]
    if partitions:
        back = [shards.back_findings.of(partition_unit(part)) for part in range(partitions)]
        found.append(storage.read_part(back, chunk).select(FINDINGS.names))
    if work.batch:
        found.append(storage.read_part(map(shards.batch.of, work.batch), chunk).select(FINDINGS.names))
    return pa.concat_tables(found)


def _findings(work: Work, chunk: int, reported: pa.Table, lines: pa.Table, source: pa.Array) -> tuple[pa.Table, tuple[int, ...], pa.Table]:
    """In input order; how many each part of the chunk has; and those reported once a value (ONCE)."""
    findings = _first_of_each_value(work.mode.rules, reported)
    counts = np.bincount(part_of(lines)[findings["line"].to_numpy()], minlength=len(work.chunks[chunk]))
    at = findings["line"].combine_chunks()
    rows, files = lines["source_row"].combine_chunks().take(at), source.take(at).cast(pa.string())
    published = findings.drop_columns("line").append_column("source_file", files).append_column("source_row", rows)
    return published, tuple(counts.tolist()), reported_once(work.mode.rules, findings)


def _listed(work: Work, chunk: int, partitions: int, lines: pa.Table, source: pa.Array) -> pa.Table:
    """What is excluded."""
    excluded = [work.storage.read(work.shards.excluded.of(chunk_unit(chunk)))]
    if partitions:
        back = [work.shards.back_excluded.of(partition_unit(part)) for part in range(partitions)]
        excluded.append(work.storage.read_part(back, chunk))
    return checked(work.mode, "excluded", _excluded_rows(pa.concat_tables(excluded), lines, source, work.mode.outputs["excluded"].names))


def _rejected(work: Work, chunk: int, lines: pa.Table, decisions: pa.Table, reported: pa.Table) -> Iterator[Rejected]:
    """The rejected lines of each part as they were read, with the codes that rejected their inventory."""
    every = np.flatnonzero(decisions["verdict"].to_numpy() == Verdict.REJECTED)
    part, bits = part_of(lines)[every], decisions["bits"].to_numpy()
    of_bits = {int(value): work.mode.rules.codes_of(int(value)) for value in np.unique(bits[every])}
    stand = lines[PLACE if PLACE in lines.column_names else "source_row"].to_numpy()
    for number in np.unique(part):
        rejected = every[part == number]
        codes = [of_bits[int(value)] for value in bits[rejected]]
        place, block = work.chunks[chunk][number]
        name, file = f"rejected-{chunk}-{number}", work.files[place]
        if PLACE in lines.column_names:
            records = rejected_spooled(file, block, stand[rejected], codes)
        else:
            records = rejected_records(file, block, stand[rejected], codes, cut_of(work, chunk))
        work.storage.write_bytes(name, records)
        yield Rejected(place, name, len(rejected), _marks(work, f"{chunk}-{number}", reported, rejected))


def _marks(work: Work, unit: str, reported: pa.Table, rejected: Ints) -> Shard:
    """What is wrong with some rejected lines, which are counted from 0."""
    line, code = reported["line"].to_numpy(), reported["code"].to_numpy()
    at = np.searchsorted(rejected, line)
    is_rejected = rejected[np.minimum(at, len(rejected) - 1)] == line
    marked = np.isin(code, list(work.mode.rules.rejecting)) & is_rejected
    marks, counted = reported.filter(pa.array(marked)), pa.array(at[marked])
    shard = work.shards.marks.of(unit)
    work.storage.write(shard, marks.set_column(0, "line", counted).select(MARKS.names))
    return shard


def _undeclared_totals(work: Work, lines: pa.Table, verdict: Ints) -> pa.Table:
    """Sums of what is rejected and of what is excluded."""
    dictionary = work.mode.dictionary
    lines = only_given(lines, dict.fromkeys(name for pair in dictionary.summed_items.items() for name in pair))
    buckets = {"rejected": verdict == Verdict.REJECTED, "excluded": np.isin(verdict, (Verdict.EXCLUDED, Verdict.REPEAT))}
    return pa.concat_tables(
        [
            item_totals(lines.take(pa.array(np.flatnonzero(mask))).combine_chunks(), bucket, dictionary)
            for bucket, mask in buckets.items()
        ]
    ).combine_chunks()


def _reported(work: Work, findings: pa.Table, verdict: Ints) -> pa.Table:
    """The findings to publish: errors of what is rejected, warnings of what is declared, and what is always reported; or all.
    In input order."""
    findings = findings.sort_by([("line", "ascending"), ("code", "ascending"), ("column", "ascending")])
    if not work.all_findings:
        rules = work.mode.rules
        is_error = np.array([rule.severity is Severity.ERROR for rule in rules])[findings["code"].to_numpy()]
        of_line = verdict[findings["line"].to_numpy()] if findings.num_rows else np.zeros(0)
        declared = np.isin(of_line, (Verdict.DECLARED, Verdict.LATE))
        always = np.isin(findings["code"].to_numpy(), list(rules.always_reported))
        findings = findings.filter(pa.array(always | np.where(is_error, of_line == Verdict.REJECTED, declared)))
    return findings.combine_chunks()


def _first_of_each_value(rules: RuleBook, findings: pa.Table) -> pa.Table:
    """Of findings reported once a value keep the first of this chunk; they are about the value, not about an inventory."""
    once = np.flatnonzero(np.isin(findings["code"].to_numpy(), list(rules.once_per_value)))
    if not len(once):
        return findings
    reported = findings.take(pa.array(once)).combine_chunks()
    _, firsts = group_codes([reported[name].combine_chunks() for name in ("code", "column", "value")], reported.num_rows)
    kept = np.ones(findings.num_rows, dtype=bool)
    kept[once] = False
    kept[once[firsts]] = True
    of_value = np.zeros(findings.num_rows, dtype=bool)
    of_value[once] = True
    for name in ("inventory_no", "item_no"):
        blanked = pc.if_else(pa.array(of_value), None, findings[name].combine_chunks())
        findings = findings.set_column(findings.column_names.index(name), name, blanked)
    return findings.filter(pa.array(kept))


def _excluded_rows(excluded: pa.Table, lines: pa.Table, source: pa.Array, columns: Sequence[str]) -> pa.Table:
    """With the columns of the output; those that are of the lines as they stand on the first."""
    excluded = excluded.sort_by([("line", "ascending"), ("reason", "ascending")])
    at = excluded["line"].combine_chunks()
    rows, files = lines["source_row"].combine_chunks().take(at), source.take(at).cast(pa.string())
    listed = excluded.select(["inventory_no", "reason", "item_lines", "detail"]).append_column("source_file", files).append_column("source_row", rows)
    for name in columns[listed.num_columns :]:
        given = lines[name].combine_chunks().take(at).cast(pa.string()) if name in lines.column_names else pa.nulls(len(at), pa.string())
        listed = listed.append_column(name, given)
    return listed
