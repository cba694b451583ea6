"""Pandera schemas of what comes in: item lines as text, then as typed values.

The checks are the row rules of the book; a check's name is the rule's code. A failing check carries its row mask, from
which `aggregator.domain.validate` makes the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.modes.m9610.fields import COUNT_COLUMNS, DECIMAL_COLUMNS, FIELD
from aggregator.schemas.modes.m9610.limits import PRECISION, SCALE
from aggregator.schemas.modes.m9610.rules import ROW_RULES, Rule

TEXT = pa.string()
DICTIONARY = pa.dictionary(pa.int32(), pa.string())
DECIMAL_TYPE = pa.decimal128(PRECISION, SCALE)
COUNT_TYPE = pa.int32()
WRITTEN_TYPE = pa.int8()
WRITTEN_COLUMNS = ("unit_price_decimals", "total_price_decimals")
"""How many decimals were written; what a rounding can explain depends on it."""
CLEARED = "cleared_digits"
"""The time of status 899 as 17 digits of China time; null where the status is another or the time unreadable."""


def arrow_array(series: pd.Series) -> pa.Array:
    values = pa.array(series)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _decoded(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _verdict(sound: pa.Array, index: pd.Index) -> bool | pd.Series:
    mask = np.asarray(sound.to_numpy(zero_copy_only=False), dtype=bool)
    return True if mask.all() else pd.Series(mask, index=index)


def sound_values(rule: Rule, values: pa.Array, column: str) -> pa.Array:
    """Apply the test of a rule on single values, to the distinct values only where the column is dictionary encoded."""
    assert rule.test is not None
    if not pa.types.is_dictionary(values.type):
        return rule.test(values, column)
    distinct = pa.concat_arrays([values.dictionary, pa.nulls(1, values.dictionary.type)])
    return rule.test(distinct, column).take(pc.fill_null(values.indices, len(values.dictionary)))


def _column_check(rule: Rule, column: str) -> pandera.Check:
    def check(series: pd.Series) -> bool | pd.Series:
        return _verdict(sound_values(rule, arrow_array(series), column), series.index)

    return _check(rule, check)


def _frame_check(rule: Rule) -> pandera.Check:
    def check(frame: pd.DataFrame) -> bool | pd.Series:
        assert rule.test is not None
        compared = [_decoded(arrow_array(frame[column])) for column in rule.compares]
        return _verdict(rule.test(*compared), frame.index)

    return _check(rule, check)


def _check(rule: Rule, check: Callable[..., bool | pd.Series]) -> pandera.Check:
    # One failure case is kept: all of them would be built as Python objects; the mask in check_output has every row.
    return pandera.Check(check, name=rule.code, error=rule.code, n_failure_cases=1, ignore_na=False)


def _schema(dtypes: dict[str, pd.ArrowDtype], rules: list[Rule], name: str) -> pandera.DataFrameSchema:
    columns = {
        column: pandera.Column(
            dtype,
            [_column_check(rule, column) for rule in rules if not rule.compares and column in rule.columns],
            nullable=True,
        )
        for column, dtype in dtypes.items()
    }
    frame_checks = [_frame_check(rule) for rule in rules if rule.compares and set(rule.compares) <= set(dtypes)]
    return pandera.DataFrameSchema(columns, checks=frame_checks, strict=True, name=name)


def text_type(column: str) -> pa.DataType:
    """Codes and names have few distinct values in a chunk; numbers given by others, times and amounts have many."""
    repeats = column in FIELD and FIELD[column].kind in ("code", "text")
    return DICTIONARY if repeats else TEXT


def typed_type(column: str) -> pa.DataType:
    if column in DECIMAL_COLUMNS:
        return DECIMAL_TYPE
    return COUNT_TYPE if column in COUNT_COLUMNS else text_type(column)


@cache
def text_schema(columns: tuple[str, ...]) -> pandera.DataFrameSchema:
    """Item lines as canonical text: every column a string (dictionary encoded where values repeat), missing cells null."""
    dtypes = {column: pd.ArrowDtype(text_type(column)) for column in columns}
    return _schema(dtypes, [rule for rule in ROW_RULES if not rule.typed], "text")


def structure_of(schema: pandera.DataFrameSchema) -> pandera.DataFrameSchema:
    """The schema without its checks: columns, their order and types."""
    if schema.name not in _STRUCTURES or list(_STRUCTURES[schema.name].columns) != list(schema.columns):
        columns = {name: pandera.Column(column.dtype, nullable=True) for name, column in schema.columns.items()}
        _STRUCTURES[schema.name] = pandera.DataFrameSchema(columns, strict=True, ordered=True, name=schema.name)
    return _STRUCTURES[schema.name]


_STRUCTURES: dict[str, pandera.DataFrameSchema] = {}


@cache
def typed_schema(columns: tuple[str, ...]) -> pandera.DataFrameSchema:
    """Item lines as values: decimals as decimal128(19, 5), counts as int32, all else text; unreadable cells null."""
    dtypes = {column: pd.ArrowDtype(typed_type(column)) for column in columns}
    dtypes |= {column: pd.ArrowDtype(WRITTEN_TYPE) for column in WRITTEN_COLUMNS}
    return _schema(dtypes, [rule for rule in ROW_RULES if rule.typed], "typed")


def known_columns(columns: Collection[str]) -> tuple[str, ...]:
    """The given columns in the order of the data dictionary."""
    return tuple(column for column in FIELD if column in columns)
