"""Which route an order of 9710 takes: declaration (报关单) or list verification (清单核放, an inventory).

An order of up to RMB 5,000.00 with neither licence nor export duty nor inspection may go either way; all others are declared.
What is not known counts as if it applied.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from aggregator.schemas.modes.m9710.reasons import REASONS as _TEXTS

DECLARATION, LIST = "declaration", "list"
REASONS = tuple(_TEXTS)
"""Every one that applies, in this order."""
NO, YES, UNKNOWN = 0, 1, -1
"""What is known of a fact."""


def routes(orders: pd.DataFrame, *, limit_fen: int, refund: bool, chosen: bool) -> pd.DataFrame:
    """In: an order a row: value_fen (whole fen, rounded), licence (boolean), duty and inspection (NO, YES, UNKNOWN). `refund`: the
    firm claims it; `chosen`: all orders are to be declared. Out, in the same order: route, reasons (joined by `;`)."""
    applies = {
        "over_limit": orders["value_fen"].to_numpy() > limit_fen,
        "licence": orders["licence"].to_numpy(dtype=bool),
        "duty": orders["duty"].to_numpy() == YES,
        "inspection": orders["inspection"].to_numpy() == YES,
        "refund": np.full(len(orders), refund),
        "unknown_inspection": orders["inspection"].to_numpy() == UNKNOWN,
        "unknown_duty": orders["duty"].to_numpy() == UNKNOWN,
    }
    declared = np.logical_or.reduce(list(applies.values()))
    applies["chosen"] = ~declared & chosen
    applies["within_limit"] = ~declared & ~applies["chosen"]
    bits = sum(np.where(applies[reason], 1 << place, 0) for place, reason in enumerate(REASONS))
    values, places = np.unique(np.asarray(bits, dtype=np.int64), return_inverse=True)
    texts = np.array([";".join(reason for at, reason in enumerate(REASONS) if value & (1 << at)) for value in values.tolist()], dtype=object)
    route = np.where(declared | applies["chosen"], DECLARATION, LIST)
    return pd.DataFrame({"route": route, "reasons": texts[places] if len(orders) else texts[:0]}, index=orders.index)
