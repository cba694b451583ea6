"""A file that is changed right before one of the times that it is opened or read from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aggregator.model.errors import Exit, StopRun
from tests.conftest import NOW

Change = Callable[[Path, bytes], None]

LONG_AGO = NOW.timestamp()
"""When the file was written, so that a change of it shows in its time even where the clock of the disk is coarse."""

# ----------------------------------------------------------------------------------------------------------------- moments


class Moments:
    """Counts how often a file is opened or read from, and does what is to be done right before one of these times."""

    def __init__(self, path: Path, acts: Mapping[int, Callable[[], None]]) -> None:
        self.path, self.acts, self.count = str(path), acts, 0

    def happens(self) -> None:
        self.count += 1
        if self.count in self.acts:
            with _watched_by(None):
                self.acts[self.count]()


_watching: list[Moments | None] = [None]


@contextmanager
def _watched_by(moments: Moments | None) -> Iterator[None]:
    _watching.append(moments)
    try:
        yield
    finally:
        _watching.pop()


def _on_audit(event: str, arguments: tuple[Any, ...]) -> None:
    watching = _watching[-1]
    if watching is not None and event == "open" and str(arguments[0]) == watching.path:
        watching.happens()


def _on_call(frame: Any, event: str, called: Any) -> None:
    watching = _watching[-1]
    if watching is None or event != "c_call" or called.__name__ not in ("read", "readline", "readinto"):
        return
    if str(getattr(called.__self__, "name", "")) == watching.path:
        watching.happens()


sys.addaudithook(_on_audit)


@contextmanager
def watched(moments: Moments) -> Iterator[None]:
    with _watched_by(moments):
        sys.setprofile(_on_call)
        try:
            yield
        finally:
            sys.setprofile(None)


# ----------------------------------------------------------------------------------------------------------------- changes


def in_place(path: Path, new: bytes) -> None:
    """Of a length that is the same, where the format allows; and its time says nothing of it."""
    stood = path.stat()
    path.write_bytes(new)
    os.utime(path, ns=(stood.st_atime_ns, stood.st_mtime_ns))


def replaced(path: Path, new: bytes) -> None:
    other = path.with_name("other")
    other.write_bytes(new)
    other.replace(path)


def replaced_by_shorter(path: Path, new: bytes) -> None:
    replaced(path, new[: max(new.rfind(b"\n", 0, len(new) // 2) + 1, len(new) // 3)])


def replaced_by_longer(path: Path, new: bytes) -> None:
    replaced(path, new + path.read_bytes().partition(b"\n")[2])


def half_written(path: Path, new: bytes) -> None:
    with path.open("r+b") as file:
        file.write(new[: len(new) // 2])


def appended(path: Path, new: bytes) -> None:
    with path.open("ab") as file:
        file.write(new.partition(b"\n")[2])


def truncated(path: Path, new: bytes) -> None:
    data = path.read_bytes()
    os.truncate(path, data.rfind(b"\n", 0, len(data) * 2 // 3) + 1)


def removed(path: Path, new: bytes) -> None:
    path.unlink()


CHANGES: list[Change] = [in_place, replaced, replaced_by_shorter, replaced_by_longer, half_written, appended, truncated, removed]

# -------------------------------------------------------------------------------------------------------------------- jobs


@dataclass
class Job:
    """`run` gives what came of the file. `ends`: how it ends with bytes that nobody changes."""

    path: Path
    old: bytes
    new: bytes
    run: Callable[[], object]
    ends: dict[bytes, object] = field(default_factory=dict)
    refused: bool = False
    """Whether a file of two halves may be refused as damaged instead, where no time shows the change: before it is held."""

    def once(self, given: bytes, acts: Mapping[int, Callable[[], None]]) -> tuple[object, int]:
        """What came of it, and how many moments there were."""
        self.path.unlink(missing_ok=True)
        self.path.write_bytes(given)
        os.utime(self.path, (LONG_AGO, LONG_AGO))
        moments = Moments(self.path, acts)
        try:
            with watched(moments):
                return self.run(), moments.count
        except StopRun as stop:
            return (stop.exit_code, str(stop)), moments.count

    def end(self, given: bytes) -> object:
        if given not in self.ends:
            self.ends[given] = self.once(given, {})[0]
        return self.ends[given]

    def moments(self) -> int:
        end, moments = self.once(self.old, {})
        assert not isinstance(end, tuple), end
        self.ends[self.old] = end
        return moments

    def noticed(self, found: object) -> bool:
        if self.refused and isinstance(found, tuple) and found[0] == Exit.UNUSABLE_INPUT and "[F108]" in found[1]:
            return True
        return isinstance(found, tuple) and found[0] == Exit.CANNOT_READ_OR_WRITE and str(self.path) in found[1]


def changed_once(job: Job, change: Change) -> int:
    """At how many moments it was noticed."""
    moments, count = job.moments(), 0
    for at in range(1, moments + 1):
        left: list[bytes | None] = []

        def act(left: list[bytes | None] = left) -> None:
            change(job.path, job.new)
            left.append(job.path.read_bytes() if job.path.exists() else None)

        found, _ = job.once(job.old, {at: act})
        if job.noticed(found):
            count += 1
        elif found != job.ends[job.old]:
            expected = found[0] == Exit.NO_INPUT if isinstance(found, tuple) and left[0] is None else left[0] and found == job.end(left[0])
            assert expected, f"{change.__name__} at moment {at} of {moments}: {found}"
    return count


def changed_in_two_steps(job: Job, first: Change, second: Callable[[Path], None]) -> int:
    """At two moments that follow each other; what stood there in between is not read."""
    moments, count = job.moments(), 0
    for at in range(1, moments):
        found, _ = job.once(job.old, {at: partial(first, job.path, job.new), at + 1: partial(second, job.path)})
        last = job.path.read_bytes()
        if job.noticed(found):
            count += 1
        else:
            assert found in (job.ends[job.old], job.end(last)), f"moments {at} and {at + 1} of {moments}: {found}"
    return count


def every_change(job: Job) -> dict[str, int]:
    """At how many moments each change was noticed."""
    found = {change.__name__: changed_once(job, change) for change in CHANGES}
    found["written in two steps"] = changed_in_two_steps(job, half_written, lambda path: in_place(path, job.new))
    found["changed and changed back"] = changed_in_two_steps(job, in_place, lambda path: in_place(path, job.old))
    return found
