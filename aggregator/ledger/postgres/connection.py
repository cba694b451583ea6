"""A connection to a ledger's database."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from psycopg.adapt import Dumper, Loader
from psycopg.pq import TransactionStatus

from aggregator.ledger.errors import DeclaredTwice
from aggregator.ledger.sql.connection import Answer
from aggregator.ledger.sql.tables import COLUMNS, key_of
from aggregator.ledger.sql.words import INVENTORY

_ROWS_AT_ONCE = 20_000
_VALUE = re.compile(r"\?|(?<![:\w]):([a-z]\w*)|%|\bCROSS JOIN(?= \w+(?: \w+)? (?:ON|USING))")


@lru_cache(maxsize=512)
def translated(statement: str) -> str:
    """A common statement in psycopg's words."""

    def word(found: re.Match[str]) -> str:
        if found[0] == "?":
            return "%s"
        if found[0] == "%":
            return "%%"
        return f"%({found[1]})s" if found[1] else "JOIN"

    return _VALUE.sub(word, statement)


class _Flag(Dumper):
    """Whether: tables hold it as a number."""

    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: Any) -> bytes:
        return b"1" if obj else b"0"


class _Whole(Loader):
    """Sums of whole numbers."""

    def load(self, data: Any) -> int:
        return int(bytes(data))


class PostgresConnection:
    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        raw.adapters.register_dumper(bool, _Flag)
        raw.adapters.register_loader("numeric", _Whole)
        self._streams = count(1)

    @property
    def in_transaction(self) -> bool:
        return self.raw.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

    @property
    def is_lost(self) -> bool:
        return self.raw.closed or self.raw.broken

    def close(self) -> None:
        self.raw.close()

    def execute(self, statement: str, values: Any = ()) -> Answer:
        return self.raw.execute(translated(statement), values)

    def script(self, statements: str) -> None:
        """Several statements at once, without values."""
        self.raw.execute(statements)

    def executemany(self, statement: str, rows: Iterable[Any]) -> None:
        with self.raw.cursor() as cursor:
            cursor.executemany(translated(statement), rows)

    def stream(self, statement: str, values: Any = ()) -> Answer:
        cursor = self.raw.cursor(name=f"part_{next(self._streams)}", withhold=not self.in_transaction)
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(translated(statement), values)
        return _Stream(cursor)

    def insert(self, table: str, rows: pa.Table, constants: Mapping[str, str | int] | None = None, otherwise: str = "") -> None:
        """By COPY; where rows may be there already, by way of a table of this connection."""
        if not rows.num_rows:
            return
        for name, value in (constants or {}).items():
            rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
        if not otherwise:
            self._copy(table, rows)
            return
        columns, incoming = ", ".join(rows.column_names), f"incoming_{table}"
        turns = _turns(rows, key_of(table))
        last_turn = pc.max(turns).as_py()
        self.execute(f"CREATE TEMP TABLE IF NOT EXISTS {incoming} (LIKE {table}, turn bigint)")
        self.execute(f"TRUNCATE {incoming}")
        self._copy(incoming, rows.append_column("turn", turns))
        for turn in range(1, last_turn + 1):
            chosen = f" WHERE turn = {turn}" if last_turn > 1 else ""
            self.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {incoming}{chosen} {otherwise}")

    def merge(self, table: str, rows: Iterable[tuple[Any, ...]], otherwise: str) -> None:
        """Many in one statement: it is counted once, and answered once."""
        names = COLUMNS[table].names
        places = [names.index(name) for name in key_of(table)]
        columns = ", ".join("?::bigint[]" if kind == pa.int64() else "?::text[]" for kind in COLUMNS[table].types)
        for several in _apart(rows, places):
            for start in range(0, len(several), _ROWS_AT_ONCE):
                part = several[start : start + _ROWS_AT_ONCE]
                values = [list(column) for column in zip(*part, strict=True)]
                self.execute(f"INSERT INTO {table} SELECT * FROM unnest({columns}) {otherwise}", values)

    def wait_no_longer(self, numbers: Iterable[str]) -> None:
        self.execute("DELETE FROM waiting WHERE inventory_no = ANY(?) AND fate <> 'dismissed'", (list(numbers),))

    def insert_inventories(self, first_id: int, rows: pa.Table, constants: Mapping[str, str | int]) -> None:
        numbered = rows.append_column("inventory_id", pa.array(range(first_id, first_id + rows.num_rows), pa.int64()))
        try:
            self.insert(INVENTORY, numbered, constants)
        except psycopg.errors.UniqueViolation as error:
            raise DeclaredTwice(error.diag.message_detail or error.diag.message_primary) from None

    @contextmanager
    def wanted(self, numbers: Sequence[str]) -> Iterator[str]:
        self.execute('CREATE TEMP TABLE IF NOT EXISTS wanted (inventory_no text COLLATE "C" NOT NULL)')
        self.execute("TRUNCATE wanted")
        self._copy("wanted", pa.table({"inventory_no": pa.array(numbers, pa.string())}))
        yield "wanted"

    def _copy(self, table: str, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        statement = f"COPY {table} ({', '.join(rows.column_names)}) FROM STDIN (FORMAT csv)"
        with self.raw.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE):
                copy.write(_csv(batch))


def _turns(rows: pa.Table, key: list[str]) -> pa.Array:
    """One statement changes a row at most once: those of one key go one after the other, in turns."""
    if rows.select(key).group_by(key).aggregate([]).num_rows == rows.num_rows:
        return pa.repeat(1, rows.num_rows)
    return pa.array(rows.select(key).to_pandas().groupby(key).cumcount() + 1, pa.int64())


def _apart(rows: Iterable[tuple[Any, ...]], key: list[int]) -> list[list[tuple[Any, ...]]]:
    """The same of rows that are few."""
    seen, turns = Counter[tuple[Any, ...]](), list[list[tuple[Any, ...]]]()
    for row in rows:
        of = tuple(row[place] for place in key)
        if seen[of] == len(turns):
            turns.append([])
        turns[seen[of]].append(row)
        seen[of] += 1
    return turns


def _csv(rows: pa.RecordBatch) -> memoryview:
    """Every value quoted, what is null not."""
    columns = [_TEXTS.get(column.type, _as_text)(column) for column in rows.columns]
    sink = io.BytesIO()
    options = pa_csv.WriteOptions(include_header=False, quoting_style="all_valid")
    pa_csv.write_csv(pa.table(columns, names=rows.column_names), sink, options)
    return sink.getbuffer()


def _as_text(column: pa.Array) -> pa.Array:
    return column.cast(pa.string())


_TEXTS: dict[pa.DataType, Callable[[pa.Array], pa.Array]] = {
    pa.bool_(): lambda column: column.cast(pa.int8()).cast(pa.string()),
    pa.binary(): lambda column: pa.array([None if value is None else f"\\x{value.hex()}" for value in column.to_pylist()], pa.string()),
}


class _Stream:
    """An answer in parts, which leaves nothing behind once it is taken."""

    def __init__(self, cursor: psycopg.ServerCursor[Any]) -> None:
        self._cursor = cursor
        self.rowcount = -1

    def fetchmany(self, size: int = _ROWS_AT_ONCE) -> list[Any]:
        rows = self._cursor.fetchmany(size)
        if not rows:
            self._cursor.close()
        return rows

    def fetchone(self) -> Any:
        return next(iter(self.fetchmany(1)), None)

    def fetchall(self) -> list[Any]:
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        while rows := self.fetchmany():
            yield from rows
