"""How much memory there still is for us, where a limit says so: some libraries end the process when they get none."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_LIBRARIES = 640 << 20
_CGROUP, _OF_THIS_PROCESS, _STATM = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup"), Path("/proc/self/statm")


def require(needed: int) -> None:
    """Raise MemoryError where a limit of this process or its container leaves less than `needed` bytes."""
    left = [each for each in (_left_of_address_space(), _left_of_container()) if each is not None]
    if left and needed > min(left):
        raise MemoryError(f"{needed:,} bytes are needed, {max(min(left), 0):,} are left")


def require_for_libraries() -> None:
    """Raise MemoryError where the limit of the address space is below what the libraries take: without it some crash."""
    left = _left_of_address_space()
    if left is None:
        return
    # Arrow's own allocator reserves a gibibyte at once, and crashes where it gets a part of it.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if left < _LIBRARIES:
        raise MemoryError(f"{_LIBRARIES:,} bytes are needed, {left:,} are left")


def is_enough(needed: int) -> bool:
    try:
        require(needed)
    except MemoryError:
        return False
    return True


def _left_of_address_space() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    with suppress(OSError, ValueError, IndexError):
        return limit - int(_STATM.read_text().split()[0]) * resource.getpagesize()
    return None


def _left_of_container() -> int | None:
    """Of the second edition of Linux' control groups: a limit less what is used and cannot be given back."""
    with suppress(OSError, ValueError, IndexError, KeyError, StopIteration):
        own = next(line.split("::", 1)[1] for line in _OF_THIS_PROCESS.read_text().splitlines() if line.startswith("0::"))
        folder = _CGROUP / own.strip("/")
        folder = folder if (folder / "memory.max").exists() else _CGROUP
        limit = int((folder / "memory.max").read_text())
        facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return limit - int((folder / "memory.current").read_text()) + int(facts["inactive_file"])
    return None
