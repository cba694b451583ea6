"""Imported by the fork server before anything else. A run that is interrupted says itself how it ended: its workers, and those that
are only starting and find it gone, say nothing."""

from __future__ import annotations

import pickle
import signal
import sys
from types import TracebackType


def _unless_the_run_is_gone(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, OSError | EOFError | pickle.UnpicklingError):
        sys.__excepthook__(kind, error, trace)


# Ctrl-C in a terminal is sent to the whole group, also while this process still imports.
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.excepthook = _unless_the_run_is_gone
