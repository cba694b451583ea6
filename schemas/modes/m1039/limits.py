"""Packing key, limits and the profile of simplified declaration of 1039: dated parameters, each with how sure it is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from aggregator.schemas.limit import Limit
from aggregator.schemas.sources import Cite, Status

TRADE_MODE = "1039"
_SINCE_2019 = date(2020, 1, 1)
"""The announcement is of 2019; its day was not read [UNVERIFIED]."""

HEADER_KEY: Limit[tuple[str, ...]] = Limit(
    (
        "declaring_customs_code",
        "consignor_code",
        "buyer_name",
        "buyer_id_no",
        "exit_customs_code",
        "transport_mode_code",
        "arrival_country_code",
        "declaration_group_no",
    ),
    Cite("MARKET-PRACTICE", "what one declaration and its remark hold one of; no text of a key was found", Status.INFERENCE),
    _SINCE_2019,
)
"""What is never mixed in one declaration, in sort order."""

BODY_KEY: Limit[tuple[str, ...]] = Limit(
    (
        "inventory_no",
        "commodity_code",
        "goods_name",
        "destination_country_code",
        "currency_code",
        "declared_unit_code",
        "statutory_unit_code",
        "second_statutory_unit_code",
        "by_itself",
        "priced_on",
    ),
    Cite("TOOL", "goods of a slip are added up before slips are packed", Status.OURS),
    _SINCE_2019,
)
"""A good of a slip. `by_itself`: inspection or export duty applies or is not known; `priced_on`: the day of its exchange rate."""

APPLICATION_KEY: Limit[tuple[str, ...]] = Limit(
    ("declaring_customs_code", "declarant_code", "consignor_code", "premises_code"),
    Cite("TOOL", "declarations of one operator at one customs are taken together in the ledger; nothing is applied for", Status.OURS),
    _SINCE_2019,
)

MOST_USD: Limit[Decimal] = Limit(
    Decimal(150_000), Cite("GACC-2019-221", "at most USD 150,000 a declaration, inclusive", Status.READ_PARTIAL), _SINCE_2019
)
ITEMS_PER_DECLARATION: Limit[int] = Limit(50, Cite("SW-PRACTICE", "at most 50 items a declaration", Status.INFERENCE), _SINCE_2019)

SIMPLIFIED_ABOVE: Limit[int] = Limit(
    5, Cite("GACC-2019-221", "simplified where a declaration has more than five kinds of goods", Status.READ_PARTIAL), _SINCE_2019
)
KEPT_ONE_BY_ONE: Limit[int] = Limit(
    5, Cite("GACC-2019-221", "the five of greatest value are listed, the rest by tariff chapter", Status.READ_PARTIAL), _SINCE_2019
)
"""What a kind (品种) is, that a chapter's line bears the code, name and unit of the most valuable good of the rest, the order of
the lines, and that goods with inspection or export duty stand by themselves and use up no place: all UNVERIFIED."""
SIMPLIFICATION = Cite("GACC-2019-221", "kind, leader of a chapter's line, order, what is kept out", Status.UNVERIFIED)
RATE = Cite("GACC-272", "article 13, rate for taxable value; its use for the USD limit is our reading", Status.INFERENCE)
