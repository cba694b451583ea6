"""Columns with values but no heading. They are not used, and that is reported; where a column that declarations depend on is
missing at the same time, it may be that one, and the file is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.export import Export, FileFinding, TextChunk, Unnamed, column_letter, unusable
from aggregator.inputs.tables.headings import normalised
from aggregator.inputs.tables.row import could_be
from aggregator.model.errors import UnusableInput
from aggregator.schemas.field import Dictionary, Field, Use


def places_to_read(file: Export) -> dict[str, int]:
    """Names and positions of all columns to be read: the matched ones, and those without a heading."""
    without = [place for place, heading in enumerate(file.headings) if not normalised(heading)]
    return {**file.matched.places, **{_name(place): place for place in without}}


def _wanted(dictionary: Dictionary) -> list[Field]:
    """Fields that declarations depend on."""
    return [field for field in dictionary.fields if field.use is not Use.OTHER]


def _name(place: int) -> str:
    return f"unnamed {place}"


def set_apart(chunk: TextChunk, file: Export) -> TextChunk:
    """The chunk with nothing but matched columns, and what stands in those without a heading."""
    places = {name: place for name, place in places_to_read(file).items() if name not in file.matched.places}
    if not places:
        return chunk
    found = []
    # By name each column is looked for among all.
    columns = dict(zip(chunk.lines.column_names, chunk.lines.columns, strict=True))
    for name, place in places.items():
        values = pc.fill_null(pc.utf8_trim_whitespace(columns[name].combine_chunks()), "")
        given = np.flatnonzero(pc.not_equal(values, "").to_numpy(zero_copy_only=False))
        if len(given):
            first = int(given[0])
            fitting = _could_be(file.dictionary, values.take(pa.array(given)), chunk.rows[given])
            found.append(Unnamed(place, int(chunk.rows[first]), values[first].as_py(), fitting))
    return replace(chunk, lines=chunk.lines.select([at for at, name in enumerate(columns) if name not in places]), unnamed=tuple(found))


def _could_be(dictionary: Dictionary, values: pa.Array, rows: np.ndarray[Any, Any]) -> frozenset[str]:
    if _count_rows(values, rows):
        return frozenset()
    distinct = pc.unique(values).to_pylist()
    return frozenset(field.column for field in _wanted(dictionary) if any(could_be(value, field) for value in distinct))


def _count_rows(values: pa.Array, rows: np.ndarray[Any, Any]) -> bool:
    if not pc.all(pc.match_substring_regex(values, r"\A[0-9]{1,9}\z")).as_py():
        return False
    numbers = values.cast(pa.int64()).to_numpy()
    steps = np.diff(numbers)
    return bool(((steps >= 1) & (steps <= np.diff(rows))).all() and numbers[0] <= rows[0])


def findings_about(file: Export, found: Iterable[Unnamed], constants: Iterable[str]) -> tuple[FileFinding, ...]:
    """One finding a column, of all that was found in the parts of a file. Raises UnusableInput where it may be a column that is
    missed.
    """
    columns: dict[int, list[Unnamed]] = {}
    for each in found:
        columns.setdefault(each.place, []).append(each)
    given = {*file.columns, *constants, *file.matched.ruled_out}
    missing = [field for field in _wanted(file.dictionary) if field.column not in given]
    for place in sorted(columns):
        meant = [field for field in missing if any(field.column in each.could_be for each in columns[place])]
        if meant:
            raise refused(file.name, columns[place][0], [f"{field.column} ({field.headings[0]})" for field in meant])
    return tuple(FileFinding("F308", f"{column_letter(place)}: {columns[place][0].value}", columns[place][0].row) for place in sorted(columns))


def refused(name: str, first: Unnamed, missing: Sequence[str]) -> UnusableInput:
    letter = column_letter(first.place)
    return unusable(
        "F118", name, f"Column {letter}, row {first.row}: '{first.value}'. Missing: {', '.join(missing)}.",
        f"{letter} 列第 {first.row} 行：“{first.value}”。缺少：{'、'.join(missing)}。",
    )  # fmt: skip
