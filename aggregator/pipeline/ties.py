"""The barrier between resolving and merging: which inventories a stray line (strays.py) may belong to. They are
rejected.

Only where a chunk has a line without a number of customs' shape, or an inventory lacks a line, is anything read. Chunks are looked at,
and holders of a value found, each by itself. Results depend on the order of lines alone, never on where chunks end. Here are only
hashes of identifiers (one an inventory) and what is tied.
"""

from __future__ import annotations

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
from aggregator.engines.engine import Engine, Shared
from aggregator.inputs.formats.csv import raw_records
from aggregator.pipeline.adding import Rows
from aggregator.pipeline.cuts import cut_of
from aggregator.pipeline.given import identifiers_of
from aggregator.pipeline.hashed import spread
from aggregator.pipeline.ingest import Ingested
from aggregator.pipeline.lookup import LookUp, incomplete
from aggregator.pipeline.resolve import Resolved
from aggregator.pipeline.scatter import numbers_of
from aggregator.pipeline.shards import MEMBER
from aggregator.pipeline.tied import leave_tied
from aggregator.pipeline.work import Work, chunk_unit, unit_at
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.inventories import IDENTIFIERS

_PIECES = pa.schema([("chunk", pa.int32()), ("line", pa.int64()), ("inventory_no", pa.string())])
_WANTED = "wanted"
"""The array of hashes of the values whose holders are looked for."""


@dataclass(frozen=True)
class Seen:
    """What ties see in one chunk. `tied`: inventories tied by place (TIED); `cut_off`: by a number that is another's, cut off; `shared`:
    values that others may have (SHARED); `wanted`: hashes of others whose holders are looked for; `pieces`: numbers that stand in what
    ties them."""

    tied: pa.Table
    cut_off: pa.Table
    shared: pa.Table
    wanted: Hashes
    pieces: pa.Table


@dataclass(frozen=True)
class _Search:
    """`incomplete`: numbers of the inventories that lack a line."""

    look: LookUp
    incomplete: pa.Array


def tie(engine: Engine, work: Work, ingested: list[Ingested], resolved: list[Resolved], partitions: int, ranges: int) -> None:
    """Leave for each unit which of its inventories may lack a line."""
    if not any(chunk.has_strays for chunk in ingested) and not any(unit.incomplete for unit in resolved):
        return
    look = LookUp(work, tuple(chunk.lines for chunk in ingested), partitions, ranges)
    before = engine.share(look)
    spread(engine, leave_known, ((before, number) for number in range(ranges)))
    lacking = list(engine.map(lacks, ((before, place) for place, unit in enumerate(resolved) if unit.incomplete)))
    numbers = pa.concat_arrays([pa.array([], pa.string()), *(each for each, _ in lacking)])
    shared = engine.share(_Search(look, numbers))
    tied, cut_off, having, pieces = (Rows(schema) for schema in (TIED, TIED, SHARED, _PIECES))
    wanted = [each for _, each in lacking if len(each)]
    for seen in engine.map(look_at, ((shared, chunk, each.has_strays) for chunk, each in enumerate(ingested) if each.has_strays or len(numbers))):
        for rows, table in ((tied, seen.tied), (cut_off, seen.cut_off), (having, seen.shared), (pieces, seen.pieces)):
            rows.take(table)
        wanted += [seen.wanted] if len(seen.wanted) else []
    found = [tied.whole, cut_off.whole]
    searched = distinct(np.concatenate([*wanted, hashes(having.whole["value"].combine_chunks())]))
    if len(searched):
        work.storage.save(_WANTED, searched)
        for table in engine.map(holders, ((shared, place) for place in range(len(resolved)))):
            having.take(table)
        found.append(first_of_each(_but_own(tied_by_value(having.whole), pieces.whole)))
    _leave(look, found)


def leave_known(shared: Shared[LookUp], number: int) -> None:
    shared.value.leave_known(number)


def lacks(shared: Shared[LookUp], place: int) -> tuple[pa.Array, Hashes]:
    """Of the inventories of a unit that lack a line: their numbers, and hashes of what else may tell who belongs to them."""
    look = shared.value
    table = look.inventories(place)
    table = table.filter(pa.array(incomplete(look.work.mode, table) & (look.naming_of(table) != Naming.NOTHING))).combine_chunks()
    wanted = [hashes(look.telling(table[name].combine_chunks()).drop_null()) for name in IDENTIFIERS if not look.own_number]
    return table["inventory_no"].combine_chunks(), np.concatenate([np.zeros(0, dtype=np.uint64), *wanted])


