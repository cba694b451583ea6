"""Shards as files in one folder of a disk that all workers see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from aggregator.engines.engine import Shard

_KIND = 64
"""Bytes at the beginning of an array's file, which say of what type it is; so many that values stand where the processor likes them."""
_OPTIONS = pa.ipc.IpcWriteOptions(unify_dictionaries=False, emit_dictionary_deltas=False)


@dataclass(frozen=True)
class FileStorage:
    folder: Path

    def _path(self, shard: Shard) -> Path:
        return self.folder / f"{shard.kind.name}-{shard.unit}.arrow"

    @contextmanager
    def _new(self, path: Path) -> Iterator[Path]:
        """Where to write a file that is to have this path."""
        yield path

    def write(self, shard: Shard, table: pa.Table) -> None:
        shard.kind.check(table)
        with self._new(self._path(shard)) as path, pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=_OPTIONS) as writer:
            writer.write_table(table.combine_chunks())

    def read(self, shard: Shard, columns: Sequence[str] | None = None) -> pa.Table:
        with pa.memory_map(str(self._path(shard))) as source:
            table = pa.ipc.open_file(source).read_all()
        if columns is not None:
            # Nothing was copied: what is not wanted costs a few microseconds.
            wanted = set(columns)
            table = table.select([name for name in table.column_names if name in wanted])
        return table.combine_chunks()

    def has(self, shard: Shard) -> bool:
        return self._path(shard).exists()

    def write_parts(self, shard: Shard, table: pa.Table, part: np.ndarray[Any, Any], count: int) -> None:
        shard.kind.check(table)
        order = np.argsort(part, kind="stable")
        bounds = np.searchsorted(part[order], np.arange(count + 1))
        plain = _without_dictionaries(table).take(pa.array(order)).combine_chunks()
        with self._new(self._path(shard)) as path, pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, plain.schema, options=_OPTIONS) as writer:
            for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
                batches = plain.slice(start, end - start).combine_chunks().to_batches()
                writer.write_batch(batches[0] if batches else pa.RecordBatch.from_pylist([], schema=plain.schema))

    def read_part(self, shards: Iterable[Shard], part: int) -> pa.Table:
        tables = []
        for shard in shards:
            with pa.memory_map(str(self._path(shard))) as source:
                tables.append(pa.Table.from_batches([pa.ipc.open_file(source).get_batch(part)]))
        return pa.concat_tables(tables, promote_options="default").combine_chunks()

    def write_bytes(self, name: str, data: bytes) -> None:
        with self._new(self.folder / name) as path:
            path.write_bytes(data)

    def write_by(self, name: str, write: Callable[[Path], object]) -> None:
        with self._new(self.folder / name) as path:
            write(path)

    def read_bytes(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def save(self, name: str, values: np.ndarray[Any, Any]) -> None:
        with self._new(self.folder / f"{name}.array") as path, path.open("wb") as sink:
            sink.write(values.dtype.str.encode().ljust(_KIND))
            sink.write(np.ascontiguousarray(values).view(np.uint8).data if len(values) else b"")

    def load(self, name: str) -> Any:
        # NumPy's own files take several times as long to open, and there are thousands of arrays.
        with pa.memory_map(str(self.folder / f"{name}.array")) as source:
            data = source.read_buffer()
        kind = np.dtype(bytes(data[:_KIND]).decode().strip())
        return np.frombuffer(data, kind, (len(data) - _KIND) // max(kind.itemsize, 1), _KIND)


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
