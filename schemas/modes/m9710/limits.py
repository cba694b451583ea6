"""Keys, limits and the attached document of 9710: dated parameters, each with how sure it is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from aggregator.schemas.limit import Limit
from aggregator.schemas.sources import Cite, Status

TRADE_MODE = "9710"
_SINCE_2020 = date(2020, 7, 1)
_SINCE_2021 = date(2021, 7, 1)
"""All customs since the pilot was extended (2021-47); the day was not read [UNVERIFIED]."""

HEADER_KEY: Limit[tuple[str, ...]] = Limit(
    (
        "platform_code",
        "inventory_no",
        "order_no",
        "route",
        "value_cny",
        "reasons",
        "declaring_customs_code",
        "trade_mode_code",
        "consignor_code",
        "producer_seller_code",
        "producer_seller_name",
        "transport_mode_code",
        "arrival_country_code",
        "exit_customs_code",
        "declarant_code",
        "premises_code",
        "buyer_name",
        "licence_no",
    ),
    Cite("BROKER-GUIDES", "one order, one declaration or one list (error -301011: the order is on a declared list)", Status.INFERENCE),
    _SINCE_2020,
)
"""One declaration an order. `route`, `value_cny`, `reasons`: see aggregator/domain/route.py."""

BODY_KEY: Limit[tuple[str, ...]] = Limit(
    (
        "item_no",
        "commodity_code",
        "destination_country_code",
        "currency_code",
        "declared_unit_code",
        "statutory_unit_code",
        "second_statutory_unit_code",
    ),
    Cite("BROKER-GUIDES", "the declaration is compared with the order, head and items: nothing is merged", Status.READ),
    _SINCE_2020,
)
"""Which fields are compared, and how exactly, no text says [UNVERIFIED]."""

APPLICATION_KEY: Limit[tuple[str, ...]] = Limit(
    ("declaring_customs_code", "declarant_code", "consignor_code", "premises_code"),
    Cite("TOOL", "orders of one consignor at one customs are taken together in the ledger; nothing is applied for", Status.OURS),
    _SINCE_2020,
)

LIST_CNY: Limit[Decimal] = Limit(
    Decimal(5000), Cite("BROKER-GUIDES", "a list of up to RMB 5,000.00, without licence, export duty or inspection", Status.READ), _SINCE_2020
)
"""Inclusive, of the amount rounded half up to RMB 0.01. That 单票 is one list, was read nowhere [UNVERIFIED]."""
ROUTE = Cite("BROKER-GUIDES", "over RMB 5,000.00, licence, export duty, inspection or refund: by declaration", Status.READ_PARTIAL)
RATE = Cite("GACC-272", "article 13, rate for taxable value, rounded half up; its use for the limit of a list is our reading", Status.INFERENCE)

ITEMS_PER_DECLARATION: Limit[int] = Limit(50, Cite("SW-PRACTICE", "at most 50 items a declaration", Status.INFERENCE), _SINCE_2020)
ITEMS_PER_ORDER: Limit[int] = Limit(100, Cite("CEB-SPEC-202205", "OrderList 1..100, InventoryList 1..100", Status.READ), _SINCE_2020)
SKU_ON_A_LIST: Limit[int] = Limit(20, Cite("CEB-SPEC-202205", "itemNo: C..30 in the order, C..20 in the inventory", Status.READ), _SINCE_2020)

ATTACHED_CATEGORY: Limit[str] = Limit(
    "10000004", Cite("BROKER-GUIDES", "attached document 跨境B2B出口单证 with the order number", Status.READ), _SINCE_2020
)
