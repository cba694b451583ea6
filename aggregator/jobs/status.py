"""What the ledger says of each period: its deadline, what is declared and how far that is, what is not declared and why."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from aggregator.domain.deadline import Calendar, deadline, earliest_deadline
from aggregator.ledger.sqlite.amend import DISMISSED
from aggregator.ledger.sqlite.query import declarations_of, setting
from aggregator.ledger.sqlite.store import open_ledger
from aggregator.ledger.sqlite.tables import LIVE, LIVE_STATES, UNDOES
from aggregator.model.errors import NoCalendar
from aggregator.model.settings import Period
from aggregator.schemas.modes.m9610.limits import DEADLINE_DAY

CLOSED_REASONS = frozenset({"other_mode", "simplified", "cancelled", "before_ledger"})
"""Reasons for which this ledger will never have an inventory declared."""
CUSTOMS_REASON = "not_cleared"
CLEARED_SINCE = "cleared"
"""The fate of what waited for customs to clear it, and was cleared since by a message that was received."""
_MONTH = re.compile("2[0-9]{3}(?:0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Waiting:
    """Inventories not declared for one and the same reason. `open`: to be declared by the period's deadline."""

    fate: str
    reason: str
    inventories: int

    @property
    def closed(self) -> bool:
        return self.fate == DISMISSED or (self.fate == "excluded" and bool(CLOSED_REASONS & set(self.reason.split())))

    @property
    def open(self) -> bool:
        return not self.closed and not (self.fate == "excluded" and CUSTOMS_REASON in self.reason.split())


@dataclass(frozen=True)
class Example:
    inventory_no: str
    fate: str
    reason: str
    seen_in: str


@dataclass
class PeriodStatus:
    """One period. `deadline` is None where no calendar has its year; `states`: declared inventories cleared in it, by state;
    `cancelled`: how many of these customs has cancelled or sent back since. `cleared`: how many customs cleared in it, by the
    receipts that were received; `unseen`: those of them that are in no state here: never in an export, so far."""

    period: Period
    deadline: date | None
    earliest: date
    working_days_left: int | None
    states: dict[str, int] = field(default_factory=dict)
    late: int = 0
    runs: list[str] = field(default_factory=list)
    declarations: int = 0
    cancelled: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    cleared: int = 0
    unseen: int = 0
    unseen_examples: list[str] = field(default_factory=list)

    @property
    def declared(self) -> int:
        return sum(self.states.get(state, 0) for state in LIVE_STATES)

    @property
    def undeclared(self) -> int:
        return sum(each.inventories for each in self.waiting if each.open) + self.unseen

    def warns(self, today: date, warn_days: int) -> bool:
        """Whether something is undeclared and the deadline fewer than `warn_days` working days away, or past. Without a
        calendar the day before it is moved stands for the deadline: that is never too late."""
        if not self.undeclared:
            return False
        left = self.working_days_left
        if left is None:
            return (self.earliest - today).days < warn_days
        return left < warn_days


@dataclass
class Standing:
    """All periods asked for, the earliest first. `no_calendar` is what to do where a year has no calendar."""

    today: date
    ledger: Path | None
    periods: list[PeriodStatus]
    no_calendar: NoCalendar | None = None


def status(ledger: Path | None, asked: Period | None, today: date, calendar: Calendar, most: int) -> Standing:
    """The period asked for, or all that the ledger knows and last month. `most`: how many examples of what waits, a reason."""
    with ExitStack() as stack:
        connection = None
        if ledger is not None and ledger.exists():
            connection = stack.enter_context(open_ledger(ledger))
        keys = {asked.key if asked else Period.before(today).key}
        if connection is not None and asked is None:
            keys |= _periods(connection)
        periods = [Period(int(key[:4]), int(key[4:])) for key in sorted(keys)]
        return standing(connection, ledger if connection else None, periods, today, calendar, most)


