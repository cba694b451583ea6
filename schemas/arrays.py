"""Kinds of numpy arrays, and what Arrow's lack."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


_A_STRETCH = 500
"""Rows of a stretch, on the average, from which on it pays to copy it as a whole."""
_GLANCE = 4096


def constant(value: str, length: int) -> pa.Array:
    """A dictionary encoded column with the same text on every line."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(length, dtype=np.int32)), pa.array([value], pa.string()))


def only_given(table: pa.Table, columns: Iterable[str]) -> pa.Table:
    """Those of the columns that the table has, in this order."""
    return table.select([name for name in columns if name in table.column_names])


def rows_at(table: pa.Table, places: Ints) -> pa.Table:
    """The rows at these places. Where they are long stretches of the table, as nearly always, those are copied as they stand: one by one rows take
    twice as long. All of them are not copied at all."""
    begins = np.flatnonzero(np.append(True, np.diff(places) != 1)) if len(places) else np.zeros(0, dtype=np.int64)
    if len(begins) * _A_STRETCH > len(places) or not len(places):
        return table.take(pa.array(places)).combine_chunks()
    lengths = np.diff(begins, append=len(places)).tolist()
    stretches = [table.slice(start, length) for start, length in zip(places[begins].tolist(), lengths, strict=True)]
    return stretches[0] if len(stretches) == 1 else pa.concat_tables(stretches).combine_chunks()


def compact(column: pa.Array) -> pa.Array:
    """A dictionary encoded column without the values that no row has (any longer); other columns as they are."""
    if not pa.types.is_dictionary(column.type):
        return column
    size = len(column.dictionary)
    # Of the few values that most columns have the first rows have all.
    for indices in (column.indices.slice(0, _GLANCE), column.indices):
        stands = np.zeros(size + 1, dtype=bool)
        stands[indices.fill_null(size).to_numpy()] = True
        used = stands[:size]
        if used.all():
            return column
    place = pa.array(np.cumsum(used, dtype=np.int32) - 1, mask=~used)
    return pa.DictionaryArray.from_arrays(place.take(column.indices), column.dictionary.filter(pa.array(used)))


def without(column: pa.Array, dropped: Mask) -> pa.Array:
    """A column of text, dictionary encoded or not, with nothing on some rows. Its bytes are not copied."""
    if not dropped.any():
        return column
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(without(column.indices, dropped), column.dictionary)
    valid = ~dropped if not column.null_count else ~dropped & column.is_valid().to_numpy(zero_copy_only=False)
    # Its buffers may begin before it.
    bits = _bits(np.concatenate([np.zeros(column.offset, dtype=bool), valid]))
    return pa.Array.from_buffers(column.type, len(column), [bits, *column.buffers()[1:]], offset=column.offset)


def spread(column: pa.Array, stands: Mask, valid: Mask) -> pa.Array:
    """A column of text without nulls, dictionary encoded or not, on more rows: `stands` says where its values belong, in order, and
    `valid` which rows have any. Its bytes are not copied."""
    if pa.types.is_dictionary(column.type):
        return pa.DictionaryArray.from_arrays(_on_rows(column.indices, stands, valid), column.dictionary)
    bounds = np.frombuffer(column.buffers()[1] or bytes(4), dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    lengths = np.zeros(len(stands) + 1, dtype=np.int32)
    lengths[0], lengths[1:][stands] = bounds[0], np.diff(bounds)
    offsets = pa.py_buffer(np.cumsum(lengths, dtype=np.int32))
    return pa.Array.from_buffers(column.type, len(stands), [_bits(valid), offsets, column.buffers()[2]])


def _on_rows(numbers: pa.Array, stands: Mask, valid: Mask) -> pa.Array:
    values = np.zeros(len(stands), dtype=np.int32)
    values[stands] = numbers.to_numpy()
    return pa.Array.from_buffers(pa.int32(), len(stands), [_bits(valid), pa.py_buffer(values)])


def _bits(mask: Mask) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little"))
