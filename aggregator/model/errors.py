"""Why a run stops: exceptions with the exit code and a text that says what to do.

Wrong data is not here: it is a finding. These are for what makes a run as a whole impossible, and `OurFault` for bugs.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from aggregator.schemas.text import Lang, Text


class Exit(IntEnum):
    DONE = 0
    USAGE = 2
    WAITING = 3
    UNUSABLE_INPUT = 65
    NO_INPUT = 66
    OUR_FAULT = 70
    CANNOT_CREATE = 73
    CANNOT_READ_OR_WRITE = 74
    BUSY = 75
    CONFIGURATION = 78
    INTERRUPTED = 130


class StopRun(Exception):  # noqa: N818 - not every stop is an error: a lock that another run holds is not
    """Ends the run with an exit code; nothing is published."""

    exit_code = Exit.OUR_FAULT

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)

    def in_lang(self, lang: Lang) -> str:
        return self.text.in_lang(lang)

    def __reduce__(self) -> tuple[Callable[..., StopRun], tuple[type[StopRun], str, str]]:
        # Raised in a worker process, it has to travel with both texts.
        return _again, (type(self), self.text.en, self.text.zh)


def _again(kind: type[StopRun], en: str, zh: str) -> StopRun:
    """As it was raised: a class that owns its text takes other arguments."""
    stop = kind.__new__(kind)
    StopRun.__init__(stop, en, zh)
    return stop


class WrongUsage(StopRun):
    exit_code = Exit.USAGE


class UnusableInput(StopRun):
    exit_code = Exit.UNUSABLE_INPUT


class NoInput(StopRun):
    exit_code = Exit.NO_INPUT


class OurFault(StopRun):
    exit_code = Exit.OUR_FAULT


class CannotCreate(StopRun):
    exit_code = Exit.CANNOT_CREATE


class CannotReadOrWrite(StopRun):
    exit_code = Exit.CANNOT_READ_OR_WRITE


class ChangedInput(CannotReadOrWrite):
    """What was parsed is not, or may not be, what was hashed."""


class Busy(StopRun):
    exit_code = Exit.BUSY


def cannot_be_read(name: str, error: OSError) -> NoInput | CannotReadOrWrite:
    """What to say of a file that the disk does not give."""
    if isinstance(error, FileNotFoundError | IsADirectoryError):
        return NoInput(f"{name}: no such file. Check the path.", f"{name}：文件不存在。请检查路径。")
    why = error.strerror or error
    return CannotReadOrWrite(f"{name}: cannot be read: {why}.", f"{name}：无法读取：{why}。")


class WrongConfiguration(StopRun):
    exit_code = Exit.CONFIGURATION


class NoCalendar(WrongConfiguration):
    """Working days of a year that nobody has published yet are asked for."""
