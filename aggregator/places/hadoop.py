"""Files of any file system that Hadoop knows, through the Java process of a Spark session: bytes go between it and files on this
machine's disk, and only names and errors come to Python."""

from __future__ import annotations

import errno
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aggregator.model.errors import WrongConfiguration
from aggregator.model.remote import S3Path
from aggregator.places.bucket import Listed
from aggregator.schemas.shown import without_secrets

_PIECE, _LONGEST = 1 << 20, 200


class NeedsSpark(WrongConfiguration):
    def __init__(self) -> None:
        super().__init__(
            "Files of Hadoop (hdfs://…, s3a://… and the like) are read and written through Spark, by run and check with --engine spark. Nothing "
            "was done. Name --engine spark, or mount the file system and name a path.",
            "Hadoop 文件（hdfs://…、s3a://… 等）通过 Spark 读写，仅限 run 和 check 使用 --engine spark 时。未执行任何操作。请指定 --engine spark，或挂载该文件系统后使用路径。",
        )


class NoFileSystem(WrongConfiguration):
    """`why`: what Hadoop says, in a line."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f"Hadoop has no file system for {place}: {why}. Nothing was done. Name its library with \"spark.jars\" and its settings with "
            "\"spark.hadoop.…\" under [spark].",
            f"Hadoop 没有 {place} 对应的文件系统：{why}。未执行任何操作。请在 [spark] 中用 \"spark.jars\" 指定其库，用 \"spark.hadoop.…\" 指定其设置。",
        )


_OPEN: list[Hadoop] = []


def hadoop() -> Hadoop:
    """Of the session that is open. Raises NeedsSpark."""
    if not _OPEN:
        raise NeedsSpark
    return _OPEN[-1]


@contextmanager
def through(java: Any, configuration: Any, secrets: Iterable[str]) -> Iterator[None]:
    """While this lasts files of Hadoop are reached through this Java. `secrets`: texts that may stand in no message."""
    opened = Hadoop(java, configuration, secrets)
    _OPEN.append(opened)
    try:
        yield
    finally:
        _OPEN.remove(opened)


class Hadoop:
    """Single files, as Objects has them (bucket.py)."""

    def __init__(self, java: Any, configuration: Any, secrets: Iterable[str]) -> None:
        self._java, self._configuration, self._secrets = java, configuration, secrets

    def exists(self, path: S3Path) -> bool:
        with self._at(path) as (system, there):
            return bool(system.exists(there) and system.getFileStatus(there).isFile())

    def fetch(self, path: S3Path, copy: Path, most: int) -> bool:
        """False where it has more bytes than may be taken."""
        with self._at(path) as (system, there):
            if system.getFileStatus(there).getLen() > most:
                return False
            system.copyToLocalFile(False, there, self._local(copy), True)
        return True

    def pieces_of(self, path: S3Path) -> Iterator[bytes]:
        with tempfile.TemporaryDirectory(prefix="aggregator-hadoop-") as folder:
            copy = Path(folder) / "copy"
            self.fetch(path, copy, 1 << 62)
            with copy.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece

    def read(self, path: S3Path, most: int) -> bytes:
        held = b"".join(self.pieces_of(path))
        if len(held) > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
        return held

    def listed(self, path: S3Path, *, deep: bool = False, begins: str = "") -> Listed:
        """`begins` may hold slashes: how paths below begin that are looked for."""
        keys, prefixes = list[str](), list[str]()
        with self._at(path) as (system, there):
            if not system.exists(there):
                return Listed([], [])
            waiting = [(path.key, there)]
            while waiting:
                key, folder = waiting.pop()
                for name, is_file in self._below(system.listStatus(folder)):
                    below = f"{key}/{name}" if key else name
                    if is_file:
                        keys.append(below)
                    elif deep:
                        waiting.append((below, self._path(replace(path, key=below))))
                    else:
                        prefixes.append(f"{below}/")
        begin = f"{path.prefix}{begins}"
        return Listed(sorted(key for key in keys if key.startswith(begin)), sorted(each for each in prefixes if each.startswith(begin)))

    def _below(self, statuses: Any) -> Iterator[tuple[str, bool]]:
        """Name of each, and whether it is a file. Names come in one answer; of a view what it says as text is not to be relied on."""
        paths = self._java.org.apache.hadoop.fs.FileUtil.stat2Paths(statuses)
        # Py4J finds no method that takes an array of another kind than it names.
        of_objects = self._java.java.lang.reflect.Array.newInstance(self._java.java.lang.Class.forName("java.lang.Object"), len(paths))
        self._java.java.lang.System.arraycopy(paths, 0, of_objects, 0, len(paths))
        joined = str(self._java.org.apache.hadoop.util.StringUtils.join("\0", self._java.java.util.Arrays.asList(of_objects)))
        for path, status in zip(joined.split("\0") if joined else (), statuses, strict=True):
            yield path.rpartition("/")[2], bool(status.isFile())

    def refuse_absent(self, path: S3Path) -> None:
        with self._at(path) as (system, there):
            if not system.mkdirs(there):
                raise OSError(errno.EACCES, "the folder cannot be made", str(path))

    def put(self, path: S3Path, data: bytes) -> None:
        with tempfile.TemporaryDirectory(prefix="aggregator-hadoop-") as folder:
            copy = Path(folder) / "copy"
            copy.write_bytes(data)
            self.put_file(path, copy)

    def put_file(self, path: S3Path, file: Path, goes_on: Callable[[], bool] = lambda: True) -> None:
        """It is there as a whole or not at all: it gets its name when it is."""
        if not goes_on():
            raise InterruptedError
        part = path.with_name(f"_{path.name}.{uuid.uuid4().hex}")
        with self._at(path) as (system, there):
            unfinished = self._path(part)
            try:
                system.copyFromLocalFile(False, True, self._local(file), unfinished)
                if system.exists(there):
                    system.delete(there, False)
                if not system.rename(unfinished, there):
                    raise OSError(errno.EIO, "it cannot be given its name", str(path))
            except BaseException:
                system.delete(unfinished, False)
                raise

    def copy(self, source: S3Path, target: S3Path) -> None:
        with self._at(source) as (system, there), self._at(target) as (other, goal):
            self._java.org.apache.hadoop.fs.FileUtil.copy(system, there, other, goal, False, self._configuration)

    def delete(self, path: S3Path) -> None:
        with self._at(path) as (system, there):
            system.delete(there, False)
            folder = there.getParent()
            if path.parent.name.startswith(".") and system.exists(folder) and not len(system.listStatus(folder)):
                system.delete(folder, False)

    def drop_uploads(self, path: S3Path) -> None:
        for key in self.listed(path, deep=True).keys:
            if key.rpartition("/")[2].startswith("_"):
                self.delete(replace(path, key=key))

    def _path(self, path: S3Path) -> Any:
        return self._java.org.apache.hadoop.fs.Path(path.bucket, f"/{path.key}")

    def _local(self, path: Path) -> Any:
        return self._java.org.apache.hadoop.fs.Path("file", "", str(path.absolute()))

    @contextmanager
    def _at(self, path: S3Path) -> Iterator[tuple[Any, Any]]:
        """Its file system, and the path as Java has it. Errors of Java become OSError, and WrongConfiguration."""
        from py4j.protocol import Py4JError, Py4JJavaError

        try:
            there = self._path(path)
            yield there.getFileSystem(self._configuration), there
        except Py4JJavaError as error:
            raise self._told(error.java_exception, path) from None
        except Py4JError:
            raise OSError(errno.EIO, "the Java process of Spark does not answer", str(path)) from None

    def _told(self, thrown: Any, path: S3Path) -> OSError | WrongConfiguration:
        kind, said = str(thrown.getClass().getSimpleName()), str(thrown.getMessage() or "").partition("\n")[0][:_LONGEST]
        why = without_secrets(f"{kind}: {said}" if said else kind, self._secrets).rstrip(". ")
        if kind == "UnsupportedFileSystemException" or kind == "ClassNotFoundException" or "No FileSystem for scheme" in said or "ClassNotFoundException" in said:
            return NoFileSystem(path.bucket, why)
        if kind == "FileNotFoundException":
            return FileNotFoundError(errno.ENOENT, "no such file", str(path))
        if kind in ("AccessControlException", "AccessDeniedException"):
            return PermissionError(errno.EACCES, f"the file system refuses it ({why})", str(path))
        if kind in ("ConnectException", "UnknownHostException", "NoRouteToHostException", "SocketTimeoutException", "ConnectTimeoutException", "IllegalArgumentException"):
            return OSError(errno.EHOSTUNREACH, f"the file system cannot be reached ({why})", str(path))
        return OSError(errno.EIO, why, str(path))
