"""What the ledger knows, for steps that run where it cannot be asked. It goes in as Parquet, once, and is joined by tasks: what the driver
holds of it is bounded, whatever the ledger and the month."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregator.domain.grouping import Hashes, hashes
from aggregator.engines.engine import Engine, Shared
from aggregator.model.records import Customs, Declared, Known, Span, Undone
from aggregator.model.remote import AnyPath
from aggregator.pipeline.hashed import range_of, spread, within
from aggregator.pipeline.scatter import numbers_of
from aggregator.pipeline.shards import LEARNT
from aggregator.pipeline.work import Learnt, Work, chunk_unit
from aggregator.schemas.arrays import Ints

_ROWS_A_FILE = 131_072
"""And of a range of the hash: what a task holds at once."""
_ALIKE = (8, 6, 4, 2)
_SPANS = 64
"""Numbers that begin alike are one span of numbers: customs, year. Where these are too many, fewer characters are looked at."""


def learn(engine: Engine, shared: Shared[Work], known: Known, partitions: int) -> Learnt:
    """Leave what the ledger knows of the inventories that were read for the units that resolve them.

    It is asked for what lies between the lowest and the highest number of each customs office and year: customs counts on, so that
    these are the months that matter, and no number that was read lies elsewhere."""
    work = shared.value
    spans = _joined(spread(engine, spans_of, ((shared, chunk) for chunk in range(len(work.chunks)))))
    files = _Files(work)
    for declared, customs in known.within(spans):
        files.take(declared, customs)
    files.end()
    if not files.count:
        return Learnt()
    ranges = 1 << (files.count - 1).bit_length()
    spread(engine, cut, ((shared, file, ranges) for file in range(files.count)))
    found = spread(engine, find_known, ((shared, number, ranges, files.count, partitions) for number in range(ranges)))
    return Learnt(tuple(number for number, any_known in enumerate(found) if any_known), files.folders)


def spans_of(shared: Shared[Work], chunk: int) -> tuple[Span, ...]:
    """The lowest and the highest of the numbers of a chunk that begin alike."""
    work = shared.value
    lines = work.storage.read(work.shards.lines.of(chunk_unit(chunk)), ("inventory_no",))
    return _spans(lines["inventory_no"].combine_chunks().cast(pa.string()).unique().drop_null())


def _spans(numbers: pa.Array) -> tuple[Span, ...]:
    if not len(numbers):
        return ()
    ordered = numbers.take(pc.sort_indices(numbers))
    for length in _ALIKE:
        begins = pc.utf8_slice_codeunits(ordered, 0, length).dictionary_encode().indices.to_numpy()
        first = np.flatnonzero(np.diff(begins, prepend=-1))
        if len(first) <= _SPANS:
            last = np.append(first[1:], len(ordered)) - 1
            return tuple(zip(ordered.take(pa.array(first)).to_pylist(), ordered.take(pa.array(last)).to_pylist(), strict=True))
    return ((ordered[0].as_py(), ordered[-1].as_py()),)


def _joined(found: Iterable[tuple[Span, ...]]) -> list[Span]:
    """Spans of all chunks, none of which overlap."""
    spans = {span for each in found for span in each}
    ends = pa.array([end for span in spans for end in span], pa.string())
    joined: list[Span] = []
    # Spans of numbers that begin alike are one, and so are those that meet.
    for low, high in sorted([*spans, *_spans(ends)]):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


@dataclass
class _Files:
    """What the ledger knows as files of Parquet, of a bounded size each."""

    work: Work
    count: int = 0
    folders: dict[str, AnyPath | None] = field(default_factory=dict)
    _waiting: list[pa.Table] = field(default_factory=list)

    def take(self, declared: dict[str, Declared], customs: Customs) -> None:
        self.folders.update((record.run_ref, record.folder) for record in declared.values())
        self._waiting.append(_table(declared, customs))
        if sum(table.num_rows for table in self._waiting) >= _ROWS_A_FILE:
            self.end()

    def end(self) -> None:
        if not any(table.num_rows for table in self._waiting):
            return
        sink = io.BytesIO()
        pq.write_table(pa.concat_tables(self._waiting), sink, compression="zstd")
        self.work.storage.write_bytes(_file(self.count), sink.getvalue())
        self._waiting.clear()
        self.count += 1


def _file(number: int) -> str:
    return f"ledger-{number}.parquet"


def _table(declared: dict[str, Declared], customs: Customs) -> pa.Table:
    numbers = sorted({*declared, *customs.results, *customs.undone, *customs.refused})
    records, undone = [declared.get(number) for number in numbers], [customs.undone.get(number) for number in numbers]
    columns = {
        "inventory_no": numbers,
        "run_ref": [record and record.run_ref for record in records],
        "content": [record and record.content for record in records],
        "items": [record and record.items for record in records],
        "cancelled": [record and record.cancelled for record in records],
        "result": [customs.results.get(number) for number in numbers],
        "message": [said and said.message for said in undone],
        "status": [said and said.status for said in undone],
        "at": [said and said.at for said in undone],
        "refused": [number in customs.refused for number in numbers],
    }
    return pa.table([pa.array(columns[each.name], each.type) for each in LEARNT], schema=LEARNT)


def cut(shared: Shared[Work], file: int, ranges: int) -> None:
    """Leave the rows of a file in parts, by range of the hash."""
    work = shared.value
    table = pq.read_table(io.BytesIO(work.storage.read_bytes(_file(file))), schema=LEARNT)
    part = range_of(hashes(table["inventory_no"].combine_chunks()), ranges)
    work.storage.write_parts(work.shards.learnt.of(f"file-{file}"), table, part, ranges)


def find_known(shared: Shared[Work], number: int, ranges: int, files: int, partitions: int) -> bool:
    """Of one range, leave for each unit the rows about its inventories (by hash: one too many does no harm). Out: whether there are any."""
    work = shared.value
    rows = work.storage.read_part((work.shards.learnt.of(f"file-{file}") for file in range(files)), number)
    hashed = hashes(rows["inventory_no"].combine_chunks())
    order = np.argsort(hashed)
    ordered, chunks = hashed[order], len(work.chunks)
    unit = np.full(len(ordered), -1, dtype=np.int64)
    for chunk in range(chunks):
        numbers = work.storage.load(numbers_of(chunk))
        unit[_places(ordered, numbers[within(numbers, number, ranges)])] = chunk
    scattered = work.scattered.among(work.storage.load, ordered)
    unit[scattered] = chunks + (ordered[scattered] % np.uint64(max(partitions, 1))).astype(np.int64)
    kept = np.flatnonzero(unit >= 0)
    if not len(kept):
        return False
    table = rows.take(pa.array(order[kept])).combine_chunks()
    work.storage.write_parts(work.shards.learnt.of(f"range-{number}"), table, unit[kept], chunks + partitions)
    return True


def _places(ordered: Hashes, wanted: Hashes) -> Ints:
    """Where any of the wanted stand among others, sorted."""
    begin, end = np.searchsorted(ordered, wanted), np.searchsorted(ordered, wanted, "right")
    count = end - begin
    return np.repeat(end - np.cumsum(count), count) + np.arange(count.sum())


def known_of(work: Work, numbers: pa.Array, place: int) -> tuple[dict[str, Declared], Customs]:
    """What the ledger knows of the inventories of a unit, by its place."""
    if work.known is not None:
        return work.known.of(numbers)
    declared, customs = dict[str, Declared](), Customs({}, {}, frozenset())
    if work.learnt is None or not work.learnt.ranges:
        return declared, customs
    table = work.storage.read_part((work.shards.learnt.of(f"range-{number}") for number in work.learnt.ranges), place)
    refused = set[str]()
    for row in _rows(table):
        number = row["inventory_no"]
        if row["run_ref"] is not None:
            declared[number] = Declared(row["content"], row["run_ref"], work.learnt.folders[row["run_ref"]], row["items"], row["cancelled"])
        if row["result"] is not None:
            customs.results[number] = row["result"]
        if row["message"] is not None:
            customs.undone[number] = Undone(row["message"], row["status"], row["at"])
        if row["refused"]:
            refused.add(number)
    return declared, customs._replace(refused=frozenset(refused))


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=16_384):
        yield from batch.to_pylist()
