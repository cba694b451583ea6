"""Run stage functions on this machine: in this process, or in worker processes where there are several chunks."""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.util
import os
import pickle
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from aggregator.engines.engine import Engine, Shared, Task
from aggregator.engines.files import FileStorage
from aggregator.engines.meanwhile import Meanwhile
from aggregator.model.disk import OwnFolder
from aggregator.model.errors import CannotReadOrWrite
from aggregator.model.signals import deaf_to_the_terminal, held_back, ignore_the_terminal

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class _Held(Generic[T]):
    """In one process a shared value is the value."""

    value: T


class _Pickled(Generic[T]):
    """A shared value as a file: each worker loads it once."""

    def __init__(self, path: Path, value: T) -> None:
        self._path = path
        with path.open("wb") as sink:
            pickle.dump(value, sink, protocol=pickle.HIGHEST_PROTOCOL)

    @property
    def value(self) -> T:
        if self._path not in _LOADED:
            # Only what this run has just written into its own folder is loaded.
            with self._path.open("rb") as source:
                _LOADED[self._path] = pickle.load(source)
        value: T = _LOADED[self._path]
        return value


_LOADED: dict[Path, Any] = {}


class InProcess:
    """One process: tasks run when their results are taken."""

    reaches_ledger = True

    def __init__(self, folder: Path) -> None:
        self.storage = FileStorage(folder)

    def share(self, value: T) -> Shared[T]:
        return _Held(value)

    def map(self, step: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        return (step(*task) for task in tasks)

    def meanwhile(self, make: Callable[[], T], job: Callable[[], U]) -> tuple[T, U]:
        done = job()
        return make(), done


class Workers(Meanwhile):
    """Worker processes of this machine."""

    reaches_ledger = True

    def __init__(self, pool: ProcessPoolExecutor, count: int, folder: Path) -> None:
        super().__init__()
        self.storage = FileStorage(folder)
        self._pool = pool
        self._ahead = count * 2
        self._shared = 0
        # Two threads may give out tasks (meanwhile).
        self._one_at_a_time = threading.Lock()

    def share(self, value: T) -> Shared[T]:
        with self._one_at_a_time:
            self._shared += 1
            path = self.storage.folder / f"shared-{self._shared}.pickle"
        return _Pickled(path, value)

    def map(self, step: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        # Only a few tasks ahead: results wait in memory until their turn comes.
        waiting = iter(tasks)
        # Workers start here. An interrupt in the midst would leave one that nobody knows of, and that goes on writing.
        with held_back():
            running = self._submitted(step, islice(waiting, self._ahead))
        return self._results(step, running, waiting)

    def _submitted(self, step: Callable[..., T], tasks: Iterable[Task]) -> list[Future[T]]:
        try:
            with self._one_at_a_time, _without_main():
                return [self._pool.submit(step, *task) for task in tasks]
        except (BrokenProcessPool, EOFError, ConnectionError):
            # Of the process that starts workers nothing comes but the end of its stream.
            raise _killed() from None

    def _results(self, step: Callable[..., T], running: list[Future[T]], waiting: Iterator[Task]) -> Iterator[T]:
        while running:
            self.must_go_on()
            try:
                result = running.pop(0).result()
            except BrokenProcessPool:
                raise _killed() from None
            running += self._submitted(step, islice(waiting, 1))
            yield result


@contextmanager
def _without_main() -> Iterator[None]:
    """A worker that is started meanwhile does not run the program of this process anew: it needs nothing of it, and a program that calls us
    at its top level would call us once more there."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _killed() -> CannotReadOrWrite:
    return CannotReadOrWrite(
        "A worker process was killed, perhaps for want of memory. Nothing was published. Give it more memory, or try --workers 1.",
        "工作进程被终止，可能是内存不足。未发布任何内容。请增加内存，或尝试 --workers 1。",
    )


_FIRST = "aggregator.engines.server"
_LONGEST_PLACE, _SHORT_PLACE = 48, Path("/tmp")
"""The kernel takes 107 bytes for the path of a socket: what we and multiprocessing add to that of the folder has up to 56."""


_ahead: list[ProcessPoolExecutor] = []


def start_ahead(count: int, preload: str) -> None:
    """Fork the workers, for the next engine of so many: they have what this process has imported, and warm up while it reads on.

    Only of a program of ours, before it has opened anything: a fork has all of it. Where threads run, one may hold a lock that the fork
    would never be rid of; then, and where the system's own libraries are not made for it, workers come from the fork server later."""
    if sys.platform != "linux" or _threads() - _SAFE_THREADS:
        return
    gc.freeze()
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), _start_worker, (preload,))
    try:
        with held_back(), warnings.catch_warnings():
            # Python warns of any thread beside its own.
            warnings.simplefilter("ignore", DeprecationWarning)
            pool.submit(os.getpid)
    except OSError:
        # There are to be no more processes: the engine tells it, if it gets none either. Those there are do nothing yet, and may not
        # listen to anything else.
        for process in list((pool._processes or {}).values()):
            process.kill()
        return
    _ahead.append(pool)


