"""What rules and advice on simplified inventories cite."""

from __future__ import annotations

from aggregator.schemas.sources import Cite, Status, ours

SIMPLIFIED = Cite("BROKER-GUIDES", "simplified inventories: up to RMB 5,000, without licence, export duty or refund, in a pilot zone", Status.READ_PARTIAL)
PILOT = Cite("BROKER-GUIDES", "list verification without declarations is for pilot zones", Status.READ_PARTIAL)
RATE = ours("exchange rate of the limits: the user's table", Status.INFERENCE)
