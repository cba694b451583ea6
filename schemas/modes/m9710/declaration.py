"""What goes out of 9710: declaration drafts with the attached order, their items, and the route of every order."""

from __future__ import annotations

import pyarrow as pa

from aggregator.schemas.modes.m9610 import declaration as of_9610
from aggregator.schemas.modes.m9610.fields import DICTIONARY as INVENTORY
from aggregator.schemas.modes.m9710.fields import DICTIONARY
from aggregator.schemas.modes.m9710.limits import ITEMS_PER_DECLARATION, TRADE_MODE
from aggregator.schemas.outputs import (
    CONTROL_TOTALS,
    EXCLUDED,
    FINDINGS,
    TEXT,
    WEIGHT_SHARES,
    OutputSchemas,
    line_type,
)

DECLARATIONS = pa.schema(
    [
        *of_9610.DECLARATIONS,
        ("platform_code", TEXT),
        ("order_no", TEXT),
        ("attached_document_category_code", TEXT),
        ("attached_document_no", TEXT),
        ("buyer_name", TEXT),
        ("licence_no", TEXT),
        ("value_cny", TEXT),
    ]
)
_AUDITED = [field for field in of_9610.AUDIT_MAP if field.name not in INVENTORY.content or field.name in DICTIONARY.content]
AUDIT_MAP = pa.schema(
    [
        *_AUDITED,
        *((column, line_type(DICTIONARY[column])) for column in DICTIONARY.content if column not in {field.name for field in _AUDITED}),
    ]
)
ROUTES = pa.schema([(name, TEXT) for name in ("platform_code", "order_no", "route", "value_cny", "reasons", "declaration_ref")])

_TABLES: dict[str, pa.Schema] = {
    "declarations": DECLARATIONS,
    "declaration_items": of_9610.DECLARATION_ITEMS,
    "routes": ROUTES,
    "audit_map": AUDIT_MAP,
    "weight_shares": WEIGHT_SHARES,
    "findings": FINDINGS,
    "excluded": EXCLUDED,
    "control_totals": CONTROL_TOTALS,
}

_BLANK_AT_TIMES = {"second_statutory_quantity", "inventory_no", "item_no", "source_row", "unit_price", "declaration_ref", "declaration_item_no"}
"""An order on the list route has no declaration."""

OUTPUTS = OutputSchemas(
    _TABLES,
    TRADE_MODE,
    ITEMS_PER_DECLARATION.value,
    frozenset(_BLANK_AT_TIMES | {field.column for field in DICTIONARY.fields if not field.required}),
)
