"""Cells of what is no CSV file (workbooks, messages, Parquet), written once as text to a file of batches, and read back
chunk by chunk. A spool holds the cells under all headings, the row each came from and what its reader has to say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from aggregator.inputs.export import ITEM_LINES, Block, Export, TextChunk
from aggregator.inputs.tables.others import others
from aggregator.inputs.tables.unnamed import places_to_read, set_apart
from aggregator.schemas.lines import TEXT, text_type

_BYTES_A_LINE = 256
"""What a chunk of a CSV file has for a line: so many lines as it would hold make a batch."""
_ROW, _MEMBER, _REPORTED = "row", "member", "reported"
_REPORTED_TYPE = pa.list_(pa.struct([("code", pa.string()), ("value", pa.string())]))
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class SpoolWriter:
    """Takes rows as they come; `blocks` are complete when it is closed."""

    def __init__(self, path: Path, width: int, chunk_bytes: int) -> None:
        self.path = path
        self.blocks: list[Block] = []
        self._lines = max(chunk_bytes // _BYTES_A_LINE, 1)
        fields = [(f"c{place}", TEXT) for place in range(width)]
        self._schema = pa.schema([*fields, (_ROW, pa.int64()), (_MEMBER, pa.int32()), (_REPORTED, _REPORTED_TYPE)])
        self._sink = pa.OSFile(str(path), "wb")
        self._file = pa.ipc.new_file(self._sink, self._schema, options=_OPTIONS)
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._write(self._take_all())
        self._file.close()
        self._sink.close()

    def add(self, cells: Sequence[pa.Array], rows: Any, members: Any = None, reported: pa.Array | None = None) -> None:
        """Columns of text in the order of the headings; row numbers; places in Export.members; findings of each row."""
        count = len(rows)
        columns = [
            *cells,
            pa.array(rows, pa.int64()),
            pa.nulls(count, pa.int32()) if members is None else pa.array(members, pa.int32()),
            pa.nulls(count, _REPORTED_TYPE) if reported is None else reported,
        ]
        self._waiting.append(pa.table(columns, schema=self._schema))
        if sum(table.num_rows for table in self._waiting) >= self._lines:
            whole = self._take_all()
            full = whole.num_rows // self._lines * self._lines
            for start in range(0, full, self._lines):
                self._write(whole.slice(start, self._lines))
            if whole.num_rows > full:
                self._waiting = [whole.slice(full)]

    def _take_all(self) -> pa.Table:
        whole = pa.concat_tables(self._waiting) if self._waiting else self._schema.empty_table()
        self._waiting = []
        return whole

    def _write(self, lines: pa.Table) -> None:
        if lines.num_rows:
            place = len(self.blocks)
            self.blocks.append(Block(place, place + 1, lines[_ROW][0].as_py()))
            self._file.write_batch(lines.combine_chunks().to_batches()[0])


def reported_column(reported: dict[int, list[tuple[str, str]]], count: int) -> pa.Array:
    """Findings by line as a column of a spool."""
    return pa.array([[{"code": c, "value": v} for c, v in reported[line]] if line in reported else None for line in range(count)], _REPORTED_TYPE)


def _batch(file: Export, block: Block) -> pa.Table:
    with pa.memory_map(str(file.path)) as source:
        return pa.Table.from_batches([pa.ipc.open_file(source).get_batch(block.start)])


def read_spooled(file: Export, block: Block) -> TextChunk:
    batch = _batch(file, block)
    cells = {column: batch[f"c{place}"].combine_chunks() for column, place in places_to_read(file).items()}
    lines = pa.table({name: values.dictionary_encode() if text_type(file.dictionary.by_column.get(name)) != TEXT else values for name, values in cells.items()})
    rows = batch[_ROW].to_numpy()
    # A message has no titles or totals: all that its reader made lines of are lines, even without a single value.
    kinds = {} if file.members else others(file, lines, rows, lambda place: _cells(batch, place, len(file.headings)))
    kept = np.ones(len(rows), dtype=bool)
    kept[list(kinds)] = False
    at = pa.array(np.flatnonzero(kept))
    reported = batch[_REPORTED].combine_chunks().take(at)
    members = None
    if file.members:
        members = pa.DictionaryArray.from_arrays(batch[_MEMBER].combine_chunks().take(at), pa.array(file.members, pa.string()))
    skipped = Counter(kinds.values())
    chunk = TextChunk(
        lines.take(at), rows[kept], {}, dict(skipped), int(rows[-1]), members, np.flatnonzero(kept), tuple(_reported(reported)),
        {**skipped, ITEM_LINES: len(at)},
    )  # fmt: skip
    return set_apart(chunk, file)


def _cells(batch: pa.Table, place: int, width: int) -> list[str]:
    return [batch[f"c{at}"][place].as_py() or "" for at in range(width)]


def _reported(reported: pa.Array) -> Iterator[tuple[str, int, str]]:
    for place in np.flatnonzero(reported.is_valid().to_numpy(zero_copy_only=False)):
        yield from ((each["code"], int(place), each["value"]) for each in reported[int(place)].as_py())


def spooled_cells(file: Export, block: Block, places: np.ndarray[Any, Any]) -> pa.Table:
    """All cells of the lines at the given places of this block, columns in the order of the headings."""
    return _batch(file, block).take(pa.array(places)).select([f"c{place}" for place in range(len(file.headings))])


def batch_length(file: Export, block: Block) -> int:
    return int(_batch(file, block).num_rows)
