"""`aggregator columns`: which heading of an export goes to which column, what is missing, and what it may be called there."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

import numpy as np

from aggregator.inputs.export import Export, Source
from aggregator.inputs.formats.csv import read_block
from aggregator.inputs.formats.spool import batch_length, spooled_cells
from aggregator.inputs.inputs import reading
from aggregator.inputs.open import open_exports
from aggregator.inputs.sources.room import Room, temporary_room
from aggregator.inputs.sources.unpack import sources_of
from aggregator.inputs.tables.headings import known_headings, missing_columns, normalised
from aggregator.model.errors import UnusableInput
from aggregator.model.settings import ReadSettings
from aggregator.schemas.field import Dictionary

_VALUES_SHOWN = 3
_ALIKE = 0.6
"""From which likeness (of difflib) a heading is suggested."""
_MOST_HEADINGS = 500
"""That are looked at for suggestions: no sound export has so many."""
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
    """`above`: values given above the headings. `missing`: required columns that the file lacks, each with the heading of it that may be meant (blank if none is alike)."""

    file: str
    format: str
    encoding: str
    sheet: str
    headings: tuple[Heading, ...]
    above: tuple[str, ...]
    missing: dict[str, str]


def columns_of(settings: ReadSettings) -> list[FileColumns]:
    """Of every export of the inputs. What says what is cleared is missed too, unless receipts or the user's word say it."""
    with temporary_room(settings.spool_limit, settings.work_dir) as room:
        found = []
        for source in sources_of(settings.inputs, room):
            found += [_columns(settings, export) for export in _opened(source, settings, room)]
        return found


def _columns(settings: ReadSettings, file: Export) -> FileColumns:
    column_at = {place: column for column, place in file.matched.places.items()}
    mapped, unknown = {normalised(heading) for _, heading in settings.columns}, set(file.matched.unknown)
    rows = _first_rows(file)
    headings = tuple(
        Heading(
            heading.strip(),
            column_at.get(place, ""),
            normalised(heading) in mapped,
            place not in unknown,
            tuple(row[place] for row in rows if place < len(row)),
        )
        for place, heading in enumerate(file.headings)
    )
    given = {*file.columns, *(column for column, _ in settings.constants)}
    missing = missing_columns(settings.mode.dictionary, given, clearing_known=settings.clearing_known)
    unused = [each.heading for each in headings if not each.column and each.heading]
    above = tuple(f"{settings.mode.dictionary[column].headings[0]} = {value}" for column, value in file.head_values)
    return FileColumns(file.name, file.format, file.encoding, file.sheet, headings, above, suggestions(settings.mode.dictionary, missing, unused))


def _opened(source: Source, settings: ReadSettings, room: Room) -> list[Export]:
    try:
        return list(open_exports([source], reading(settings, room)))
    except UnusableInput:
        # Nothing of it is known, perhaps: then what it holds is what there is to show.
        return list(open_exports([source], reading(settings, room, least_known=0)))


def _first_rows(file: Export) -> list[list[str]]:
    if not file.blocks:
        return []
    block = file.blocks[0]
    if file.dialect is None:
        shown = spooled_cells(file, block, np.arange(min(_VALUES_SHOWN, batch_length(file, block))))
        return [[cell or "" for cell in row.values()] for row in shown.to_pylist()]
    text = read_block(file, block)[:_HEAD_BYTES].decode(file.encoding, errors="replace")
    return list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=file.dialect.delimiter), _VALUES_SHOWN))


def suggestions(dictionary: Dictionary, missing: list[str], headings: list[str]) -> dict[str, str]:
    """For each missing column the heading most like one that is known for it; no heading is suggested twice."""
    known: dict[str, list[str]] = {column: [] for column in missing}
    for heading, column in known_headings(dictionary).items():
        if column in known:
            known[column].append(heading)
    alike = []
    for heading in headings[:_MOST_HEADINGS]:
        matcher = SequenceMatcher(None, "", normalised(heading))
        for column in missing:
            likeness = max((_likeness(matcher, each) for each in known[column]), default=0.0)
            if likeness >= _ALIKE:
                alike.append((likeness, column, heading))
    found = dict.fromkeys(missing, "")
    for _, column, heading in sorted(alike, key=lambda each: (-each[0], each[1], each[2])):
        if not found[column] and heading not in found.values():
            found[column] = heading
    return found


def _likeness(matcher: SequenceMatcher[str], known: str) -> float:
    """0 where it is too little to be told: bounds of it are known sooner."""
    matcher.set_seq1(known)
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE else 0.0
