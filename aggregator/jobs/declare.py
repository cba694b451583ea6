"""Declare: calculate, stage and record in one transaction of the ledger, whose end is the moment of declaring; then rename.

In this order a crash leaves nothing, or something the next command finishes.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aggregator.domain.applications import applied_for
from aggregator.domain.deadline import Calendar
from aggregator.inputs.inputs import Inputs
from aggregator.jobs.heads import HeadNotWritten, leave_head
from aggregator.jobs.publish import (
    finish,
    make_folder,
    mark_of,
    refuse_unknown,
    remove,
    stage_folder,
    sync_files,
    tidy,
    uninterrupted,
    work_folder,
    work_prefix,
)
from aggregator.jobs.run_folder import write_outputs
from aggregator.jobs.status import standing
from aggregator.ledger.sqlite.query import inventory_numbers, runs, setting
from aggregator.ledger.sqlite.record import (
    Rows,
    RunRecord,
    next_run_no,
    next_run_ref,
    record_cancelled,
    record_first_period,
    record_receipts,
    record_rows,
    record_run,
    record_sent,
    record_waiting,
    relative_folder,
)
from aggregator.ledger.sqlite.store import open_ledger, transaction
from aggregator.ledger.sqlite.tables import State
from aggregator.model.errors import CannotReadOrWrite, Exit, StopRun
from aggregator.model.settings import Params
from aggregator.outputs.ceb701 import FOLDER, Sending, sent_as, write_applications
from aggregator.outputs.manifest import write_manifest
from aggregator.pipeline.line import calculate
from aggregator.pipeline.merged import Merged
from aggregator.pipeline.result import Outcome, Result, counted, outcome_of
from aggregator.reports.page import DECLARATIONS_SHOWN, page
from aggregator.schemas.text import Text


@dataclass(frozen=True)
class Job:
    """One run: its parameters, opened inputs, places (absolute), and its one recorded time."""

    params: Params
    inputs: Inputs
    out: Path
    ledger: Path
    calendar: Calendar
    first_period: str
    now: datetime

    @property
    def at(self) -> str:
        return self.now.isoformat(timespec="seconds")

    def shown(self, folder: Path | None) -> str:
        """A run folder as the user named its place."""
        assert folder is not None
        assert self.params.out is not None
        return str(self.params.out / folder.relative_to(self.out) if folder.is_relative_to(self.out) else folder)


@dataclass
class _Recorded:
    """What was taken down while the workers finished."""

    run_no: int
    merged: Merged | None = None
    rows: Rows | None = None
    undone: tuple[str, ...] = ()


def declare(job: Job, connection: sqlite3.Connection) -> Outcome:
    """Needs the lock."""
    mark = mark_of(connection)
    run_ref = next_run_ref(connection, job.params.the_period.key)
    target = job.out / str(job.params.period) / run_ref
    stage = stage_folder(target, mark)
    with ExitStack() as last:
        try:
            # SQLite's own lock too is held from here on: where the disk does not keep ours, it still keeps two runs apart.
            with transaction(connection, job.at):
                finish(connection, job.ledger)
                tidy(connection, job.out)
                refuse_unknown(job.out, runs(connection, job.ledger), mark)
                with work_folder(job.out, work_prefix(mark)) as folder:
                    outcome = _calculate_and_record(job, connection, folder, run_ref, stage, target)
                _warn_of_deadline(job, connection, outcome)
                last.enter_context(uninterrupted())
        except BaseException:
            if _is_recorded(job.ledger, run_ref):
                raise CannotReadOrWrite(
                    f"The run {run_ref} is recorded in the ledger, but the disk failed at that moment. Mend that and run again, or "
                    "run 'aggregator ledger check': either finishes it.",
                    f"批次 {run_ref} 已在台账中登记，但磁盘同时发生故障。请排除故障后重新运行，或运行 aggregator ledger check，均会自动完成。",
                ) from None
            remove(stage)
            raise
        finish(connection, job.ledger)
        try:
            leave_head(connection, job.ledger, job.out)
        except HeadNotWritten as waits:
            outcome.notes.append(waits.text)
            outcome.exit_code = Exit.WAITING
    return outcome


def _is_recorded(ledger: Path, run_ref: str) -> bool:
    """Whether the ledger's file has the run, whatever became of the connection that recorded it."""
    try:
        with open_ledger(ledger) as connection:
            return run_ref in {run.run_ref for run in runs(connection, ledger)}
    except (StopRun, OSError):
        return False


