"""Whatever is wrong with the bytes of an archive, said in one way."""

from __future__ import annotations

import errno
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.inputs.export import unusable

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError)


MOST_DIRECTORY_BYTES = 10 << 20
"""Of the list of members at the end of an archive, which is read whole: ten thousand have about one."""
_END, _END_LENGTH, _LONGEST_COMMENT = b"PK\x05\x06", 22, 1 << 16
_END_64, _SIZE_AT, _SIZE_64_AT = b"PK\x06\x06", 12, 40


def refuse_large_directory(name: str, path: Path) -> None:
    """Raise F109 for an archive of very many members, before they are listed."""
    with path.open("rb") as file:
        file.seek(max(file.seek(0, io.SEEK_END) - _END_LENGTH - _LONGEST_COMMENT - 100, 0))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0:
        return
    size = int.from_bytes(tail[at + _SIZE_AT : at + _SIZE_AT + 4], "little")
    if (at_64 := tail.rfind(_END_64, 0, at)) >= 0:
        # The library believes this one, where it is there.
        size = int.from_bytes(tail[at_64 + _SIZE_64_AT : at_64 + _SIZE_64_AT + 8], "little")
    if size > MOST_DIRECTORY_BYTES:
        raise unusable("F109", name, f"The list of its members has {size:,} bytes.", f"其成员列表有 {size:,} 字节。")


@contextmanager
def sound_archive(name: str) -> Iterator[None]:
    """Raises F108 for what a zip file that is damaged or protected makes the library raise."""
    try:
        yield
    except _DAMAGED:
        raise unusable("F108", name, "Its contents do not unpack.", "内容无法解压。") from None
    except RuntimeError:
        raise unusable("F108", name, "It is protected by a password.", "文件受密码保护。") from None
    except OSError as error:
        # A directory that points before the beginning of the file.
        if error.errno == errno.EINVAL:
            raise unusable("F108", name, "Its contents do not unpack.", "内容无法解压。") from None
        raise
