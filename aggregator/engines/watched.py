"""An engine whose results are counted as they are taken. Nothing else of it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from aggregator.engines.engine import Engine, Shared, Storage, Task
from aggregator.model.progress import READS, Progress

T = TypeVar("T")
U = TypeVar("U")


class Watched:
    """`tasks`: how many a step has, but for those on partitions, which are few."""

    def __init__(self, engine: Engine, tasks: int, size: int, tell: Callable[[Progress], None]) -> None:
        self._engine, self._tasks, self._size, self._tell = engine, tasks, size, tell
        self._lines = 0

    @property
    def storage(self) -> Storage:
        return self._engine.storage

    @property
    def reaches_ledger(self) -> bool:
        return self._engine.reaches_ledger

    def share(self, value: T) -> Shared[T]:
        return self._engine.share(value)

    def map(self, step: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        # Work begins with the call, not with the first result that is taken.
        return self._counted(step.__name__, self._engine.map(step, tasks))

    def meanwhile(self, make: Callable[[], T], job: Callable[[], U]) -> tuple[T, U]:
        return self._engine.meanwhile(make, job)

    def _counted(self, name: str, results: Iterator[T]) -> Iterator[T]:
        self._tell(Progress(name, 0, self._tasks, self._size, self._lines))
        for done, result in enumerate(results, 1):
            yield result
            # Those of the first step say how many lines they read.
            self._lines += getattr(result, "lines", 0) if name == READS else 0
            self._tell(Progress(name, min(done, self._tasks), self._tasks, self._size, self._lines))
