"""Read Parquet files: typed columns become the text they stand for."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregator.inputs.export import FILE_LINES, Export, Source, unusable
from aggregator.inputs.formats.spool import SpoolWriter
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.unchanged import taken_of
from aggregator.inputs.tables.cells import number_text
from aggregator.inputs.tables.sheet import Head, find_head
from aggregator.schemas.field import Field

_ROWS_AT_ONCE = 50_000
_EXACT_BELOW = {16: 2**11, 32: 2**24}
"""From here on a floating number of so many bits may stand for its neighbour; one of 64 bits holds more than a cell of a spreadsheet."""


def open_parquet(source: Source, how: Reading) -> Export:
    """Rows are numbered from 2, as if the names of the columns stood in row 1."""
    path = how.room.new_file(".arrow")
    try:
        with pq.ParquetFile(source.path) as file:
            names, rows = file.schema_arrow.names, file.metadata.num_rows
            head = _head(source, names, how)
            first = 2
            fields = {place: how.dictionary[column] for column, place in head.matched.places.items()}
            with SpoolWriter(path, len(names), how.chunk_bytes) as spool:
                for batch in file.iter_batches(_ROWS_AT_ONCE):
                    cells = [_text(source, name, batch.column(place), fields.get(place)) for place, name in enumerate(names)]
                    spool.add(cells, np.arange(first, first + batch.num_rows))
                    first += batch.num_rows
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise unusable("F108", source.name, f"{str(error).splitlines()[0]}.", f"{str(error).splitlines()[0]}。") from None
    return Export(
        name=source.name,
        path=path,
        dictionary=how.dictionary,
        format="parquet",
        encoding="",
        headings=head.headings,
        matched=head.matched,
        blocks=tuple(spool.blocks),
        taken=(taken_of(source),),
        reported=head.reported(1),
        physical=((FILE_LINES, rows + 1), ("headings", 1)),
    )


def _head(source: Source, names: list[str], how: Reading) -> Head:
    head = find_head(source.name, [names], how, how.least_known)
    if head is None:
        listed = ", ".join(names)[:500]
        raise unusable("F101", source.name, f"Found: {listed}.", f"列名：{listed}。")
    return head


def _time_text(values: pa.Array) -> pa.Array:
    """Customs' times end with milliseconds: what a file holds below them, as pandas writes it, is left out."""
    unit, zoned = values.type.unit, values.type.tz is not None
    whole = pc.floor_temporal(values.cast(pa.timestamp(unit, "UTC" if zoned else None)), unit="millisecond")
    local = pc.local_timestamp(whole.cast(pa.timestamp("ms", "Asia/Shanghai"))) if zoned else whole.cast(pa.timestamp("ms"))
    return pc.fill_null(pc.strftime(local, "%Y-%m-%d %H:%M:%S"), "")


def _text(source: Source, name: str, values: pa.Array, field: Field | None) -> pa.Array:
    """A column as text: floating numbers like the number cells of a spreadsheet, times in China time, nulls as blanks."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        return _floating_text(values)
    if pa.types.is_timestamp(values.type):
        return _time_text(values)
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        raise unusable("F108", source.name, f"The column {name} is of type {values.type}.", f"列 {name} 的类型为 {values.type}。")
    text = pc.fill_null(values.cast(pa.string()), "")
    text.validate(full=True)
    return _decimal_text(text, field) if pa.types.is_decimal(values.type) else text


def _floating_text(values: pa.Array) -> pa.Array:
    """Whole numbers that the type may have rounded are written with an exponent, which the rules report."""
    exact_below = _EXACT_BELOW.get(values.type.bit_width, math.inf)
    return pa.array(["" if value is None else number_text(float(value), exact_below) for value in values.to_pylist()], pa.string())


def _decimal_text(text: pa.Array, field: Field | None) -> pa.Array:
    """Without zeros at the end that are the type's, not the value's: of amounts those beyond the five decimals of the message
    spec, of codes and counts all, where nothing but zeros follows the point."""
    if field is not None and field.kind != "decimal":
        return pc.replace_substring_regex(text, r"\.0+$", "")
    return pc.replace_substring_regex(text, r"(\.[0-9]{5})0+$", r"\1")
