"""What goes out of 1039: declarations, their items, what was packed into which, and the list of simplified goods brokers attach."""

from __future__ import annotations

import pyarrow as pa

from aggregator.schemas.modes.m1039.fields import DICTIONARY
from aggregator.schemas.modes.m1039.limits import HEADER_KEY, ITEMS_PER_DECLARATION, TRADE_MODE
from aggregator.schemas.modes.m9610 import declaration as of_9610
from aggregator.schemas.modes.m9610.fields import DICTIONARY as INVENTORY
from aggregator.schemas.outputs import (
    AMOUNT,
    CONTROL_TOTALS,
    COUNT,
    EXCLUDED,
    FINDINGS,
    TEXT,
    WEIGHT_SHARES,
    OutputSchemas,
    line_type,
)

_OF_LINES = [("package_count", COUNT), ("gross_weight_kg", AMOUNT), ("net_weight_kg", AMOUNT)]

DECLARATIONS = pa.schema(
    [
        *of_9610.DECLARATIONS,
        ("buyer_name", TEXT),
        ("buyer_id_no", TEXT),
        ("declaration_group_no", TEXT),
        ("remark", TEXT),
    ]
)
DECLARATION_ITEMS = pa.schema([*of_9610.DECLARATION_ITEMS, ("simplified", COUNT), ("chapter", TEXT), *_OF_LINES])
_AUDITED = [field for field in of_9610.AUDIT_MAP if field.name not in INVENTORY.content or field.name in DICTIONARY.content]
AUDIT_MAP = pa.schema(
    [
        *_AUDITED,
        *((column, line_type(DICTIONARY[column])) for column in DICTIONARY.content if column not in {field.name for field in _AUDITED}),
    ]
)
PACKING = pa.schema([("declaration_ref", TEXT), ("trade_slip_no", TEXT), ("total_usd", AMOUNT)])
PACKING_GROUPS = pa.schema(
    [
        *((DICTIONARY[column].shown, TEXT) for column in HEADER_KEY.value),
        ("slips", COUNT),
        ("declarations", COUNT),
        ("lower_bound", COUNT),
        ("proven", COUNT),
    ]
)
SIMPLIFIED_GOODS = pa.schema(
    [
        ("declaration_ref", TEXT),
        ("declaration_item_no", COUNT),
        ("commodity_code", TEXT),
        ("goods_name", TEXT),
        ("total_price", AMOUNT),
        ("currency_code", TEXT),
        ("declared_quantity", AMOUNT),
        ("declared_unit_code", TEXT),
        *_OF_LINES,
    ]
)

_TABLES: dict[str, pa.Schema] = {
    "declarations": DECLARATIONS,
    "declaration_items": DECLARATION_ITEMS,
    "audit_map": AUDIT_MAP,
    "packing": PACKING,
    "packing_groups": PACKING_GROUPS,
    "simplified_goods": SIMPLIFIED_GOODS,
    "weight_shares": WEIGHT_SHARES,
    "findings": FINDINGS,
    "excluded": EXCLUDED,
    "control_totals": CONTROL_TOTALS,
}

_BLANK_AT_TIMES = {"second_statutory_quantity", "order_no", "waybill_no", "inventory_no", "item_no", "source_row", "unit_price"}

OUTPUTS = OutputSchemas(
    _TABLES,
    TRADE_MODE,
    ITEMS_PER_DECLARATION.value,
    frozenset(_BLANK_AT_TIMES | {field.column for field in DICTIONARY.fields if not field.required}),
)
