"""`aggregator months`: all periods side by side, from the ledger and the run folders."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from aggregator.jobs.status import PeriodStatus, Standing, status
from aggregator.ledger.at import ledger_at
from aggregator.model.errors import StopRun
from aggregator.model.records import Run, State
from aggregator.model.remote import AnyPath
from aggregator.model.settings import StatusSettings
from aggregator.outputs.run_tables import RunTables

ANSWERED = (State.ACCEPTED, State.MERGED, State.ENTERED, State.REFUSED)


@dataclass(frozen=True)
class Month:
    """One period. `cleared`: inventories known to be cleared in it; of these `declared`, `answered` by customs (of what is declared, and what
    it refused), and `waiting` to be declared. `value`: of what its runs declared, by currency, by their control totals; `folders`:
    of its runs; `unread`: runs whose folder is not there."""

    status: PeriodStatus
    presses: bool
    answered: int
    value: dict[str, Decimal]
    folders: tuple[AnyPath, ...]
    unread: tuple[str, ...]

    @property
    def cleared(self) -> int:
        return self.status.declared + self.status.undeclared

    @property
    def waiting(self) -> int:
        return self.status.undeclared


@dataclass(frozen=True)
class Months:
    standing: Standing
    months: tuple[Month, ...]


def months(settings: StatusSettings, today: date) -> Months:
    """All periods that the ledger knows and last month, the earliest first."""
    standing = status(settings, today)
    with ExitStack() as stack:
        at = ledger_at(settings.ledger) if settings.ledger is not None else None
        runs = stack.enter_context(at.opened()).runs() if at is not None and at.exists() else []
    live = [run for run in runs if run.live and run.mode == settings.mode.code]
    made = []
    for one in standing.periods:
        theirs = [run for run in live if run.period == one.period.key]
        value, unread = _value(theirs)
        made.append(Month(
            one, one.warns(standing.today, settings.due.warn_days), sum(one.states.get(state, 0) for state in ANSWERED), value,
            tuple(run.folder for run in theirs if run.folder is not None), unread,
        ))  # fmt: skip
    return Months(standing, tuple(made))


def _value(runs: list[Run]) -> tuple[dict[str, Decimal], tuple[str, ...]]:
    """What the runs declared, by currency; and those that cannot be read."""
    value: dict[str, Decimal] = {}
    unread = []
    for run in runs:
        if run.folder is None:
            continue
        try:
            rows = RunTables(run.folder).table("control_totals").to_pylist()
        except StopRun:
            unread.append(run.run_ref)
            continue
        for row in rows:
            if row["column"] == "total_price" and row["declared"]:
                currency = row["currency_or_unit"]
                value[currency] = value.get(currency, Decimal(0)) + row["declared"]
    return dict(sorted(value.items())), tuple(unread)
