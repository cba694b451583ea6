"""Tables of every unit added up as they come, so that never more than some of them wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from aggregator.pipeline.shards import BY_DECLARATION

_ROWS_WAITING, _TABLES_WAITING = 20_000, 32


class Sum:
    """`add`: one table of several, with the columns of each."""

    def __init__(self, add: Callable[[Sequence[pa.Table]], pa.Table]) -> None:
        self._add, self._waiting, self._rows, self._limit = add, list[pa.Table](), 0, _ROWS_WAITING

    def take(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows > self._limit:
            whole = self.whole
            self._waiting, self._rows, self._limit = [whole], whole.num_rows, _ROWS_WAITING + 2 * whole.num_rows

    @property
    def whole(self) -> pa.Table:
        return self._add(self._waiting)


class Rows:
    """Rows of many small tables: each has a price of its own in memory, whatever it holds."""

    def __init__(self, schema: pa.Schema) -> None:
        self._waiting = [schema.empty_table()]

    def take(self, table: pa.Table) -> None:
        if table.num_rows:
            self._waiting.append(table)
        if len(self._waiting) > _TABLES_WAITING:
            self._waiting = [self.whole]

    @property
    def whole(self) -> pa.Table:
        return pa.concat_tables(self._waiting).combine_chunks()


def by_declaration(tables: Sequence[pa.Table]) -> pa.Table:
    """Weights and counts (BY_DECLARATION), one row a declaration."""
    names = [name for name in BY_DECLARATION.names if name != "declaration"]
    table = pa.concat_tables([BY_DECLARATION.empty_table(), *tables])
    summed = table.group_by("declaration", use_threads=False).aggregate([(name, "sum") for name in names])
    return summed.select(["declaration", *(f"{name}_sum" for name in names)]).rename_columns(BY_DECLARATION.names).cast(BY_DECLARATION)
