"""What all samples are made with: columns of text, files of chunks, faults on whole units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.model.disk import replacing
from aggregator.samples.faults import csv_of
from aggregator.schemas.field import Dictionary


def picked(values: list[str], places: Any) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(np.asarray(places, dtype=np.int64)))


def repeated(value: str, count: int) -> pa.Array:
    return picked([value], np.zeros(count, dtype=np.int64))


def digits(numbers: Any, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


def hundredths(numbers: Any) -> pa.Array:
    return _scaled(numbers, 100, 2)


def thousandths(numbers: Any) -> pa.Array:
    return _scaled(numbers, 1000, 3)


def _scaled(numbers: Any, unit: int, width: int) -> pa.Array:
    whole, rest = np.divmod(np.asarray(numbers, dtype=np.int64), unit)
    return pc.binary_join_element_wise(pa.array(whole).cast(pa.string()), digits(rest, width), ".")


def encoded(data: bytes, encoding: str) -> bytes:
    return data if encoding == "utf-8" else data.decode().encode(encoding)


def write_chunks(path: Path, dictionary: Dictionary, columns: tuple[str, ...], chunks: Iterable[pa.Table], *, headings: str, encoding: str) -> None:
    """A file of units that are no inventories. Memory stays with one chunk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = [dictionary[column] for column in columns]
    names = [(field.headings[0] if field.headings and headings == "zh" else field.shown) for field in fields]
    with replacing(path) as file:
        file.write((",".join(names) + "\n").encode(encoding))
        for lines in chunks:
            file.write(encoded(csv_of(lines.select(list(columns))), encoding))


def broken(lines: pa.Table, unit: Any, share: float, faults: tuple[tuple[str, Mapping[str, str]], ...], random: np.random.Generator) -> pa.Table:
    """Break this share of the units, one fault each in turn. `unit`: that of each line; a fault is a name and the cells it brings."""
    chosen = np.flatnonzero(random.random(int(unit[-1]) + 1) < share)
    for place, (_, cells) in enumerate(faults):
        mask = pa.array(np.isin(unit, chosen[place :: len(faults)]))
        for column, value in cells.items():
            lines = lines.set_column(lines.column_names.index(column), column, pc.if_else(mask, value, lines[column]))
    return lines
