"""The one way to a person's terminal and log. Text from outside is made harmless here, and what the stream cannot hold is escaped."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from aggregator.schemas.shown import shown, shown_json, without_passwords


def hold_streams() -> None:
    """A standard stream that is closed becomes one that takes nothing: the next file opened would else be taken for it. What the
    others cannot hold is escaped."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def write_lines(lines: Iterable[str]) -> None:
    """Each on a line of its own, whatever it holds. Raises OSError where standard output takes nothing, as the others do."""
    with _standard_output() as out:
        for line in lines:
            out.write(f"{without_passwords(shown(line))}\n")


def write_drawn(text: str) -> None:
    """What is drawn for a terminal (closing.py), of text that is `shown` already."""
    with _standard_output() as out:
        out.write(text)


def write_json(value: Any) -> None:
    with _standard_output() as out:
        out.write(f"{_json(value, out.encoding)}\n")


def write_bytes(data: bytes) -> None:
    """A table as UTF-8, whose cells are `shown` already."""
    with _standard_output() as out:
        out.flush()
        out.buffer.write(data)


def tell(lines: Iterable[str]) -> None:
    """On standard error. Where it takes nothing nobody can be told; the exit code still says how it ended."""
    _tell(f"{without_passwords(shown(line))}\n" for line in lines)


def over_write(line: str) -> None:
    """In place of the line the cursor of a terminal stands in; it stays in it."""
    _tell([f"\r\x1b[K{shown(line)}"])


def tell_json(value: Any) -> None:
    _tell([f"{without_passwords(_json(value, getattr(sys.stderr, 'encoding', 'utf-8')))}\n"])


def flush() -> None:
    with _standard_output() as out:
        out.flush()


def say_no_more() -> None:
    """What standard output has not taken is given up: Python would try once more at its end, and end with a code of its own."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(lines: Iterable[str]) -> None:
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        for line in lines:
            sys.stderr.write(line)
        sys.stderr.flush()


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "is closed", "standard output")
    try:
        yield sys.stdout
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from None


def _json(value: Any, encoding: str) -> str:
    text = shown_json(value)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value)
    return text
