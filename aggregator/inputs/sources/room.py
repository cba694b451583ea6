"""A temporary folder for what inputs are unpacked to or rewritten in; made when something first needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.model.disk import OwnFolder

MOST_SPOOLED = 8 << 30


class Room:
    """`most_spooled`: how many bytes of standard input or a pipe are taken. `where`: the place for the folder, the system's if None."""

    def __init__(self, most_spooled: int = MOST_SPOOLED, where: Path | None = None) -> None:
        self.most_spooled, self._where = most_spooled, where
        self._folder: OwnFolder | None = None
        self._count = 0

    def new_file(self, suffix: str) -> Path:
        """The path of a file that does not exist yet; its name is ours, whatever the input is called."""
        if self._folder is None:
            self._folder = OwnFolder("aggregator-inputs-", self._where)
        self._count += 1
        return self._folder.path / f"{self._count}{suffix}"

    def has(self, path: Path) -> bool:
        return self._folder is not None and path.is_relative_to(self._folder.path)

    def close(self) -> None:
        if self._folder is not None:
            self._folder.close()
            self._folder = None


class NoRoom(Exception):  # noqa: N818 - no fault of anybody
    """Something has to be unpacked or rewritten, where nothing may be left."""


class Nowhere(Room):
    """Where nothing may be left."""

    def new_file(self, suffix: str) -> Path:
        raise NoRoom


@contextmanager
def temporary_room(most_spooled: int = MOST_SPOOLED, where: Path | None = None) -> Iterator[Room]:
    room = Room(most_spooled, where)
    try:
        yield room
    finally:
        room.close()
