"""The work on one chunk or one partition: what a worker process does between two barriers of the pipeline.

    stage    a chunk of the input       -> typed lines and row findings on disk
    settle   complete inventories       -> verdicts, partial sums of the merge
    finish   the same, numbered         -> weights, audit map, rejected, excluded, findings

Each function writes files into the work folder and returns what the barrier needs. The result is the same in whatever
process or order it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.audit import audit_rows, count_total, header_totals, item_totals, unreadable_totals
from aggregator.checked import checked
from aggregator.clearing import Question, clearing_of
from aggregator.exchange import read_part, read_table, with_dictionaries, write_parts, write_table
from aggregator.fate import REASON_BIT, Verdict, exclusions, known_before, verdicts
from aggregator.findings import CODES, FINDINGS, ONCE_PER_VALUE, codes_of, error_bit, findings_of
from aggregator.groups import Hashes, Ints, group_codes, hashes
from aggregator.inventories import Grouped, content_hashes, group_inventories
from aggregator.ledger import declared_contents
from aggregator.merge import Flags, partial_items
from aggregator.read.canonical import canonical
from aggregator.read.csv import Block, CsvFile, raw_records, read_chunk
from aggregator.read.receipts import Receipts
from aggregator.split import declaration_refs
from aggregator.validate import validate_lines
from aggregator.weights import share_weights
from aggregator.write.rejected import rejected_csv
from schemas.fields import FIELD
from schemas.inventory import DICTIONARY, text_type
from schemas.rules import Severity
from schemas.rules.inventory import Inventories

DICTIONARY_COLUMNS = tuple(column for column in FIELD if text_type(column) == DICTIONARY)


@dataclass(frozen=True)
class Work:
    """What every stage needs to know. `question` is None where only the data is checked, without a period."""

    folder: Path
    files: tuple[CsvFile, ...]
    chunks: tuple[tuple[int, Block], ...]
    constants: tuple[tuple[str, str], ...]
    severity: dict[str, Severity]
    flags: Flags
    question: Question | None
    ledger: Path | None
    receipts: Path | None
    all_findings: bool

    def file_of(self, chunk: int) -> CsvFile:
        return self.files[self.chunks[chunk][0]]

    def lines(self, chunk: int) -> Path:
        return self.folder / f"lines-{chunk}.arrow"

    def row_findings(self, chunk: int) -> Path:
        return self.folder / f"row-findings-{chunk}.arrow"

    def spilled(self, chunk: int) -> Path:
        return self.folder / f"spilled-{chunk}.arrow"

    def unit(self, unit: str, what: str) -> Path:
        return self.folder / f"{what}-{unit}.arrow"


# ---------------------------------------------------------------------------------------------------------------- stage


@dataclass(frozen=True)
class Staged:
    """`inventories`: hashes of the inventory numbers in the chunk; `counts`: lines of each."""

    chunk: int
    lines: int
    blank: int
    inventories: Hashes
    counts: Ints
    totals: pa.Table
    last_is_wrong: bool


def stage_chunk(work: Work, chunk: int) -> Staged:
    """Read, bring to canonical form and validate one chunk."""
    file, block = work.file_of(chunk), work.chunks[chunk][1]
    text = read_chunk(file, block)
    validated = validate_lines(canonical(text.lines, work.constants), text.wrong, work.severity)
    lines = validated.lines.append_column("source_row", pa.array(text.rows))
    write_table(work.lines(chunk), lines)
    write_table(work.row_findings(chunk), validated.findings)
    numbers = lines["inventory_no"].combine_chunks().drop_null().dictionary_encode()
    counts = np.bincount(numbers.indices.to_numpy(), minlength=len(numbers.dictionary)).astype(np.int64)
    totals = pa.concat_tables([item_totals(lines, "read"), unreadable_totals(validated.unreadable)])
    last_is_wrong = lines.num_rows - 1 in text.wrong
    return Staged(chunk, lines.num_rows, text.blank, hashes(numbers.dictionary), counts, totals, last_is_wrong)


# --------------------------------------------------------------------------------------------------------------- settle


@dataclass(frozen=True)
class Settled:
    """What the barrier after settling needs of one unit. `orders`, `waybills`: hashes of those given, one an inventory."""

    unit: str
    partial_rows: int
    totals: pa.Table
    counts: dict[str, int]
    orders: Hashes
    waybills: Hashes
    names: pa.Table


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
    declared = declared_contents(work.ledger, numbers) if work.ledger is not None else {}
    known, changed = known_before(contents, declared, numbers)
    bits = grouped.bits | np.where(changed, error_bit("B101", work.severity), 0)
    clearing = clearing_of(inventories, bits, received, work.question)
    reasons, late = exclusions(inventories, bits, clearing, work.question, known)
    of_inventory, of_line = verdicts(inventories, bits, reasons, late)
    table = _inventory_table(grouped, of_inventory, reasons, contents, clearing.period, bits)
    write_table(work.unit(unit, "inventories"), table)
    declared_lines = np.isin(of_line, (Verdict.DECLARED, Verdict.LATE))
    key = np.full(len(of_line), -1, dtype=np.int64)
    taken = _declared_lines(grouped, declared_lines)
    partials, key[declared_lines] = partial_items(taken, work.flags)
    write_table(work.unit(unit, "partials"), partials)
    decisions = inventories.lines.select(["chunk", "line"]).append_column("verdict", pa.array(of_line.astype(np.int8)))
    decisions = decisions.append_column("key", pa.array(key))
    decisions = decisions.append_column("bits", pa.array(bits[inventories.inventory_of]))
    write_table(work.unit(unit, "decisions"), decisions)
    write_table(work.unit(unit, "findings"), _placed_findings(grouped, changed))
    write_table(work.unit(unit, "excluded"), _excluded(grouped, reasons, of_line, clearing.cleared_at))
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
    return Settled(
        unit, partials.num_rows, pa.concat_tables(totals), counts, hashes(given[0]), hashes(given[1]), plain_names
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
        }
    )


def _placed_findings(grouped: Grouped, changed: np.ndarray[Any, Any]) -> pa.Table:
    """Findings of the inventory rules and of the ledger, with the chunk and line of the inventory's first line."""
    inventories = grouped.inventories
    found = [grouped.findings]
    places = np.flatnonzero(changed)
    if len(places):
        numbers = grouped.numbers.take(pa.array(places))
        starts = inventories.starts[places]
        found.append(findings_of("B101", "inventory_no", starts, numbers, numbers, pa.nulls(len(places), pa.string())))
    findings = pa.concat_tables(found).combine_chunks()
    at = findings["line"].combine_chunks()
    chunk = inventories.lines["chunk"].combine_chunks().take(at)
    line = inventories.lines["line"].combine_chunks().take(at)
    return findings.set_column(0, "line", line).append_column("chunk", chunk)


