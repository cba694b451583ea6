"""Parquet whose columns are of other types than text, or whose names are odd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.dialects import Dialect
from tests.pollution.pollution import Pollution, kind
from tests.pollution.truth import COLUMNS, ROWS, Rows

_CHINA = timezone(timedelta(hours=8))


def columnar(dialect: Dialect) -> bool:
    return dialect.format == "parquet" and dialect.headings == "own"


def _written(column: str | None, values: pa.Array | None, name: str | None = None) -> Callable[[bytes, Dialect], bytes]:
    def make(_: bytes, __: Dialect) -> bytes:
        arrays = {each: pa.array([row[each] for row in ROWS], pa.string()) for each in COLUMNS}
        names = [name if each == column and name is not None else each for each in COLUMNS]
        if column is not None and values is not None:
            arrays[column] = values
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(list(arrays.values()), names=names), sink)
        data: bytes = sink.getvalue().to_pybytes()
        return data

    return make


def _typed(column: str) -> Iterator[tuple[str, pa.Array]]:
    """The values of a column in every type that holds them."""
    texts = [row[column] or None for row in ROWS]
    yield "null-for-blank", pa.array(texts, pa.string())
    yield "dictionary", pa.array(texts, pa.string()).dictionary_encode()
    yield "large", pa.array(texts, pa.large_string())
    yield "binary", pa.array([None if text is None else text.encode() for text in texts], pa.binary())
    yield "binary-gb18030", pa.array([None if text is None else text.encode("gb18030") for text in texts], pa.binary())
    yield "list", pa.array([None if text is None else [text] for text in texts], pa.list_(pa.string()))
    yield "struct", pa.array([{"a": text} for text in texts])
    if all(text is None or text.replace(".", "", 1).isdecimal() for text in texts):
        numbers = [None if text is None else Decimal(text) for text in texts]
        yield "float", pa.array([None if number is None else float(number) for number in numbers], pa.float64())
        yield "float32", pa.array([None if number is None else float(number) for number in numbers], pa.float32())
        yield "decimal", pa.array(numbers, pa.decimal128(30, 6))
        if all(number is None or number == int(number) for number in numbers):
            yield "int64", pa.array([None if number is None else int(number) for number in numbers], pa.int64())
    if column == "cleared_at":
        moments = [None if text is None else datetime.fromisoformat(text) for text in texts]
        for unit in ("s", "ms", "us", "ns"):
            yield f"timestamp-{unit}", pa.array(moments, pa.timestamp(unit))
        zoned = [None if moment is None else moment.replace(tzinfo=_CHINA) for moment in moments]
        yield "timestamp-utc", pa.array(zoned, pa.timestamp("us", "UTC"))
        yield "timestamp-shanghai", pa.array(zoned, pa.timestamp("us", "Asia/Shanghai"))
        yield "date", pa.array([None if moment is None else moment.date() for moment in moments], pa.date32())


@kind
def types_of_columns(round_no: int) -> Iterator[Pollution]:
    """Read as they are, or refused: a code that became a number has lost its zeros."""
    for column in COLUMNS:
        for way, values in _typed(column):
            numbered = way in ("float", "float32", "decimal", "int64") and M9610.dictionary.by_column[column].kind in ("no", "given", "text")
            meant: Rows = [{**row, column: f"{Decimal(row[column]).normalize():f}"} if numbered and row[column] else row for row in ROWS]
            yield Pollution(f"{column}.{way}", data=_written(column, values), truths=(ROWS, meant, ROWS) if numbered else (ROWS,), fits=columnar)


@kind
def names_of_columns(round_no: int) -> Iterator[Pollution]:
    for number, column in enumerate(COLUMNS):
        for way, name in {"blank": "", "zero-width": f"{column}\u200b", "other": f"{column}_2", "alike": COLUMNS[number - 1], "index": "__index_level_0__"}.items():
            yield Pollution(f"{column}.{way}", data=_written(column, None, name), fits=columnar)
