"""What is parsed is what is hashed, though a file may change while it is read: an export that is still being written, a sync
tool, a network disk. A change ends the run (74), and nothing is published.

Text is read where it lies, by several processes: the pass that hashes it seals its blocks, and whoever reads a block again
compares. All else is copied, hashed on the way, and parsed from the copy. Either way the bytes are read twice, and a file of
which one part was old and another new is noticed, unless it was the same mixture both times: then that is what the file was.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from aggregator.inputs.export import Block, Seal, Source, Taken
from aggregator.inputs.sources.room import Room
from aggregator.model.errors import ChangedInput, UnusableInput
from aggregator.schemas.arrays import Ints

_PIECE = 1 << 20
_WAITING = 8
"""Pieces that wait to be hashed, at the most: where hashing is the slower of the two, a whole file would wait."""


def changed(name: str) -> ChangedInput:
    return ChangedInput(
        f"{name} was changed while it was read. Nothing was published or recorded. Run again when it is complete.",
        f"{name} 在读取过程中被改动。未发布也未登记任何内容。请待文件完整后重新运行。",
    )


@contextmanager
def changes_explain(source: Source) -> Iterator[None]:
    """A file that is refused, and is no longer what it was when it was first looked at, is not damaged but changed."""
    try:
        yield
    except UnusableInput:
        if source.stood and source.stood != stood(source.path):
            raise changed(source.name) from None
        raise


def stood(path: Path) -> tuple[int, ...]:
    """What shows that a file was replaced or written to; its bytes may have changed all the same. Empty where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


# ------------------------------------------------------------------------------------------------------------------- copies


class _Hashing(io.FileIO):
    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self.digest = hashlib.sha256()

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer) or 0
        self.digest.update(memoryview(buffer)[:count])
        return count


@contextmanager
def hashing(path: Path) -> Iterator[tuple[BinaryIO, Any]]:
    """A file that is read once, in order, to its end; and the digest of what was read."""
    with _Hashing(path) as raw, io.BufferedReader(raw, _PIECE) as file:
        yield file, raw.digest


@contextmanager
def held(source: Source, room: Room) -> Iterator[Source]:
    """A copy that nobody writes to, which knows its hash; removed at the end. What lies in the room is its own copy.

    Raises what says that the file was changed: at the end, when what was made of it is not yet used."""
    copy = hold(source, room)
    try:
        with changes_explain(source):
            try:
                yield copy
            except UnusableInput:
                refuse_changed(source, copy)
                raise
        refuse_changed(source, copy)
    finally:
        if copy.path != source.path:
            copy.path.unlink(missing_ok=True)


def hold(source: Source, room: Room) -> Source:
    """A copy as of `held`, for those who ask themselves whether the file was changed, and keep the copy for longer."""
    if room.has(source.path):
        return replace(source, taken=taken_of(source))
    path = room.new_file(suffix if (suffix := source.path.suffix).isascii() else "")
    try:
        with hashing(source.path) as (file, digest), path.open("wb") as sink:
            shutil.copyfileobj(file, sink, _PIECE)
            size = sink.tell()
    except FileNotFoundError:
        raise changed(source.name) from None
    return replace(source, path=path, taken=Taken(source.name, digest.hexdigest(), size, source.packed_in))


def refuse_changed(source: Source, copy: Source) -> None:
    """Raise what says so where the file is no longer what the copy is."""
    if copy.path != source.path and copy.taken is not None:
        refuse_other(source.name, source.path, copy.taken.sha256)


def refuse_other(name: str, path: Path, sha256: str) -> None:
    """Raise what says so where the bytes of a file are not those of the hash."""
    try:
        same = sha256_of(path) == sha256
    except FileNotFoundError:
        same = False
    if not same:
        raise changed(name)


def taken_of(source: Source) -> Taken:
    """Of a file that nobody writes to."""
    if source.taken is not None:
        return source.taken
    return Taken(source.name, sha256_of(source.path), source.path.stat().st_size, source.packed_in)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -------------------------------------------------------------------------------------------------------------------- seals


