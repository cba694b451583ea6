"""The jobs: run and check. From exports to the published run folder:

    open inputs  ->  the line (line.py)  ->  stage folder  ->  ledger  ->  rename (declare.py)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from aggregator.domain.deadline import calendar_of, earliest_deadline
from aggregator.inputs.inputs import Inputs, open_inputs
from aggregator.jobs.declare import Job, declare, line_of, notes, question_of, report_deadline
from aggregator.jobs.engine import engine_for
from aggregator.jobs.heads import refuse_lost, refuse_old, settle_heads
from aggregator.jobs.opening import opening
from aggregator.jobs.publish import mark_of, refuse_unknown
from aggregator.ledger.at import ledger_at
from aggregator.ledger.errors import NoLedger
from aggregator.model.company import require_market
from aggregator.model.disk import own_folder
from aggregator.model.errors import Exit, WrongConfiguration, WrongUsage
from aggregator.model.outcome import Outcome
from aggregator.model.period import Period
from aggregator.model.records import Run
from aggregator.model.settings import CheckSettings, RunSettings
from aggregator.pipeline.counting import counted
from aggregator.pipeline.line import Line, calculate
from aggregator.pipeline.result import outcome_of
from aggregator.places.at import place_at
from aggregator.places.local import make_folder
from aggregator.schemas.modes import Mode
from aggregator.schemas.rule import Severity

WORK = "aggregator-work-"
"""Begins the name of the folder for what the stages leave for one another, in the system's place for such."""


def run(settings: RunSettings, now: datetime) -> Outcome:
    """The main job. `now` is the run's one recorded time; all dates come from it."""
    _refuse_early(settings.mode, settings.period)
    require_market(settings.mode, settings.company, settings.market, settings.period.last_day)
    out = settings.out if isinstance(settings.out, Path) and not settings.dry_run else None
    with opening(settings.engine, out, (settings.out, *settings.reading.inputs, *settings.reading.receipts)) as apart, open_inputs(settings.reading, clearing_known=settings.reading.clearing_known, apart=apart) as inputs:
        return _run(settings, inputs, now)


def _run(settings: RunSettings, inputs: Inputs, now: datetime) -> Outcome:
    out, place = settings.out.resolve(), ledger_at(settings.ledger.path)
    calendar = calendar_of(settings.due.years, settings.due.calendar)
    if settings.ledger.required and not place.exists():
        raise NoLedger(place.place)
    job = Job(settings, inputs, out, place, calendar, "", now)
    if settings.dry_run:
        return _dry_run(job)
    place_at(out).make(out)
    if place.folder is not None:
        make_folder(place.folder)
    with place.locked(settings.ledger.lock_wait):
        created = not place.exists()
        if created:
            refuse_unknown(out, (), "")
            refuse_lost(place.place, out)
        with place.opened(create=True, migrate=True, at=job.at) as ledger:
            ledger.refuse_altered()
            settle_heads(ledger, out)
            outcome = declare(replace(job, first_period=_first_period(settings, ledger.first_period)), ledger)
            outcome.ledger_created = created
            return outcome


