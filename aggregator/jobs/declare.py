"""Declare: calculate, stage and record in one transaction of the ledger, whose end is the moment of declaring; then rename.

In this order a crash leaves nothing, or something the next command finishes.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from aggregator.domain.applications import applied_for
from aggregator.domain.clearance import Question
from aggregator.domain.deadline import Calendar
from aggregator.inputs.inputs import Inputs
from aggregator.jobs.engine import engine_for
from aggregator.jobs.heads import HeadNotWritten, leave_head
from aggregator.jobs.publish import finish, hidden_folder, mark_of, refuse_unknown, tidy, uninterrupted, work_prefix
from aggregator.jobs.run_folder import write_outputs, write_report, writing_of
from aggregator.jobs.status import standing
from aggregator.ledger.ledger import Ledger, LedgerAt
from aggregator.model.disk import own_folder
from aggregator.model.errors import CannotReadOrWrite, Exit, StopRun
from aggregator.model.names import told
from aggregator.model.outcome import Outcome
from aggregator.model.records import RUN_LIVE, Known, RecordedRows, Run
from aggregator.model.remote import AnyPath, folder_below
from aggregator.model.settings import CheckSettings, RunSettings
from aggregator.outputs.ceb701 import FOLDER, Sending, sent_as, write_applications
from aggregator.outputs.manifest import write_manifest
from aggregator.outputs.order_messages import write_messages
from aggregator.pipeline.counting import counted
from aggregator.pipeline.line import Line, calculate
from aggregator.pipeline.merged import Merged
from aggregator.pipeline.result import Result, outcome_of
from aggregator.places.at import place_at
from aggregator.places.place import Place
from aggregator.schemas.modes import Procedure
from aggregator.schemas.text import Text


@dataclass(frozen=True)
class Job:
    """One run: its parameters, opened inputs, places (absolute) of results and ledger, and its one recorded time."""

    settings: RunSettings
    inputs: Inputs
    out: AnyPath
    place: LedgerAt
    calendar: Calendar
    first_period: str
    now: datetime

    @property
    def at(self) -> str:
        return self.now.isoformat(timespec="seconds")

    @property
    def results(self) -> Place:
        """What sees to the files of `out`."""
        return place_at(self.out)

    def shown(self, folder: AnyPath) -> str:
        """A run folder as the user named its place."""
        name = folder_below(self.out, folder)
        return told(str(self.settings.out / name if name is not None else folder))


@dataclass(frozen=True)
class _Recorded:
    """What was recorded while the workers finished. `undone`: inventories that were declared, and are cancelled now."""

    run_no: int
    merged: Merged
    rows: RecordedRows
    undone: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Of one run: its reference, the folder it will be, where it waits for that, and, local and for its time, where it is made."""

    run_ref: str
    target: AnyPath
    hidden: AnyPath
    stage: Path = Path()


def declare(job: Job, ledger: Ledger) -> Outcome:
    """Needs the lock."""
    mark = mark_of(ledger)
    run_ref = ledger.next_run_ref(job.settings.period.key)
    target = job.out / str(job.settings.period) / run_ref
    place = _Place(run_ref, target, hidden_folder(target, mark))
    with ExitStack() as last:
        try:
            # A transaction too keeps two runs apart, where the disk does not keep our lock.
            with ledger.transaction(job.at):
                finish(ledger)
                tidy(ledger, job.out)
                refuse_unknown(job.out, ledger.runs(), mark)
                with _work_folder(job, mark) as folder:
                    outcome = _calculate_and_record(job, ledger, folder, place)
                _warn_of_deadline(job, ledger, outcome)
                last.enter_context(uninterrupted())
        except BaseException:
            recorded = job.place.has_run(run_ref)
            if recorded:
                raise CannotReadOrWrite(
                    f"The run {run_ref} is recorded in the ledger, but the disk failed at that moment. Correct that and run again, or "
                    "run 'aggregator ledger check': either finishes it.",
                    f"批次 {run_ref} 已在台账中登记，但磁盘同时发生故障。请排除故障后重新运行，或运行 aggregator ledger check，均会自动完成。",
                ) from None
            if recorded is not None:
                _take_back(job, place)
            raise
        finish(ledger)
        try:
            leave_head(ledger, job.out)
        except HeadNotWritten as waits:
            outcome.notes.append(waits.text)
            outcome.exit_code = Exit.WAITING
    return outcome


