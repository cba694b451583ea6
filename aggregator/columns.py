"""`aggregator columns`: which heading of an export goes to which column, what is missing, and what it may be called there."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path

from aggregator.errors import UnusableInput
from aggregator.params import Params
from aggregator.read.headings import known_headings, missing_columns, normalised
from aggregator.read.scan import CsvFile, open_csv

_VALUES_SHOWN = 3
_ALIKE = 0.6
"""From which likeness (of difflib) a heading is suggested."""
_HEAD_BYTES = 1 << 18


@dataclass(frozen=True)
class Heading:
    """`column` is blank where the heading is not used; `by_config`: the config maps it; `values`: the first ones, as they
    stand in the file."""

    heading: str
    column: str
    by_config: bool
    known: bool
    values: tuple[str, ...]


@dataclass(frozen=True)
class FileColumns:
    """`missing`: required columns that the file lacks, each with the heading of it that may be meant (blank if none is alike)."""

    file: str
    encoding: str
    delimiter: str
    headings: tuple[Heading, ...]
    missing: dict[str, str]


def columns_of(params: Params, path: Path) -> FileColumns:
    """Of one file. What says what is cleared is missed too, unless receipts or the user's word say it."""
    file = _opened(params, path)
    column_at = {place: column for column, place in file.matched.places.items()}
    mapped = {normalised(heading) for _, heading in params.columns}
    rows = _first_rows(file)
    headings = tuple(
        Heading(
            heading.strip(),
            column_at.get(place, ""),
            normalised(heading) in mapped,
            place not in file.matched.unknown,
            tuple(row[place] for row in rows if place < len(row)),
        )
        for place, heading in enumerate(file.headings)
    )
    given = {*file.columns, *(column for column, _ in params.constants)}
    missing = missing_columns(given, clearing_known=bool(params.receipts) or params.assume_cleared)
    unused = [each.heading for each in headings if not each.column and each.heading]
    return FileColumns(file.name, file.encoding, file.delimiter, headings, suggestions(missing, unused))


def _opened(params: Params, path: Path) -> CsvFile:
    try:
        return open_csv(path, params.columns, params.chunk_bytes)
    except UnusableInput:
        # Nothing of it is known, perhaps: then what it holds is what there is to show.
        return open_csv(path, params.columns, params.chunk_bytes, least_known=0)


def _first_rows(file: CsvFile) -> list[list[str]]:
    if not file.blocks:
        return []
    with file.path.open("rb") as source:
        source.seek(file.blocks[0].start)
        text = source.read(_HEAD_BYTES).decode(file.encoding, errors="replace")
    return list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=file.delimiter), _VALUES_SHOWN))


def suggestions(missing: list[str], headings: list[str]) -> dict[str, str]:
    """For each missing column the heading most like one that is known for it; no heading is suggested twice."""
    known: dict[str, list[str]] = {column: [] for column in missing}
    for heading, column in known_headings().items():
        if column in known:
            known[column].append(heading)
    alike = [
        (max(SequenceMatcher(None, normalised(heading), each).ratio() for each in known[column]), column, heading)
        for column in missing
        for heading in headings
    ]
    found = dict.fromkeys(missing, "")
    for likeness, column, heading in sorted(alike, key=lambda each: (-each[0], each[1], each[2])):
        if likeness >= _ALIKE and not found[column] and heading not in found.values():
            found[column] = heading
    return found
