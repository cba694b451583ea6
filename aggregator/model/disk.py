"""How files are written, and folders for what does not last.

A file that is written takes its place whole, or not at all: what is to outlast a crash is flushed to the disk, under another name,
before it gets its own. What a process that was killed has left is removed by the next one: the kernel's lock says whether its
owner still lives.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from aggregator.model.signals import held_back

try:
    import fcntl
except ImportError:  # On Windows nothing is locked so, and nothing that another process left is removed.
    fcntl = None  # type: ignore[assignment]

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_OLD = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_TRIALS = 20
OWNER = ".aggregator-owner"
"""In every folder of ours for what does not last: locked for as long as its process lives."""


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_in_place(part: Path, target: Path) -> None:
    """Give a file that was written beside it the name of the target: after a crash that is the old file or the new one, whole."""
    sync(part)
    part.replace(target)
    sync(target.parent)


# --------------------------------------------------------------------------------------------------------------------- files


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `target` at the end. Raises OSError where something stands there that is no file: a device or
    a pipe is not replaced, and no link is written through."""
    refuse_odd(target)
    part = target.with_name(f".{target.name}.part")
    handle = _held_anew(part)
    try:
        with os.fdopen(handle, "r+b") as file:
            yield file
            file.flush()
            put_in_place(part, target)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write_file(target: Path, data: bytes) -> None:
    with replacing(target) as file:
        file.write(data)


def new_file(path: Path) -> None:
    """An empty file where there is none, and no link either."""
    os.close(os.open(path, _NEW, 0o666))


def leads_nowhere(path: Path) -> bool:
    """Whether it is a link to what is not there."""
    return path.is_symlink() and not path.exists()


def refuse_odd(target: Path) -> None:
    if leads_nowhere(target):
        raise OSError(errno.EINVAL, "it is a link to what is not there", str(target))
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(target.stat().st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(target))


def _held_anew(path: Path) -> int:
    """A new file, locked. What lies there already was left by a process that was killed, and goes, unless its owner lives."""
    while True:
        try:
            handle = os.open(path, _NEW, 0o666)
        except FileExistsError:
            _remove_left(path)
            continue
        if _lock(handle) and _is(path, handle):
            return handle
        # Whoever came between took it for one that was left.
        os.close(handle)


def _remove_left(path: Path) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            path.unlink()
            return
        handle = os.open(path, _OLD)
        try:
            if not _lock(handle):
                raise OSError(errno.EBUSY, "it is being written by another process", str(path))
            path.unlink()
        finally:
            os.close(handle)


def _lock(handle: int) -> bool:
    """Whether it is ours now; always where there are no such locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A disk without locks: names alone keep two processes apart there.
        return True
    return True


def _is(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False


# ------------------------------------------------------------------------------------------------------------------- folders


class OwnFolder:
    """A new folder for what does not last, in `where` or the system's place for such; `close` removes it. What processes that were
    killed have left of the same prefix is removed first."""

    def __init__(self, prefix: str, where: Path | None = None) -> None:
        place = where or Path(tempfile.gettempdir())
        remove_left(place, prefix)
        self.path, self._lock = _owned(place, prefix)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            os.close(self._lock)


def _owned(place: Path, prefix: str) -> tuple[Path, int]:
    for trial in range(_TRIALS):
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        try:
            return folder, _held_anew(folder / OWNER)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            # In the moment before it was locked another process may have taken it for one that was left.
            if trial == _TRIALS - 1 or not isinstance(error, OSError) or error.errno not in (errno.ENOENT, errno.EBUSY):
                raise
    raise AssertionError


@contextmanager
def own_folder(prefix: str, where: Path | None = None) -> Iterator[Path]:
    with ExitStack() as stack:
        with held_back():
            folder = OwnFolder(prefix, where)
            stack.callback(folder.close)
        yield folder.path


def remove_left(place: Path, prefix: str) -> None:
    """Remove folders whose owner is surely gone: those with a lock of ours that nobody holds."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                _remove_if_left(Path(entry.path))


def _remove_if_left(folder: Path) -> None:
    try:
        handle = os.open(folder / OWNER, _OLD)
    except OSError:
        return
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        pass
    finally:
        os.close(handle)
