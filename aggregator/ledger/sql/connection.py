"""What a kind of ledger brings to be asked and written to. Statements have `?` or `:name` where values go.

`CROSS JOIN … ON` is what SQLite takes for an order of the two that is not to be changed; it is an inner join everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa

_ROWS_AT_ONCE = 131_072
ROWS_OF_PYTHON = 16_384


class Answer(Protocol):
    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def fetchmany(self, size: int = ..., /) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    def execute(self, statement: str, values: Any = ..., /) -> Answer: ...

    def executemany(self, statement: str, rows: Iterable[Any], /) -> object: ...

    def stream(self, statement: str, values: Any = ...) -> Answer:
        """An answer that need not fit into memory, taken in parts. Other statements may be executed meanwhile."""
        ...

    def insert(self, table: str, rows: pa.Table, constants: Mapping[str, str | int] = ..., otherwise: str = "") -> None:
        """Many rows, in order. `constants`: further columns, of one value; `otherwise`: what is done where there is such a row."""
        ...

    def merge(self, table: str, rows: Iterable[tuple[Any, ...]], otherwise: str) -> None:
        """Some rows of all columns, one after the other. `otherwise`: what is done where there is such a row."""
        ...

    def wait_no_longer(self, numbers: Iterable[str]) -> None:
        """Inventories; what was dismissed stays so."""
        ...

    def insert_inventories(self, first_id: int, rows: pa.Table, constants: Mapping[str, str | int]) -> None:
        """Numbered from `first_id` on, which is the next there is. Raises DeclaredTwice."""
        ...

    def wanted(self, numbers: Sequence[str]) -> AbstractContextManager[str]:
        """What stands for a table of the numbers, each once, in its one column `inventory_no`."""
        ...


def fetched(answer: Answer, schema: pa.Schema) -> Iterator[pa.Table]:
    """Rows as tables of a bounded size; its columns in the order of the schema."""
    while rows := answer.fetchmany(_ROWS_AT_ONCE):
        yield pa.table([pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), schema, strict=True)], schema=schema)


def rows_of(table: pa.Table, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for batch in table.select(columns).to_batches(max_chunksize=ROWS_OF_PYTHON):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
