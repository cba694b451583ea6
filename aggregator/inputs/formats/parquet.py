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
from aggregator.inputs.sources.unpack import MOST_TIMES
from aggregator.inputs.tables.cells import number_text
from aggregator.inputs.tables.sheet import Head, find_head
from aggregator.schemas.field import Field

_ROWS_AT_ONCE = 50_000
_SMALL = 16 << 20
"""Bytes of text that a file of any size may become."""
_EXACT_BELOW = {16: 2**11, 32: 2**24}
"""From here on a floating number of so many bits may stand for its neighbour; one of 64 bits holds more than a cell of a spreadsheet."""


def open_parquet(source: Source, how: Reading) -> Export:
    """Rows are numbered from 2, as if the names of the columns stood in row 1."""
    path = how.room.new_file(".arrow")
    try:
        # A text that many rows share stands once: it is looked at before it stands in each of them.
        with pq.ParquetFile(source.path, read_dictionary=_texts(source)) as file:
            names, rows = file.schema_arrow.names, file.metadata.num_rows
            room = _Room(source, rows * len(names))
            head = _head(source, names, how)
            first = 2
            fields = {place: how.dictionary[column] for column, place in head.matched.places.items()}
            with SpoolWriter(path, len(names), how.chunk_bytes) as spool:
                for batch in file.iter_batches(_ROWS_AT_ONCE):
                    room.take(batch)
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


def _texts(source: Source) -> list[str]:
    schema = pq.read_schema(source.path)
    return [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]


class _Room:
    """How much text a file may become, by its size: where rows are alike, a few bytes stand for any number of them."""

    def __init__(self, source: Source, cells: int) -> None:
        self._source, self._size = source, source.path.stat().st_size
        self._taken = 0
        self._take(cells)

    def take(self, batch: pa.RecordBatch) -> None:
        for column in batch.columns:
            if pa.types.is_dictionary(column.type) and len(column.dictionary):
                lengths = pc.binary_length(column.dictionary.cast(pa.large_string())).cast(pa.int64())
                self._take(pc.sum(lengths.take(column.indices)).as_py() or 0)

    def _take(self, size: int) -> None:
        self._taken += size
        if self._taken > max(self._size * MOST_TIMES, _SMALL):
            raise unusable(
                "F109", self._source.name, f"Unpacked it has more than {self._taken:,} bytes, from {self._size:,}.", f"解压后超过 {self._taken:,} 字节，压缩后 {self._size:,} 字节。"
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
