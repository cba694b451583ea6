"""Files of archives and of standard input become files of their own, in a room that is removed at the end.

All input is hostile: a small archive may hold more than a disk, and its names may point anywhere. Nothing is unpacked under a
name of its own, and what goes beyond the caps is refused before it is written.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from threading import Event
from typing import BinaryIO

from aggregator.inputs.export import Source, unusable
from aggregator.inputs.sources.files import STANDARD_INPUT, Meant, is_export, meant, standard_input
from aggregator.inputs.sources.room import Room
from aggregator.inputs.sources.sniff import Format, format_of
from aggregator.inputs.sources.unchanged import changed, changes_explain, held, stood
from aggregator.inputs.sources.zipped import sound_archive
from aggregator.model.errors import UnusableInput, cannot_be_read
from aggregator.model.names import told
from aggregator.model.remote import AnyPath, HadoopPath, S3Path
from aggregator.model.small import is_pipe, pieces_of
from aggregator.places.hadoop import hadoop

MOST_BYTES = 2 << 30
MOST_TIMES = 200
"""How many times its packed size a file may have: real exports have ten to forty times, bombs a thousand."""
MOST_MEMBERS = 10_000
_SMALL = 16 << 20
"""Up to this size the ratio says nothing."""
_PIECE = 1 << 20
_AHEAD = 8
"""Objects fetched at once."""


def sources_of(arguments: Iterable[AnyPath], room: Room) -> Iterator[Source]:
    """The files that the arguments mean, those of archives unpacked. Raises what says what to do."""
    for _, source in taken_in(arguments, room):
        yield from unpacked(source, room)


def taken_in(arguments: Iterable[AnyPath], room: Room) -> Iterator[tuple[Meant, Source]]:
    """The files that the arguments mean, on this machine. What comes once, or from elsewhere, is spooled; of the latter the next few
    are fetched meanwhile: there may be thousands, and each takes its time to answer."""
    waiting, stopped = deque[tuple[Meant, Future[Path] | None]](), Event()
    with ThreadPoolExecutor(_AHEAD) as pool:
        try:
            for each in meant(arguments):
                waiting.append((each, None if isinstance(each.path, Path) else pool.submit(_fetched, each.path, room.new_file(".input"), room, stopped)))
                if len(waiting) > _AHEAD:
                    yield _arrived(*waiting.popleft(), room)
            while waiting:
                yield _arrived(*waiting.popleft(), room)
        finally:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _arrived(each: Meant, fetched: Future[Path] | None, room: Room) -> tuple[Meant, Source]:
    if fetched is not None:
        return each, Source(fetched.result(), told(str(each.path)), each.argument, each.named)
    assert isinstance(each.path, Path)
    return each, _on_disk(each, each.path, room)


def _on_disk(each: Meant, path: Path, room: Room) -> Source:
    if path == STANDARD_INPUT:
        return Source(_spooled("-", iter(partial(standard_input().read, _PIECE), b""), room.new_file(".input"), room), "-", "-")
    if is_pipe(path):
        return Source(_piped(path, room), told(path), each.argument, each.named)
    return Source(path, told(path), each.argument, each.named, stood=stood(path))


def unpacked(source: Source, room: Room) -> Iterator[Source]:
    """A file as it is, or the files of an archive."""
    try:
        with changes_explain(source):
            kind = format_of(source)
            if kind is Format.ZIP:
                yield from _members(source, room)
            elif kind is Format.GZIP:
                yield _plain(source, room)
            else:
                yield source
    except OSError as error:
        raise cannot_be_read(source.name, error) from None


def _piped(path: Path, room: Room) -> Path:
    try:
        return _spooled(told(path), pieces_of(path, pipes=True), room.new_file(".input"), room)
    except OSError as error:
        raise cannot_be_read(told(path), error) from None


def _fetched(path: S3Path, copy: Path, room: Room, stopped: Event) -> Path:
    if isinstance(path, HadoopPath):
        return _fetched_by_hadoop(path, copy, room)
    # It takes its time to load.
    from aggregator.places.objects import pieces_of as pieces_of_object

    try:
        return _spooled(told(str(path)), takewhile(lambda _: not stopped.is_set(), pieces_of_object(path)), copy, room)
    except OSError as error:
        raise cannot_be_read(told(str(path)), error) from None


def _fetched_by_hadoop(path: HadoopPath, copy: Path, room: Room) -> Path:
    try:
        if not hadoop().fetch(path, copy, room.most_spooled):
            raise _too_much(told(str(path)), room)
    except OSError as error:
        raise cannot_be_read(told(str(path)), error) from None
    return copy


def _too_much(name: str, room: Room) -> UnusableInput:
    most = f"{room.most_spooled / (1 << 20):,.0f} MiB"
    return UnusableInput(
        f"{name}: more than {most} came, and no end. Write it to a file first, or raise --spool-limit.",
        f"{name}：数据已超过 {most} 仍未结束。请先写入文件，或调高 --spool-limit。",
    )


def _spooled(name: str, pieces: Iterator[bytes], path: Path, room: Room) -> Path:
    """Something without an end is refused before it fills the disk."""
    size = 0
    with path.open("wb") as sink:
        for piece in pieces:
            size += len(piece)
            if size > room.most_spooled:
                raise _too_much(name, room)
            sink.write(piece)
    return path


def _plain(source: Source, room: Room) -> Source:
    """Of a .gz file."""
    path = room.new_file(".input")
    with held(source, room) as copy:
        if format_of(copy) is not Format.GZIP:
            raise changed(source.name)
        try:
            with gzip.open(copy.path, "rb") as file:
                _copy(source.name, file, path, copy.path.stat().st_size)
        except EOFError:
            raise unusable("F108", source.name, "The archive is cut off before its end.", "压缩文件在结尾之前被截断。") from None
        except (gzip.BadGzipFile, zlib.error):
            raise unusable("F108", source.name, "Its contents do not unpack.", "内容无法解压。") from None
    return _once_packed(Source(path, source.name.removesuffix(".gz"), source.origin, source.named, source.name))


def _once_packed(source: Source) -> Source:
    if format_of(source) in (Format.ZIP, Format.GZIP):
        raise unusable("F109", source.name, "It is an archive within an archive.", "压缩文件内仍是压缩文件。")
    return source


def _members(source: Source, room: Room) -> Iterator[Source]:
    with held(source, room) as copy, _opened(copy) as archive:
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]
        if len(members) > MOST_MEMBERS:
            raise unusable("F109", source.name, f"It holds {len(members):,} files.", f"其中有 {len(members):,} 个文件。")
        _refuse_odd_names(source, members)
        exports = [member for member in members if is_export(Path(member.filename)) and not member.filename.startswith("__MACOSX/")]
        if not exports:
            raise unusable("F109", source.name, "It holds no file that can be read.", "其中没有可读取的文件。")
        if sum(member.file_size for member in exports) > MOST_BYTES:
            raise unusable("F109", source.name, "Unpacked it has more than 2 GiB.", "解压后超过 2 GiB。")
        for member in sorted(exports, key=lambda each: each.filename):
            path, name = room.new_file(".input"), f"{source.name}/{member.filename}"
            with sound_archive(name), archive.open(member) as file:
                _copy(name, file, path, member.compress_size)  # type: ignore[arg-type]
            yield _once_packed(Source(path, name, source.name, named=False, packed_in=source.name))


def _opened(source: Source) -> zipfile.ZipFile:
    """Names that are not marked as UTF-8 are GB18030 in archives made in China."""
    with sound_archive(source.name):
        try:
            return zipfile.ZipFile(source.path, metadata_encoding="gb18030")
        except UnicodeDecodeError:
            return zipfile.ZipFile(source.path)


def _refuse_odd_names(source: Source, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if not path.name or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
            raise unusable("F109", source.name, f"It holds the name '{name}'.", f"其中含有文件名“{name}”。")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise unusable("F109", source.name, f"It holds '{twice}' twice.", f"其中“{twice}”出现两次。")


def _copy(name: str, file: BinaryIO | gzip.GzipFile, path: Path, packed: int) -> None:
    size = 0
    with path.open("wb") as sink:
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > MOST_BYTES or size > max(packed * MOST_TIMES, _SMALL):
                raise unusable(
                    "F109", name, f"Unpacked it has more than {size - len(piece):,} bytes, from {packed:,}.",
                    f"解压后超过 {size - len(piece):,} 字节，而压缩后仅 {packed:,} 字节。",
                )  # fmt: skip
            sink.write(piece)
