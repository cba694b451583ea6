"""Who asks a command to end: Ctrl-C, the system, a terminal that is closed. All of them are answered alike."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name))
INTERRUPTED = 130
_SAID = "Interrupted; nothing was published. 已中断，未发布任何内容。\n"
_LATER_SECONDS = 0.05
_done: list[int] = []
_last: list[int] = []


def leave_at_once() -> None:
    """For when nothing is under way yet, or any more: the process ends without a word of Python's."""
    for number in _heard():
        signal.signal(number, _leave)
    # Registered first, called last: Python takes our answers back while it ends, but leaves ignored what is ignored.
    atexit.register(_ignore)


def done(code: int) -> None:
    """What was asked is done, and said: whoever interrupts the end of the process does not change how it ended."""
    _done[:] = [code]


def _ignore() -> None:
    for number in _heard():
        signal.signal(number, signal.SIG_IGN)


def _leave(*_: Any) -> None:
    if not _done:
        with suppress(OSError):
            os.write(2, _SAID.encode())
    os._exit(_done[0] if _done else INTERRUPTED)


class Interrupts:
    """Answers by KeyboardInterrupt. `came`: whether one did, for libraries may make something else of it on its way up."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, _: Any) -> None:
        self.came = True
        _last[:] = [number]
        raise KeyboardInterrupt


def come_again(ignored: sys.UnraisableHookArgs) -> None:
    """Where Python lets an interrupt go unheard (in a callback while it imports, say), it comes again."""
    if isinstance(ignored.exc_value, KeyboardInterrupt) and _last:
        later = threading.Timer(_LATER_SECONDS, os.kill, (os.getpid(), _last[0]))
        later.daemon = True
        later.start()
    else:
        sys.__unraisablehook__(ignored)


def ignore_the_terminal() -> None:
    """Of a worker: what a terminal sends is sent to the whole group, and the run says to its workers what becomes of them."""
    for number in ENDING:
        if number != signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def deaf_to_the_terminal() -> Iterator[None]:
    """Processes that are started meanwhile never hear what is sent to the whole group; what comes to this one comes after it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {number for number in ENDING if number != signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def answered_by(answer: Callable[..., Any] | signal.Handlers) -> Iterator[None]:
    """While this lasts, `answer` is what follows upon such a signal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {number: signal.signal(number, answer) for number in _heard()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Who asks to end while this lasts is answered when it is over: what is made meanwhile is in hand by then."""
    came: list[int] = []
    try:
        with answered_by(lambda number, _: came.append(number)):
            yield
    finally:
        if came:
            os.kill(os.getpid(), came[0])


def _heard() -> list[int]:
    """What a parent has let be ignored (nohup does) stays ignored."""
    return [number for number in ENDING if signal.getsignal(number) not in (signal.SIG_IGN, None)]
