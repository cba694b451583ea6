"""Pandera schemas of what goes out. Every frame is checked against its own before it is written."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from aggregator.schemas.modes.m9610.fields import (
    CONTENT_COLUMNS,
    COUNT_COLUMNS,
    DECIMAL_COLUMNS,
    FIELD,
    SUMMED_ITEM_COLUMNS,
)
from aggregator.schemas.modes.m9610.limits import ITEMS_PER_DECLARATION, UNIT_PRICE_SCALE

AMOUNT = pa.decimal128(38, 5)
_TEXT, _COUNT, _ITEM = pa.string(), pa.int64(), pa.int32()
_LINE_AMOUNT = pa.decimal128(19, 5)
_PRICE = pa.decimal128(38, UNIT_PRICE_SCALE)
_LINE_TYPES = dict.fromkeys(DECIMAL_COLUMNS, _LINE_AMOUNT) | dict.fromkeys(COUNT_COLUMNS, _ITEM)

DECLARATIONS = pa.schema(
    [
        ("declaration_ref", _TEXT),
        ("declaring_customs_code", _TEXT),
        ("trade_mode_code", _TEXT),
        ("consignor_code", _TEXT),
        ("consignor_name", _TEXT),
        ("producer_seller_code", _TEXT),
        ("producer_seller_name", _TEXT),
        ("transport_mode_code", _TEXT),
        ("arrival_country_code", _TEXT),
        ("exit_customs_code", _TEXT),
        ("declarant_code", _TEXT),
        ("premises_code", _TEXT),
        ("item_count", _COUNT),
        ("inventory_count", _COUNT),
        ("inventory_item_count", _COUNT),
        ("package_count", _COUNT),
        ("gross_weight_kg", AMOUNT),
        ("net_weight_kg", AMOUNT),
    ]
)
DECLARATION_ITEMS = pa.schema(
    [
        ("declaration_ref", _TEXT),
        ("declaration_item_no", _COUNT),
        ("commodity_code", _TEXT),
        ("goods_name", _TEXT),
        ("goods_spec", _TEXT),
        ("destination_country_code", _TEXT),
        ("currency_code", _TEXT),
        ("declared_quantity", AMOUNT),
        ("declared_unit_code", _TEXT),
        ("statutory_quantity", AMOUNT),
        ("statutory_unit_code", _TEXT),
        ("second_statutory_quantity", AMOUNT),
        ("second_statutory_unit_code", _TEXT),
        ("unit_price", _PRICE),
        ("total_price", AMOUNT),
        ("inventory_item_count", _COUNT),
    ]
)
AUDIT_MAP = pa.schema(
    [
        ("inventory_no", _TEXT),
        ("item_no", _ITEM),
        ("declaration_ref", _TEXT),
        ("declaration_item_no", _ITEM),
        ("declared_quantity", _LINE_AMOUNT),
        ("statutory_quantity", _LINE_AMOUNT),
        ("second_statutory_quantity", _LINE_AMOUNT),
        ("total_price", _LINE_AMOUNT),
        ("order_no", _TEXT),
        ("waybill_no", _TEXT),
        ("late", pa.bool_()),
        ("source_file", _TEXT),
        ("source_row", _COUNT),
        *((column, _LINE_TYPES.get(column, _TEXT)) for column in CONTENT_COLUMNS if column not in SUMMED_ITEM_COLUMNS),
    ]
)
"""Where each declared line went, and its content: what was declared can be shown when the inventory turns up changed."""
WEIGHT_SHARES = pa.schema(
    [("inventory_no", _TEXT), ("declaration_ref", _TEXT), ("gross_weight_kg", AMOUNT), ("net_weight_kg", AMOUNT)]
)
FINDINGS = pa.schema(
    [
        ("code", _TEXT),
        ("severity", _TEXT),
        ("scope", _TEXT),
        ("inventory_no", _TEXT),
        ("item_no", _TEXT),
        ("column", _TEXT),
        ("value", _TEXT),
        ("message", _TEXT),
        ("source_file", _TEXT),
        ("source_row", _COUNT),
    ]
)
EXCLUDED = pa.schema(
    [
        ("inventory_no", _TEXT),
        ("reason", _TEXT),
        ("item_lines", _COUNT),
        ("detail", _TEXT),
        ("source_file", _TEXT),
        ("source_row", _COUNT),
    ]
)
CONTROL_TOTALS = pa.schema(
    [("column", _TEXT), ("currency_or_unit", _TEXT)]
    + [(bucket, AMOUNT) for bucket in ("read", "declared", "rejected", "excluded", "unreadable", "difference")]
)



def _shape(pattern: str) -> pandera.Check:
    return pandera.Check(lambda series: series.str.fullmatch(pattern), name=pattern, error=f"not {pattern}")


_CODE4, _CODE3 = _shape("[0-9]{4}"), _shape("[0-9]{3}")
_REF = _shape("[0-9]{6}-[0-9]{2,}-[0-9]{6,}")
_POSITIVE, _NOT_NEGATIVE = pandera.Check.gt(0), pandera.Check.ge(0)

_CHECKS: dict[str, pandera.Check | list[pandera.Check]] = {
    "declaration_ref": _REF,
    "declaring_customs_code": _CODE4,
    "exit_customs_code": _CODE4,
    "trade_mode_code": pandera.Check.eq("9610"),
    "arrival_country_code": _CODE3,
    "destination_country_code": _CODE3,
    "currency_code": _CODE3,
    "declared_unit_code": _CODE3,
    "statutory_unit_code": _CODE3,
    "commodity_code": _shape("[0-9]{10}"),
    "item_count": pandera.Check.in_range(1, ITEMS_PER_DECLARATION.value),
    "declaration_item_no": pandera.Check.in_range(1, ITEMS_PER_DECLARATION.value),
    "inventory_count": _POSITIVE,
    "inventory_item_count": _POSITIVE,
    "package_count": _NOT_NEGATIVE,
    "declared_quantity": _POSITIVE,
    "statutory_quantity": _POSITIVE,
    "total_price": _POSITIVE,
    "gross_weight_kg": _NOT_NEGATIVE,
    "net_weight_kg": _NOT_NEGATIVE,
}
_NULLABLE = {field.column for field in FIELD.values() if not field.required} | {"second_statutory_quantity", "order_no", "waybill_no", "inventory_no", "item_no", "source_row", "unit_price"}
_CHECKED_FRAMES = ("declarations", "declaration_items", "audit_map")

SCHEMAS: dict[str, pa.Schema] = {
    "declarations": DECLARATIONS,
    "declaration_items": DECLARATION_ITEMS,
    "audit_map": AUDIT_MAP,
    "weight_shares": WEIGHT_SHARES,
    "findings": FINDINGS,
    "excluded": EXCLUDED,
    "control_totals": CONTROL_TOTALS,
}
"""Output to its columns, in the order of the contract."""


def _frame_schema(name: str, schema: pa.Schema) -> pandera.DataFrameSchema:
    columns = {
        field.name: pandera.Column(
            pd.ArrowDtype(field.type),
            _CHECKS.get(field.name) if name in _CHECKED_FRAMES else None,
            nullable=field.name in _NULLABLE,
        )
        for field in schema
    }
    unique = {"declarations": ["declaration_ref"], "declaration_items": ["declaration_ref", "declaration_item_no"]}
    return pandera.DataFrameSchema(columns, strict=True, ordered=True, name=name, unique=unique.get(name))


FRAME_SCHEMAS: dict[str, pandera.DataFrameSchema] = {
    name: _frame_schema(name, schema) for name, schema in SCHEMAS.items()
}


def check_output(name: str, table: pa.Table) -> pa.Table:
    """The table cast to its schema and checked. Raises pandera's SchemaError."""
    cast = table.cast(SCHEMAS[name])
    FRAME_SCHEMAS[name].validate(cast.to_pandas(types_mapper=pd.ArrowDtype))
    return cast
