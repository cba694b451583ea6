"""Run folders on a disk: made in a hidden folder beside their own, flushed, and renamed."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.model.disk import own_folder, refuse_odd, replacing, sync, write_file
from aggregator.model.errors import CannotCreate
from aggregator.model.remote import AnyPath
from aggregator.model.small import read_small
from aggregator.places.place import MANIFEST

_PERIOD = re.compile(r"[0-9]{4}-[0-9]{2}")


class Disk:
    """All paths are `Path`s here."""

    def make(self, folder: AnyPath) -> None:
        make_folder(_path(folder))

    def refuse_unwritable(self, folder: AnyPath) -> None:
        with tempfile.TemporaryFile(dir=_path(folder)):
            pass

    def is_file(self, path: AnyPath) -> bool:
        return _path(path).is_file()

    def read(self, path: AnyPath) -> bytes:
        return read_small(_path(path))

    def write(self, path: AnyPath, data: bytes) -> None:
        write_file(_path(path), data)

    def keep(self, file: Path, path: AnyPath) -> None:
        make_folder(_path(path).parent)
        with file.open("rb") as source, replacing(_path(path)) as sink:
            shutil.copyfileobj(source, sink)

    def sha256(self, path: AnyPath) -> str:
        with _path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @contextmanager
    def local(self, path: AnyPath) -> Iterator[Path]:
        file = _path(path)
        file.stat()
        refuse_odd(file)
        yield file

    def folders(self, folder: AnyPath) -> list[AnyPath]:
        path = _path(folder)
        found: list[AnyPath] = []
        if path.is_dir():
            found += sorted(each for each in path.iterdir() if each.is_dir())
        return found

    def files(self, folder: AnyPath) -> set[str]:
        path = _path(folder)
        return {each.relative_to(path).as_posix() for each in path.rglob("*") if not each.is_dir()}

    def there(self, folders: Iterable[AnyPath]) -> set[AnyPath]:
        return {folder for folder in folders if _path(folder).is_dir()}

    def manifests(self, folders: Iterable[AnyPath]) -> dict[AnyPath, str]:
        manifests = {folder: _path(folder) / MANIFEST for folder in self.there(folders)}
        return {folder: self.sha256(manifest) if manifest.is_file() else "" for folder, manifest in manifests.items()}

    @contextmanager
    def work(self, out: AnyPath, prefix: str) -> Iterator[Path]:
        with own_folder(prefix, _path(out)) as folder:
            yield folder

    def left(self, out: AnyPath, prefix: str) -> None:
        for folder in _path(out).glob(f"{prefix}*"):
            self.remove(folder)

    def stage(self, hidden: AnyPath, work: Path) -> Path:
        stage = _path(hidden)
        make_folder(stage, new=True)
        return stage

    def hold(self, stage: Path, hidden: AnyPath, target: AnyPath) -> None:
        for path in sorted(stage.rglob("*")):
            sync(path)
        for path in (stage, stage.parent, stage.parent.parent):
            sync(path)

    def is_published(self, source: AnyPath, target: AnyPath) -> bool:
        return _path(target).exists()

    def publish(self, source: AnyPath, target: AnyPath) -> None:
        path = _path(target)
        _path(source).rename(path)
        sync(path.parent)

    def remove(self, hidden: AnyPath, target: AnyPath | None = None) -> None:
        folder = _path(hidden)
        shutil.rmtree(folder, ignore_errors=True)
        # And the period's folder, if nothing else was in it.
        if _PERIOD.fullmatch(folder.parent.name) and folder.parent.is_dir() and not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def make_folder(path: Path, *, new: bool = False) -> None:
    """`new`: what is there already is not ours."""
    try:
        path.mkdir(parents=True, exist_ok=not new)
    except OSError as error:
        raise CannotCreate(
            f"The folder {path} cannot be made: {error.strerror}. Check the path, rights and disk space.",
            f"无法创建文件夹 {path}：{error.strerror}。请检查路径、权限和磁盘空间。",
        ) from None


def _path(path: AnyPath) -> Path:
    assert isinstance(path, Path)
    return path
