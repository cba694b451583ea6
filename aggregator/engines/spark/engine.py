"""The engine: tasks of a step as tasks of Spark, in waves; shards on a disk that all machines see."""

from __future__ import annotations

import os
import pickle
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from aggregator.engines.engine import Engine, Shared, Task
from aggregator.engines.files import FileStorage
from aggregator.engines.meanwhile import Meanwhile
from aggregator.engines.spark.session import Session, spark_session
from aggregator.engines.spark.task import Runner
from aggregator.model.settings import SparkSettings

T = TypeVar("T")
_TASKS_A_CORE, _AHEAD = 4, 2
"""Our tasks in one of Spark's, of which a wave has one a core: Spark's own take a tenth of a second of CPU whatever they do. And waves
that run while results of one are taken: the first tasks of the next fill the cores that the last ones of this leave idle."""


@dataclass(frozen=True)
class SharedFiles(FileStorage):
    """Files that several machines see. One that is being written has a name of its own: who finds a file finds it whole, also where
    a task runs twice, or its executor is lost."""

    @contextmanager
    def _new(self, path: Path) -> Iterator[Path]:
        part = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex}")
        try:
            yield part
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


class _FromStorage(Generic[T]):
    """A shared value as bytes in the storage: each Python worker loads it once."""

    def __init__(self, storage: FileStorage, name: str) -> None:
        self._storage, self._name = storage, name

    @property
    def value(self) -> T:
        key = (str(self._storage.folder), self._name)
        with _LOADING:
            if key not in _LOADED:
                # Only what this run has just written into its own folder is loaded. What another run left here is let go.
                for other in [each for each in _LOADED if each[0] != key[0]]:
                    del _LOADED[other]
                _LOADED[key] = pickle.loads(self._storage.read_bytes(self._name))
        value: T = _LOADED[key]
        return value

    def __getstate__(self) -> tuple[FileStorage, str]:
        return self._storage, self._name

    def __setstate__(self, state: tuple[FileStorage, str]) -> None:
        self._storage, self._name = state


_LOADED: dict[tuple[str, str], Any] = {}
_LOADING = threading.Lock()


class SparkEngine(Meanwhile):
    reaches_ledger = False
    """Executors need neither its file nor its password."""

    def __init__(self, session: Session, folder: Path, pool: ThreadPoolExecutor) -> None:
        super().__init__()
        self.storage = SharedFiles(folder)
        self._session, self._pool, self._shared = session, pool, 0

    def share(self, value: T) -> Shared[T]:
        self._shared += 1
        name = f"shared-{self._shared}.pickle"
        self.storage.write_bytes(name, pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))
        return _FromStorage(self.storage, name)

    def map(self, step: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        waves = _waves(tasks, lambda: self._session.cores * _TASKS_A_CORE)
        running = deque(self._submitted(step, wave) for wave in islice(waves, _AHEAD))
        return self._results(step, running, waves)

    def _submitted(self, step: Callable[..., T], wave: list[Task]) -> Future[list[bytes]]:
        pickled = [pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL) for task in wave]
        return self._pool.submit(_run_wave, self._session, Runner(step, self._session.attempts), pickled)

    def _results(self, step: Callable[..., T], running: deque[Future[list[bytes]]], waves: Iterator[list[Task]]) -> Iterator[T]:
        while running:
            self.must_go_on()
            try:
                outcomes = running.popleft().result()
            except Exception as error:
                raise self._session.stop_for(error) from None
            running.extend(self._submitted(step, wave) for wave in islice(waves, 1))
            for outcome in outcomes:
                went_well, value = pickle.loads(outcome)
                if not went_well:
                    raise value
                yield value


def _run_wave(session: Session, runner: Runner, tasks: list[bytes]) -> list[bytes]:
    results: list[bytes] = session.context.parallelize(tasks, min(len(tasks), session.cores)).mapPartitions(runner).collect()
    return results


def _waves(tasks: Iterable[Task], size: Callable[[], int]) -> Iterator[list[Task]]:
    waiting = iter(tasks)
    while wave := list(islice(waiting, size())):
        yield wave


@contextmanager
def spark_engine(folder: Path, settings: SparkSettings, needed: Iterable[Path]) -> Iterator[Engine]:
    """`folder`: an empty one that all executors see, for shards. `needed`: what else they have to see."""
    pool = ThreadPoolExecutor(_AHEAD, "spark")
    try:
        with spark_session(settings, folder) as session:
            session.require_sight(folder, needed)
            try:
                yield SparkEngine(session, folder, pool)
            except BaseException:
                session.cancel()
                raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
