"""What every step needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from aggregator.domain.clearance import Question
from aggregator.domain.rates import Exchange
from aggregator.domain.simplified import Simplified
from aggregator.engines.engine import Storage
from aggregator.inputs.export import Export
from aggregator.inputs.parts import Chunk
from aggregator.inputs.tables.receipts import Receipts
from aggregator.model.company import Company
from aggregator.model.customs import Customs
from aggregator.model.records import Known
from aggregator.model.remote import AnyPath
from aggregator.model.settings import Flags
from aggregator.pipeline.hashed import HashSet
from aggregator.pipeline.shards import MEMBER, PART, Shards, shards_of
from aggregator.schemas.arrays import Ints
from aggregator.schemas.modes import Mode


@dataclass(frozen=True)
class Learnt:
    """What the ledger knows of the inventories read, as it lies in the storage: in which ranges of the hash there is any, and the folders of
    the runs that declared them."""

    ranges: tuple[int, ...] = ()
    folders: dict[str, AnyPath | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What every step needs to know. `mode`: as it is in force, with the user's severities. `question` is None where only the
    data is checked, without a period; `known` where there is no ledger to ask; `receipts` says whether there are any.
    `as_of` (yyyymmdd), `by_line`, `simplified`, `company`, `customs`, `declare_all`: see Line. `exchange`: known once all lines were
    read. `learnt`: what the ledger knows, where steps cannot ask it (learnt.py); then `known` is None. `scattered`:
    inventories seen in more than one chunk. `batch`: units of the shards of findings at inventories that share a number."""

    mode: Mode
    storage: Storage
    files: tuple[Export, ...]
    chunks: tuple[Chunk, ...]
    constants: tuple[tuple[str, str], ...]
    flags: Flags
    question: Question | None
    known: Known | None
    has_receipts: bool
    has_tariff: bool
    all_findings: bool
    as_of: str = ""
    by_line: bool = False
    simplified: Simplified | None = None
    company: Company = Company()  # noqa: RUF009 - it cannot be changed
    customs: Customs | None = None
    declare_all: bool = False
    exchange: Exchange = Exchange({}, 1)  # noqa: RUF009 - it cannot be changed
    learnt: Learnt | None = None
    scattered: HashSet = HashSet("scattered")  # noqa: RUF009 - it cannot be changed
    batch: tuple[str, ...] = ()

    @cached_property
    def shards(self) -> Shards:
        return shards_of(self.mode)

    @cached_property
    def receipts(self) -> Receipts | None:
        return Receipts.open(self.storage) if self.has_receipts else None

    @property
    def knows(self) -> bool:
        """Whether there is a ledger."""
        return self.known is not None or self.learnt is not None

    def files_of(self, chunk: int) -> list[Export]:
        """The file of each part."""
        return [self.files[part.place] for part in self.chunks[chunk]]

    def sources(self, chunk: int, lines: pa.Table) -> pa.Array:
        """The file or message each line of a chunk came from, as a dictionary."""
        if MEMBER in lines.column_names:
            return lines[MEMBER].combine_chunks()
        names = pa.array([file.name for file in self.files_of(chunk)], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(part_of(lines).astype(np.int32)), names)

    def spilled_lines(self, partition: int) -> pa.Table:
        """The lines of one partition of scattered inventories, in input order."""
        return self.storage.read_part((self.shards.spilled.of(chunk_unit(chunk)) for chunk in range(len(self.chunks))), partition)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name not in ("shards", "receipts")}


def part_of(lines: pa.Table) -> Ints:
    """The part of its chunk that each line came from."""
    if PART not in lines.column_names:
        return np.zeros(lines.num_rows, dtype=np.int64)
    return np.asarray(lines[PART].to_numpy(), dtype=np.int64)


def chunk_unit(chunk: int) -> str:
    return f"c{chunk}"


def partition_unit(partition: int) -> str:
    return f"p{partition}"


def unit_at(work: Work, place: int) -> str:
    """Chunks are the first units, partitions follow."""
    chunks = len(work.chunks)
    return chunk_unit(place) if place < chunks else partition_unit(place - chunks)


def units_of(work: Work, partitions: int) -> list[str]:
    return [unit_at(work, place) for place in range(len(work.chunks) + partitions)]