def standing(
    connection: sqlite3.Connection | None, ledger: Path | None, periods: list[Period], today: date, calendar: Calendar, most: int
) -> Standing:
    """As `status`, of an open ledger."""
    result = Standing(today, ledger, [])
    for period in periods:
        due, left = None, None
        try:
            due = deadline(period, calendar)
            left = calendar.working_days_left(today, due)
        except NoCalendar as error:
            result.no_calendar = error
        one = PeriodStatus(period, due, earliest_deadline(period), left)
        if connection is not None:
            _fill(connection, one, most)
        result.periods.append(one)
    return result


_FIRST_RULE = Period.before(DEADLINE_DAY.in_force_from)
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
    f"WHERE NOT {_IN_RESULT.format('w')})"
)
"""What waits: as it was last seen, and what was received of customs since."""


def _periods(connection: sqlite3.Connection) -> set[str]:
    first = setting(connection, "first_period") or ""
    found: set[str] = set()
    for query in (
        "SELECT period FROM run WHERE period <> ''",
        "SELECT cleared_period FROM tally",
        f"SELECT DISTINCT period FROM {_WAITS}",
        f"SELECT DISTINCT substr(at, 1, 6) FROM clearance c WHERE {_CLEARED}",
    ):
        found |= {str(row[0]) for row in connection.execute(query) if row[0]}
    # Before its first period the ledger answers for nothing, and before its rule nothing has a deadline.
    # What an earlier version took of a message may be no month at all.
    return {key for key in found if key >= max(first, _FIRST_RULE.key) and _MONTH.fullmatch(key)}


def _fill(connection: sqlite3.Connection, one: PeriodStatus, most: int) -> None:
    key = one.period.key
    for state, late, count in connection.execute(
        "SELECT state, late, sum(inventories) FROM tally WHERE cleared_period = ? GROUP BY state, late", (key,)
    ):
        one.states[state] = one.states.get(state, 0) + count
        one.late += count if late and state in LIVE_STATES else 0
    one.runs = [row[0] for row in connection.execute("SELECT run_ref FROM run WHERE period = ? AND state = 'live' ORDER BY run_no", (key,))]
    one.declarations = sum(declarations_of(connection, run_ref) for run_ref in one.runs)
    [one.cancelled] = connection.execute(
        "SELECT count(*) FROM (SELECT inventory_no FROM inventory i "
        f"WHERE cancelled <> '' AND {LIVE} AND cleared_period = :key UNION SELECT i.inventory_no FROM clearance x "
        f"CROSS JOIN inventory i ON i.inventory_no = x.inventory_no AND i.{LIVE} WHERE {_OF_X} AND i.cleared_period = :key)", {"key": key}
    ).fetchone()
    one.waiting = [
        Waiting(*row)
        for row in connection.execute(
            f"SELECT fate, reason, count(*) FROM {_WAITS} WHERE period = ? GROUP BY 1, 2 ORDER BY 1 DESC, 2", (key,)
        )
    ]
    one.examples = list(_examples(connection, key, one.waiting, most))
    of_period = f"FROM clearance c WHERE substr(at, 1, 6) = ? AND {_CLEARED}"
    [one.cleared] = connection.execute(f"SELECT count(*) {of_period}", (key,)).fetchone()
    if one.cleared:
        [one.unseen] = connection.execute(f"SELECT count(*) {of_period} AND {_UNSEEN}", (key,)).fetchone()
        rows = connection.execute(f"SELECT inventory_no {of_period} AND {_UNSEEN} ORDER BY 1 LIMIT ?", (key, most))
        one.unseen_examples = [number for (number,) in rows]


def _examples(connection: sqlite3.Connection, key: str, waiting: list[Waiting], most: int) -> Iterable[Example]:
    for each in (each for each in waiting if each.open):
        rows = connection.execute(
            f"SELECT inventory_no, fate, reason, seen_in FROM {_WAITS} WHERE period = ? AND fate = ? AND reason = ? "
            "ORDER BY inventory_no LIMIT ?",
            (key, each.fate, each.reason, most),
        )
        yield from (Example(*row) for row in rows)
