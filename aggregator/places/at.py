"""Which kind of place a path is in."""

from __future__ import annotations

from pathlib import Path

from aggregator.model.remote import AnyPath
from aggregator.places.library import require_library
from aggregator.places.local import Disk
from aggregator.places.place import Place

_DISK = Disk()


def place_at(path: AnyPath) -> Place:
    if isinstance(path, Path):
        return _DISK
    require_library(path)
    # It takes its time to load.
    from aggregator.places.s3 import bucket_of

    return bucket_of(path)
