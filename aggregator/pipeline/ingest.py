"""Ingest a chunk: read it, bring it to canonical form and validate it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import hashes
from aggregator.domain.slips import currencies_and_days, line_numbers
from aggregator.domain.strays import Naming, naming
from aggregator.domain.totals import item_totals, unreadable_totals
from aggregator.domain.validate import validate_lines
from aggregator.engines.engine import Shared
from aggregator.inputs.export import Unnamed
from aggregator.inputs.parts import Text, read_parts
from aggregator.inputs.tables.canonical import Repairs, canonical
from aggregator.inputs.tables.misplaced import Misplaced, misplaced_numbers
from aggregator.pipeline.cuts import leave_cut
from aggregator.pipeline.scatter import leave_numbers
from aggregator.pipeline.shards import MEMBER, PART, PLACE
from aggregator.pipeline.work import Work, chunk_unit
from aggregator.schemas.arrays import Ints
from aggregator.schemas.lines import text_type
from aggregator.schemas.modes import Mode
from aggregator.schemas.modes.m9610.rules.row_imports import IMPORT_RULE
from aggregator.schemas.units import unit_numbers

ROWS_NAMED = 10
_SHAPED = "R201"
_OF_NUMBERS = ("R121", "R122", "R123", "R124", _SHAPED)
"""Findings without which a number that is given has customs' shape."""


class Imports(NamedTuple):
    """Lines of import inventories in a chunk: how many, the rows of the first, and what the first was known by."""

    lines: int
    rows: tuple[int, ...]
    known_by: str


@dataclass(frozen=True)
class IngestedPart:
    """What one part of a chunk says of its file (at `place`). `repairs`: rows that are no lines and cells brought to canonical form, by
    kind. `physical`: lines of the file, by what they are. `misplaced`: inventory numbers of customs' shape in other columns of lines
    that have none."""

    place: int
    lines: int
    last_row: int
    repairs: dict[str, int]
    physical: dict[str, int]
    last_is_wrong: bool
    unnamed: tuple[Unnamed, ...]
    imports: Imports | None
    misplaced: tuple[Misplaced, ...]


@dataclass(frozen=True)
class Ingested:
    """`inventories`: how many have lines in the chunk (see scatter.py). `has_strays`: some line's
    inventory number is missing or not of customs' shape. `priced`: currencies and days (yyyymmdd) of sound lines, where amounts are
    compared across currencies. `by_line`: lines that got a slip number here."""

    chunk: int
    parts: tuple[IngestedPart, ...]
    inventories: int
    totals: pa.Table
    has_strays: bool
    priced: frozenset[tuple[str, str]]
    by_line: int

    @property
    def lines(self) -> int:
        return sum(part.lines for part in self.parts)


def ingest(shared: Shared[Work], chunk: int) -> Ingested:
    """Read, bring to canonical form and validate one chunk; its lines and row findings are left as shards."""
    work = shared.value
    parts, files = work.chunks[chunk], work.files_of(chunk)
    text = read_parts([(file, part.block) for file, part in zip(files, parts, strict=True)])
    repairs = Repairs(text.part_of, len(parts)) if len(parts) > 1 else Repairs()
    plain = _numbered(work, canonical(text.lines, (*files[0].head_values, *work.constants), work.mode.dictionary, repairs), repairs)
    validated = validate_lines(plain, text.wrong, text.reported, work.mode)
    lines = _with_units(work.mode, validated.lines).append_column("source_row", pa.array(text.rows))
    if text.places is not None:
        lines = lines.append_column(PLACE, pa.array(text.places))
    if text.members is not None:
        lines = lines.append_column(MEMBER, text.members)
    if len(parts) > 1:
        lines = lines.append_column(PART, pa.array(text.part_of.astype(np.int32)))
    numbers = lines["inventory_no"].combine_chunks().dictionary_encode()
    named = naming(work.mode, numbers)
    lines = lines.append_column("naming", pa.array(named))
    work.storage.write(work.shards.lines.of(chunk_unit(chunk)), lines)
    leave_cut(work, chunk, text)
    work.storage.write(work.shards.row_findings.of(chunk_unit(chunk)), validated.findings)
    counts = np.bincount(numbers.indices.drop_null().to_numpy(), minlength=len(numbers.dictionary)).astype(np.int64)
    leave_numbers(work, chunk, hashes(numbers.dictionary), counts)
    dictionary = work.mode.dictionary
    totals = pa.concat_tables([item_totals(lines, "read", dictionary), unreadable_totals(validated.unreadable, dictionary)]).combine_chunks()
    odd = np.isin(validated.findings["code"].to_numpy(), [number for code, number in work.mode.rules.index.items() if code in _OF_NUMBERS]).any()
    has_strays = bool(odd or text.wrong or lines["inventory_no"].null_count)
    unshaped = np.flatnonzero(named != Naming.SHAPED) if has_strays and _SHAPED in work.mode.rules else np.zeros(0, dtype=np.int64)
    return Ingested(
        chunk, tuple(_parts(work, chunk, text, plain, repairs, validated.findings, unshaped)), len(counts), totals, has_strays,
        frozenset(currencies_and_days(lines, work.as_of, work.mode.code)) if work.mode.prices_units else frozenset(),
        int(np.sum(repairs.counts.get("numbered_by_line", 0))),
    )


