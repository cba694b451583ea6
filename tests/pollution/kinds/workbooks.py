"""What stands in cells of a workbook beside text, and what its parts may say wrongly."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import cycle

from aggregator.samples.shapes.formats import as_zip
from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.dialects import Cell, Dialect, Formula, Grid, workbook_of
from tests.pollution.pollution import Pollution, kind
from tests.pollution.truth import COLUMNS, PLACES, ROWS, Rows, rows_with

_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
_SHEET, _STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def workbooks(dialect: Dialect) -> bool:
    return dialect.format == "workbook"


def _turns(round_no: int) -> Iterator[tuple[str, int]]:
    turns = cycle(PLACES.items())
    for _ in range(round_no):
        next(turns)
    return turns


def _cell(line: int, column: str, cell: Cell) -> Callable[[Grid, Dialect], Grid]:
    return lambda grid, _: grid.put(line, column, cell) if grid.has(column) else grid


def _part(name: str, change: Callable[[str], str]) -> Callable[[bytes, Dialect], bytes]:
    def make(data: bytes, _: Dialect) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {each: archive.read(each) for each in archive.namelist()}
        return as_zip({**members, name: change(members[name].decode()).encode()})

    return make


@kind
def number_cells(round_no: int) -> Iterator[Pollution]:
    """Whatever looks like a number kept as one: in one line, or in all."""
    turns = _turns(round_no)
    for column in COLUMNS:
        called, line = next(turns)
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", ROWS[line][column]):
            yield Pollution(f"{called}.{column}.one", grid=_cell(line, column, float(ROWS[line][column])), fits=workbooks)

        def all_of_them(grid: Grid, _: Dialect, column: str = column) -> Grid:
            for place, row in enumerate(ROWS):
                if re.fullmatch(r"[0-9]+(\.[0-9]+)?", row[column]) and grid.has(column):
                    grid = grid.put(place, column, float(row[column]))
            return grid

        if any(re.fullmatch(r"[0-9]+(\.[0-9]+)?", row[column]) for row in ROWS):
            yield Pollution(f"{column}.all", grid=all_of_them, fits=workbooks)
        for value in (2.2442026e17, 1.5, 3.3000000000000003, -1.0, 1e-7)[(COLUMNS.index(column) + round_no) % 2 :: 2]:
            text = {1.5: "1.5", 3.3000000000000003: "3.3", -1.0: "-1", 1e-7: "0.0000001"}.get(value, "")
            called, line = next(turns)
            meant = rows_with(line, **{column: text})
            yield Pollution(f"{called}.{column}.{value}", grid=_cell(line, column, value), looks_like=(meant,) if text else (), fits=workbooks)


@kind
def error_cells(round_no: int) -> Iterator[Pollution]:
    turns, errors = _turns(round_no), cycle(_ERRORS)
    for column in COLUMNS:
        for _ in range(3):
            (called, line), error = next(turns), next(errors)
            yield Pollution(f"{called}.{column}.{error.strip('#!?').replace('/', '')}", grid=_cell(line, column, Formula("=1/0", error)), fits=workbooks)


@kind
def formula_cells(round_no: int) -> Iterator[Pollution]:
    """With a value kept, be it no text, they are as good as text; without one nobody knows what they say."""
    turns = _turns(round_no)
    for column in COLUMNS:
        called, line = next(turns)
        value = ROWS[line][column]
        yield Pollution(f"{called}.{column}.kept", grid=_cell(line, column, Formula('=IF(1,"x")', value or "x")), truths=(ROWS, rows_with(line, **{column: value or "x"})), fits=workbooks)
        called, line = next(turns)
        blank = rows_with(line, **{column: ""})
        yield Pollution(f"{called}.{column}.empty", grid=_cell(line, column, Formula("=B2&C2", "")), looks_like=(blank,), fits=workbooks)
        called, line = next(turns)
        yield Pollution(f"{called}.{column}.without", grid=_cell(line, column, Formula("=B2*C2", 0)), data=_part(_SHEET, lambda xml: xml.replace("<f>B2*C2</f><v>0</v>", "<f>B2*C2</f>")), fits=workbooks)


@kind
def truth_and_date_cells(round_no: int) -> Iterator[Pollution]:
    turns = _turns(round_no)
    for column in COLUMNS:
        for way, cell in {"true": True, "date": datetime(2026, 10, 2), "moment": datetime(2026, 10, 2, 10, 30)}.items():  # noqa: DTZ001
            called, line = next(turns)
            text = {"true": "TRUE", "date": "2026-10-02", "moment": "2026-10-02 10:30:00"}[way]
            is_name = M9610.dictionary.by_column[column].kind in ("text", "given")
            wordy = [text] if way == "true" else [text, "2026-10-02 00:00:00", "2026-10-02 00:00:00.000", "46297"] if way == "date" else [text, "2026-10-02 10:30:00.000"]
            meant = [rows_with(line, **{column: each}) for each in wordy] if is_name or M9610.dictionary.by_column[column].kind == "time" else []
            yield Pollution(f"{called}.{column}.{way}", grid=_cell(line, column, cell), truths=(ROWS, *meant, ROWS), fits=workbooks)


def _merged(column: str, first: int, last: int, kept: int = 0) -> Callable[[Grid], bytes]:
    """Cells of a column merged, lines `first` to `last`; `first` -1 begins with the heading."""

    def book(grid: Grid) -> bytes:
        if not grid.has(column):
            return workbook_of(grid)
        place = grid.place(column)
        cells = [list(row) for row in grid.cells]
        for line in range(first + 1, last + 1):
            cells[grid.first + line][place] = None
        return workbook_of(grid.with_cells(cells), [(grid.first + first, grid.first + last, place)])

    return book


@kind
def merged_cells(round_no: int) -> Iterator[Pollution]:
    """Down an inventory they say what its lines have in common; over its border they say what is not so."""
    inside, across = ((0, 2), (4, 7), (5, 6), (8, 9), (13, 14), (16, 18), (20, 21)), ((2, 3), (0, 3), (3, 4), (9, 10), (12, 13), (14, 16), (19, 21))
    for number, column in enumerate(COLUMNS):
        for spans, called in ((inside, "inside"), (across, "across")):
            for step in range(2):
                first, last = spans[(number * 2 + step + round_no) % len(spans)]
                spread = [{**row, column: ROWS[first][column]} if first <= place <= last else row for place, row in enumerate(ROWS)]
                blank: Rows = [{**row, column: ""} if first < place <= last else row for place, row in enumerate(ROWS)]
                # Where all it says is as sound as the truth, it may be believed; a blank below means one, where blanks are allowed.
                yield Pollution(f"{column}.{called}.{first}-{last}", book=_merged(column, first, last), looks_like=(spread, blank, *([ROWS] if called == "inside" else [])), fits=workbooks)
        yield Pollution(f"{column}.with-heading", book=_merged(column, -1, 0), looks_like=(rows_with(0, **{column: ""}),), fits=workbooks)


@kind
def cells_merged_sideways(round_no: int) -> Iterator[Pollution]:
    def sideways(line: int, place: int) -> Callable[[Grid], bytes]:
        def book(grid: Grid) -> bytes:
            cells = [list(row) for row in grid.cells]
            at = min(place, len(grid.columns) - 2)
            cells[grid.first + line][at + 1] = None
            made = workbook_of(grid.with_cells(cells))
            letters = [_letters(each) + str(grid.first + line + 1) for each in (at, at + 1)]
            return _part(_SHEET, lambda xml: xml.replace("</sheetData>", f'</sheetData><mergeCells count="1"><mergeCell ref="{letters[0]}:{letters[1]}"/></mergeCells>'))(made, Dialect())

        return book

    turns = _turns(round_no)
    for number in range(0, len(COLUMNS) - 1, 2):
        called, line = next(turns)
        blank = rows_with(line, **{COLUMNS[number + 1]: ""})
        yield Pollution(f"{called}.{number}", book=sideways(line, number), looks_like=(blank,), fits=lambda dialect: workbooks(dialect) and dialect.frame != "values")


def _letters(place: int) -> str:
    return chr(65 + place) if place < 26 else chr(64 + place // 26) + chr(65 + place % 26)


@kind
def parts_of_a_workbook(round_no: int) -> Iterator[Pollution]:
    """Its XML says something else than cells and texts in their places."""
    changes: dict[str, tuple[str, Callable[[str], str]]] = {
        "string-index-negative": (_SHEET, lambda xml: _nth(xml, r"<v>\d+</v>", 120 + round_no, "<v>-3</v>")),
        "string-index-too-large": (_SHEET, lambda xml: _nth(xml, r"<v>\d+</v>", 130 + round_no, "<v>99999</v>")),
        "string-index-no-number": (_SHEET, lambda xml: _nth(xml, r"<v>\d+</v>", 140 + round_no, "<v>x</v>")),
        "string-index-blank": (_SHEET, lambda xml: _nth(xml, r"<v>\d+</v>", 150 + round_no, "<v></v>")),
        "string-index-decimal": (_SHEET, lambda xml: _nth(xml, r"<v>(\d+)</v>", 160 + round_no, r"<v>\1.5</v>")),
        "strings-one-lost": (_STRINGS, lambda xml: _nth(xml, r"<si>.*?</si>", 100 + round_no, "")),
        "strings-one-empty": (_STRINGS, lambda xml: _nth(xml, r"<si>.*?</si>", 101 + round_no, "<si/>")),
        "strings-rich": (_STRINGS, lambda xml: re.sub(r"<si><t>([^<]{2})([^<]+)</t></si>", r"<si><r><t>\1</t></r><r><t>\2</t></r></si>", xml)),
        "strings-phonetic": (_STRINGS, lambda xml: re.sub(r"<si><t>([^<]+)</t></si>", r'<si><t>\1</t><rPh sb="0" eb="1"><t>X</t></rPh></si>', xml)),
        "strings-escaped": (_STRINGS, lambda xml: xml.replace(">011<", ">_x0030_11<")),
        "strings-gone": (_STRINGS, lambda xml: re.sub(r"<si>.*</si>", "", xml)),
        "type-unknown": (_SHEET, lambda xml: _nth(xml, r't="s"', 126 + round_no, 't="q"')),
        "type-all-lost": (_SHEET, lambda xml: xml.replace(' t="s"', "")),
        "reference-lost": (_SHEET, lambda xml: re.sub(r'<c r="[A-Z]+\d+"', "<c", xml)),
        "reference-one-lost": (_SHEET, lambda xml: _nth(xml, r'<c r="[A-Z]+\d+"', 127 + round_no, "<c")),
        "reference-twice": (_SHEET, lambda xml: _nth(xml, r'<c r="([A-Z]+)7"', 20 + round_no, '<c r="C7"')),
        "reference-of-another-row": (_SHEET, lambda xml: _nth(xml, r'<c r="([A-Z]+)7"', 20 + round_no, r'<c r="\g<1>9"')),
        "reference-wrong": (_SHEET, lambda xml: _nth(xml, r'<c r="([A-Z]+)7"', 21, '<c r="7C"')),
        "row-number-lost": (_SHEET, lambda xml: re.sub(r'<row r="\d+"', "<row", xml)),
        "row-twice": (_SHEET, lambda xml: xml.replace('<row r="9"', '<row r="8"')),
        "rows-out-of-order": (_SHEET, lambda xml: re.sub(r'(<row r="8".*?</row>)(<row r="9".*?</row>)', r"\2\1", xml, flags=re.DOTALL)),
        "row-lost": (_SHEET, lambda xml: re.sub(r'<row r="8".*?</row>', "", xml, flags=re.DOTALL)),
        "dimension-small": (_SHEET, lambda xml: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:B2"', xml)),
        "dimension-huge": (_SHEET, lambda xml: re.sub(r'<dimension ref="[^"]*"', '<dimension ref="A1:XFD1048576"', xml)),
        "inline-strings": (_SHEET, lambda xml: _nth(xml, r' t="s"><v>\d+</v>', 128 + round_no, ' t="inlineStr"><is><t>x7</t></is>')),
        "sheet-closed-early": (_SHEET, lambda xml: xml.replace('<row r="15"', '</sheetData></worksheet><row r="15"')),
        "entity": (_STRINGS, lambda xml: xml.replace("<sst", '<!DOCTYPE sst [<!ENTITY a "899">]><sst', 1).replace(">899<", ">&a;<")),
    }  # fmt: skip
    for name, (part, change) in changes.items():
        yield Pollution(name, data=_part(part, change), fits=workbooks)


def _nth(xml: str, pattern: str, place: int, new: str) -> str:
    """The match at a place replaced."""
    found = list(re.finditer(pattern, xml, re.DOTALL))
    match = found[place % len(found)]
    return xml[: match.start()] + match.expand(new) + xml[match.end() :]