def check(settings: CheckSettings, today: date) -> tuple[Outcome, Iterator[pa.Table]]:
    """Read and validate only, by the rules in force at the end of the period or, without one, today. Out: the outcome, complete once the findings (tables, in input order) are all taken."""
    _refuse_early(settings.mode, settings.period or Period(today.year, today.month))
    mode = settings.mode.on(settings.period.last_day if settings.period else today, settings.severities)
    outcome = Outcome(mode)

    def findings() -> Iterator[pa.Table]:
        with ExitStack() as stack:
            apart = stack.enter_context(opening(settings.engine, None, (*settings.reading.inputs, *settings.reading.receipts)))
            inputs = stack.enter_context(open_inputs(settings.reading, clearing_known=True, apart=apart))
            folder = stack.enter_context(own_folder(WORK, settings.engine.work_dir))
            outcome.headings = _headings(mode, inputs)
            line = Line(mode, "000000-00", settings.flags, settings.reading.constants, all_findings=True, question=question_of(settings, ""),
                        rates=inputs.rates, as_of=settings.as_of or today, by_line=settings.reading.by_line, company=settings.company,
                        customs=settings.customs, declare_all=settings.declare_all)  # fmt: skip
            with engine_for(settings.engine, inputs, folder) as engine:
                result = calculate(line, inputs, engine)
            whole = outcome_of(result, str(settings.period or ""))
            yield from counted(result.findings(settings.lang), whole)
            errors = any(mode.rules[code].severity is Severity.ERROR for code in whole.findings)
            whole.notes, whole.headings = [*whole.notes, *inputs.notes], outcome.headings
            vars(outcome).update(vars(whole), exit_code=Exit.WAITING if errors or whole.exit_code is Exit.WAITING else Exit.DONE)

    return outcome, findings()


def _headings(mode: Mode, inputs: Inputs) -> dict[tuple[str, str], str]:
    return {
        (export.name, mode.dictionary[column].shown): export.headings[place].strip()
        for export in inputs.exports for column, place in export.matched.places.items() if column in mode.dictionary and place < len(export.headings)
    }  # fmt: skip


def _refuse_early(mode: Mode, period: Period) -> None:
    """Raise WrongUsage for a period before the rules by which anything is declared."""
    if mode.deadline_day is not None:
        earliest_deadline(period, mode.deadline_day)
    since = max(rule.in_force_from for rule in mode.rules.exclusions.values())
    if period.last_day < since:
        raise WrongUsage(
            f"The period {period} is before the rules this tool knows, in force from {since}.",
            f"申报期 {period} 早于本工具所依据规则的生效日期 {since}。",
        )


def _first_period(settings: RunSettings, recorded: str | None) -> str:
    """Blank for a mode whose units are cleared in no month: it neither sets nor minds where the ledger begins."""
    if not settings.mode.waits_for_clearing:
        return ""
    asked = settings.first_period.key if settings.first_period else None
    if recorded is not None and asked is not None and asked != recorded:
        raise WrongConfiguration(
            f"--first-period {settings.first_period} differs from the ledger's own {recorded[:4]}-{recorded[4:]}. Leave it out; "
            "as long as nothing was declared, 'aggregator ledger first-period' corrects the ledger's.",
            f"--first-period {settings.first_period} 与台账记录的 {recorded[:4]}-{recorded[4:]} 不同。请去掉该选项；"
            "尚未申报任何清单时，可用 aggregator ledger first-period 更正台账。",
        )
    return recorded or asked or settings.period.key


def _dry_run(job: Job) -> Outcome:
    """The whole line, but nothing is locked or written (a work folder in the system's place for such, removed after)."""
    settings, place = job.settings, job.place
    with ExitStack() as stack:
        recorded, run_ref, mark = None, f"{settings.period.key}-01", ""
        known: list[Run] = []
        if place.exists():
            ledger = stack.enter_context(place.opened())
            recorded, run_ref = ledger.first_period, ledger.next_run_ref(settings.period.key)
            known, mark = ledger.runs(), mark_of(ledger)
            refuse_old(ledger, job.out)
        else:
            refuse_lost(place.place, job.out)
        refuse_unknown(job.out, known, mark)
        folder = stack.enter_context(own_folder(WORK, settings.engine.work_dir))
        first = _first_period(settings, recorded)
        line = line_of(settings, run_ref, first, place.known() if place.exists() else None, job.inputs)
        with engine_for(settings.engine, job.inputs, folder) as engine:
            result = calculate(line, job.inputs, engine)
        outcome = outcome_of(result, str(settings.period))
        outcome.notes += notes(job)
        report_deadline(job, outcome)
        outcome.run_ref = run_ref if result.split.declarations else ""
        for _ in counted(result.findings(settings.lang), outcome):
            pass
        return outcome
