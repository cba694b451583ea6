"""The barrier between resolving and merging: which inventories a stray line (strays.py) may belong to. They are
rejected.

Only where a chunk has a line without a number of customs' shape, or an inventory lacks a line, is anything read. Results depend
on the order of lines alone, never on where chunks end. In memory are hashes of identifiers (one an inventory) and what is tied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import Hashes, among, distinct, hashes
from aggregator.domain.strays import (
    SHARED,
    TIED,
    Kind,
    Naming,
    beside,
    cut_off_pairs,
    first_of_each,
    meant,
    tied_by_value,
)
from aggregator.inputs.formats.csv import raw_records
from aggregator.pipeline.ingest import Ingested
from aggregator.pipeline.lookup import LookUp, incomplete
from aggregator.pipeline.resolve import Resolved
from aggregator.pipeline.shards import MEMBER
from aggregator.pipeline.tied import leave_tied
from aggregator.pipeline.work import Work, chunk_unit
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.inventories import IDENTIFIERS


def tie(work: Work, ingested: list[Ingested], resolved: list[Resolved], scattered: Hashes, partitions: int) -> None:
    """Leave for each unit which of its inventories may lack a line."""
    if not any(chunk.has_strays for chunk in ingested) and not any(unit.incomplete for unit in resolved):
        return
    barrier = _Barrier(LookUp(work, ingested, resolved, scattered, partitions))
    for chunk, seen in enumerate(ingested):
        if seen.has_strays:
            barrier.look_at(chunk)
    barrier.look_at_incomplete()
    barrier.tie_by_value()
    barrier.leave()


@dataclass
class _Barrier:
    look: LookUp
    tied: list[pa.Table] = field(default_factory=list)
    shared: list[pa.Table] = field(default_factory=list)
    wanted: list[Hashes] = field(default_factory=list)
    pieces: list[pd.DataFrame] = field(default_factory=list)
    odd: set[int] = field(default_factory=set)
    """Chunks with odd numbers."""

    # ------------------------------------------------------------------------------------------------------ stray lines

    def look_at(self, chunk: int) -> None:
        """Strays of one chunk: what they stand beside, and the identifiers they have."""
        lines = self.look.lines(chunk)
        named = self.look.naming_of(lines)
        odd, places = np.flatnonzero(named == Naming.ODD), np.flatnonzero(named == Naming.NOTHING)
        self.look_at_pieces(chunk, lines, np.flatnonzero((named == Naming.SHAPED) & self.look.misread(lines)))
        if len(odd):
            self.odd.add(chunk)
            self.look_at_odd(chunk, self.look.seen(lines, odd), odd)
        if len(places):
            self.look_at_strays(chunk, lines, named, places)

    def look_at_strays(self, chunk: int, lines: pa.Table, named: Ints, places: Ints) -> None:
        strays, rejected = self.look.seen(lines, places), lines["error_bits"].to_numpy()[places] != 0
        sound = ~np.isin(places, self.look.faulty(chunk))
        claims = self.claims(chunk, places, sound)
        self.shared.append(_rows(claims["value"].combine_chunks(), Kind.STRAY, -1, None, chunk, claims["line"].to_numpy()))
        claiming = np.isin(places, claims["line"].to_numpy())
        around, before, after = self.look.with_neighbours(chunk, lines, named)
        near = [self.look.seen(around, nearest[places]) for nearest in (before, after)]
        # A message says itself which lines are an inventory's: what stands beside it is of no account.
        apart = self.look.work.files_of(chunk)[0].members != ()
        tied = [mask & (not apart) for mask in beside(strays, near[0], near[1], sound, claiming)]
        for there, mask in zip(near, tied, strict=True):
            neighbours = there.filter(pa.array(mask))
            numbers, units = neighbours["inventory_no"].combine_chunks(), neighbours["chunk"].to_numpy()
            self.tied.append(first_of_each(_tied(self.look.unit_of(numbers, units), numbers, chunk, places[mask])))
        among_numbers = np.logical_or(*(np.asarray(there["inventory_no"].is_valid(), dtype=bool) for there in near))
        self.tie_remarks(chunk, lines, places[(claiming | among_numbers) & ~rejected])

    def look_at_pieces(self, chunk: int, lines: pa.Table, places: Ints) -> None:
        """Records that are no rows of cells though a number is seen in them: where a part of the file is lost, pieces of several
        rows have run together, and what else stands there may be of another inventory."""
        if not len(places):
            return
        rows = self.look.work.storage.read(self.look.work.shards.lines.of(chunk_unit(chunk)), ("source_row",))["source_row"].to_numpy()[places]
        values, at = self.known_cells(chunk, rows, places)
        self.shared.append(_rows(values, Kind.STRAY, -1, None, chunk, at))
        own = lines["inventory_no"].combine_chunks().take(pa.array(places))
        self.pieces.append(pd.DataFrame({"chunk": chunk, "line": places, "inventory_no": own.to_pylist()}))

    def known_cells(self, chunk: int, rows: Ints, places: Ints) -> tuple[pa.Array, Ints]:
        """What stands in such records that some inventory has as its number or identifier, and the line of each."""
        values, at = self.raw_cells(chunk, rows, places)
        kept = among(hashes(pc.fill_null(values, "")), self.look.known) & values.is_valid().to_numpy(zero_copy_only=False)
        return values.filter(pa.array(kept)), at[kept]

    def claims(self, chunk: int, places: Ints, sound: Mask) -> pa.Table:
        """Values (value, line) on strays that are identifiers or numbers of some inventory. A sound stray has its own; of
        the others any cell may hold one."""
        strays = self.look.work.storage.read(self.look.work.shards.lines.of(chunk_unit(chunk))).take(pa.array(places)).combine_chunks()
        parts = [(meant(strays["inventory_no"].combine_chunks()), places)]
        unnamed = self.look.unnamed(strays)
        for name in strays.column_names:
            tells = np.ones(len(places), dtype=bool) if name == self.look.own_number else unnamed | ~sound
            rows = np.flatnonzero(tells if name in IDENTIFIERS else ~sound)
            if len(rows) and _is_text(strays.schema.field(name).type) and name not in ("inventory_no", MEMBER):
                parts.append((self.look.telling(strays[name].combine_chunks().take(pa.array(rows))), places[rows]))
        misread = np.flatnonzero(self.look.misread(strays))
        parts.append(self.raw_cells(chunk, strays["source_row"].to_numpy()[misread], places[misread]))
        values = pa.concat_arrays([values for values, _ in parts])
        of_value = pc.fill_null(values, "")
        kept = among(hashes(of_value), self.look.known) & values.is_valid().to_numpy(zero_copy_only=False)
        table = pa.table({"value": values, "line": np.concatenate([rows for _, rows in parts])}).filter(pa.array(kept))
        return table.group_by(["value", "line"], use_threads=False).aggregate([]).combine_chunks()

    def raw_cells(self, chunk: int, rows: Ints, lines: Ints) -> tuple[pa.Array, Ints]:
        """What stands between the delimiters of records that are no rows of cells, and the line of each."""
        files = self.look.work.files_of(chunk)
        if files[0].dialect is None or not len(rows):
            return pa.array([], pa.string()), lines[:0]
        records, part = [], self.look.part_of(chunk)[lines]
        for number in np.unique(part):
            records += raw_records(files[number], self.look.work.chunks[chunk][number].block, rows[part == number], with_pieces=False)[0]
        cells = pc.split_pattern(pa.array(records, pa.binary()).cast(pa.string()), files[0].dialect.delimiter)
        at = np.repeat(lines, pc.list_value_length(cells).to_numpy())
        return self.look.telling(pc.utf8_trim(cells.flatten(), " \"'")), at

    def look_at_odd(self, chunk: int, seen: pa.Table, odd: Ints) -> None:
        """Lines with odd numbers, and their places: who shares an identifier with one, and whose number one may be."""
        for name in IDENTIFIERS:
            of_value = distinct(hashes(seen[name].combine_chunks().drop_null()))
            self.wanted.append(of_value[among(of_value, self.look.several)])
        numbers = seen["inventory_no"].combine_chunks()
        values = meant(numbers)
        kept = values.is_valid().to_numpy(zero_copy_only=False) & among(hashes(pc.fill_null(values, "")), self.look.known)
        numbers, values, at = numbers.filter(pa.array(kept)), values.filter(pa.array(kept)), odd[kept]
        self.shared.append(_rows(values, Kind.ODD, self.look.unit_of(numbers, chunk), numbers, chunk, at))

    def tie_remarks(self, chunk: int, lines: pa.Table, places: Ints) -> None:
        """A remark where others have a number, and no rule rejects it: it is no number of an inventory of its own."""
        numbers = lines["inventory_no"].combine_chunks().take(pa.array(places))
        given = numbers.is_valid().to_numpy(zero_copy_only=False)
        numbers, at = numbers.filter(pa.array(given)), places[given]
        self.tied.append(first_of_each(_tied(self.look.unit_of(numbers, chunk), numbers, chunk, at)))

    # ------------------------------------------------------------------------------------------- incomplete inventories

    def look_at_incomplete(self) -> None:
        """Inventories that lack a line, and lines with odd numbers: who shares an identifier with one of the first, or stands
        beside either with its number cut off."""
        numbers = [pa.array([], pa.string())]
        for place, unit in enumerate(self.look.resolved):
            if unit.incomplete:
                table = self.look.inventories(place)
                table = table.filter(pa.array(incomplete(self.look.work.mode, table) & (self.look.naming_of(table) != Naming.NOTHING))).combine_chunks()
                numbers.append(table["inventory_no"].combine_chunks())
                if not self.look.own_number:
                    self.wanted += [hashes(self.look.telling(table[name].combine_chunks()).drop_null()) for name in IDENTIFIERS]
        wanted = pa.concat_arrays(numbers)
        of_number = distinct(hashes(wanted))
        for chunk, seen in enumerate(self.look.ingested):
            if chunk in self.odd or among(seen.inventories, of_number).any():
                self.tie_cut_off(chunk, wanted)

    def tie_cut_off(self, chunk: int, wanted: pa.Array) -> None:
        """In one chunk, and across its borders."""
        around = self.look.side_by_side(chunk)
        of_line, line = (pc.fill_null(around[name], 0).to_numpy() for name in ("chunk", "line"))
        pairs = cut_off_pairs(around, wanted, self.look.telling)
        first = pairs["place"].to_numpy(dtype=np.int64)
        for name, own, other_one in (("former", first, first + 1), ("latter", first + 1, first)):
            numbers = pa.array(pairs[name].to_list(), pa.string())
            self.tied.append(_tied(self.look.unit_of(numbers, of_line[own]), numbers, of_line[other_one], line[other_one]))

    # ------------------------------------------------------------------------------------------------- what is left

    def tie_by_value(self) -> None:
        """Find the inventories that have a value that a stray, an odd or an incomplete inventory has. Hashes say only where
        to look: values themselves are compared."""
        if not self.shared and not self.wanted:
            return
        claimed = [hashes(table["value"].combine_chunks()) for table in self.shared]
        wanted = distinct(np.concatenate([*claimed, *self.wanted]))
        for place in range(len(self.look.resolved)):
            chunk_numbers = self.look.ingested[place].inventories if place < len(self.look.ingested) else self.look.scattered
            if any(among(each, wanted).any() for each in self.look.of_units[place].values()) or among(chunk_numbers, wanted).any():
                self.shared += self.holders(place, wanted)
        tied = tied_by_value(pa.concat_tables(self.shared).combine_chunks())
        self.tied.append(first_of_each(_but_own(tied, self.pieces)))

    def holders(self, place: int, wanted: Hashes) -> Iterator[pa.Table]:
        table = self.look.inventories(place)
        named = self.look.naming_of(table)
        kind = np.where(named == Naming.ODD, Kind.ODD, Kind.SOUND)
        kind[incomplete(self.look.work.mode, table)] = Kind.INCOMPLETE
        of_value = {"inventory_no": hashes(table["inventory_no"].combine_chunks()), **self.look.of_units[place]}
        for name in ("inventory_no", *IDENTIFIERS):
            at = np.flatnonzero(among(of_value[name], wanted) & (named != Naming.NOTHING))
            values = table[name].combine_chunks().take(pa.array(at))
            values = values if name == "inventory_no" else self.look.telling(values)
            at, values = at[values.is_valid().to_numpy(zero_copy_only=False)], values.drop_null()
            chosen = table.take(pa.array(at)).combine_chunks()
            numbers, chunk, line = (chosen[each].combine_chunks() for each in ("inventory_no", "chunk", "line"))
            yield _rows(values, kind[at], place, numbers, chunk.to_numpy(), line.to_numpy())

    def leave(self) -> None:
        """Write for each unit its tied inventories: inventory_no, value (file and row of what is tied to it)."""
        tied = first_of_each(pa.concat_tables([TIED.empty_table(), *self.tied]).combine_chunks())
        values = np.empty(tied.num_rows, dtype=object)
        chunks = tied["chunk"].to_numpy()
        for chunk in np.unique(chunks):
            at = np.flatnonzero(chunks == chunk)
            values[at] = self.look.places(int(chunk), tied["line"].to_numpy()[at])
        tied = tied.append_column("value", pa.array(values, pa.string()))
        units = np.unique(tied["unit"].to_numpy())
        for unit in units:
            of_unit = tied.filter(pc.equal(tied["unit"], int(unit))).combine_chunks()
            numbers, values = (of_unit[name].combine_chunks() for name in ("inventory_no", "value"))
            leave_tied(self.look.work, self.look.resolved[unit].unit, numbers, values)


def _but_own(tied: pa.Table, pieces: list[pd.DataFrame]) -> pa.Table:
    """Without the inventories whose number stands in what ties them: that rejects them already."""
    if not pieces:
        return tied
    by = ["chunk", "line", "inventory_no"]
    own = pd.MultiIndex.from_frame(pd.concat(pieces)[by])
    return tied.filter(pa.array(~pd.MultiIndex.from_frame(tied.select(by).to_pandas()).isin(own)))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)))


def _tied(unit: Any, numbers: pa.Array, chunk: Any, line: Any) -> pa.Table:
    count = len(numbers)
    cells = [np.broadcast_to(np.asarray(each), count) for each in (unit, chunk, line)]
    return pa.table([pa.array(cells[0], pa.int32()), numbers, pa.array(cells[1], pa.int32()), pa.array(cells[2], pa.int64())], schema=TIED)


def _rows(values: Any, kind: Any, unit: Any, numbers: Any, chunk: Any, line: Any) -> pa.Table:
    count = len(values)
    numbers = pa.nulls(count, pa.string()) if numbers is None else numbers
    kinds, units, chunks = (np.broadcast_to(np.asarray(each), count) for each in (kind, unit, chunk))
    return pa.table(
        [values, pa.array(kinds, pa.int8()), pa.array(units, pa.int32()), numbers, pa.array(chunks, pa.int32()), pa.array(line, pa.int64())],
        schema=SHARED,
    )