def _excluded(grouped: Grouped, reasons: Ints, of_line: Ints, cleared_at: np.ndarray[Any, Any]) -> pa.Table:
    """Excluded inventories × reason, and repeated lines by inventory: chunk, line, inventory_no, reason, item_lines, detail."""
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
        dated = reason in ("later_period", "before_ledger", "late_held")
        tables.append(
            pa.table(
                {
                    "chunk": inventories.lines["chunk"].combine_chunks().take(pa.array(at)),
                    "line": inventories.lines["line"].combine_chunks().take(pa.array(at)),
                    "inventory_no": grouped.numbers.take(pa.array(places)),
                    "reason": pa.array([reason] * len(places), pa.string()),
                    "item_lines": pa.array(item_lines),
                    "detail": pa.array(cleared_at[places].tolist() if dated else [""] * len(places), pa.string()),
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


# --------------------------------------------------------------------------------------------------------------- finish


@dataclass(frozen=True)
class Numbering:
    """Where the merged items went: files of arrays (declaration and item number of each item; for each unit the item of
    each of its partial rows), and how the declarations are called."""

    run_ref: str
    declarations: int
    folder: Path

    def save(self, name: str, values: np.ndarray[Any, Any]) -> None:
        np.save(self.folder / f"{name}.npy", values)

    def load(self, name: str) -> Any:
        return np.load(self.folder / f"{name}.npy", mmap_mode="r")


@dataclass(frozen=True)
class Finished:
    """`by_declaration`: weights and counts (see Shares). `pieces`: output to its file, in the order of this chunk's rows."""

    by_declaration: pa.Table
    spread: Path
    totals: pa.Table
    pieces: dict[str, Path]


def _items_of(work: Work, numbering: Numbering, unit: str, decisions: pa.Table) -> pa.Table:
    """Decisions with `item`, the merged item of each declared line (-1 for the others), instead of the unit's own key."""
    key = decisions["key"].to_numpy()
    item = np.append(numbering.load(f"items-{unit}"), -1)[key]
    return decisions.drop_columns("key").append_column("item", pa.array(item))


def _share(work: Work, numbering: Numbering, unit: str, decisions: pa.Table, lines: pa.Table) -> tuple[pa.Table, Path]:
    """Weights of the declared lines; `lines` stand as in `decisions`."""
    item = decisions["item"].to_numpy()
    declared = np.flatnonzero(item >= 0)
    path = work.unit(unit, "spread")
    if not len(declared):
        write_table(path, SPREAD.empty_table())
        return BY_DECLARATION.empty_table(), path
    columns = ("inventory_no", "item_no", "gross_weight_kg", "net_weight_kg", "package_count", "statutory_unit_code",
               "statutory_quantity", "currency_code", "total_price")  # fmt: skip
    taken = lines.select(columns).take(pa.array(declared)).combine_chunks()
    numbers = taken["inventory_no"].combine_chunks().dictionary_encode().indices
    shares = share_weights(taken.append_column("inventory", numbers), numbering.load("declaration")[item[declared]])
    write_table(path, shares.spread.sort_by([("inventory_no", "ascending"), ("declaration", "ascending")]))
    return shares.by_declaration, path


BY_DECLARATION = pa.schema(
    [
        ("declaration", pa.int64()),
        ("package_count", pa.int64()),
        ("gross_weight_kg", pa.decimal128(38, 5)),
        ("net_weight_kg", pa.decimal128(38, 5)),
        ("inventory_count", pa.int64()),
    ]
)
SPREAD = pa.schema(
    [
        ("inventory_no", pa.string()),
        ("declaration", pa.int64()),
        ("gross_weight_kg", pa.decimal128(38, 5)),
        ("net_weight_kg", pa.decimal128(38, 5)),
    ]
)
SHARED = ("decisions", "findings", "excluded")


def finish_partition(work: Work, partition: int, numbering: Numbering) -> Finished:
    """Weights of the scattered inventories; what was decided on their lines goes back to the chunks they came from."""
    unit = f"p{partition}"
    lines = read_part([work.spilled(chunk) for chunk in range(len(work.chunks))], partition)
    decisions = _items_of(work, numbering, unit, read_table(work.unit(unit, "decisions")))
    # Lines lie in input order, decisions by inventory: both are brought to the same order.
    order = pc.sort_indices(decisions, sort_keys=[("chunk", "ascending"), ("line", "ascending")])
    decisions = decisions.take(order).combine_chunks()
    by_declaration, spread = _share(work, numbering, unit, decisions, lines)
    for name in SHARED:
        table = decisions if name == "decisions" else read_table(work.unit(unit, name))
        write_parts(work.unit(unit, f"back-{name}"), table, table["chunk"].to_numpy(), len(work.chunks))
    return Finished(by_declaration, spread, item_totals(lines.slice(0, 0), "rejected"), {})


def finish_chunk(
    work: Work, chunk: int, numbering: Numbering, partitions: int, batch_findings: Path
) -> Finished:
    """Everything that is written in input order, for the lines of one chunk."""
    unit = f"c{chunk}"
    lines = read_table(work.lines(chunk))
    own = _items_of(work, numbering, unit, read_table(work.unit(unit, "decisions")))
    back = {name: [work.unit(f"p{p}", f"back-{name}") for p in range(partitions)] for name in SHARED}
    own_lines = lines.take(own["line"].combine_chunks()).combine_chunks()
    by_declaration, spread = _share(work, numbering, unit, own, own_lines)
    decisions = pa.concat_tables([own, *([read_part(back["decisions"], chunk)] if partitions else [])]).sort_by("line")
    verdict, item = decisions["verdict"].to_numpy(), decisions["item"].to_numpy()
    bits = decisions["bits"].to_numpy()
    source = work.file_of(chunk).name
    pieces = {"audit_map": work.unit(unit, "audit-map")}
    declared = np.flatnonzero(item >= 0)
    write_table(
        pieces["audit_map"],
        checked(
            "audit_map",
            audit_rows(
                lines.take(pa.array(declared)).combine_chunks(),
                verdict[declared] == Verdict.LATE,
                source,
                declaration_refs(numbering.run_ref, numbering.declarations),
                numbering.load("declaration")[item[declared]],
                numbering.load("item_no")[item[declared]],
            ),
        ),
    )
    findings = [read_table(work.row_findings(chunk))]
    findings.append(read_table(work.unit(unit, "findings")).select(FINDINGS.names))
    excluded = [read_table(work.unit(unit, "excluded"))]
    if partitions:
        findings.append(read_part(back["findings"], chunk).select(FINDINGS.names))
        excluded.append(read_part(back["excluded"], chunk))
    findings.append(read_part([batch_findings], chunk).select(FINDINGS.names))
    pieces["findings"] = work.unit(unit, "all-findings")
    write_table(pieces["findings"], _published(work, pa.concat_tables(findings), verdict, lines, source))
    pieces["excluded"] = work.unit(unit, "all-excluded")
    write_table(pieces["excluded"], checked("excluded", _excluded_rows(pa.concat_tables(excluded), lines, source)))
    rejected = np.flatnonzero(verdict == Verdict.REJECTED)
    if len(rejected):
        pieces["rejected"] = work.folder / f"rejected-{chunk}.csv"
        rows = lines["source_row"].to_numpy()[rejected]
        file, block = work.file_of(chunk), work.chunks[chunk][1]
        codes = {int(b): codes_of(int(b)) for b in np.unique(bits[rejected])}
        pieces["rejected"].write_bytes(
            rejected_csv(file, raw_records(file, block, rows), [codes[int(b)] for b in bits[rejected]])
        )
    totals = pa.concat_tables(
        [
            item_totals(lines.take(pa.array(rejected)).combine_chunks(), "rejected"),
            item_totals(
                lines.take(pa.array(np.flatnonzero(np.isin(verdict, (Verdict.EXCLUDED, Verdict.REPEAT))))).combine_chunks(),
                "excluded",
            ),
        ]
    )
    return Finished(by_declaration, spread, totals, pieces)


def _published(work: Work, findings: pa.Table, verdict: Any, lines: pa.Table, source: str) -> pa.Table:
    """The findings to publish: errors of what is rejected and warnings of what is declared, or all, in input order.

    Columns out: code, column (as in FINDINGS), inventory_no, item_no, value, source_file, source_row.
    """
    findings = findings.sort_by([("line", "ascending"), ("code", "ascending"), ("column", "ascending")])
    if not work.all_findings:
        is_error = np.array([work.severity[code] is Severity.ERROR for code in CODES])[findings["code"].to_numpy()]
        of_line = verdict[findings["line"].to_numpy()] if findings.num_rows else np.zeros(0)
        declared = np.isin(of_line, (Verdict.DECLARED, Verdict.LATE))
        findings = findings.filter(pa.array(np.where(is_error, of_line == Verdict.REJECTED, declared)))
    findings = _first_of_each_value(findings.combine_chunks())
    rows = lines["source_row"].combine_chunks().take(findings["line"].combine_chunks())
    files = pa.array([source] * findings.num_rows, pa.string())
    return findings.drop_columns("line").append_column("source_file", files).append_column("source_row", rows)


def _first_of_each_value(findings: pa.Table) -> pa.Table:
    """Of findings told once a value keep the first of this chunk; they are about the value, not about an inventory."""
    once = np.flatnonzero(np.isin(findings["code"].to_numpy(), list(ONCE_PER_VALUE)))
    if not len(once):
        return findings
    told = findings.take(pa.array(once)).combine_chunks()
    _, firsts = group_codes([told[name].combine_chunks() for name in ("code", "column", "value")], told.num_rows)
    kept = np.ones(findings.num_rows, dtype=bool)
    kept[once] = False
    kept[once[firsts]] = True
    of_value = np.zeros(findings.num_rows, dtype=bool)
    of_value[once] = True
    for name in ("inventory_no", "item_no"):
        blanked = pc.if_else(pa.array(of_value), None, findings[name].combine_chunks())
        findings = findings.set_column(findings.column_names.index(name), name, blanked)
    return findings.filter(pa.array(kept))


def _excluded_rows(excluded: pa.Table, lines: pa.Table, source: str) -> pa.Table:
    excluded = excluded.sort_by([("line", "ascending"), ("reason", "ascending")])
    rows = lines["source_row"].combine_chunks().take(excluded["line"].combine_chunks())
    files = pa.array([source] * excluded.num_rows, pa.string())
    plain = excluded.select(["inventory_no", "reason", "item_lines", "detail"])
    return plain.append_column("source_file", files).append_column("source_row", rows)
