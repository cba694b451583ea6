"""What an executor does: one step on one task. It runs in Python workers that Spark starts, on any machine.

Spark may run a task again, or twice at once: where an executor is lost, where it thinks one slow. A step leaves the same under the
same names whenever it runs, and names are given to files only when they are whole, so that does not matter.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from aggregator.model.errors import CannotReadOrWrite

_MAY_PASS = (OSError, MemoryError, CannotReadOrWrite)
"""What may go well elsewhere, or a moment later: Spark tries again."""
LIBRARIES = ("numpy", "pandas", "pandera", "pyarrow")
"""Those that results depend on: an executor has to have them as the driver does."""


@dataclass(frozen=True)
class Runner:
    """A step, as Spark maps it over tasks. `attempts`: how often Spark tries a task."""

    step: Callable[..., Any]
    attempts: int

    def __call__(self, tasks: Iterable[bytes]) -> Iterator[bytes]:
        from pyspark import TaskContext

        context = TaskContext.get()
        is_last = context is None or context.attemptNumber() + 1 >= self.attempts
        for task in tasks:
            yield run_task(self.step, task, is_last=is_last)


def run_task(step: Callable[..., Any], task: bytes, *, is_last: bool) -> bytes:
    """A pickle of (whether it went well, the result or what was raised): a refusal is a result like another, which Spark does not
    try again and does not wrap in a trace of its own."""
    arrow = _arrow()
    try:
        outcome = True, step(*pickle.loads(task))
    except _MAY_PASS as error:
        if not is_last:
            raise
        outcome = False, _travelling(error)
    except Exception as error:
        outcome = False, _travelling(error)
    finally:
        arrow.default_memory_pool().release_unused()
    return pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)


def _travelling(error: Exception) -> Exception:
    """With its trace, as far as it can be sent."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.__notes__ = error.__notes__
        return told
    return error


@cache
def _arrow() -> Any:
    """One core a task is what Spark reckons with."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    return pa


def look_around(paths: tuple[str, ...], marker: str, token: str) -> dict[str, str]:
    """What an executor lacks, by kind: `unseen` (the first path that is not there), and libraries whose version is another. In: the
    file in which the driver has left a token."""
    try:
        found = Path(marker).read_text()
    except OSError:
        found = ""
    lacking = {} if found == token else {"unseen": str(Path(marker).parent)}
    if not lacking and (unseen := next((path for path in paths if not Path(path).exists()), None)) is not None:
        lacking["unseen"] = unseen
    return lacking | versions()


def versions() -> dict[str, str]:
    return {"python": "{}.{}".format(*sys.version_info[:2])} | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
