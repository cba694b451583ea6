"""What an engine promises: to run steps on tasks, and to hold what one step leaves for another.

A task names shards; only the engine knows where they lie. What a kind of shard holds is declared once (pipeline/shards.py) and
checked when it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from aggregator.model.errors import OurFault

Task = tuple[object, ...]
T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class ShardKind:
    """`columns`: what every shard of this kind has. `optional`: what it may have besides. Types hold the values as they are
    compared; whether a column is dictionary encoded is the storage's business."""

    name: str
    columns: pa.Schema
    optional: pa.Schema = pa.schema([])  # noqa: RUF009 - a schema cannot be changed

    def of(self, unit: str) -> Shard:
        return Shard(self, unit)

    def check(self, table: pa.Table) -> None:
        """Raise OurFault where a column is missing, unknown or of another type."""
        given = {field.name: _plain(field.type) for field in table.schema}
        wanted = {field.name: _plain(field.type) for field in self.columns}
        allowed = wanted | {field.name: _plain(field.type) for field in self.optional}
        problems = [f"{name} is missing" for name in wanted if name not in given]
        problems += [f"{name} is not declared" for name in given if name not in allowed]
        problems += [f"{name} is {kind}, not {allowed[name]}" for name, kind in given.items() if allowed.get(name, kind) != kind]
        if problems:
            listed = "; ".join(problems)
            raise OurFault(f"The shard {self.name} breaks its schema: {listed}.", f"中间数据 {self.name} 不符合其结构定义：{listed}。")


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


@dataclass(frozen=True)
class Shard:
    """A table that one step leaves for another: of a kind, about a unit (a chunk of the input or a partition)."""

    kind: ShardKind
    unit: str


class Storage(Protocol):
    """Where shards lie. Travels with tasks."""

    def write(self, shard: Shard, table: pa.Table) -> None: ...

    def read(self, shard: Shard, columns: Sequence[str] | None = None) -> pa.Table:
        """A shard, or only those of the given columns that it has."""
        ...

    def has(self, shard: Shard) -> bool:
        """Whether the shard was written: of kinds that not every unit has."""
        ...

    def write_parts(self, shard: Shard, table: pa.Table, part: np.ndarray[Any, Any], count: int) -> None:
        """Write so that part i (the rows where `part` is i, in their order) can be read alone."""
        ...

    def read_part(self, shards: Iterable[Shard], part: int) -> pa.Table:
        """Part `part` of every shard, one after the other; a column that some lack is null for their rows."""
        ...

    def write_bytes(self, name: str, data: bytes) -> None: ...

    def write_by(self, name: str, write: Callable[[Path], object]) -> None:
        """As `write_bytes`, of what a function writes to a path; what it leaves beside it there does not last."""
        ...

    def read_bytes(self, name: str) -> bytes: ...

    def save(self, name: str, values: np.ndarray[Any, Any]) -> None: ...

    def load(self, name: str) -> Any:
        """An array that was saved; mapped, not copied, where that can be."""
        ...


class Shared(Protocol[T_co]):
    """A value that every task needs: sent to each worker once."""

    @property
    def value(self) -> T_co: ...


class Engine(Protocol):
    @property
    def storage(self) -> Storage: ...

    @property
    def reaches_ledger(self) -> bool:
        """Whether steps can ask the ledger where they run."""
        ...

    def share(self, value: T) -> Shared[T]: ...

    def map(self, step: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        """Results in the order of the tasks, whatever order they ran in. Work begins with the call."""
        ...

    def meanwhile(self, make: Callable[[], T], job: Callable[[], U]) -> tuple[T, U]:
        """What `make` makes with this engine, and what a job of this process makes while others work for it. Either may give out tasks."""
        ...
