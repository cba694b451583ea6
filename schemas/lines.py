"""Pandera schemas of what comes in: item lines as text, then as typed values.

The checks are the row rules of the book; a check's name is the rule's code. A failing check carries its row mask, from
which `aggregator.domain.validate` makes the findings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.decimals import PRECISION, SCALE
from aggregator.schemas.field import Dictionary, Field
from aggregator.schemas.rule import Rule, RuleBook, Scope

# Half a second, which commands that check no line do not wait for: functions import them.
if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pandera

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
    import pandas as pd

    mask = np.asarray(sound.to_numpy(zero_copy_only=False), dtype=bool)
    return True if mask.all() else pd.Series(mask, index=index)


def sound_values(rule: Rule, values: pa.Array, field: Field | None) -> pa.Array:
    """Apply the test of a rule on single values, to the distinct values only where the column is dictionary encoded."""
    if not pa.types.is_dictionary(values.type):
        return rule.sound(values, field)
    distinct = pa.concat_arrays([values.dictionary, pa.nulls(1, values.dictionary.type)])
    return rule.sound(distinct, field).take(pc.fill_null(values.indices, len(values.dictionary)))


def _column_check(rule: Rule, field: Field | None) -> pandera.Check:
    def check(series: pd.Series) -> bool | pd.Series:
        return _verdict(sound_values(rule, arrow_array(series), field), series.index)

    return _check(rule, check)


def _frame_check(rule: Rule) -> pandera.Check:
    def check(frame: pd.DataFrame) -> bool | pd.Series:
        compared = [_decoded(arrow_array(frame[column])) for column in rule.compares]
        return _verdict(rule.sound(*compared), frame.index)

    return _check(rule, check)


def _check(rule: Rule, check: Callable[..., bool | pd.Series]) -> pandera.Check:
    import pandera.pandas as pandera

    # One failure case is kept: all of them would be built as Python objects; the mask in check_output has every row.
    return pandera.Check(check, name=rule.code, error=rule.code, n_failure_cases=1, ignore_na=False)


def text_type(given: Field | None) -> pa.DataType:
    """The type of a field's values as text; of a column that is no field, plain text."""
    return DICTIONARY if given is not None and given.repeats else TEXT


def typed_type(given: Field | None) -> pa.DataType:
    if given is not None and given.kind == "decimal":
        return DECIMAL_TYPE
    return COUNT_TYPE if given is not None and given.kind == "count" else text_type(given)


@dataclass(frozen=True, eq=False)
class LineSchemas:
    """The schemas of item lines of a mode: made once for each set of columns."""

    dictionary: Dictionary
    rules: RuleBook
    _made: dict[tuple[str, tuple[str, ...]], pandera.DataFrameSchema] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        # What was made holds functions that do not travel; it is made again where it is needed.
        return type(self), (self.dictionary, self.rules)

    def text(self, columns: tuple[str, ...]) -> pandera.DataFrameSchema:
        """Item lines as canonical text: every column a string (dictionary encoded where values repeat), missing cells null."""
        return self._schema("text", columns)

    def typed(self, columns: tuple[str, ...]) -> pandera.DataFrameSchema:
        """Item lines as values: decimals as decimal128(19, 5), counts as int32, all else text; unreadable cells null."""
        return self._schema("typed", columns)

    def structure(self, schema: pandera.DataFrameSchema) -> pandera.DataFrameSchema:
        """A schema without its checks: columns, their order and types."""
        import pandera.pandas as pandera

        key = (f"structure of {schema.name}", tuple(schema.columns))
        if key not in self._made:
            columns = {name: pandera.Column(column.dtype, nullable=True) for name, column in schema.columns.items()}
            self._made[key] = pandera.DataFrameSchema(columns, strict=True, ordered=True, name=schema.name)
        return self._made[key]

    def _schema(self, name: str, columns: tuple[str, ...]) -> pandera.DataFrameSchema:
        import pandas as pd

        if (name, columns) not in self._made:
            rules = [rule for rule in self.rules.of_scope(Scope.ROW) if rule.typed == (name == "typed")]
            type_of = typed_type if name == "typed" else text_type
            dtypes = {column: pd.ArrowDtype(type_of(self.dictionary.by_column.get(column))) for column in columns}
            if name == "typed":
                dtypes |= {column: pd.ArrowDtype(WRITTEN_TYPE) for column in WRITTEN_COLUMNS}
            self._made[name, columns] = self._checked(dtypes, rules, name)
        return self._made[name, columns]

    def _checked(self, dtypes: dict[str, pd.ArrowDtype], rules: list[Rule], name: str) -> pandera.DataFrameSchema:
        import pandera.pandas as pandera

        columns = {
            column: pandera.Column(
                dtype,
                [
                    _column_check(rule, self.dictionary.by_column.get(column))
                    for rule in rules
                    if not rule.compares and column in rule.columns
                ],
                nullable=True,
            )
            for column, dtype in dtypes.items()
        }
        frame_checks = [_frame_check(rule) for rule in rules if rule.compares and set(rule.compares) <= set(dtypes)]
        return pandera.DataFrameSchema(columns, checks=frame_checks, strict=True, name=name)
