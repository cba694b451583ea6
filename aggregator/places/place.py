"""What jobs ask of the place that run folders are in, whatever kind it is.

A run folder is published in one step: on a disk by its name, in object storage, where nothing can be renamed, by its manifest, which
is written last. Until then it is no run to anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from aggregator.model.remote import AnyPath

MANIFEST = "manifest.json"
"""In every run folder: what it was made of, and the hash of every other file in it."""


class Place(Protocol):
    """All verbs raise OSError for what the disk or the server does not do, and StopRun for what a person has to correct first."""

    def make(self, folder: AnyPath) -> None:
        """See to it that there can be files in it. Raises CannotCreate."""
        ...

    def refuse_unwritable(self, folder: AnyPath) -> None:
        """Raise OSError where nothing can be written there; leaves nothing."""
        ...

    # Files.

    def is_file(self, path: AnyPath) -> bool: ...

    def read(self, path: AnyPath) -> bytes:
        """A small file. Raises FileNotFoundError."""
        ...

    def write(self, path: AnyPath, data: bytes) -> None:
        """A file takes its place whole, or not at all."""
        ...

    def keep(self, file: Path, path: AnyPath) -> None:
        """As `write`, of the bytes of a local file; its folder is made."""
        ...

    def sha256(self, path: AnyPath) -> str: ...

    def local(self, path: AnyPath) -> AbstractContextManager[Path]:
        """The file, on this machine while this lasts. Raises FileNotFoundError, and OSError for what is no file."""
        ...

    # Folders.

    def folders(self, folder: AnyPath) -> list[AnyPath]:
        """Those directly below, by name; none where there is no such folder."""
        ...

    def files(self, folder: AnyPath) -> set[str]:
        """Paths of all files below, relative to it, with slashes; as the system names them."""
        ...

    # Run folders, published or hidden.

    def there(self, folders: Iterable[AnyPath]) -> set[AnyPath]:
        """Those that stand: on a disk folders, elsewhere what has a manifest."""
        ...

    def manifests(self, folders: Iterable[AnyPath]) -> dict[AnyPath, str]:
        """SHA-256 of the manifest of each that stands; blank where it has none."""
        ...

    def work(self, out: AnyPath, prefix: str) -> AbstractContextManager[Path]:
        """A local folder for what does not last, its name beginning with `prefix`."""
        ...

    def left(self, out: AnyPath, prefix: str) -> None:
        """Remove such folders that nobody removed."""
        ...

    def stage(self, hidden: AnyPath, work: Path) -> Path:
        """A new local folder in which a run folder is made. `hidden`: where it waits to be published. Raises CannotCreate."""
        ...

    def hold(self, stage: Path, hidden: AnyPath, target: AnyPath) -> None:
        """The run folder is complete: make it outlast a crash. What is left to be done is `publish`."""
        ...

    def is_published(self, source: AnyPath, target: AnyPath) -> bool:
        """Whether `publish` has nothing to do any more."""
        ...

    def publish(self, source: AnyPath, target: AnyPath) -> None:
        """Give a run folder (hidden, or under another name) its name. May be done again after it was cut off."""
        ...

    def remove(self, hidden: AnyPath, target: AnyPath | None = None) -> None:
        """Remove a hidden run folder, and what of it lies at its target already, if that was never published."""
        ...