_SOONER = 500
"""In the kernel's measure, of which 1000 is the most: as if a worker took half of the memory more."""
_SAFE_THREADS = {"jemalloc_bg_thd"}
"""It holds no lock in a fork: jemalloc sees to that."""


def _threads() -> set[str]:
    """Names of the threads of this process but the main one, as the kernel has them."""
    tasks = [task for task in Path("/proc/self/task").iterdir() if task.name != str(os.getpid())]
    return {(task / "comm").read_text().strip() for task in tasks}


def _pool(count: int, preload: str) -> ProcessPoolExecutor:
    if _ahead:
        return _ahead.pop()
    # A fork of this process would copy locks that Arrow's threads may hold.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_FIRST, preload])
    _start_server()
    return ProcessPoolExecutor(count, context, _start_worker, (preload,))


def _start_server() -> None:
    """The processes that start workers and watch what they share: deaf to what a terminal sends to the whole group."""
    _keep_sockets_in_our_folder()
    with deaf_to_the_terminal():
        multiprocessing.forkserver.ensure_running()


@cache
def _keep_sockets_in_our_folder() -> None:
    """For as long as this process lives; where it is killed, the next one removes them."""
    place, former = Path(tempfile.gettempdir()), tempfile.tempdir
    if len(os.fsencode(place)) > _LONGEST_PLACE and _SHORT_PLACE.is_dir():
        place = _SHORT_PLACE
    folder = OwnFolder("aggregator-", place)
    # After multiprocessing has removed its own.
    multiprocessing.util.Finalize(None, folder.close, exitpriority=-200)
    tempfile.tempdir = str(folder.path)
    try:
        multiprocessing.util.get_temp_dir()
    finally:
        tempfile.tempdir = former


def _end_with_the_run() -> None:
    """A run that is killed outright cannot tell its workers: they see it by themselves."""
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _is_ended_first() -> None:
    """Where memory runs out, the kernel ends a worker rather than the process that can tell of it."""
    with suppress(OSError):
        place = Path("/proc/self/oom_score_adj")
        place.write_text(str(min(int(place.read_text()) + _SOONER, 1000)))


def _start_worker(preload: str) -> None:
    import pyarrow as pa

    ignore_the_terminal()
    _is_ended_first()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    pa.set_cpu_count(1)
    import_module(preload)


@contextmanager
def local_engine(folder: Path, workers: int, tasks: int, preload: str) -> Iterator[Engine]:
    """`folder`: an empty one, for shards; removing it is the caller's business. `tasks`: how many there will be at the most."""
    if workers == 1 or tasks <= 1:
        yield InProcess(folder)
        return
    count = min(workers, tasks)
    pool = _pool(count, preload)
    try:
        yield Workers(pool, count, folder)
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)