def look_at(shared: Shared[_Search], chunk: int, has_strays: bool) -> Seen:
    """Strays of one chunk, and its lines of inventories that lack one: what they stand beside, and the identifiers they have."""
    eye, lacking = _Eye(shared.value.look), shared.value.incomplete
    touched = among(distinct(hashes(lacking)), eye.look.work.storage.load(numbers_of(chunk))).any()
    if not has_strays and not touched:
        return eye.seen
    lines = eye.look.lines(chunk)
    named = eye.look.naming_of(lines)
    if has_strays:
        eye.look_at(chunk, lines, named)
    if touched or (has_strays and (named == Naming.ODD).any()):
        eye.tie_cut_off(chunk, lines, named, lacking)
    return eye.seen


def holders(shared: Shared[_Search], place: int) -> pa.Table:
    """The inventories of one unit that have a value which a stray, an odd or an incomplete inventory has. Hashes say only where to
    look: values themselves are compared."""
    look = shared.value.look
    wanted = look.work.storage.load(_WANTED)
    if not _may_hold(look, place, wanted):
        return SHARED.empty_table()
    table = look.inventories(place)
    named = look.naming_of(table)
    kind = np.where(named == Naming.ODD, Kind.ODD, Kind.SOUND)
    kind[incomplete(look.work.mode, table)] = Kind.INCOMPLETE
    found = [SHARED.empty_table()]
    for name in ("inventory_no", *IDENTIFIERS):
        at = np.flatnonzero(among(hashes(table[name].combine_chunks()), wanted) & (named != Naming.NOTHING))
        values = table[name].combine_chunks().take(pa.array(at))
        values = values if name == "inventory_no" else look.telling(values)
        at, values = at[values.is_valid().to_numpy(zero_copy_only=False)], values.drop_null()
        chosen = _taken(table, at)
        numbers, chunk, line = (chosen[each].combine_chunks() for each in ("inventory_no", "chunk", "line"))
        found.append(_rows(values, kind[at], place, numbers, chunk.to_numpy(), line.to_numpy()))
    return pa.concat_tables(found)


def _may_hold(look: LookUp, place: int, wanted: Hashes) -> bool:
    """Whether a unit may have an inventory with one of the values."""
    load, chunks = look.work.storage.load, len(look.lines_in)
    numbers = among(wanted, load(numbers_of(place))) if place < chunks else look.are_in(look.work.scattered, wanted)
    return bool(numbers.any() or among(wanted, load(identifiers_of(unit_at(look.work, place)))).any())


def _leave(look: LookUp, found: list[pa.Table]) -> None:
    """Write for each unit its tied inventories: inventory_no, value (file and row of what is tied to it)."""
    tied = first_of_each(pa.concat_tables([TIED.empty_table(), *found]).combine_chunks())
    values = np.empty(tied.num_rows, dtype=object)
    chunks = tied["chunk"].to_numpy()
    for chunk in np.unique(chunks):
        at = np.flatnonzero(chunks == chunk)
        values[at] = look.places(int(chunk), tied["line"].to_numpy()[at])
    tied = tied.append_column("value", pa.array(values, pa.string()))
    for unit in np.unique(tied["unit"].to_numpy()).tolist():
        of_unit = tied.filter(pc.equal(tied["unit"], unit)).combine_chunks()
        numbers, values = (of_unit[name].combine_chunks() for name in ("inventory_no", "value"))
        leave_tied(look.work, unit_at(look.work, unit), numbers, values)


