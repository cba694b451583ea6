"""What the reader of workbooks does not tell: rows that are hidden, cells that hold an error, the day that days are counted
from. Taken from the parts of an .xlsx file, which are looked through as a stream; its sizes are checked first."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from aggregator.read.export import Source, unusable
from aggregator.read.unpack import MOST_BYTES, MOST_MEMBERS, MOST_TIMES
from aggregator.read.zipped import sound_archive

_SMALL = 64 << 20
_PIECE = 1 << 20
_OVERLAP = 1 << 12
"""Longer than any row's or error cell's tag."""
_HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\b(?=[^>]*\shidden=["'](?:1|true)["'])[^>]*\sr=["'](\d+)["']""")
_ERROR = re.compile(rb"""<(?:\w+:)?c\b(?=[^>]*\st=["']e["'])[^>]*\sr=["']([A-Z]+)(\d+)["'][^>]*>.*?<(?:\w+:)?v>([^<]*)<""", re.DOTALL)


@dataclass(frozen=True)
class Parts:
    """Of one sheet: row numbers of hidden rows; (row number, column from 0) to the error a cell holds."""

    from_1904: bool = False
    hidden_rows: tuple[int, ...] = ()
    errors: dict[tuple[int, int], str] = field(default_factory=dict)


def refuse_bomb(source: Source) -> None:
    """A workbook is unpacked in memory: what would not fit is refused before."""
    with sound_archive(source.name), zipfile.ZipFile(source.path) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
    packed = source.path.stat().st_size
    if len(members) > MOST_MEMBERS or size > MOST_BYTES or size > max(packed * MOST_TIMES, _SMALL):
        raise unusable("F109", source.name, f"Unpacked it has {size:,} bytes, from {packed:,}.", f"解压后 {size:,} 字节，压缩后 {packed:,} 字节。")


def parts_of(source: Source, sheet: str) -> Parts:
    with sound_archive(source.name), zipfile.ZipFile(source.path) as archive:
        try:
            workbook = _xml(archive, "xl/workbook.xml")
            path = _path_of(archive, workbook, sheet)
            hidden: set[int] = set()
            errors: dict[tuple[int, int], str] = {}
            for piece in _pieces(archive, path):
                hidden.update(int(match[1]) for match in _HIDDEN_ROW.finditer(piece))
                for match in _ERROR.finditer(piece):
                    errors[int(match[2]), _column(match[1])] = match[3].decode("utf-8", "replace")
        except (KeyError, StopIteration, etree.XMLSyntaxError):
            raise unusable("F108", source.name, "Its parts do not fit together.", "工作簿内部结构不完整。") from None
    dates = next(workbook.iter("{*}workbookPr"), None)
    return Parts(dates is not None and dates.get("date1904") in ("1", "true"), tuple(sorted(hidden)), errors)


def _xml(archive: zipfile.ZipFile, path: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    return etree.fromstring(archive.read(path), parser)


def _path_of(archive: zipfile.ZipFile, workbook: Any, name: str) -> str:
    sheet = next(each for each in workbook.iter("{*}sheet") if each.get("name") == name)
    reference = next(value for key, value in sheet.attrib.items() if etree.QName(key).localname == "id" and key != "sheetId")
    relations = _xml(archive, "xl/_rels/workbook.xml.rels")
    target = next(each.get("Target") for each in relations.iter("{*}Relationship") if each.get("Id") == reference)
    return str(posixpath.normpath(posixpath.join("/xl", target))).lstrip("/")


def _pieces(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """The part in pieces that overlap."""
    before = b""
    with archive.open(path) as part:
        while piece := part.read(_PIECE):
            yield before + piece
            before = piece[-_OVERLAP:]


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
