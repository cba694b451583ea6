"""Run stage functions on this machine: in this process, or in worker processes where there are several chunks."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Protocol, TypeVar

from aggregator.model.errors import OurFault

WORTH_WORKERS = 32 << 20
"""Bytes of input from which worker processes pay for their start."""

Task = tuple[object, ...]
T = TypeVar("T")


class Engine(Protocol):
    def map(self, function: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        """Results in the order of the tasks, whatever order they ran in."""
        ...


class InProcess:
    def map(self, function: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        return (function(*task) for task in tasks)


class Workers:
    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool = pool
        self._ahead = count * 2

    def map(self, function: Callable[..., T], tasks: Iterable[Task]) -> Iterator[T]:
        """Work begins with the call, not with the first result taken."""
        # Only a few tasks ahead: results wait in memory until their turn comes.
        waiting = iter(tasks)
        running = [self._pool.submit(_run, function, task) for task in islice(waiting, self._ahead)]
        return self._results(function, running, waiting)

    def _results(self, function: Callable[..., T], running: list[Future[T]], waiting: Iterator[Task]) -> Iterator[T]:
        try:
            while running:
                result = running.pop(0).result()
                running += [self._pool.submit(_run, function, task) for task in islice(waiting, 1)]
                yield result
        except BrokenProcessPool:
            raise OurFault(
                "A worker process was killed, perhaps for want of memory. Nothing was published; try --workers 1.",
                "工作进程被终止，可能是内存不足。未发布任何内容；请尝试 --workers 1。",
            ) from None


def start_ahead() -> None:
    """Start the fork server, which imports the stages and warms them up, while this process is still importing and reading headings."""
    multiprocessing.set_forkserver_preload(["aggregator.pipeline.preload"])
    multiprocessing.forkserver.ensure_running()


def _run(function: Callable[..., T], task: Task) -> T:
    import pyarrow as pa

    try:
        return function(*task)
    finally:
        # What this task needed goes back: the processes of a run share one machine's memory.
        pa.default_memory_pool().release_unused()


def _end_with_the_run() -> None:
    """A run that is killed outright cannot tell its workers: they see it by themselves."""
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _start_worker() -> None:
    import pyarrow as pa

    threading.Thread(target=_end_with_the_run, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pa.set_cpu_count(1)


@contextmanager
def local_engine(workers: int, tasks: int) -> Iterator[Engine]:
    if workers == 1 or tasks <= 1:
        yield InProcess()
        return
    # A fork server: a fork of this process would copy locks that Arrow's threads may hold.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["aggregator.pipeline.preload"])
    count = min(workers, tasks)
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker)
    try:
        yield Workers(pool, count)
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)
