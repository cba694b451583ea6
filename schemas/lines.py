"""Pandera schemas of what comes in: item lines as text, then as typed values.

The checks are the row rules of the book; a check's name is the rule's code. `broken` calls one as Pandera does and gives the
rows that fail, from which `aggregator.domain.validate` makes the findings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from aggregator.schemas.arrays import Mask
from aggregator.schemas.decimals import PRECISION, SCALE
from aggregator.schemas.field import Dictionary, Field
from aggregator.schemas.rule import Rule, RuleBook, Scope

# Half a second, which commands that check no line do not wait for: functions import them.
if TYPE_CHECKING:
    import pandas as pd

    from aggregator.schemas.pandera import pandera

TEXT = pa.string()
DICTIONARY = pa.dictionary(pa.int32(), pa.string())
DECIMAL_TYPE = pa.decimal128(PRECISION, SCALE)
COUNT_TYPE = pa.int32()
WRITTEN_TYPE = pa.int8()
WRITTEN_COLUMNS = ("unit_price_decimals", "total_price_decimals")
"""How many decimals were written; what a rounding can explain depends on it."""
CLEARED = "cleared_digits"
"""The time of status 899 as 17 digits of China time; null where the status is another or the time unreadable."""


def series_of(values: pa.Array) -> pd.Series:
    """As Pandera's checks take values."""
    import pandas as pd

    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([values])))


def arrow_array(series: pd.Series) -> pa.Array:
    values = pa.array(series)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _decoded(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


class _Sound:
    """What a check calls. It says only whether all is sound: of a mask Pandera would build a table of failure cases, which costs
    many times the test. The mask of the last call stays here, for `broken`."""

    def __init__(self, test: Callable[[Any], pa.Array]) -> None:
        self._test = test
        self.mask: Mask = np.zeros(0, dtype=bool)

    def __call__(self, given: pd.Series | pd.DataFrame) -> bool:
        self.mask = np.asarray(self._test(given).to_numpy(zero_copy_only=False), dtype=bool)
        return bool(self.mask.all())


def broken(check: pandera.Check, given: pd.Series | pd.DataFrame) -> Mask | None:
    """Rows that break one of the checks made here, as Pandera calls it; None where none does."""
    if check(given).check_passed:
        return None
    sound = check._check_fn
    assert isinstance(sound, _Sound)
    return ~sound.mask


def _column_check(rule: Rule, field: Field | None) -> pandera.Check:
    return _check(rule, lambda series: rule.sound(_decoded(arrow_array(series)), field))


def _frame_check(rule: Rule) -> pandera.Check:
    return _check(rule, lambda frame: rule.sound(*(_decoded(arrow_array(frame[column])) for column in rule.compares)))


def _check(rule: Rule, test: Callable[[Any], pa.Array]) -> pandera.Check:
    from aggregator.schemas.pandera import pandera

    return pandera.Check(_Sound(test), name=rule.code, error=rule.code, ignore_na=False)


def text_type(given: Field | None) -> pa.DataType:
    """The type of a field's values as text; of a column that is no field, plain text. Numbers are encoded too: each different one is
    looked at once."""
    return DICTIONARY if given is not None and (given.repeats or given.kind in ("decimal", "count")) else TEXT


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
        from aggregator.schemas.pandera import pandera

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
        from aggregator.schemas.pandera import pandera

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
