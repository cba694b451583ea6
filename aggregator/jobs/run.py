"""The jobs: run and check. From exports to the published run folder:

    open inputs  ->  the line (line.py)  ->  stage folder  ->  ledger  ->  rename (declare.py)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from aggregator.domain.deadline import calendar_of, earliest_deadline
from aggregator.inputs.inputs import Inputs, open_inputs
from aggregator.jobs.declare import Job, declare, notes, tell_deadline
from aggregator.jobs.heads import refuse_lost, refuse_old, settle_heads
from aggregator.jobs.publish import make_folder, mark_of, refuse_unknown, work_folder
from aggregator.ledger.sqlite.query import Run, runs, setting
from aggregator.ledger.sqlite.record import next_run_ref
from aggregator.ledger.sqlite.refusals import no_ledger
from aggregator.ledger.sqlite.store import locked, open_ledger
from aggregator.ledger.sqlite.verify import refuse_altered
from aggregator.model.errors import Exit, WrongConfiguration, WrongUsage
from aggregator.model.settings import Params, Period
from aggregator.pipeline.line import calculate
from aggregator.pipeline.result import Outcome, counted, outcome_of
from aggregator.schemas.modes.m9610.rules import Severity


def run(params: Params, now: datetime) -> Outcome:
    """The main job. `now` is the run's one recorded time; all dates come from it."""
    params = _settled_period(params, now)
    with open_inputs(params, clearing_known=bool(params.receipts) or params.assume_cleared) as inputs:
        return _run(params, inputs, now)


def _run(params: Params, inputs: Inputs, now: datetime) -> Outcome:
    assert params.out is not None
    assert params.the_ledger is not None
    out, ledger = params.out.resolve(), params.the_ledger
    calendar = calendar_of(dict(params.calendar_years), params.calendar)
    if params.require_ledger and not ledger.exists():
        raise no_ledger(ledger)
    job = Job(params, inputs, out, ledger, calendar, "", now)
    if params.dry_run:
        return _dry_run(job)
    make_folder(out)
    make_folder(ledger.parent)
    with locked(ledger, params.lock_wait):
        created = not ledger.exists()
        if created:
            refuse_unknown(out, (), "")
            refuse_lost(ledger, out)
        with open_ledger(ledger, create=True, migrate=True, at=job.at) as connection:
            refuse_altered(connection, ledger)
            settle_heads(connection, ledger, out)
            first = _first_period(params, setting(connection, "first_period"))
            outcome = declare(replace(job, first_period=first), connection)
            outcome.ledger_created = created
            return outcome


def check(params: Params) -> tuple[Outcome, Iterator[pa.Table]]:
    """Read and validate only. Out: the outcome, complete once the findings (tables, in input order) are all taken."""
    outcome = Outcome()

    def findings() -> Iterator[pa.Table]:
        with open_inputs(params, clearing_known=True) as inputs, work_folder(None, "aggregator-") as folder:
            result = calculate(params, inputs, folder, "", None, "000000-00", all_findings=True)
            whole = outcome_of(result, str(params.period or ""))
            yield from counted(result.findings(params.lang), whole)
            severity = params.effective_severity()
            errors = any(severity[code] is Severity.ERROR for code in whole.findings)
            vars(outcome).update(vars(whole), exit_code=Exit.WAITING if errors else Exit.DONE)

    return outcome, findings()


def _settled_period(params: Params, now: datetime) -> Params:
    as_of = params.as_of or now.date()
    period = params.period or Period.before(as_of)
    earliest_deadline(period)
    if as_of < period.next_month and not (params.unfinished or params.dry_run):
        raise WrongUsage(
            f"The period {period} is not over on {as_of}: inventories may still be cleared in it. Run again from "
            f"{period.next_month} on, or say --unfinished.",
            f"申报期 {period} 在 {as_of} 尚未结束，期间仍可能有清单结关。请在 {period.next_month} 起运行，或加 --unfinished。",
        )
    if params.first_period is not None and params.first_period.key > period.key:
        raise WrongUsage(
            f"--first-period {params.first_period} is after the period {period}: nothing cleared in it could be declared. Name the "
            f"first month this ledger is to answer for, {period} or earlier.",
            f"--first-period {params.first_period} 晚于申报期 {period}：该期结关的清单将无法申报。请指定台账的起始申报期（不晚于 {period}）。",
        )
    return replace(params, period=period, as_of=as_of)


def _first_period(params: Params, recorded: str | None) -> str:
    asked = params.first_period.key if params.first_period else None
    if recorded is not None and asked is not None and asked != recorded:
        raise WrongConfiguration(
            f"--first-period {params.first_period} differs from the ledger's own {recorded[:4]}-{recorded[4:]}. Leave it out; "
            "as long as nothing was declared, 'aggregator ledger first-period' corrects the ledger's.",
            f"--first-period {params.first_period} 与台账记录的 {recorded[:4]}-{recorded[4:]} 不同。请去掉该选项；"
            "尚未申报任何清单时，可用 aggregator ledger first-period 更正台账。",
        )
    return recorded or asked or params.the_period.key


def _dry_run(job: Job) -> Outcome:
    """The whole line, but nothing is locked or written (a work folder in the system's place for such, removed after)."""
    params, ledger = job.params, job.ledger
    with ExitStack() as stack:
        recorded, run_ref, mark = None, f"{params.the_period.key}-01", ""
        known: list[Run] = []
        if ledger.exists():
            connection = stack.enter_context(open_ledger(ledger))
            recorded, run_ref = setting(connection, "first_period"), next_run_ref(connection, params.the_period.key)
            known, mark = runs(connection, ledger), mark_of(connection)
            refuse_old(connection, ledger, job.out)
        else:
            refuse_lost(ledger, job.out)
        refuse_unknown(job.out, known, mark)
        folder = stack.enter_context(work_folder(None, "aggregator-"))
        first = _first_period(params, recorded)
        result = calculate(params, job.inputs, folder, first, ledger if ledger.exists() else None, run_ref)
        outcome = outcome_of(result, str(params.period))
        outcome.notes += notes(job)
        tell_deadline(job, outcome)
        outcome.run_ref = run_ref if result.split.declarations else ""
        for _ in counted(result.findings(params.lang), outcome):
            pass
        return outcome
