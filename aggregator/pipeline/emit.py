"""Finish a chunk or partition once all items are numbered: weights, and everything that is written in input order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.fate import Verdict
from aggregator.domain.grouping import group_codes
from aggregator.domain.split import declaration_refs
from aggregator.domain.totals import audit_rows, item_totals
from aggregator.domain.weights import share_weights
from aggregator.engines.shards import read_part, read_table, write_parts, write_table
from aggregator.model.findings import CODES, FINDINGS, ONCE_PER_VALUE, TOLD_ALWAYS, codes_of
from aggregator.outputs.checked import checked
from aggregator.outputs.rejected import rejected_records, rejected_spooled
from aggregator.pipeline.work import MEMBER, PLACE, Work
from aggregator.schemas.modes.m9610.declaration import SCHEMAS
from aggregator.schemas.modes.m9610.rules import Severity


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
    source = _sources(work, chunk, lines)
    pieces = {"audit_map": work.unit(unit, "audit-map")}
    declared = np.flatnonzero(item >= 0)
    audited = lines.select([name for name in SCHEMAS["audit_map"].names if name in lines.column_names])
    write_table(
        pieces["audit_map"],
        checked(
            "audit_map",
            audit_rows(
                audited.take(pa.array(declared)).combine_chunks(),
                verdict[declared] == Verdict.LATE,
                source.take(pa.array(declared)),
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
        file, block = work.file_of(chunk), work.chunks[chunk][1]
        of_bits = {int(b): codes_of(int(b)) for b in np.unique(bits[rejected])}
        codes = [of_bits[int(b)] for b in bits[rejected]]
        if PLACE in lines.column_names:
            made = rejected_spooled(file, block, lines[PLACE].to_numpy()[rejected], codes)
        else:
            made = rejected_records(file, block, lines["source_row"].to_numpy()[rejected], codes)
        pieces["rejected"].write_bytes(made)
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


def _sources(work: Work, chunk: int, lines: pa.Table) -> pa.Array:
    """The file each line came from."""
    if MEMBER in lines.column_names:
        return lines[MEMBER].combine_chunks()
    name = pa.array([work.file_of(chunk).name], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(lines.num_rows, dtype=np.int32)), name)


def _published(work: Work, findings: pa.Table, verdict: Any, lines: pa.Table, source: pa.Array) -> pa.Table:
    """The findings to publish: errors of what is rejected, warnings of what is declared, and what is told always; or all.
    In input order.

    Columns out: code, column (as in FINDINGS), inventory_no, item_no, value, source_file, source_row.
    """
    findings = findings.sort_by([("line", "ascending"), ("code", "ascending"), ("column", "ascending")])
    if not work.all_findings:
        is_error = np.array([work.severity[code] is Severity.ERROR for code in CODES])[findings["code"].to_numpy()]
        of_line = verdict[findings["line"].to_numpy()] if findings.num_rows else np.zeros(0)
        declared = np.isin(of_line, (Verdict.DECLARED, Verdict.LATE))
        always = np.isin(findings["code"].to_numpy(), list(TOLD_ALWAYS))
        findings = findings.filter(pa.array(always | np.where(is_error, of_line == Verdict.REJECTED, declared)))
    findings = _first_of_each_value(findings.combine_chunks())
    at = findings["line"].combine_chunks()
    rows, files = lines["source_row"].combine_chunks().take(at), source.take(at).cast(pa.string())
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


def _excluded_rows(excluded: pa.Table, lines: pa.Table, source: pa.Array) -> pa.Table:
    excluded = excluded.sort_by([("line", "ascending"), ("reason", "ascending")])
    at = excluded["line"].combine_chunks()
    rows, files = lines["source_row"].combine_chunks().take(at), source.take(at).cast(pa.string())
    plain = excluded.select(["inventory_no", "reason", "item_lines", "detail"])
    return plain.append_column("source_file", files).append_column("source_row", rows)
