"""What goes out of 9610: its declarations, their items, and where each declared line went."""

from __future__ import annotations

import pyarrow as pa

from aggregator.schemas.decimals import UNIT_PRICE_SCALE
from aggregator.schemas.modes.m9610.fields import DICTIONARY
from aggregator.schemas.modes.m9610.limits import ITEMS_PER_DECLARATION, TRADE_MODE
from aggregator.schemas.outputs import (
    AMOUNT,
    CONTROL_TOTALS,
    COUNT,
    EXCLUDED,
    FINDINGS,
    ITEM,
    LINE_AMOUNT,
    TEXT,
    WEIGHT_SHARES,
    OutputSchemas,
    line_type,
)

PRICE = pa.decimal128(38, UNIT_PRICE_SCALE)

DECLARATIONS = pa.schema(
    [
        ("declaration_ref", TEXT),
        ("declaring_customs_code", TEXT),
        ("trade_mode_code", TEXT),
        ("consignor_code", TEXT),
        ("consignor_name", TEXT),
        ("producer_seller_code", TEXT),
        ("producer_seller_name", TEXT),
        ("transport_mode_code", TEXT),
        ("arrival_country_code", TEXT),
        ("exit_customs_code", TEXT),
        ("declarant_code", TEXT),
        ("premises_code", TEXT),
        ("item_count", COUNT),
        ("inventory_count", COUNT),
        ("inventory_item_count", COUNT),
        ("package_count", COUNT),
        ("gross_weight_kg", AMOUNT),
        ("net_weight_kg", AMOUNT),
    ]
)
DECLARATION_ITEMS = pa.schema(
    [
        ("declaration_ref", TEXT),
        ("declaration_item_no", COUNT),
        ("commodity_code", TEXT),
        ("goods_name", TEXT),
        ("goods_spec", TEXT),
        ("destination_country_code", TEXT),
        ("currency_code", TEXT),
        ("declared_quantity", AMOUNT),
        ("declared_unit_code", TEXT),
        ("statutory_quantity", AMOUNT),
        ("statutory_unit_code", TEXT),
        ("second_statutory_quantity", AMOUNT),
        ("second_statutory_unit_code", TEXT),
        ("unit_price", PRICE),
        ("total_price", AMOUNT),
        ("inventory_item_count", COUNT),
    ]
)
AUDIT_MAP = pa.schema(
    [
        ("inventory_no", TEXT),
        ("item_no", ITEM),
        ("declaration_ref", TEXT),
        ("declaration_item_no", ITEM),
        ("declared_quantity", LINE_AMOUNT),
        ("statutory_quantity", LINE_AMOUNT),
        ("second_statutory_quantity", LINE_AMOUNT),
        ("total_price", LINE_AMOUNT),
        ("order_no", TEXT),
        ("waybill_no", TEXT),
        ("late", pa.bool_()),
        ("source_file", TEXT),
        ("source_row", COUNT),
        *((column, line_type(DICTIONARY[column])) for column in DICTIONARY.content if column not in DICTIONARY.summed_items),
    ]
)
"""Where each declared line went, and its content: what was declared can be shown when the inventory turns up changed."""

_TABLES: dict[str, pa.Schema] = {
    "declarations": DECLARATIONS,
    "declaration_items": DECLARATION_ITEMS,
    "audit_map": AUDIT_MAP,
    "weight_shares": WEIGHT_SHARES,
    "findings": FINDINGS,
    "excluded": pa.schema([*EXCLUDED, ("order_no", TEXT), ("waybill_no", TEXT)]),
    "control_totals": CONTROL_TOTALS,
}
"""Output to its columns, in the order of the contract."""

_BLANK_AT_TIMES = {"second_statutory_quantity", "order_no", "waybill_no", "inventory_no", "item_no", "source_row", "unit_price"}

OUTPUTS = OutputSchemas(
    _TABLES,
    TRADE_MODE,
    ITEMS_PER_DECLARATION.value,
    frozenset(_BLANK_AT_TIMES | {field.column for field in DICTIONARY.fields if not field.required}),
)
