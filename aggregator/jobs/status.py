"""What the ledger says of each period: its deadline, what is declared and how far that is, what is not declared and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from aggregator.domain.deadline import Calendar, calendar_of, deadline, earliest_deadline
from aggregator.jobs.clock import clock_behind
from aggregator.jobs.folders import troubles
from aggregator.jobs.order_states import states_of_orders
from aggregator.ledger.at import ledger_at
from aggregator.ledger.errors import NoLedger
from aggregator.ledger.ledger import Ledger
from aggregator.model.errors import NoCalendar
from aggregator.model.period import Period
from aggregator.model.place import Place
from aggregator.model.records import FIRST_MODE, PeriodFacts, kept_period
from aggregator.model.settings import StatusSettings
from aggregator.schemas.modes import MODES, Mode
from aggregator.schemas.text import Text

_MONTH = re.compile("2[0-9]{3}(?:0[1-9]|1[0-2])")


@dataclass(frozen=True)
class OtherMode:
    """Units of another customs mode in a ledger that modes share."""

    mode: str
    facts: PeriodFacts


@dataclass(frozen=True, kw_only=True)
class PeriodStatus(PeriodFacts):
    """One period: its deadline and what the ledger knows of it. `deadline` is None where no calendar has its year, `earliest` (the
    day before it is moved) where the mode has no deadline. `others`: what the ledger holds of other customs modes;
    `orders`: those filed in it, by state."""

    period: Period
    deadline: date | None
    earliest: date | None
    working_days_left: int | None
    others: tuple[OtherMode, ...] = ()
    orders: dict[str, int] = field(default_factory=dict)

    def warns(self, today: date, warn_days: int) -> bool:
        """Whether something is undeclared and the deadline fewer than `warn_days` working days away, or past. Without a
        calendar the day before it is moved stands for the deadline: that is never too late."""
        if not self.undeclared or self.earliest is None:
            return False
        left = self.working_days_left
        if left is None:
            return (self.earliest - today).days < warn_days
        return left < warn_days


@dataclass
class Standing:
    """All periods asked for, the earliest first. `no_calendar` is what to do where a year has no calendar.
    `presses`: something is undeclared and its deadline is near or past. `orders`: those filed in these periods, by state. `troubles`: what of the ledger and
    the run folders somebody has to see to."""

    mode: Mode
    today: date
    ledger: Place | None
    periods: list[PeriodStatus]
    no_calendar: NoCalendar | None = None
    presses: bool = False
    orders: dict[str, int] = field(default_factory=dict)
    troubles: list[Text] = field(default_factory=list)


def status(settings: StatusSettings, today: date) -> Standing:
    """The period asked for, or all that the ledger knows and last month; as of the day asked for, or today.

    Raises NoLedger where one is required and there is none."""
    mode, place = settings.mode, settings.ledger
    at = ledger_at(place) if place is not None else None
    there = at is not None and at.exists()
    if settings.require_ledger and not there:
        raise NoLedger(place or Path("--ledger"))
    day = settings.due.as_of or today
    calendar = calendar_of(settings.due.years, settings.due.calendar)
    with ExitStack() as stack:
        ledger = stack.enter_context(at.opened()) if at is not None and there else None
        keys = {settings.period.key if settings.period else Period.before(day).key}
        if ledger is not None and settings.period is None:
            keys |= _periods(mode, ledger)
        periods = [Period(int(key[:4]), int(key[4:])) for key in sorted(keys)]
        found = standing(mode, ledger, periods, day, calendar, settings.most)
        if place is not None:
            found.troubles = troubles(place, ledger, settings.out)
        if ledger is not None and settings.due.as_of is None:
            found.troubles += clock_behind(ledger.runs(), today)
    found.presses = any(one.warns(day, settings.due.warn_days) for one in found.periods)
    return found


def standing(
    mode: Mode, ledger: Ledger | None, periods: list[Period], today: date, calendar: Calendar, most: int
) -> Standing:
    """As `status`, of an open ledger."""
    result = Standing(mode, today, None if ledger is None else ledger.place, [])
    for period in periods:
        due, left = None, None
        try:
            if mode.deadline_day is not None:
                due = deadline(period, calendar, mode.deadline_day)
                left = calendar.working_days_left(today, due)
        except NoCalendar as error:
            result.no_calendar = error
        facts = PeriodFacts() if ledger is None else _facts(ledger, mode.code, period, most)
        earliest = earliest_deadline(period, mode.deadline_day) if mode.deadline_day is not None else None
        result.periods.append(PeriodStatus(**vars(facts), period=period, deadline=due, earliest=earliest, working_days_left=left,
                                           others=() if ledger is None else tuple(_others(ledger, mode.code, period, most)),
                                           orders={} if ledger is None else states_of_orders(ledger, [period.key])))  # fmt: skip
    for one in result.periods:
        result.orders = {state: result.orders.get(state, 0) + count for state, count in one.orders.items()} or result.orders
    return result


def _facts(ledger: Ledger, mode: str, period: Period, most: int) -> PeriodFacts:
    """What the ledger knows of the units of one mode."""
    known = ledger.period_facts(kept_period(mode, period.key), most)
    runs = [run for run in ledger.runs() if run.period == period.key and run.live and run.mode == mode]
    return replace(known, runs=[run.run_ref for run in runs], declarations=sum(ledger.declarations_made(run.run_ref) for run in runs))


def _others(ledger: Ledger, mode: str, period: Period, most: int) -> Iterator[OtherMode]:
    for code in MODES:
        facts = _facts(ledger, code, period, most) if code != mode else PeriodFacts()
        if facts != PeriodFacts():
            yield OtherMode(code, facts)


def _periods(mode: Mode, ledger: Ledger) -> set[str]:
    # Before its first period the ledger answers for nothing, and before its rule nothing has a deadline.
    # What an earlier version took of a message may be no month at all.
    begins = Period.before(mode.deadline_day.in_force_from).key if mode.deadline_day is not None else ""
    found = {key for key in ledger.periods() if key >= max(ledger.first_period or "", begins) and _MONTH.fullmatch(key)}
    return found | {run.period for run in ledger.runs() if run.live and run.mode != FIRST_MODE}
