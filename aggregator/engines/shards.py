"""Tables on disk that are cut into numbered parts, so that lines can change from one order to another in bounded memory:
lines of scattered inventories go from chunks to partitions by inventory, and what was decided there goes back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=False, emit_dictionary_deltas=False)


def write_table(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table.combine_chunks())


def read_table(path: Path, columns: Iterable[str] | None = None) -> pa.Table:
    """Read a table; only the given columns (those it has) are decompressed."""
    with pa.memory_map(str(path)) as source:
        options = pa.ipc.IpcReadOptions()
        if columns is not None:
            names = pa.ipc.open_file(source).schema.names
            wanted = set(columns)
            options = pa.ipc.IpcReadOptions(included_fields=[i for i, name in enumerate(names) if name in wanted])
        return pa.ipc.open_file(source, options=options).read_all().combine_chunks()


def write_parts(path: Path, table: pa.Table, part: np.ndarray[Any, Any], count: int) -> None:
    """Write `table` so that part i (the rows where `part` is i, in their order) can be read alone."""
    order = np.argsort(part, kind="stable")
    bounds = np.searchsorted(part[order], np.arange(count + 1))
    plain = _without_dictionaries(table).take(pa.array(order)).combine_chunks()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, plain.schema, options=_OPTIONS) as writer:
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            batches = plain.slice(start, end - start).combine_chunks().to_batches()
            writer.write_batch(batches[0] if batches else pa.RecordBatch.from_pylist([], schema=plain.schema))


def read_part(paths: Iterable[Path], part: int) -> pa.Table:
    """Part `part` of every file, one after the other; a column that some files lack is null for their rows."""
    tables = []
    for path in paths:
        with pa.memory_map(str(path)) as source:
            tables.append(pa.Table.from_batches([pa.ipc.open_file(source).get_batch(part)]))
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def _without_dictionaries(table: pa.Table) -> pa.Table:
    """A file holds one dictionary a column: parts of several tables carry plain values instead."""
    for position, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(position, field.name, table[field.name].cast(field.type.value_type))
    return table


def with_dictionaries(table: pa.Table, columns: Iterable[str]) -> pa.Table:
    for column in columns:
        if column in table.column_names and not pa.types.is_dictionary(table[column].type):
            encoded = table[column].combine_chunks().dictionary_encode()
            table = table.set_column(table.column_names.index(column), column, encoded)
    return table
