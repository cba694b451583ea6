"""Outputs whose rows are as many as those of the input, as workers write them: pieces that a run folder only has to join (outputs/parquet_parts.py)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aggregator.engines.engine import Engine, Shard, Shared
from aggregator.model.outcome import Example
from aggregator.outputs.tables import ROW_GROUP, csv_bytes, write_parquet_to
from aggregator.pipeline.books import make_books
from aggregator.pipeline.counting import OncePerValue, count_findings
from aggregator.pipeline.emit import Emitted, Numbering
from aggregator.pipeline.hashed import spread
from aggregator.pipeline.result_tables import Sharing, findings_rows, sharings, weight_shares
from aggregator.pipeline.work import Work, chunk_unit
from aggregator.schemas.text import Lang


@dataclass(frozen=True)
class Writing:
    """What is to be written: names of outputs, by format. `headings`: language of what stands beside rejected lines in their workbook."""

    parquet: tuple[str, ...]
    csv: tuple[str, ...]
    lang: Lang
    headings: Lang


class Told(NamedTuple):
    """Findings of a chunk as CSV: the name of their bytes, how many of these each part of the chunk has; counts and first examples by code."""

    name: str
    sizes: tuple[int, ...]
    counts: dict[str, int]
    examples: dict[str, list[Example]]


@dataclass(frozen=True)
class Written:
    """Names of bytes in the storage, in order: Parquet files of whole row groups, and rows of CSV. `told`: findings by chunk, where they
    are wanted. `books`: workbooks of rejected lines by the place of their file; `without_book`: files that get none (see books.py).
    Nothing, where nothing was asked for."""

    parquet: dict[str, tuple[str, ...]] = field(default_factory=dict)
    csv: dict[str, tuple[str, ...]] = field(default_factory=dict)
    told: tuple[Told, ...] | None = None
    books: dict[int, str] = field(default_factory=dict)
    without_book: tuple[int, ...] = ()


class Stretch(NamedTuple):
    """Rows of a shard."""

    shard: Shard
    begin: int
    rows: int


def write_pieces(engine: Engine, shared: Shared[Work], emitted: Sequence[Emitted], shares: Sequence[Shard], numbering: Numbering, writing: Writing) -> Written:
    """`shares`: of all units."""
    # A workbook takes one worker long: it is begun first, and the others write beside it.
    books = make_books(engine, shared, emitted, writing.lang, writing.headings)

    def in_groups(name: str) -> Iterator[str]:
        return engine.map(write_group, ((shared, name, number, group) for number, group in enumerate(row_groups(name, emitted))))

    def by_chunk(name: str) -> Iterator[str]:
        return engine.map(write_rows, ((shared, name, chunk, each.pieces[name]) for chunk, each in enumerate(emitted)))

    # All are begun before the first is waited for.
    groups = {name: in_groups(name) for name in writing.parquet}
    rows = {name: by_chunk(name) for name in writing.csv if name not in ("findings", "weight_shares")}
    parquet = {name: tuple(made) for name, made in groups.items()}
    csv = {name: tuple(made) for name, made in rows.items()}
    if "weight_shares" in writing.csv:
        cut = enumerate(sharings(shared.value.storage, shares))
        csv["weight_shares"] = tuple(spread(engine, write_shares, ((shared, number, sharing, numbering) for number, sharing in cut)))
    told = None
    if "findings" in writing.csv:
        told = tuple(engine.map(tell, ((shared, chunk, again, writing.lang) for chunk, again in enumerate(_again(shared.value, emitted)))))
    return Written(parquet, csv, told, dict(books.made), books.without)


def row_groups(name: str, emitted: Sequence[Emitted]) -> Iterator[tuple[Stretch, ...]]:
    """The rows of all chunks in order, so many together as a row group has."""
    group, room = list[Stretch](), ROW_GROUP
    for each in emitted:
        begin, left = 0, each.rows[name]
        while left:
            taken = min(left, room)
            group.append(Stretch(each.pieces[name], begin, taken))
            begin, left, room = begin + taken, left - taken, room - taken
            if not room:
                yield tuple(group)
                group, room = [], ROW_GROUP
    if group:
        yield tuple(group)


def write_group(shared: Shared[Work], name: str, number: int, group: tuple[Stretch, ...]) -> str:
    work, sink = shared.value, io.BytesIO()
    # What the chunks before needed goes back first: a row group is the most that a worker holds.
    pa.default_memory_pool().release_unused()
    tables = (work.storage.read(each.shard).slice(each.begin, each.rows) for each in group)
    write_parquet_to(sink, work.mode.outputs[name], tables)
    work.storage.write_bytes(f"{name}-{number}.parquet", sink.getvalue())
    return f"{name}-{number}.parquet"


def write_rows(shared: Shared[Work], name: str, chunk: int, shard: Shard) -> str:
    work = shared.value
    rows = work.storage.read(shard).cast(work.mode.outputs[name])
    work.storage.write_bytes(f"{name}-{chunk}.csv", csv_bytes(rows, header=False))
    return f"{name}-{chunk}.csv"


def write_shares(shared: Shared[Work], number: int, sharing: Sharing, numbering: Numbering) -> str:
    work = shared.value
    rows = weight_shares(work.mode, work.storage, sharing, numbering.refs)
    work.storage.write_bytes(f"weight_shares-{number}.csv", csv_bytes(rows, header=False))
    return f"weight_shares-{number}.csv"


def _again(work: Work, emitted: Sequence[Emitted]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """For each chunk how many findings its parts have, and which of its findings are of values that were reported before."""
    once = OncePerValue(work.mode.rules)
    for each in emitted:
        yield each.found, tuple(each.once["place"].to_numpy()[once.again(each.once)].tolist())


def tell(shared: Shared[Work], chunk: int, found: tuple[tuple[int, ...], ...], lang: Lang) -> Told:
    """`found`: how many findings each part has, and the places of those that are left out."""
    work, (counts, again) = shared.value, found
    findings = work.storage.read(work.shards.published.of(chunk_unit(chunk)))
    kept = np.ones(findings.num_rows, dtype=bool)
    kept[list(again)] = False
    [rows] = findings_rows(work.mode, [findings.filter(pa.array(kept))], lang)
    rows = rows.cast(work.mode.outputs["findings"])
    # Of thousands of small files nearly all have none.
    bounds = np.append(0, np.cumsum(kept))[np.cumsum([0, *counts])].tolist()
    data = [csv_bytes(rows.slice(begin, end - begin), header=False) if end > begin else b"" for begin, end in pairwise(bounds)]
    work.storage.write_bytes(f"findings-{chunk}.csv", b"".join(data))
    return Told(f"findings-{chunk}.csv", tuple(map(len, data)), *count_findings([rows]))