def _parts(
    work: Work, chunk: int, text: Text, plain: pa.Table, repairs: Repairs, findings: pa.Table, unshaped: Ints
) -> Iterator[IngestedPart]:
    """In: canonical text of the whole chunk, its findings, and the lines whose number has not customs' shape, where that is asked."""
    begin, imports = 0, _imports(findings, text, work.mode)
    for number, (part, stretch) in enumerate(zip(work.chunks[chunk], text.stretches, strict=True)):
        end = begin + stretch.lines
        misplaced = misplaced_numbers(plain, text.rows, unshaped[(unshaped >= begin) & (unshaped < end)])
        done = {kind: count for kind, count in (*stretch.skipped.items(), *repairs.of(number).items()) if count}
        yield IngestedPart(
            part.place, stretch.lines, stretch.last_row, done, stretch.physical, end - 1 in text.wrong and stretch.lines > 0, stretch.unnamed,
            imports.get(number), misplaced,
        )  # fmt: skip
        begin = end


def _with_units(mode: Mode, lines: pa.Table) -> pa.Table:
    """The lines with the number by which their unit is known."""
    if not mode.dictionary.unit:
        return lines
    return lines.set_column(lines.column_names.index("inventory_no"), "inventory_no", unit_numbers(lines, mode.dictionary))


def _imports(findings: pa.Table, text: Text, mode: Mode) -> dict[int, Imports]:
    """By part, of those that have any."""
    index = mode.rules.index.get(IMPORT_RULE)
    found = findings.filter(pc.equal(findings["code"], index)) if index is not None else findings.slice(0, 0)
    if not found.num_rows:
        return {}
    of_finding = text.part_of[found["line"].to_numpy()]
    return {int(part): _import_lines(found.filter(pa.array(of_finding == part)), text.rows, mode) for part in np.unique(of_finding)}


def _import_lines(found: pa.Table, rows: Ints, mode: Mode) -> Imports:
    lines = found["line"].unique().to_numpy()
    first = found.slice(0, 1).to_pylist()[0]
    return Imports(len(lines), tuple(int(rows[line]) for line in lines[:ROWS_NAMED]), f"{mode.dictionary.names[first['column']]} {first['value']}")


def _numbered(work: Work, lines: pa.Table, repairs: Repairs) -> pa.Table:
    """Inventories that were sent before customs gave them a number get it from the receipt for what was sent."""
    if "inventory_no" not in lines.column_names:
        lines = lines.add_column(0, "inventory_no", pa.nulls(lines.num_rows, pa.string()))
    if "item_no" not in lines.column_names:
        lines = lines.append_column("item_no", pa.nulls(lines.num_rows, text_type(work.mode.dictionary["item_no"])))
    if work.mode.dictionary.unit:
        # What users call it, until the line is validated: findings show it so.
        own = lines[work.mode.dictionary.unit[-1]] if work.mode.dictionary.unit[-1] in lines.column_names else pa.nulls(lines.num_rows, pa.string())
        return lines.set_column(lines.column_names.index("inventory_no"), "inventory_no", own)
    missing = lines["inventory_no"].null_count
    repairs.weights = None
    if missing and work.by_line:
        repairs.add("numbered_by_line", lines["inventory_no"].is_null().to_numpy(zero_copy_only=False))
        own = line_numbers(lines, work.mode.dictionary.content)
        return lines.set_column(0, "inventory_no", pc.coalesce(lines["inventory_no"].combine_chunks(), own))
    if not missing or work.receipts is None or not {"consignor_code", "internal_no"} <= set(lines.column_names):
        return lines
    known = work.receipts.numbers_of(lines["consignor_code"].combine_chunks(), lines["internal_no"].combine_chunks())
    own = lines["inventory_no"].combine_chunks()
    numbers = pc.coalesce(own, known)
    repairs.add("numbers_from_receipts", pc.and_(own.is_null(), numbers.is_valid()).to_numpy(zero_copy_only=False))
    return lines.set_column(lines.column_names.index("inventory_no"), "inventory_no", numbers)
