"""Small files that others wrote (settings, lists, numbers): read to a limit, and never waited for without end.

A name may stand for a pipe that nobody writes to, or a device that never ends. Where a pipe makes sense it is read, `<(command)` of
a shell for the most.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Iterator
from pathlib import Path

MOST_SETTINGS = 4 << 20
MOST_LINES = 256 << 20
"""Of lists and numbers, one a line."""
PATIENCE_SECONDS = 10.0
"""How long a pipe is waited for that nobody writes to yet."""
_PIECE = 1 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False


def read_small(path: Path, most: int = MOST_SETTINGS, *, pipes: bool = False) -> bytes:
    """Raises OSError for what is no regular file (nor a pipe, with `pipes`), and for more than `most` bytes."""
    held, size = list[bytes](), 0
    for piece in pieces_of(path, pipes=pipes):
        held.append(piece)
        size += len(piece)
        if size > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return b"".join(held)


def pieces_of(path: Path, *, pipes: bool = False) -> Iterator[bytes]:
    """As `read_small`, of any size."""
    _refuse_odd(path.stat().st_mode, path, pipes=pipes)
    handle = os.open(path, _FLAGS)
    try:
        mode = os.fstat(handle).st_mode
        _refuse_odd(mode, path, pipes=pipes)
        if stat.S_ISFIFO(mode):
            yield from _of_pipe(handle, path)
        else:
            while piece := os.read(handle, _PIECE):
                yield piece
    finally:
        os.close(handle)


def _refuse_odd(mode: int, path: Path, *, pipes: bool) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not (stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode))):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def _of_pipe(handle: int, path: Path) -> Iterator[bytes]:
    """What comes, until the last writer has gone."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    until, came = time.monotonic() + PATIENCE_SECONDS, False
    while True:
        happened = poll.poll(100)
        try:
            piece = os.read(handle, _PIECE)
        except BlockingIOError:
            # Somebody is about to write.
            came = True
            continue
        if piece:
            came = True
            yield piece
        elif came or happened:
            return
        elif time.monotonic() > until:
            raise TimeoutError(errno.ETIMEDOUT, "it is a pipe that nobody writes to", str(path))