def _work_folder(job: Job, mark: str) -> AbstractContextManager[Path]:
    """For what the steps leave for one another."""
    if job.settings.engine.work_dir is not None:
        return own_folder(f"{work_prefix(mark).removeprefix('.')}", job.settings.engine.work_dir)
    return job.results.work(job.out, work_prefix(mark))


def _take_back(job: Job, place: _Place) -> None:
    """Nothing was recorded: nothing of the run is to stay. What cannot be removed now the next run removes."""
    with suppress(OSError, StopRun):
        job.results.remove(place.hidden, place.target)


def _calculate_and_record(job: Job, ledger: Ledger, folder: Path, place: _Place) -> Outcome:
    result, recorded = _calculate(job, ledger, folder, place.run_ref)
    ledger.record_cancelled(place.run_ref, recorded.undone)
    ledger.record_receipts((each.sha256, each.name) for each in job.inputs.receipt_files)
    outcome = _outcome(job, result, recorded)
    rejections = result.rejections_sha256()
    if not result.split.declarations and not recorded.undone:
        before = _rejected_before(job, ledger, rejections)
        if not result.rejected_lines or before is not None:
            for _ in counted(result.findings(job.settings.lang), outcome):
                pass
            outcome.folder = job.shown(before) if result.rejected_lines and before is not None else ""
            return outcome
    place = replace(place, stage=job.results.stage(place.hidden, folder))
    manifest = _stage(job, ledger, result, recorded, place, outcome)
    outcome.run_ref, outcome.folder, outcome.published = place.run_ref, job.shown(place.target), True
    run = Run(recorded.run_no, place.run_ref, job.settings.period.key, RUN_LIVE, place.target, job.at, manifest, rejections, job.settings.mode.code)
    ledger.record_run(run, recorded.rows, recorded.merged.applications, recorded.merged.declarations(result.declarations))
    return outcome


def _calculate(job: Job, ledger: Ledger, folder: Path, run_ref: str) -> tuple[Result, _Recorded]:
    """The line, and while its workers write, what is declared and what waits into the ledger."""
    settings, recorded = job.settings, list[_Recorded]()
    run_no = ledger.begin_run(job.first_period)

    def into_ledger(merged: Merged) -> None:
        ledger.release(run_ref, merged.released())
        rows = ledger.record_declared(run_no, merged.declared())
        recorded.append(_Recorded(run_no, merged, rows, tuple(merged.newly_undone())))
        seen_in = run_ref if merged.numbering.units else str(settings.period)
        ledger.record_waiting(seen_in, settings.period.key, merged.waiting())

    line = line_of(settings, run_ref, job.first_period, job.place.known(), job.inputs)
    with engine_for(settings.engine, job.inputs, folder) as engine:
        result = calculate(line, job.inputs, engine, while_emitting=into_ledger, writing=writing_of(settings))
    return result, recorded[0]


def _outcome(job: Job, result: Result, recorded: _Recorded) -> Outcome:
    outcome = outcome_of(result, str(job.settings.period))
    outcome.notes += notes(job)
    outcome.counts["inventories_undone"] = len(recorded.undone)
    report_deadline(job, outcome)
    if recorded.undone:
        outcome.exit_code = Exit.WAITING
    return outcome


def _rejected_before(job: Job, ledger: Ledger, rejections: str) -> AnyPath | None:
    """The folder of a run of this period that rejected the very same."""
    same = (run.folder for run in ledger.runs() if run.period == job.settings.period.key and run.rejections_sha256 == rejections)
    return next((folder for folder in same if folder is not None), None)


