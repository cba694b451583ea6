"""Run folders in object storage, where nothing can be renamed, and in file systems of Hadoop, which may be such.

All files of a run are sent to where they will be, before the ledger's transaction; its manifest waits under a hidden name beside
them. To publish is to write the manifest to its own place, and to remove the hidden one. So the hidden manifest says, after a crash,
what was under way: recorded in the ledger it is published, else all that it names is removed. Nothing of this depends on a list
of objects being up to date: what the manifest names is asked for by its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import NamedTuple, Protocol, TypeVar

from aggregator.model.disk import own_folder
from aggregator.model.errors import CannotCreate, CannotReadOrWrite
from aggregator.model.names import told
from aggregator.model.remote import AnyPath, S3Path
from aggregator.model.small import MOST_SETTINGS
from aggregator.places.local import make_folder
from aggregator.places.place import MANIFEST

_WORK = "aggregator-work-"
_MOST_MANIFEST = 256 << 20
_SENDING, _AT_ONCE = 4, 16
"""Files sent at once, each of which holds a part in memory; and other questions at once."""

A = TypeVar("A")
R = TypeVar("R")


class NoBucketError(FileNotFoundError):
    """The bucket itself."""


class Listed(NamedTuple):
    """What lies directly below: keys of objects, and the beginnings (with a slash at the end) of all others."""

    keys: list[str]
    prefixes: list[str]


class Objects(Protocol):
    """Single objects: all raise OSError."""

    def exists(self, path: S3Path) -> bool: ...
    def pieces_of(self, path: S3Path) -> Iterator[bytes]: ...
    def read(self, path: S3Path, most: int) -> bytes: ...
    def listed(self, path: S3Path, *, deep: bool = False, begins: str = "") -> Listed: ...
    def refuse_absent(self, path: S3Path) -> None:
        """Raise what says so where nothing can be put there."""
        ...

    def put(self, path: S3Path, data: bytes) -> None: ...
    def put_file(self, path: S3Path, file: Path, goes_on: Callable[[], bool] = lambda: True) -> None: ...
    def copy(self, source: S3Path, target: S3Path) -> None: ...
    def delete(self, path: S3Path) -> None: ...
    def drop_uploads(self, path: S3Path) -> None:
        """What was sent below and never completed."""
        ...


class Bucket:
    """All paths are `S3Path`s here."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def make(self, folder: AnyPath) -> None:
        try:
            self._objects.refuse_absent(_s3(folder))
        except NoBucketError:
            raise CannotCreate(
                f"{folder}: there is no such bucket. Nothing was done. Check its name and AWS_ENDPOINT_URL, or make it first.",
                f"{folder}：存储桶不存在。未执行任何操作。请检查桶名和 AWS_ENDPOINT_URL，或先创建该桶。",
            ) from None
        except OSError as error:
            raise CannotReadOrWrite(
                f"{folder} cannot be used: {error.strerror}. Nothing was done. Check the network, AWS_ENDPOINT_URL and the rights to the bucket.",
                f"无法使用 {folder}：{error.strerror}。未执行任何操作。请检查网络、AWS_ENDPOINT_URL 以及对该桶的权限。",
            ) from None

    def refuse_unwritable(self, folder: AnyPath) -> None:
        trial = _s3(folder) / ".aggregator-trial"
        self._objects.put(trial, b"")
        self._objects.delete(trial)

    def is_file(self, path: AnyPath) -> bool:
        return self._objects.exists(_s3(path))

    def read(self, path: AnyPath) -> bytes:
        return self._objects.read(_s3(path), MOST_SETTINGS)

    def write(self, path: AnyPath, data: bytes) -> None:
        self._objects.put(_s3(path), data)

    def keep(self, file: Path, path: AnyPath) -> None:
        self._objects.put_file(_s3(path), file)

    def sha256(self, path: AnyPath) -> str:
        digest = hashlib.sha256()
        for piece in self._objects.pieces_of(_s3(path)):
            digest.update(piece)
        return digest.hexdigest()

    @contextmanager
    def local(self, path: AnyPath) -> Iterator[Path]:
        with own_folder(_WORK) as folder:
            copy = folder / "copy"
            with copy.open("wb") as sink:
                for piece in self._objects.pieces_of(_s3(path)):
                    sink.write(piece)
            yield copy

    def folders(self, folder: AnyPath) -> list[AnyPath]:
        path = _s3(folder)
        return [replace(path, key=prefix.rstrip("/")) for prefix in self._objects.listed(path).prefixes]

    def files(self, folder: AnyPath) -> set[str]:
        path = _s3(folder)
        return {key[len(path.prefix):] for key in self._objects.listed(path, deep=True).keys if not key.endswith("/")}

    def there(self, folders: Iterable[AnyPath]) -> set[AnyPath]:
        asked = list(folders)
        return {folder for folder, stands in zip(asked, _each(lambda each: self.is_file(each / MANIFEST), asked), strict=True) if stands}

    def manifests(self, folders: Iterable[AnyPath]) -> dict[AnyPath, str]:
        def hashed(folder: AnyPath) -> str | None:
            try:
                return self.sha256(folder / MANIFEST)
            except FileNotFoundError:
                return None

        asked = list(folders)
        return {folder: sha256 for folder, sha256 in zip(asked, _each(hashed, asked), strict=True) if sha256 is not None}

    @contextmanager
    def work(self, out: AnyPath, prefix: str) -> Iterator[Path]:
        with own_folder(_WORK) as folder:
            yield folder

    def left(self, out: AnyPath, prefix: str) -> None:
        """Whoever makes the next one removes them."""

    def stage(self, hidden: AnyPath, work: Path) -> Path:
        stage = work / "run-folder"
        make_folder(stage, new=True)
        return stage

    def hold(self, stage: Path, hidden: AnyPath, target: AnyPath) -> None:
        self.remove(hidden, target)
        self._refuse_strays(_s3(target))
        # First what says whose the others are.
        self._objects.put_file(_s3(hidden) / MANIFEST, stage / MANIFEST)
        files = sorted(path for path in stage.rglob("*") if path.is_file() and path != stage / MANIFEST)
        _sent(files, lambda file, goes_on: self._objects.put_file(_s3(target) / told(file.relative_to(stage).as_posix()), file, goes_on))

    def _refuse_strays(self, target: S3Path) -> None:
        """Raise CannotCreate where others have put something."""
        for key in self._objects.listed(target, deep=True).keys:
            if self._objects.exists(replace(target, key=key)):
                raise CannotCreate(
                    f"{target} holds {key} already, which no run of this ledger has put there. Nothing was done. Move it elsewhere.",
                    f"{target} 下已有 {key}，且并非本台账的批次所放。未执行任何操作。请移至别处。",
                )

    def is_published(self, source: AnyPath, target: AnyPath) -> bool:
        there = self.there([source, target])
        return target in there and source not in there

    def publish(self, source: AnyPath, target: AnyPath) -> None:
        origin, goal = _s3(source), _s3(target)
        try:
            manifest = self._objects.read(origin / MANIFEST, _MOST_MANIFEST)
        except FileNotFoundError:
            # Of a publication that was cut off: only its end is missing, or nothing.
            if not self.is_file(goal / MANIFEST):
                raise
            return
        moved = [] if origin.name.startswith(".") else _named_in(manifest)
        _each(lambda name: self._objects.copy(origin / name, goal / name), [name for name in moved if self._objects.exists(origin / name)])
        self._objects.put(goal / MANIFEST, manifest)
        _each(lambda name: self._objects.delete(origin / name), moved)
        self._objects.delete(origin / MANIFEST)

    def remove(self, hidden: AnyPath, target: AnyPath | None = None) -> None:
        origin = _s3(hidden)
        try:
            manifest = self._objects.read(origin / MANIFEST, _MOST_MANIFEST)
        except FileNotFoundError:
            return
        if target is not None and not self.is_file(target / MANIFEST):
            goal = _s3(target)
            self._objects.drop_uploads(goal)
            _each(lambda name: self._objects.delete(goal / name), _named_in(manifest))
        self._objects.delete(origin / MANIFEST)


def _named_in(manifest: bytes) -> list[str]:
    """The other files of a run folder."""
    with suppress(ValueError, TypeError, LookupError):
        return sorted(json.loads(manifest)["outputs"])
    return []


def _each(step: Callable[[A], R], tasks: Iterable[A], at_once: int = _AT_ONCE) -> list[R]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(step, tasks))


def _sent(files: Iterable[Path], send: Callable[[Path, Callable[[], bool]], None]) -> None:
    """Several at once. Where one fails, or the user interrupts, the others are not waited for longer than for the part they send."""
    stopped = Event()
    with ThreadPoolExecutor(_SENDING) as pool:
        try:
            for sending in [pool.submit(send, file, lambda: not stopped.is_set()) for file in files]:
                sending.result()
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _s3(path: AnyPath) -> S3Path:
    assert isinstance(path, S3Path)
    return path
