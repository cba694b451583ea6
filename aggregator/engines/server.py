"""Imported by the fork server before anything else. A run that is interrupted says itself how it ended: its workers, and those that
are only starting and find it gone, say nothing."""

from __future__ import annotations

import atexit
import gc
import pickle
import sys
from types import TracebackType

from aggregator.model.signals import ignore_the_terminal


def _unless_the_run_is_gone(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, OSError | EOFError | MemoryError | pickle.UnpicklingError):
        sys.__excepthook__(kind, error, trace)


# Also while this process still imports.
ignore_the_terminal()
sys.excepthook = _unless_the_run_is_gone
# As in the process that started it: what there is at the end is not looked through for garbage.
atexit.register(gc.freeze)