class Sealing:
    """Hashes a file and seals its blocks beside the reading of it, in the thread of an executor that has no other; without one at once.

    A block's seal is its CRC-32: accidents are to be noticed, not attacks. It never misses a change within four bytes, and one
    in four thousand million others; a cryptographic hash would take each worker three to seven times as long."""

    def __init__(self, beside: Executor | None) -> None:
        self._beside = beside
        self._room = threading.BoundedSemaphore(_WAITING)
        self._digest = hashlib.sha256()
        self._checksum = 0
        self._checksums: list[int] = []

    def add(self, piece: bytes) -> None:
        """The next bytes of the file."""
        self._do(self._add, piece)

    def end_block(self) -> None:
        self._do(self._end_block)

    def _do(self, step: Callable[..., None], *given: bytes) -> None:
        if self._beside is None:
            step(*given)
        else:
            self._room.acquire()
            self._beside.submit(self._done, step, *given)

    def _done(self, step: Callable[..., None], *given: bytes) -> None:
        try:
            step(*given)
        finally:
            self._room.release()

    def _add(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._checksum = zlib.crc32(piece, self._checksum)

    def _end_block(self) -> None:
        self._checksums.append(self._checksum)
        self._checksum = 0

    def sha256(self) -> str:
        """Once the executor has ended."""
        return self._digest.hexdigest()

    def sealed(self, blocks: Sequence[Block], size: int) -> tuple[Block, ...]:
        """Once the executor has ended. What stands between two blocks, or above the first, is under the seal of the one that follows,
        and under the last so is the size of the file."""
        begins = [0, *(block.end for block in blocks)]
        seals = map(Seal, begins, self._checksums, (size if block is blocks[-1] else None for block in blocks))
        return tuple(replace(block, seal=seal) for block, seal in zip(blocks, seals, strict=True))


MARKED = 1 << 14
"""Bytes between two marks."""


class Sealed(NamedTuple):
    """A block as it was sealed. `marks`: its checksum as far as each multiple of MARKED, so that pieces of it can be read again."""

    data: bytes
    marks: Ints


def sealed(name: str, path: Path, block: Block) -> Sealed:
    """Raises what says that the file was changed since the block was sealed."""
    seal = block.seal
    assert seal is not None
    marks = []
    try:
        with path.open("rb") as file:
            file.seek(seal.begin)
            checksum = 0
            for at in range(seal.begin, block.start, _PIECE):
                checksum = zlib.crc32(file.read(min(_PIECE, block.start - at)), checksum)
            data = file.read(block.end - block.start)
            as_long = seal.size is None or file.seek(0, io.SEEK_END) == seal.size
    except FileNotFoundError:
        raise changed(name) from None
    view = memoryview(data)
    for at in range(0, len(data), MARKED):
        marks.append(checksum)
        checksum = zlib.crc32(view[at : at + MARKED], checksum)
    if not as_long or len(data) != block.end - block.start or checksum != seal.checksum:
        raise changed(name)
    return Sealed(data, np.array([*marks, checksum], dtype=np.int64))


class Again:
    """A block that was read before, of which pieces are read again. `marks`: as Sealed has them."""

    def __init__(self, name: str, path: Path, block: Block, marks: Ints) -> None:
        self._name, self._path, self._block, self._marks = name, path, block, marks

    def pieces(self, starts: Ints, ends: Ints) -> list[bytes]:
        """What stands between these places of the block, ascending. What lies close together is read at once. Raises what says that the file
        was changed there."""
        if not len(starts):
            return []
        starts, ends = starts.astype(np.int64), ends.astype(np.int64)
        first, last = starts // MARKED, -(-ends // MARKED)
        begins = np.flatnonzero(np.append(True, first[1:] > np.maximum.accumulate(last)[:-1]))
        found: list[bytes] = []
        try:
            with self._path.open("rb") as file:
                for begin, end in pairwise([*begins.tolist(), len(starts)]):
                    place = int(first[begin]) * MARKED
                    data = self._between(file, int(first[begin]), int(last[begin:end].max()))
                    found += [data[at - place : stop - place] for at, stop in zip(starts[begin:end].tolist(), ends[begin:end].tolist(), strict=True)]
        except FileNotFoundError:
            raise changed(self._name) from None
        return found

    def _between(self, file: BinaryIO, first: int, last: int) -> bytes:
        """From one mark to another."""
        if last <= first:
            return b""
        file.seek(self._block.start + first * MARKED)
        data = file.read(min(last * MARKED, self._block.end - self._block.start) - first * MARKED)
        if zlib.crc32(data, int(self._marks[first])) != int(self._marks[last]):
            raise changed(self._name)
        return data
