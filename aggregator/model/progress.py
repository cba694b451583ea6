"""How far the steps of a run are: told to whoever watches, if anybody does."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

READS = "ingest"
"""The step that reads lines. Its results say how many."""


@dataclass(frozen=True)
class Progress:
    """`done` of `tasks` of a step are done, the tasks of an input of so many `bytes`. `lines`: item lines that were read by now."""

    step: str
    done: int
    tasks: int
    bytes: int
    lines: int


WATCHER: ContextVar[Callable[[Progress], None] | None] = ContextVar("watcher", default=None)
