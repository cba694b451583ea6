"""What the reader of workbooks does not report: rows that are hidden, cells that hold an error or a formula without its value,
texts that are not there, the day that days are counted from. Taken from the parts of an .xlsx file, which are looked through
as a stream; its sizes are checked first (workbook_size.py)."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from aggregator.inputs.export import Source, unusable
from aggregator.inputs.formats.workbook_size import Extent, far_cell
from aggregator.inputs.sources.tags import MOST_TAGS
from aggregator.inputs.sources.zipped import sound_archive
from aggregator.model.errors import UnusableInput

_TRUE = ("1", "true")
_WORKBOOK = "xl/workbook.xml"
_MISFITS = (KeyError, StopIteration, ValueError, etree.XMLSyntaxError)
_PIECE = 1 << 20
_OVERLAP = 1 << 16
"""Longer than any row's tag, or any cell with the longest formula."""
_REST = 1024
"""Bytes of a cell's tag, at the most: without an end each type of a cell would be looked at up to the next tag."""
_LONG_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]{%d}" % _REST)
UNCALCULATED = "#FORMULA?"
"""What is read from a formula whose value nobody saved; the rules refuse it."""
_PREFIX = re.compile(rb"<(\w+:)?worksheet\b")
_REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})(\d{1,7})["']""")


class _Patterns:
    """Of XML whose names have a prefix, or none. All begin with a literal, which makes them fast."""

    def __init__(self, prefix: bytes) -> None:
        formula = rb"<%bf\b[^<>]*(?:/>|>[^<]*</%bf>)\s*" % (prefix, prefix)
        value = rb"<%bv\b[^<>]*" % prefix
        self.hidden_row = re.compile(rb"""<%brow\b(?=[^<>]*\shidden=["'](?:1|true)["'])[^<>]*\sr=["'](\d+)["']""" % prefix)
        self.error = re.compile(rb"""t=["']e["'][^<>]{0,%d}>\s*(?:%b)?(?:%b>([^<]*)<)?""" % (_REST, formula, value))
        self.without_value = re.compile(rb"%b(%b(?:/>|>(0?)</%bv>)\s*)?</%bc>" % (formula, value, prefix, prefix))
        """A formula with no value, a blank one or 0."""
        self.without_text = [
            re.compile(rb"t=%bs%b[^<>]{0,%d}>\s*(?:%b)?%b(?:(?<=/)>|>(?![0-9]{1,9}<)([^<]*)<)" % (quote, quote, _REST, formula, value)) for quote in (b'"', b"'")
        ]
        """A cell whose text stands elsewhere, without the number of it."""


@dataclass(frozen=True)
class Parts:
    """Of one sheet: row numbers of hidden rows; (row number, column from 0) to what a cell without a value is read as."""

    from_1904: bool = False
    hidden_rows: tuple[int, ...] = ()
    spoiled: dict[tuple[int, int], str] = field(default_factory=dict)


def refuse_far(source: Source, sheet: str) -> None:
    """The reader would make room for all cells up to one that stands far from the others. Of parts that do not fit together nothing is
    said here: `parts_of` does."""
    far = ""
    with suppress(*_MISFITS, UnusableInput), sound_archive(source.name), zipfile.ZipFile(source.path) as archive:
        path, extent = _path_of(archive, _xml(archive, _WORKBOOK), sheet), Extent()
        for piece in _pieces(archive, path):
            extent.add(piece)
        far = far_cell(_pieces(archive, path)) if extent.is_far else ""
    if far:
        raise unusable("F108", source.name, f"Sheet {sheet}: the cell {far} stands far from all others.", f"工作表 {sheet}：单元格 {far} 远离其他所有单元格。")


def parts_of(source: Source, sheet: str) -> Parts:
    with sound_archive(source.name), zipfile.ZipFile(source.path) as archive:
        try:
            workbook = _xml(archive, _WORKBOOK)
            never_calculated = any(each.get("fullCalcOnLoad") in _TRUE for each in workbook.iter("{*}calcPr"))
            hidden: set[int] = set()
            spoiled: dict[tuple[int, int], str] = {}
            patterns: _Patterns | None = None
            for piece in _pieces(archive, _path_of(archive, workbook, sheet)):
                patterns = patterns or _patterns(piece)
                _refuse_long_cells(piece)
                if b"hidden=" in piece:
                    hidden.update(int(match[1]) for match in patterns.hidden_row.finditer(piece))
                spoiled.update(_spoiled(piece, patterns, never_calculated=never_calculated))
        except _MISFITS:
            raise unusable("F108", source.name, "Its parts do not fit together.", "工作簿内部结构不完整。") from None
    dates = next(workbook.iter("{*}workbookPr"), None)
    return Parts(dates is not None and dates.get("date1904") in _TRUE, tuple(sorted(hidden)), spoiled)


def _refuse_long_cells(piece: bytes) -> None:
    """Raises ValueError. Where every stretch of half that length has an end of a tag, no tag is so long."""
    half = _REST // 2
    if any(piece.find(b">", start, start + half) < 0 for start in range(0, len(piece), half)) and _LONG_CELL.search(piece):
        raise ValueError


def _patterns(piece: bytes) -> _Patterns:
    """By the beginning of a sheet. Raises ValueError where it is none."""
    root = _PREFIX.search(piece)
    if root is None:
        raise ValueError
    return _Patterns(root[1] or b"")


def _spoiled(piece: bytes, patterns: _Patterns, *, never_calculated: bool) -> Iterator[tuple[tuple[int, int], str]]:
    """Raises ValueError where a cell does not say what it is, or where it stands."""
    for match in patterns.error.finditer(piece) if b't="e"' in piece or b"t='e'" in piece else ():
        yield from _at(_tag_of(piece, match), (match[1] or b"").decode("utf-8", "replace").strip() or UNCALCULATED)
    for match in patterns.without_value.finditer(piece):
        # Who writes a formula without calculating it writes nothing or 0, and asks whoever opens it to calculate.
        tag = _tag_of(piece, match)
        is_text = match[1] is not None and (b'"str"' in tag or b"'str'" in tag)
        if not is_text and (never_calculated or not match[2]):
            yield from _at(tag, UNCALCULATED)
    for pattern in patterns.without_text:
        for match in pattern.finditer(piece):
            if (match[1] or b"").strip():
                raise ValueError
            yield from _at(_tag_of(piece, match), UNCALCULATED)


def _tag_of(piece: bytes, match: re.Match[bytes]) -> bytes:
    """The tag of the cell that a match begins in; blank where it stands in the piece before, which has the whole cell."""
    begin = piece.rfind(b"<", 0, match.start())
    return piece[begin : piece.find(b">", begin)] if begin >= 0 else b""


def _at(tag: bytes, text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Row number and column of a cell, with its text."""
    if tag:
        reference = _REFERENCE.search(tag)
        if reference is None:
            raise ValueError
        yield (int(reference[2]), _column(reference[1])), text


def _xml(archive: zipfile.ZipFile, path: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    data = archive.read(path)
    if data.count(b"<") > MOST_TAGS:
        raise ValueError
    return etree.fromstring(data, parser)


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
