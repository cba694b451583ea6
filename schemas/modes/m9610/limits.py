"""Merge keys, limits and tolerances: dated parameters with their citation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

from aggregator.schemas.sources import Cite, Status, ours, spec

T = TypeVar("T")


@dataclass(frozen=True)
class Limit(Generic[T]):
    value: T
    cite: Cite
    in_force_from: date


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

NO_PRODUCER_CODE = "NO"
"""What stands in the producer_seller code of a firm not registered with customs (table 2-38, ownerCode)."""

ITEMS_PER_DECLARATION: Limit[int] = Limit(
    50, Cite("SW-PRACTICE", "at most 50 items a declaration", Status.INFERENCE), _SINCE_2019
)
ITEMS_PER_INVENTORY: Limit[int] = Limit(100, spec("InventoryList 1..100"), date(2018, 9, 30))

TOTAL_TOLERANCE_ABSOLUTE: Limit[Decimal] = Limit(
    Decimal("0.01"), ours("tolerance of price times quantity", Status.INFERENCE), _SINCE_2019
)
TOTAL_TOLERANCE_SHARE: Limit[Decimal] = Limit(
    Decimal("0.001"), ours("tolerance of price times quantity", Status.INFERENCE), _SINCE_2019
)

DEADLINE_DAY: Limit[int] = Limit(15, Cite("GACC-2018-194", "by the 15th of the next month", Status.READ_PARTIAL), _SINCE_2019)
"""The last day to declare a period, in the month after it. On a day off it moves to the next working day [UNVERIFIED]: the
bracket that says so was read of an earlier rule set (2014-56) only. Made-up working days count as such [UNVERIFIED]."""
DEADLINE_ROLLOVER = Cite("GACC-2018-194", "a 15th that is a day off moves to the next working day", Status.UNVERIFIED)

TRADE_MODE_9610 = "9610"
DECLARATION_MODE_SIMPLIFIED = "A"
STATUS_CLEARED = "899"
STATUS_RETURNED = "100"
CANCELLATION, STATUS_CANCELLED = "CEB606", "399"
UNIT_KILOGRAM = "035"

SCALE = 5
PRECISION = 19
UNIT_PRICE_SCALE = 4
