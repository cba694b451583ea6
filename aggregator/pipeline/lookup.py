"""What ties.py looks up: identifiers of all inventories, lines with their neighbours, whatever chunk they lie in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.fate import Verdict
from aggregator.domain.grouping import Hashes, counted, hashes
from aggregator.domain.strays import Naming, naming_of
from aggregator.pipeline.given import identifiers_of
from aggregator.pipeline.hashed import HashSet, stretches
from aggregator.pipeline.scatter import numbers_of
from aggregator.pipeline.shards import MEMBER, PART
from aggregator.pipeline.work import Work, chunk_unit, part_of, unit_at, units_of
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.inventories import IDENTIFIERS
from aggregator.schemas.modes import Mode
from aggregator.schemas.rule import Severity

_SHARED_BY_MANY = 8
"""A value that more inventories have than this is no identifier: a placeholder, the number of a whole consignment."""
_FEW = 64
"""Lines among which the first or last with a number nearly always is."""
_SEEN = ("inventory_no", "item_no", *IDENTIFIERS)
NUMBERED = pa.schema(
    [
        *(("inventory_no", pa.string()), ("item_no", pa.int32()), *((name, pa.string()) for name in IDENTIFIERS)),
        *(("error_bits", pa.int64()), ("chunk", pa.int32()), ("line", pa.int64())),
    ]
)
"""Lines that have a number, and where they stand."""


@dataclass
class LookUp:
    """`lines_in`: how many lines each chunk has. `ranges`: into how many hashes are cut."""

    work: Work
    lines_in: tuple[int, ...]
    partitions: int
    ranges: int
    ends: dict[tuple[int, int], pa.Table] = field(default_factory=dict)
    mapped: dict[str, Hashes] = field(default_factory=dict)

    @property
    def known(self) -> HashSet:
        """Of all identifiers and numbers of inventories."""
        return HashSet("known", self.ranges)

    @property
    def several(self) -> HashSet:
        """Of the identifiers that stand more than once."""
        return HashSet("several", self.ranges)

    @property
    def common(self) -> HashSet:
        """Of those that too many inventories have."""
        return HashSet("common", self.ranges)

    def leave_known(self, number: int) -> None:
        """These sets, of one range of the hash. Identifiers of what is no inventory are passed over."""
        storage = self.work.storage
        names = map(identifiers_of, units_of(self.work, self.partitions))
        values, counts = counted(stretches(storage, names, number, self.ranges))
        self.several.save(storage, number, values[counts > 1])
        self.common.save(storage, number, values[counts > _SHARED_BY_MANY])
        numbers = stretches(storage, map(numbers_of, range(len(self.lines_in))), number, self.ranges)
        self.known.save(storage, number, counted(np.concatenate([values, numbers]))[0])

    def are_in(self, hashed: HashSet, values: Hashes) -> Mask:
        return hashed.among(self._mapped, values)

    def _mapped(self, name: str) -> Hashes:
        """Opened once, for each chunk asks many times for a few."""
        if name not in self.mapped:
            self.mapped[name] = self.work.storage.load(name)
        return self.mapped[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "mapped": {}}

    def inventories(self, place: int) -> pa.Table:
        return self.work.storage.read(self.work.shards.inventories.of(unit_at(self.work, place)), ("inventory_no", "verdict", "bits", "chunk", "line", "naming", *IDENTIFIERS))

    def telling(self, values: pa.Array) -> pa.Array:
        """Identifiers; null where one does not tell one inventory from others."""
        values = values.cast(pa.string())
        given = pc.fill_null(values, "")
        tells = pc.match_substring_regex(given, "[0-9]").to_numpy(zero_copy_only=False) & ~self.are_in(self.common, hashes(given))
        return pc.if_else(pa.array(tells), values, None)

    def unit_of(self, numbers: pa.Array, chunk: Any) -> Ints:
        """Places of the units that resolve inventories which have a line in the given chunks."""
        of_number = hashes(numbers)
        away = len(self.work.chunks) + (of_number % np.uint64(max(self.partitions, 1))).astype(np.int64)
        return np.where(self.are_in(self.work.scattered, of_number), away, chunk).astype(np.int64)

    # ------------------------------------------------------------------------------------------------------------ lines

    def lines(self, chunk: int, begin: int = 0, count: int | None = None) -> pa.Table:
        """Lines, or some of them, with what ties look at; identifiers as they stand, null where the export has none."""
        lines = self.work.storage.read(self.work.shards.lines.of(chunk_unit(chunk)), (*_SEEN, "error_bits", "naming")).slice(begin, count)
        cells = {name: lines[name].combine_chunks() if name in lines.column_names else pa.nulls(lines.num_rows, pa.string()) for name in _SEEN}
        known = {name: values.cast(NUMBERED.field(name).type) for name, values in cells.items()}
        return pa.table({**known, **{name: lines[name] for name in ("error_bits", "naming")}})

    def naming_of(self, table: pa.Table) -> Ints:
        return naming_of(self.work.mode, table)

    def misread(self, lines: pa.Table) -> Mask:
        """Lines that are no rows of cells."""
        result: Mask = lines["error_bits"].to_numpy() & self.work.mode.rules.misread_bits != 0
        return result

    def faulty(self, chunk: int) -> Ints:
        """Lines with an error in another cell than their inventory number. A blank cell says nothing against the others."""
        found = self.work.storage.read(self.work.shards.row_findings.of(chunk_unit(chunk)), ("line", "code", "column"))
        is_error = np.array([rule.severity is Severity.ERROR and rule.code != "R101" for rule in self.work.mode.rules])[found["code"].to_numpy()]
        return np.unique(found["line"].to_numpy()[is_error & (found["column"].to_numpy() != self.work.mode.dictionary.number["inventory_no"])])

    def seen(self, chosen: pa.Table) -> pa.Table:
        """Lines as ties look at them: identifiers only where they tell."""
        unnamed = pa.array(self.unnamed(chosen))
        for name in IDENTIFIERS:
            values = self.telling(chosen[name].combine_chunks())
            values = values if name == self.own_number else pc.if_else(unnamed, values, None)
            chosen = chosen.set_column(chosen.column_names.index(name), name, values)
        return chosen

    @property
    def own_number(self) -> str:
        """The column of the number that a unit is called by, where it takes another one to tell it from others; else blank."""
        unit = self.work.mode.dictionary.unit
        return unit[-1] if unit else ""

    def unnamed(self, lines: pa.Table) -> Mask:
        """Lines whose identifiers all tell. What is called by a number of its own is told by that alone: several orders may leave under
        one waybill."""
        if not self.own_number or self.own_number not in lines.column_names:
            return np.ones(lines.num_rows, dtype=bool)
        found: Mask = lines[self.own_number].combine_chunks().is_null().to_numpy(zero_copy_only=False)
        return found

    def _numbered(self, lines: pa.Table, chunk: int, at: pa.Array, begin: int = 0) -> pa.Table:
        """Null where `at` is. `begin`: which line of the chunk the first is."""
        chosen = lines.take(at).combine_chunks()
        return chosen.append_column("chunk", pa.array(np.full(len(at), chunk, dtype=np.int32))).append_column("line", pc.add(at, begin)).select(NUMBERED.names)

    def side_by_side(self, chunk: int, lines: pa.Table, named: Ints) -> pa.Table:
        """The lines that have a number and stand beside one whose number is longer or shorter, between the nearest in the chunks before and
        after. Lines beside one another here are so in the file: else, and where a file ends, a row of nulls is between them."""
        at = np.flatnonzero(named != Naming.NOTHING)
        lengths = pc.utf8_length(lines["inventory_no"].combine_chunks()).to_numpy(zero_copy_only=False)[at]
        apart = np.diff(self.part_of(chunk)[at]) != 0 if self.has_files(chunk) else np.zeros(max(len(at) - 1, 0), dtype=bool)
        meet = (np.diff(lengths) != 0) & ~apart
        # The first and the last stand beside lines of other chunks.
        kept = np.append(True, meet)[: len(at)] | np.append(meet, True)[: len(at)]
        begins = np.flatnonzero(kept & ~np.append(False, meet)[: len(at)])[1:]
        rows = np.cumsum(kept)[begins] - 1
        mask = np.insert(np.zeros(np.count_nonzero(kept), dtype=bool), rows, True)
        places = pa.array(np.insert(at[kept], rows, 0), mask=mask)
        return pa.concat_tables([self.nearest(chunk, -1), self._numbered(lines, chunk, places), self.nearest(chunk, +1)]).combine_chunks()

    def with_neighbours(self, chunk: int, lines: pa.Table, named: Ints, places: Ints) -> tuple[pa.Table, pa.Table]:
        """For each of some lines the nearest before and after it that has a number, with its chunk; null where none has."""
        count, place = lines.num_rows, np.arange(lines.num_rows)
        before = np.maximum.accumulate(np.where(named != Naming.NOTHING, place, -1))
        after = np.minimum.accumulate(np.where(named != Naming.NOTHING, place, count)[::-1])[::-1]
        if self.has_files(chunk):
            # What stands beside the last line of a file is not the first of the next.
            part = self.part_of(chunk)
            before = np.where(before < np.searchsorted(part, part), -1, before)
            after = np.where(after >= np.searchsorted(part, part, "right"), count, after)
        return self._nearest(chunk, -1, lines, before[places]), self._nearest(chunk, +1, lines, after[places])

    def _nearest(self, chunk: int, step: int, lines: pa.Table, near: Ints) -> pa.Table:
        """The lines at these places; beyond the chunk the nearest there."""
        within = (near >= 0) & (near < lines.num_rows)
        own = self._numbered(lines, chunk, pa.array(near[within]))
        rows = np.where(within, np.cumsum(within) - 1, own.num_rows)
        return pa.concat_tables([own, self.nearest(chunk, step)]).combine_chunks().take(pa.array(rows)).combine_chunks()

    def nearest(self, chunk: int, step: int) -> pa.Table:
        """The nearest line with a number in the chunks before or after, of the same file; a row of nulls where none has."""
        other = self.next_chunk(chunk, step)
        while other is not None:
            line = self.end_of(other, -step)
            if line.num_rows:
                return line
            other = self.next_chunk(other, step)
        return pa.Table.from_pylist([{}], schema=NUMBERED)

    def next_chunk(self, chunk: int, step: int) -> int | None:
        """The nearest chunk before or after that has lines, of the same file."""
        other, chunks = chunk + step, self.work.chunks
        # Files that are in a chunk with others are in no other chunk.
        while 0 <= other < len(chunks) and {part.place for part in chunks[other]} == {part.place for part in chunks[chunk]}:
            if self.lines_in[other]:
                return other
            other += step
        return None

    def end_of(self, chunk: int, side: int) -> pa.Table:
        """The first (-1) or the last (+1) line of a chunk that has a number; no row where none has."""
        if (chunk, side) not in self.ends:
            self.ends[chunk, side] = self._end_of(chunk, side)
        return self.ends[chunk, side]

    def _end_of(self, chunk: int, side: int) -> pa.Table:
        for count in (_FEW, self.lines_in[chunk]):
            begin = max(self.lines_in[chunk] - count, 0) if side > 0 else 0
            lines = self.lines(chunk, begin, count)
            at = np.flatnonzero(self.naming_of(lines) != Naming.NOTHING)
            if len(at):
                return self._numbered(lines, chunk, pa.array(at[-1:] if side > 0 else at[:1]), begin)
        return NUMBERED.empty_table()

    def places(self, chunk: int, lines: Ints) -> list[str]:
        table = self.work.storage.read(self.work.shards.lines.of(chunk_unit(chunk)), ("source_row", MEMBER, PART)).take(pa.array(lines))
        names = self.work.sources(chunk, table).to_pylist()
        return [f"{name}:{row}" for name, row in zip(names, table["source_row"].to_pylist(), strict=True)]

    def has_files(self, chunk: int) -> bool:
        """Whether the chunk has lines of several files."""
        return len(self.work.chunks[chunk]) > 1

    def part_of(self, chunk: int) -> Ints:
        return part_of(self.work.storage.read(self.work.shards.lines.of(chunk_unit(chunk)), (PART,)))


def incomplete(mode: Mode, inventories: pa.Table) -> Mask:
    result: Mask = (inventories["bits"].to_numpy() & mode.rules.bit.get("I103", 0) != 0) & (inventories["verdict"].to_numpy() == Verdict.REJECTED)
    return result
