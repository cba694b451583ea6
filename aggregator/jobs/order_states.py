"""How far the orders of runs have come, by what customs said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from aggregator.ledger.ledger import Ledger
from aggregator.model.records import Run
from aggregator.schemas.modes.m9710.messages import OrderState, order_state

ORDERS_MODE = "9710"


def states_of_orders(ledger: Ledger, periods: Collection[str]) -> dict[str, int]:
    """Orders filed in runs of these periods (yyyymm), by state, every state named; empty where no run filed any."""
    return states_of(ledger, [run for run in ledger.runs() if run.period in periods])


def states_of(ledger: Ledger, runs: Iterable[Run]) -> dict[str, int]:
    """The same of some runs."""
    filing = [run for run in runs if run.mode == ORDERS_MODE and run.live]
    found: Counter[str] = Counter()
    for run in filing:
        for standing in ledger.order_standings(run):
            found[order_state(standing.order_status, standing.list_status, standing.held)] += standing.orders
    return {str(state): found[state] for state in OrderState} if filing else {}
