"""Work of others that is seen to while this process does something else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


class _GivenUp(Exception):  # noqa: N818 - no error: what else failed is told
    pass


class Meanwhile:
    """Of an engine whose tasks run in other processes. They are given only a few tasks ahead of the results that were taken, and would
    wait for what this process does: a thread takes the results."""

    def __init__(self) -> None:
        self._given_up = Event()

    def meanwhile(self, make: Callable[[], T], job: Callable[[], U]) -> tuple[T, U]:
        with ThreadPoolExecutor(1) as beside:
            making = beside.submit(make)
            try:
                done = job()
            except BaseException:
                self._given_up.set()
                raise
            return making.result(), done

    def must_go_on(self) -> None:
        """Called for each result. Raises where the job has failed: nobody waits for more."""
        if self._given_up.is_set():
            raise _GivenUp
