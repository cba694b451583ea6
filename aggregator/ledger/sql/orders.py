"""What customs said of orders, kept as clearances under messages of their own (OrderMessage): `inventory_no` is the order there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aggregator.ledger.sql.answers import fold_clearances
from aggregator.ledger.sql.chain import append_event
from aggregator.ledger.sql.connection import Connection
from aggregator.ledger.sql.record import OF_RUN, settle_tally
from aggregator.ledger.sql.words import LIVE
from aggregator.model.answers import Clearance, OrderMessage, OrderStanding
from aggregator.model.records import State
from aggregator.schemas.modes.m9710.messages import OrderState, order_state

_ANSWERED = ", ".join(f"'{message}'" for message in OrderMessage.ALL)

def _since(run_ref: str) -> str:
    """In SQL: up to when what was said of an order `i` counts for nothing in a run, which filed it anew then; blank where it did not."""
    return (
        "coalesce((SELECT r.at FROM clearance r WHERE r.inventory_no = i.inventory_no "
        f"AND r.message = '{OrderMessage.RELEASED}' AND r.status = {run_ref}), '')"
    )


def _said(message: str, name: str, run_ref: str) -> str:
    """In SQL: the latest of one message about an order `i`."""
    return f"LEFT JOIN clearance {name} ON {name}.inventory_no = i.inventory_no AND {name}.message = '{message}' AND {name}.at > {_since(run_ref)}"


ANSWERED_ORDERS = (
    f"SELECT i.inventory_no, c.message || ' ' || c.status FROM inventory i JOIN clearance c ON c.inventory_no = i.inventory_no AND c.message IN ({_ANSWERED}) "
    f"WHERE i.{OF_RUN} AND i.{LIVE} AND c.at > {_since(':run_ref')}"
)
"""In SQL: orders of a run that anything was said of, and that."""


def _all_said(run_ref: str) -> str:
    return " ".join(_said(message, name, run_ref) for message, name in ((OrderMessage.ORDER, "o"), (OrderMessage.LIST, "l"), (OrderMessage.HELD, "h")))


_STATUSES = "coalesce(o.status, ''), coalesce(l.status, ''), coalesce(h.status, '')"


def order_standings(connection: Connection, run_no: int, run_ref: str) -> list[OrderStanding]:
    query = f"SELECT {_STATUSES}, count(*) FROM inventory i {_all_said(':run_ref')} WHERE i.{OF_RUN} AND i.{LIVE} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    return [OrderStanding(*row) for row in connection.execute(query, {"run_no": run_no, "run_ref": run_ref})]


def refused_orders(connection: Connection, wanted: str) -> frozenset[str]:
    """Of the wanted ones what a run holds and customs refused. `wanted`: see `Connection.wanted`."""
    query = (
        f"SELECT i.inventory_no, {_STATUSES} FROM {wanted} CROSS JOIN inventory i ON i.inventory_no = wanted.inventory_no AND i.{LIVE} JOIN run USING (run_no) "
        f"{_all_said('run.run_ref')}"
    )
    return frozenset(number for number, *statuses in connection.execute(query) if order_state(*statuses) is OrderState.REFUSED)


def release(connection: Connection, run_ref: str, orders: Sequence[str], at: str) -> None:
    if not orders:
        return
    runs, latest = set[int](), list[Clearance]()
    for order in orders:
        runs |= {run_no for (run_no,) in connection.execute(f"SELECT run_no FROM inventory WHERE inventory_no = ? AND {LIVE}", (order,))}
        [until] = connection.execute(f"SELECT max(at) FROM clearance WHERE inventory_no = ? AND message IN ({_ANSWERED})", (order,)).fetchone()
        latest.append(Clearance(order, OrderMessage.RELEASED, run_ref, until or ""))
    connection.executemany(f"UPDATE inventory SET state = '{State.REFUSED}' WHERE inventory_no = ? AND {LIVE}", ((order,) for order in orders))
    fold_clearances(connection, latest)
    for run_no in sorted(runs):
        settle_tally(connection, run_no)
    append_event(connection, at, "released", run_ref, {"orders": sorted(orders)})


def list_numbers(connection: Connection, orders: Iterable[str]) -> dict[str, str]:
    query = f"SELECT status FROM clearance WHERE inventory_no = ? AND message = '{OrderMessage.NUMBER}'"
    found = ((order, connection.execute(query, (order,)).fetchone()) for order in orders)
    return {order: row[0] for order, row in found if row is not None}


def listed_orders(connection: Connection, numbers: Iterable[str]) -> set[str]:
    wanted = set(numbers)
    query = f"SELECT inventory_no, status FROM clearance WHERE message = '{OrderMessage.NUMBER}'"
    return {order for order, number in connection.execute(query) if number in wanted}
