"""Which format a file is in, by its first bytes and never by its name."""

from __future__ import annotations

import re
import zipfile
from enum import Enum, auto

from aggregator.inputs.export import Source, unusable
from aggregator.inputs.sources.zipped import refuse_large_directory, sound_archive

_LOOKED_AT = 4096
_XML = re.compile(rb"\s*<(?:\?xml|!DOCTYPE|!--|[A-Za-z_][\w.-]*[\s:>/])", re.IGNORECASE)
_ENCODINGS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))


class Format(Enum):
    TEXT = auto()
    WORKBOOK = auto()
    MESSAGE = auto()
    PARQUET = auto()
    ZIP = auto()
    GZIP = auto()


def format_of(source: Source) -> Format:
    with source.path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    if start.startswith(b"PAR1"):
        return Format.PARQUET
    if start.startswith(b"\x1f\x8b"):
        return Format.GZIP
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return Format.WORKBOOK
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(source)
    return Format.MESSAGE if _XML.match(_as_ascii(start)) else Format.TEXT


def _kind_of_zip(source: Source) -> Format:
    refuse_large_directory(source.name, source.path)
    with sound_archive(source.name), zipfile.ZipFile(source.path) as archive:
        names = archive.namelist()
        if "mimetype" in names and "META-INF/manifest.xml" in names:
            # As LibreOffice and WPS save by default; taken for an archive, its own parts would be read as inputs.
            raise unusable("F108", source.name, "It is an OpenDocument file (.ods): save it as .xlsx or CSV.", "该文件为OpenDocument格式（.ods），请另存为 .xlsx 或CSV。")
        return Format.WORKBOOK if "[Content_Types].xml" in names else Format.ZIP


def _as_ascii(start: bytes) -> bytes:
    for mark, encoding in _ENCODINGS:
        if start.startswith(mark):
            return start[len(mark) :].decode(encoding, "ignore").encode("ascii", "replace")
    return start
