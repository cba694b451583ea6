"""What goes out: the tables of a run folder, and the Pandera schemas each is checked against before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import compact
from aggregator.schemas.field import Field
from aggregator.schemas.lines import series_of

# Loaded where they are used: see lines.py.
if TYPE_CHECKING:
    from aggregator.schemas.pandera import pandera

AMOUNT = pa.decimal128(38, 5)
TEXT, COUNT, ITEM = pa.string(), pa.int64(), pa.int32()
LINE_AMOUNT = pa.decimal128(19, 5)

WEIGHT_SHARES = pa.schema(
    [("inventory_no", TEXT), ("declaration_ref", TEXT), ("gross_weight_kg", AMOUNT), ("net_weight_kg", AMOUNT)]
)

FINDINGS = pa.schema(
    [
        ("code", TEXT),
        ("severity", TEXT),
        ("scope", TEXT),
        ("inventory_no", TEXT),
        ("item_no", TEXT),
        ("column", TEXT),
        ("value", TEXT),
        ("message", TEXT),
        ("source_file", TEXT),
        ("source_row", COUNT),
    ]
)

EXCLUDED = pa.schema(
    [
        ("inventory_no", TEXT),
        ("reason", TEXT),
        ("item_lines", COUNT),
        ("detail", TEXT),
        ("source_file", TEXT),
        ("source_row", COUNT),
    ]
)

CONTROL_TOTALS = pa.schema(
    [("column", TEXT), ("currency_or_unit", TEXT)]
    + [(bucket, AMOUNT) for bucket in ("read", "declared", "rejected", "excluded", "unreadable", "difference")]
)


def line_type(field: Field) -> pa.DataType:
    """The type of a field of a line as it is written."""
    return {"decimal": LINE_AMOUNT, "count": ITEM}.get(field.kind, TEXT)


def _shape(pattern: str) -> pandera.Check:
    from aggregator.schemas.pandera import pandera

    return pandera.Check(lambda series: series.str.fullmatch(pattern), name=pattern, error=f"not {pattern}")


def _checks(trade_mode: str, items_per_declaration: int) -> dict[str, pandera.Check]:
    from aggregator.schemas.pandera import pandera

    code4, code3 = _shape("[0-9]{4}"), _shape("[0-9]{3}")
    positive, not_negative = pandera.Check.gt(0), pandera.Check.ge(0)
    items = pandera.Check.in_range(1, items_per_declaration)
    return {
        "declaration_ref": _shape("[0-9]{6}-[0-9]{2,}-[0-9]{6,}"),
        "declaring_customs_code": code4,
        "exit_customs_code": code4,
        "trade_mode_code": pandera.Check.eq(trade_mode),
        "arrival_country_code": code3,
        "destination_country_code": code3,
        "currency_code": code3,
        "declared_unit_code": code3,
        "statutory_unit_code": code3,
        "commodity_code": _shape("[0-9]{10}"),
        "item_count": items,
        "declaration_item_no": items,
        "inventory_count": positive,
        "inventory_item_count": positive,
        "package_count": not_negative,
        "declared_quantity": positive,
        "statutory_quantity": positive,
        "total_price": positive,
        "gross_weight_kg": not_negative,
        "net_weight_kg": not_negative,
    }


_REMEMBERED = 20_000
"""Values of a column that are remembered."""
_CHECKED = ("declarations", "declaration_items", "audit_map")
_UNIQUE = {"declarations": ["declaration_ref"], "declaration_items": ["declaration_ref", "declaration_item_no"]}


def _repeats(table: pa.Table, columns: list[str] | None) -> bool:
    """Whether two rows have the same in these columns."""
    return bool(columns) and table.group_by(columns, use_threads=False).aggregate([]).num_rows < table.num_rows


@dataclass(frozen=True, eq=False)
class OutputSchemas:
    """`tables`: output to its columns, in the order of the contract. `nullable`: columns that may be blank."""

    tables: Mapping[str, pa.Schema]
    trade_mode: str
    items_per_declaration: int
    nullable: frozenset[str]

    def __reduce__(self) -> tuple[Any, ...]:
        # Checks hold functions that do not travel; they are made again where they are needed.
        return type(self), (dict(self.tables), self.trade_mode, self.items_per_declaration, self.nullable)

    def __getitem__(self, name: str) -> pa.Schema:
        return self.tables[name]

    @cached_property
    def frames(self) -> dict[str, pandera.DataFrameSchema]:
        checks = _checks(self.trade_mode, self.items_per_declaration)
        return {name: self._frame(name, schema, checks if name in _CHECKED else {}) for name, schema in self.tables.items()}

    def _frame(self, name: str, schema: pa.Schema, checks: Mapping[str, pandera.Check]) -> pandera.DataFrameSchema:
        import pandas as pd

        from aggregator.schemas.pandera import pandera

        columns = {
            field.name: pandera.Column(pd.ArrowDtype(field.type), checks.get(field.name), nullable=field.name in self.nullable)
            for field in schema
        }
        return pandera.DataFrameSchema(columns, strict=True, ordered=True, name=name, unique=_UNIQUE.get(name))

    def checked(self, name: str, table: pa.Table) -> pa.Table:
        """The table cast to its schema and checked. Raises pandera's SchemaError.

        Each check of the frame is called on its column, and rows are counted by what the frame says is unique. Pandera itself is asked
        where that fails, to say what: to go through a frame takes it ten milliseconds, however few its rows."""
        import pandas as pd

        cast = table.cast(self.tables[name])
        frame = self.frames[name]
        if len(cast) and (_repeats(cast, frame.unique) or not self._are_sound(name, cast)):
            frame.validate(cast.to_pandas(types_mapper=pd.ArrowDtype))
        return cast

    def checked_by_values(self, name: str, table: pa.Table) -> pa.Table:
        """The same, but a dictionary encoded column stays so, and its checks are called on the values that stand in it. For tables
        without a rule about several columns or rows. Raises pandera's SchemaError."""
        schema = self.tables[name]
        columns = {field.name: table[field.name].combine_chunks() for field in schema}
        columns = {key: each if pa.types.is_dictionary(each.type) else each.cast(schema.field(key).type) for key, each in columns.items()}
        kept = pa.table(columns)
        if not self._are_sound(name, kept):
            self.checked(name, kept)
        return kept

    def _are_sound(self, name: str, table: pa.Table) -> bool:
        return all(self._is_sound((name, key), column, table[key].combine_chunks()) for key, column in self.frames[name].columns.items())

    def _is_sound(self, key: tuple[str, str], column: pandera.Column, values: pa.Array) -> bool:
        if not column.nullable and values.null_count:
            return False
        if not column.checks:
            return True
        if not pa.types.is_dictionary(values.type):
            return _passes(column, values.drop_null())
        known = self._sound.get(key, values.dictionary[:0])
        standing = compact(values).dictionary.drop_null()
        new = standing.filter(pc.invert(pc.is_in(standing, value_set=known)))
        if len(new) and not _passes(column, new):
            return False
        if len(new) and len(known) + len(new) <= _REMEMBERED:
            self._sound[key] = pa.concat_arrays([known, new])
        return True

    @cached_property
    def _sound(self) -> dict[tuple[str, str], pa.Array]:
        """By output and column values that passed its checks: what a check says of a value is always the same."""
        return {}


def _passes(column: pandera.Column, values: pa.Array) -> bool:
    series = series_of(values)
    return all(check(series).check_passed for check in column.checks)
