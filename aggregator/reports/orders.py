"""How far orders have come, for people."""

from __future__ import annotations

from aggregator.schemas.modes.m9710.messages import OrderState
from aggregator.schemas.text import Lang, Text

_ORDERS: dict[OrderState, Text] = {
    OrderState.FILED: Text("filed", "已申报"), OrderState.ACCEPTED: Text("accepted", "订单已入库"), OrderState.LISTED: Text("listed", "清单已入库"),
    OrderState.RELEASED: Text("released", "已放行"), OrderState.CLEARED: Text("cleared", "已结关"), OrderState.REFUSED: Text("refused", "被退单"),
}  # fmt: skip


def orders_text(orders: dict[str, int], lang: Lang) -> str:
    """States that any order is in."""
    return ", ".join(f"{_ORDERS[OrderState(state)].in_lang(lang)} {count:,}" for state, count in orders.items() if count)
