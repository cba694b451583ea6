"""What is to outlast a crash is flushed to the disk."""

from __future__ import annotations

import os
from pathlib import Path


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
