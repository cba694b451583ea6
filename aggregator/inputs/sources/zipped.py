"""Whatever is wrong with the bytes of an archive, said in one way."""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from aggregator.inputs.export import unusable

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError)


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
