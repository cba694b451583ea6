"""How far a total may be off declared quantity times unit price, in every mode."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from aggregator.schemas.limit import Limit
from aggregator.schemas.sources import Status, ours

_SINCE_2019 = date(2019, 1, 1)

TOTAL_TOLERANCE_ABSOLUTE: Limit[Decimal] = Limit(
    Decimal("0.01"), ours("tolerance of price times quantity", Status.INFERENCE), _SINCE_2019
)
TOTAL_TOLERANCE_SHARE: Limit[Decimal] = Limit(
    Decimal("0.001"), ours("tolerance of price times quantity", Status.INFERENCE), _SINCE_2019
)
