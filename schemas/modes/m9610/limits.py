"""Merge keys, limits and tolerances of 9610: dated parameters with their citation."""

from __future__ import annotations

from datetime import date

from aggregator.schemas.limit import Limit
from aggregator.schemas.sources import Cite, Status, spec

_SINCE_2019 = date(2019, 1, 1)
_KEY_2018 = Cite("GACC-2018-194", "summarising article (number not seen)", Status.READ_PARTIAL)

HEADER_KEY: Limit[tuple[str, ...]] = Limit(
    (
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
    ),
    _KEY_2018,
    _SINCE_2019,
)
"""In sort order. `producer_seller_name` counts only where the code is NO. The declaring customs, trade mode, declarant
and premises are not in the text: one summary application holds one of each (table 2-73), so they cannot mix [INFERENCE]."""

BODY_KEY: Limit[tuple[str, ...]] = Limit(
    (
        "commodity_code",
        "destination_country_code",
        "currency_code",
        "declared_unit_code",
        "statutory_unit_code",
        "second_statutory_unit_code",
        "item_name",
    ),
    _KEY_2018,
    _SINCE_2019,
)
"""In sort order. The units are not in the text of 2018: quantities in different units cannot be added [INFERENCE].
`item_name` is the enterprise goods name (goods name where empty), in the key with item name flag 1."""

APPLICATION_KEY: Limit[tuple[str, ...]] = Limit(
    ("declaring_customs_code", "declarant_code", "consignor_code", "premises_code"),
    Cite("CEB-SPEC-202205", "table 2-73: a summary application holds one of each", Status.INFERENCE),
    _SINCE_2019,
)

ITEMS_PER_DECLARATION: Limit[int] = Limit(
    50, Cite("SW-PRACTICE", "at most 50 items a declaration", Status.INFERENCE), _SINCE_2019
)
ITEMS_PER_INVENTORY: Limit[int] = Limit(100, spec("InventoryList 1..100"), date(2018, 9, 30))

DEADLINE_DAY: Limit[int] = Limit(15, Cite("GACC-2018-194", "by the 15th of the next month", Status.READ_PARTIAL), _SINCE_2019)
"""The last day to declare a period, in the month after it. On a day off it moves to the next working day [UNVERIFIED]: the
bracket that says so was read of an earlier rule set (2014-56) only. Made-up working days count as such [UNVERIFIED]."""
DEADLINE_ROLLOVER = Cite("GACC-2018-194", "a 15th that is a day off moves to the next working day", Status.UNVERIFIED)

TRADE_MODE = "9610"
