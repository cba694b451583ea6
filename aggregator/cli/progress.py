"""How far a run is, on one line of a terminal's standard error that is written over and in the end wiped out. Nothing is shown of what
takes under two seconds, or where nobody looks: a file, a pipe, a log of JSON, --quiet.

Not rich's Progress: it hides the cursor, which stays hidden where the run is killed, and wraps on a narrow terminal; the steps, their
shares and their names would be needed all the same."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aggregator.cli.screen import over_write
from aggregator.model.progress import READS, WATCHER, Progress
from aggregator.schemas.shown import width_of
from aggregator.schemas.text import Lang, Text

_FROM, _EVERY = 2.0, 0.2
"""Seconds: before the first line, and between two."""
_STEPS = {
    READS: (0.0, 0.45, Text("reading and validating", "读取并校验")),
    "resolve_chunk": (0.45, 0.2, Text("deciding fates", "判定去向")),
    "settle_chunk": (0.65, 0.1, Text("merging", "归并")),
    "emit_chunk": (0.75, 0.25, Text("writing results", "写出结果")),
}
"""Where each step begins, what share of a run it takes, and its name. What is on partitions is a small part of its step."""


@contextmanager
def shown_progress(lang: Lang, *, wanted: bool) -> Iterator[None]:
    if not wanted or sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    line = _Line(lang, time.monotonic)
    token = WATCHER.set(line.tell)
    try:
        yield
    finally:
        WATCHER.reset(token)
        line.wipe()


class _Line:
    def __init__(self, lang: Lang, clock: Callable[[], float]) -> None:
        self._lang, self._clock = lang, clock
        self._began, self._last, self._shown = clock(), 0.0, False
        self._step, self._step_began = "", 0.0

    def tell(self, progress: Progress) -> None:
        now = self._clock()
        if progress.step != self._step:
            self._step, self._step_began = progress.step, now
        if now - self._began < _FROM or now - self._last < _EVERY or progress.step not in _STEPS:
            return
        self._last, self._shown = now, True
        over_write(fitting(progress_line(progress, now - self._began, now - self._step_began, self._lang), shutil.get_terminal_size().columns - 1))

    def wipe(self) -> None:
        if self._shown:
            over_write("")


def progress_line(progress: Progress, seconds: float, in_step: float, lang: Lang) -> str:
    begin, share, name = _STEPS[progress.step]
    part = progress.done / max(progress.tasks, 1)
    done = begin + share * part
    left = seconds * (1 - done) / done if done else 0.0
    unit, name_of_unit = (1 << 20, "MiB") if progress.bytes >= 10 << 20 else (1 << 10, "KiB")
    size = f"{progress.bytes * part / unit:,.0f}/{progress.bytes / unit:,.0f} {name_of_unit}"
    lines = progress.lines * (1.0 if progress.step == READS else part)
    speed = lines / in_step if in_step else 0.0
    return Text(
        f"{done:4.0%} {name.en}, {size}, {speed:,.0f} lines/s, {seconds:,.0f} s, about {left:,.0f} s left",
        f"{done:4.0%} {name.zh}，{size}，每秒 {speed:,.0f} 行，已用 {seconds:,.0f} 秒，约剩 {left:,.0f} 秒",
    ).in_lang(lang)


def fitting(text: str, columns: int) -> str:
    while text and width_of(text) > columns:
        text = text[:-1]
    return text