def _stage(job: Job, ledger: Ledger, result: Result, recorded: _Recorded, place: _Place, outcome: Outcome) -> str:
    """Write the run folder; the SHA-256 of its manifest."""
    settings, stage = job.settings, place.stage
    write_outputs(settings, result, place.run_ref, stage, outcome)
    outcome.messages = _write_applications(job, ledger, recorded, result, place)
    write_report(settings, result, place.run_ref, stage, outcome, job.now)
    manifest = write_manifest(
        stage, settings, result.work.files, result.repairs, result.physical, job.inputs.receipt_files, job.inputs.tariff_files,
        job.inputs.rate_files, outcome.counts, outcome.excluded, place.run_ref, ledger.ledger_id, job.now,
    )  # fmt: skip
    job.results.hold(stage, place.hidden, place.target)
    return manifest


def line_of(settings: RunSettings, run_ref: str, first_period: str, known: Known | None, inputs: Inputs) -> Line:
    """What the line of a run is to do. `first_period`: yyyymm, that the ledger answers for."""
    return Line(
        settings.mode_then, run_ref, settings.flags, settings.reading.constants, question_of(settings, first_period), known,
        rates=inputs.rates, as_of=settings.as_of, by_line=settings.reading.by_line, company=settings.company,
        customs=settings.sending.customs if settings.sending is not None else None, declare_all=settings.declare_all,
    )  # fmt: skip


def question_of(settings: RunSettings | CheckSettings, first_period: str) -> Question | None:
    """None without a period: then the data alone is checked."""
    if settings.period is None:
        return None
    return Question(settings.period.key, first_period, settings.late, settings.reading.assume_cleared or not settings.mode.waits_for_clearing)


def _write_applications(job: Job, ledger: Ledger, recorded: _Recorded, result: Result, place: _Place) -> int | None:
    """What is sent to customs, where the config says by whom: applications, or orders and lists. How many messages."""
    settings, rows = job.settings, recorded.rows
    if settings.mode.procedure is Procedure.PACK or settings.sending is None or not result.split.declarations:
        return None
    sending = Sending(
        settings.sending.customs, settings.sending.edition, ledger.ledger_id, place.run_ref, settings.flags.summary_flag, settings.flags.item_name_flag,
        job.now, rows.sha256,
    )  # fmt: skip
    if settings.mode.procedure is Procedure.ROUTE:
        return write_messages(place.stage, sending, result.pieces("audit_map"))
    wanted = applied_for(recorded.merged.applications, result.declarations, rows.tally, place.run_ref, settings.sending.customs)
    ledger.record_sent(sent_as(sending, wanted))
    return len(write_applications(place.stage / FOLDER, sending, wanted, ledger.numbers_of(rows)))


def notes(job: Job) -> list[Text]:
    """What a run says besides."""
    return [*job.inputs.notes, *([_ITEM_NAME_NOTE] if job.settings.flags.item_name_flag == 0 else [])]


_ITEM_NAME_NOTE = Text(
    "Item name flag 0: customs merges by its own category names, which we do not know; it may cut finer than this.",
    "商品名汇总标志为0：海关按其商品综合分类名汇总，本工具无法得知，实际归并可能更细。",
)


def report_deadline(job: Job, outcome: Outcome) -> None:
    """By when the period has to be declared. A missing calendar does not stop a run."""
    said = standing(job.settings.mode, None, [job.settings.period], job.settings.as_of, job.calendar, 0)
    [one] = said.periods
    if said.no_calendar is not None:
        outcome.notes.append(said.no_calendar.text)
    outcome.deadline = str(one.deadline or "")
    outcome.working_days_left = one.working_days_left


def _warn_of_deadline(job: Job, ledger: Ledger, outcome: Outcome) -> None:
    """What of the period is still undeclared, now that this run is recorded."""
    [one] = standing(job.settings.mode, ledger, [job.settings.period], job.settings.as_of, job.calendar, 0).periods
    outcome.undeclared = one.undeclared
    if one.warns(job.settings.as_of, job.settings.due.warn_days):
        outcome.exit_code = Exit.WAITING
