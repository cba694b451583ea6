"""Which kind of place a path is in."""

from __future__ import annotations

from pathlib import Path

from aggregator.model.remote import AnyPath, HadoopPath, S3Path
from aggregator.places.bucket import Bucket, Objects
from aggregator.places.hadoop import hadoop
from aggregator.places.library import require_library
from aggregator.places.local import Disk
from aggregator.places.place import Place

_DISK = Disk()


def place_at(path: AnyPath) -> Place:
    if isinstance(path, Path):
        return _DISK
    return Bucket(objects_at(path))


def objects_at(path: S3Path) -> Objects:
    """Raises NoLibrary and NeedsSpark."""
    if isinstance(path, HadoopPath):
        return hadoop()
    require_library(path)
    # It takes its time to load.
    from aggregator.places import objects

    return objects