def _calculate_and_record(
    job: Job, connection: sqlite3.Connection, folder: Path, run_ref: str, stage: Path, target: Path
) -> Outcome:
    params, recorded = job.params, _Recorded(next_run_no(connection))

    def into_ledger(merged: Merged) -> None:
        recorded.merged = merged
        recorded.rows = record_rows(connection, recorded.run_no, State.APPLIED, merged.declared())
        recorded.undone = tuple(merged.newly_undone())
        seen_in = run_ref if merged.numbering.declarations else str(params.period)
        record_waiting(connection, seen_in, params.the_period.key, merged.waiting())

    record_first_period(connection, job.first_period, job.at)
    result = calculate(params, job.inputs, folder, job.first_period, job.ledger, run_ref, while_finishing=into_ledger)
    assert recorded.merged is not None
    assert recorded.rows is not None
    record_cancelled(connection, run_ref, job.at, recorded.undone)
    record_receipts(connection, job.at, ((each.sha256, each.name) for each in job.inputs.receipt_files))
    outcome = outcome_of(result, str(params.period))
    outcome.notes += notes(job)
    outcome.counts["inventories_undone"] = len(recorded.undone)
    tell_deadline(job, outcome)
    if recorded.undone:
        outcome.exit_code = Exit.WAITING
    rejections = result.rejections_sha256()
    told = {run.rejections_sha256: run for run in runs(connection, job.ledger) if run.period == params.the_period.key}
    if not result.split.declarations and not recorded.undone and (not result.rejected_lines or rejections in told):
        for _ in counted(result.findings(params.lang), outcome):
            pass
        outcome.folder = job.shown(told[rejections].folder) if result.rejected_lines else ""
        return outcome
    make_folder(stage)
    write_outputs(params, result, run_ref, stage, outcome)
    shown = result.declarations.slice(0, DECLARATIONS_SHOWN).to_pylist()
    (stage / "report.html").write_text(page(outcome, run_ref, shown, job.now, params.lang), encoding="utf-8")
    ledger_id = setting(connection, "ledger_id") or ""
    outcome.messages = _write_applications(job, connection, recorded, result, run_ref, stage)
    manifest = write_manifest(
        stage, params, result.work.files, result.repairs, result.physical, job.inputs.receipt_files, job.inputs.tariff_files, outcome.counts, outcome.excluded, run_ref,
        ledger_id, job.now,
    )  # fmt: skip
    sync_files(stage)
    outcome.run_ref, outcome.folder, outcome.published = run_ref, job.shown(target), True
    run = RunRecord(
        recorded.run_no, run_ref, params.the_period.key, relative_folder(job.ledger, target), job.at, manifest, rejections
    )
    record_run(connection, run, recorded.rows, recorded.merged.applications, recorded.merged.declarations(result.declarations))
    return outcome


def _write_applications(
    job: Job, connection: sqlite3.Connection, recorded: _Recorded, result: Result, run_ref: str, stage: Path
) -> int | None:
    """What is sent to customs, where the config says by whom: how many messages."""
    params, rows = job.params, recorded.rows
    if params.customs is None or rows is None or recorded.merged is None or not result.split.declarations:
        return None
    sending = Sending(
        params.customs, params.edition, setting(connection, "ledger_id") or "", run_ref, params.summary_flag, params.item_name_flag, job.now,
        rows.sha256,
    )  # fmt: skip
    wanted = applied_for(recorded.merged.applications, result.declarations, rows.tally, run_ref, params.customs)
    record_sent(connection, sent_as(sending, wanted))
    return len(write_applications(stage / FOLDER, sending, wanted, inventory_numbers(connection, rows)))


def notes(job: Job) -> list[Text]:
    """What a run says besides."""
    return [*job.inputs.notes, *([_ITEM_NAME_NOTE] if job.params.item_name_flag == 0 else [])]


_ITEM_NAME_NOTE = Text(
    "Item name flag 0: customs merges by its own category names, which we do not know; it may cut finer than this.",
    "商品名汇总标志为0：海关按其商品综合分类名汇总，本工具无法得知，实际归并可能更细。",
)


def tell_deadline(job: Job, outcome: Outcome) -> None:
    """By when the period has to be declared. A missing calendar does not stop a run."""
    assert job.params.as_of is not None
    said = standing(None, None, [job.params.the_period], job.params.as_of, job.calendar, 0)
    [one] = said.periods
    if said.no_calendar is not None:
        outcome.notes.append(said.no_calendar.text)
    outcome.deadline = str(one.deadline or "")
    outcome.working_days_left = one.working_days_left


def _warn_of_deadline(job: Job, connection: sqlite3.Connection, outcome: Outcome) -> None:
    """What of the period is still undeclared, now that this run is recorded."""
    assert job.params.as_of is not None
    [one] = standing(connection, None, [job.params.the_period], job.params.as_of, job.calendar, 0).periods
    outcome.undeclared = one.undeclared
    if one.warns(job.params.as_of, job.params.warn_days):
        outcome.exit_code = Exit.WAITING