@dataclass
class _Eye:
    """Looks at one chunk."""

    look: LookUp
    tied: list[pa.Table] = field(default_factory=lambda: [TIED.empty_table()])
    cut_off: list[pa.Table] = field(default_factory=lambda: [TIED.empty_table()])
    shared: list[pa.Table] = field(default_factory=lambda: [SHARED.empty_table()])
    wanted: list[Hashes] = field(default_factory=lambda: [np.zeros(0, dtype=np.uint64)])
    pieces: pa.Table = field(default_factory=_PIECES.empty_table)

    @property
    def seen(self) -> Seen:
        tied, cut_off, shared = (pa.concat_tables(tables) for tables in (self.tied, self.cut_off, self.shared))
        return Seen(tied, cut_off, shared, np.concatenate(self.wanted), self.pieces)

    def look_at(self, chunk: int, lines: pa.Table, named: Ints) -> None:
        """Strays: what they stand beside, and the identifiers they have."""
        odd, places = np.flatnonzero(named == Naming.ODD), np.flatnonzero(named == Naming.NOTHING)
        misread = np.flatnonzero(self.look.misread(lines))
        cells, at = self.raw_cells(chunk, misread)
        of_piece = named[at] == Naming.SHAPED
        self.look_at_pieces(chunk, lines, misread[named[misread] == Naming.SHAPED], cells.filter(pa.array(of_piece)), at[of_piece])
        if len(odd):
            self.look_at_odd(chunk, self.look.seen(_taken(lines, odd)), odd)
        if len(places):
            self.look_at_strays(chunk, lines, named, places, (cells.filter(pa.array(~of_piece)), at[~of_piece]))

    def look_at_strays(self, chunk: int, lines: pa.Table, named: Ints, places: Ints, raw: tuple[pa.Array, Ints]) -> None:
        strays, rejected = self.look.seen(_taken(lines, places)), lines["error_bits"].to_numpy()[places] != 0
        sound = ~np.isin(places, self.look.faulty(chunk))
        claims = self.claims(chunk, places, sound, raw)
        self.shared.append(_rows(claims["value"].combine_chunks(), Kind.STRAY, -1, None, chunk, claims["line"].to_numpy()))
        claiming = np.isin(places, claims["line"].to_numpy())
        near = [self.look.seen(there) for there in self.look.with_neighbours(chunk, lines, named, places)]
        # A message says itself which lines are an inventory's: what stands beside it is of no account.
        apart = self.look.work.files_of(chunk)[0].members != ()
        tied = [mask & (not apart) for mask in beside(strays, near[0], near[1], sound, claiming)]
        for there, mask in zip(near, tied, strict=True):
            neighbours = there.filter(pa.array(mask))
            numbers, units = neighbours["inventory_no"].combine_chunks(), neighbours["chunk"].to_numpy()
            self.tied.append(first_of_each(_tied(self.look.unit_of(numbers, units), numbers, chunk, places[mask])))
        among_numbers = np.logical_or(*(np.asarray(there["inventory_no"].is_valid(), dtype=bool) for there in near))
        self.tie_remarks(chunk, lines, places[(claiming | among_numbers) & ~rejected])

    def look_at_pieces(self, chunk: int, lines: pa.Table, places: Ints, cells: pa.Array, at: Ints) -> None:
        """Records that are no rows of cells though a number is seen in them: where a part of the file is lost, pieces of several
        rows have run together, and what else stands there (`cells`, `at` their lines) may be of another inventory."""
        if not len(places):
            return
        known = self.known(cells)
        self.shared.append(_rows(cells.filter(pa.array(known)), Kind.STRAY, -1, None, chunk, at[known]))
        own = lines["inventory_no"].combine_chunks().take(pa.array(places))
        self.pieces = pa.table([np.full(len(places), chunk, dtype=np.int32), places, own], schema=_PIECES)

    def known(self, values: pa.Array) -> Mask:
        """Which some inventory has as its number or identifier."""
        found: Mask = self.look.are_in(self.look.known, hashes(values)) & values.is_valid().to_numpy(zero_copy_only=False)
        return found

    def claims(self, chunk: int, places: Ints, sound: Mask, raw: tuple[pa.Array, Ints]) -> pa.Table:
        """Values (value, line) on strays that are identifiers or numbers of some inventory. A sound stray has its own; of
        the others any cell may hold one. `raw`: cells of what is no row, and their lines."""
        strays = _taken(self.look.work.storage.read(self.look.work.shards.lines.of(chunk_unit(chunk))), places)
        parts = [(meant(strays["inventory_no"].combine_chunks()), places)]
        unnamed = self.look.unnamed(strays)
        for name in strays.column_names:
            tells = np.ones(len(places), dtype=bool) if name == self.look.own_number else unnamed | ~sound
            rows = np.flatnonzero(tells if name in IDENTIFIERS else ~sound)
            if len(rows) and _is_text(strays.schema.field(name).type) and name not in ("inventory_no", MEMBER):
                parts.append((self.look.telling(strays[name].combine_chunks().take(pa.array(rows))), places[rows]))
        values = pa.concat_arrays([values for values, _ in (*parts, raw)])
        known = self.known(values)
        table = pa.table({"value": values, "line": np.concatenate([rows for _, rows in (*parts, raw)])}).filter(pa.array(known))
        return table.group_by(["value", "line"], use_threads=False).aggregate([]).combine_chunks()

    def raw_cells(self, chunk: int, lines: Ints) -> tuple[pa.Array, Ints]:
        """What stands between the delimiters of records that are no rows of cells, and the line of each."""
        work = self.look.work
        files = work.files_of(chunk)
        if files[0].dialect is None or not len(lines):
            return pa.array([], pa.string()), lines[:0]
        rows = work.storage.read(work.shards.lines.of(chunk_unit(chunk)), ("source_row",))["source_row"].to_numpy()[lines]
        records, part, cut = [], self.look.part_of(chunk)[lines], cut_of(work, chunk)
        for number in np.unique(part):
            records += raw_records(files[number], work.chunks[chunk][number].block, rows[part == number], with_pieces=False, cut=cut)[0]
        cells = pc.split_pattern(pa.array(records, pa.binary()).cast(pa.string()), files[0].dialect.delimiter)
        at = np.repeat(lines, pc.list_value_length(cells).to_numpy())
        return self.look.telling(pc.utf8_trim(cells.flatten(), " \"'")), at

    def look_at_odd(self, chunk: int, seen: pa.Table, odd: Ints) -> None:
        """Lines with odd numbers, and their places: who shares an identifier with one, and whose number one may be."""
        for name in IDENTIFIERS:
            of_value = distinct(hashes(seen[name].combine_chunks().drop_null()))
            self.wanted.append(of_value[self.look.are_in(self.look.several, of_value)])
        numbers = seen["inventory_no"].combine_chunks()
        values = meant(numbers)
        kept = self.known(values)
        numbers, values, at = numbers.filter(pa.array(kept)), values.filter(pa.array(kept)), odd[kept]
        self.shared.append(_rows(values, Kind.ODD, self.look.unit_of(numbers, chunk), numbers, chunk, at))

    def tie_remarks(self, chunk: int, lines: pa.Table, places: Ints) -> None:
        """A remark where others have a number, and no rule rejects it: it is no number of an inventory of its own."""
        numbers = lines["inventory_no"].combine_chunks().take(pa.array(places))
        given = numbers.is_valid().to_numpy(zero_copy_only=False)
        numbers, at = numbers.filter(pa.array(given)), places[given]
        self.tied.append(first_of_each(_tied(self.look.unit_of(numbers, chunk), numbers, chunk, at)))

    def tie_cut_off(self, chunk: int, lines: pa.Table, named: Ints, wanted: pa.Array) -> None:
        """Whose number is another's cut off, in one chunk and across its borders: beside inventories that lack a line (`wanted`), or
        where one number has customs' shape and one has not."""
        around = self.look.side_by_side(chunk, lines, named)
        of_line, line = (pc.fill_null(around[name], 0).to_numpy() for name in ("chunk", "line"))
        pairs = cut_off_pairs(around, wanted, self.look.telling)
        first = pairs["place"].to_numpy(dtype=np.int64)
        for name, own, other_one in (("former", first, first + 1), ("latter", first + 1, first)):
            numbers = pa.array(pairs[name].to_list(), pa.string())
            self.cut_off.append(_tied(self.look.unit_of(numbers, of_line[own]), numbers, of_line[other_one], line[other_one]))


def _but_own(tied: pa.Table, pieces: pa.Table) -> pa.Table:
    """Without the inventories whose number stands in what ties them: that rejects them already."""
    if not len(pieces):
        return tied
    own = pd.MultiIndex.from_frame(pieces.to_pandas())
    return tied.filter(pa.array(~pd.MultiIndex.from_frame(tied.select(_PIECES.names).to_pandas()).isin(own)))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)))


def _taken(lines: pa.Table, at: Ints) -> pa.Table:
    return lines.take(pa.array(at)).combine_chunks()


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
