"""What is known of a period: what is declared, what waits and why, what customs cleared."""

from __future__ import annotations

from collections.abc import Iterator

from aggregator.ledger.sql.connection import Connection
from aggregator.ledger.sql.query import declarations_made
from aggregator.ledger.sql.words import LIVE, UNDOES
from aggregator.model.records import (
    CLEARED_SINCE,
    CUSTOMS_REASON,
    DISMISSED,
    LIVE_STATES,
    RUN_LIVE,
    Example,
    PeriodFacts,
    Waiting,
)

_OF_X = UNDOES.replace("message", "x.message").replace("status", "x.status")
_CANCELLED = f"EXISTS (SELECT 1 FROM clearance x WHERE x.inventory_no = {{0}}.inventory_no AND {_OF_X})"
_IN_RESULT = "EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = {0}.inventory_no)"
_CLEARED = f"c.message = 'CEB604' AND c.status = '899' AND NOT {_CANCELLED.format('c')}"
_UNSEEN = (
    f"NOT EXISTS (SELECT 1 FROM inventory i WHERE i.inventory_no = c.inventory_no AND i.{LIVE}) "
    f"AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.inventory_no = c.inventory_no) AND NOT {_IN_RESULT.format('c')}"
)
_SINCE = f"w.fate = 'excluded' AND w.reason = '{CUSTOMS_REASON}' AND c.at IS NOT NULL"
_WAITS = (
    "(SELECT w.inventory_no, w.seen_in, "
    f"CASE WHEN {_SINCE} THEN substr(c.at, 1, 6) WHEN w.cleared_period = '' THEN w.seen_period ELSE w.cleared_period END AS period, "
    f"CASE WHEN w.fate = '{DISMISSED}' THEN w.fate WHEN {_CANCELLED.format('w')} THEN 'excluded' WHEN {_SINCE} THEN '{CLEARED_SINCE}' ELSE w.fate END AS fate, "
    f"CASE WHEN w.fate = '{DISMISSED}' THEN w.reason WHEN {_CANCELLED.format('w')} THEN 'cancelled' WHEN {_SINCE} THEN '' ELSE w.reason END AS reason "
    "FROM waiting w LEFT JOIN clearance c ON c.inventory_no = w.inventory_no AND c.message = 'CEB604' AND c.status = '899' "
    f"WHERE NOT {_IN_RESULT.format('w')}) AS waits"
)
"""What waits: as it was last seen, and what was received of customs since."""


def periods(connection: Connection) -> set[str]:
    found: set[str] = set()
    for query in (
        "SELECT period FROM run WHERE period <> ''",
        "SELECT cleared_period FROM tally",
        f"SELECT DISTINCT period FROM {_WAITS}",
        f"SELECT DISTINCT substr(at, 1, 6) FROM clearance c WHERE {_CLEARED}",
    ):
        found |= {str(row[0]) for row in connection.execute(query) if row[0]}
    return found


def period_facts(connection: Connection, period: str, most: int) -> PeriodFacts:
    states, late = _declared(connection, period)
    query = f"SELECT run_ref FROM run WHERE period = ? AND state = '{RUN_LIVE}' ORDER BY run_no"
    runs = [row[0] for row in connection.execute(query, (period,))]
    made = sum(declarations_made(connection, run_ref) for run_ref in runs)
    query = f"SELECT fate, reason, count(*) FROM {_WAITS} WHERE period = ? GROUP BY 1, 2 ORDER BY 1 DESC, 2"
    waiting = [Waiting(*row) for row in connection.execute(query, (period,))]
    examples = list(_examples(connection, period, waiting, most))
    cleared = _cleared(connection, period, most)
    return PeriodFacts(states, late, runs, made, _cancelled(connection, period), waiting, examples, *cleared)


def _declared(connection: Connection, period: str) -> tuple[dict[str, int], int]:
    """How many by state, and how many of them late."""
    states, lates = dict[str, int](), 0
    query = "SELECT state, late, sum(inventories) FROM tally WHERE cleared_period = ? GROUP BY state, late"
    for state, late, count in connection.execute(query, (period,)):
        states[state] = states.get(state, 0) + count
        lates += count if late and state in LIVE_STATES else 0
    return states, lates


def _cancelled(connection: Connection, period: str) -> int:
    query = (
        "SELECT count(*) FROM (SELECT inventory_no FROM inventory i "
        f"WHERE cancelled <> '' AND {LIVE} AND cleared_period = :key UNION SELECT i.inventory_no FROM clearance x "
        f"CROSS JOIN inventory i ON i.inventory_no = x.inventory_no AND i.{LIVE} WHERE {_OF_X} AND i.cleared_period = :key) AS those"
    )
    return int(connection.execute(query, {"key": period}).fetchone()[0])


def _cleared(connection: Connection, period: str, most: int) -> tuple[int, int, list[str]]:
    """How many customs cleared, how many of them are unseen, and some of these."""
    of_period = f"FROM clearance c WHERE substr(at, 1, 6) = ? AND {_CLEARED}"
    [cleared] = connection.execute(f"SELECT count(*) {of_period}", (period,)).fetchone()
    if not cleared:
        return 0, 0, []
    [unseen] = connection.execute(f"SELECT count(*) {of_period} AND {_UNSEEN}", (period,)).fetchone()
    rows = connection.execute(f"SELECT inventory_no {of_period} AND {_UNSEEN} ORDER BY 1 LIMIT ?", (period, most))
    return cleared, unseen, [number for (number,) in rows]


def _examples(connection: Connection, period: str, waiting: list[Waiting], most: int) -> Iterator[Example]:
    query = (
        f"SELECT inventory_no, fate, reason, seen_in FROM {_WAITS} WHERE period = ? AND fate = ? AND reason = ? "
        "ORDER BY inventory_no LIMIT ?"
    )
    for each in (each for each in waiting if each.open):
        yield from (Example(*row) for row in connection.execute(query, (period, each.fate, each.reason, most)))
