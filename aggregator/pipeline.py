"""The jobs: run and check. From exports to the published run folder:

    open inputs  ->  the line (line.py)  ->  stage folder  ->  ledger  ->  rename
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from aggregator.deadline import Calendar, calendar_of, earliest_deadline
from aggregator.errors import CannotReadOrWrite, Exit, NoInput, StopRun, WrongConfiguration, WrongUsage
from aggregator.ledger.query import Run, runs, setting
from aggregator.ledger.record import (
    Rows,
    RunRecord,
    next_run_no,
    next_run_ref,
    record_cancelled,
    record_first_period,
    record_receipts,
    record_rows,
    record_run,
    record_waiting,
    relative_folder,
)
from aggregator.ledger.store import locked, no_ledger, open_ledger, transaction
from aggregator.ledger.tables import State
from aggregator.ledger.verify import refuse_altered
from aggregator.line import calculate
from aggregator.merged import Merged
from aggregator.params import Params, Period
from aggregator.publish import (
    finish,
    make_folder,
    mark_of,
    refuse_unknown,
    remove,
    stage_folder,
    sync_files,
    tidy,
    uninterrupted,
    work_prefix,
)
from aggregator.read.headings import require_columns
from aggregator.read.scan import CsvFile, open_csv
from aggregator.report.page import DECLARATIONS_SHOWN, page
from aggregator.result import Outcome, counted, outcome_of
from aggregator.run_folder import write_outputs
from aggregator.status import standing
from aggregator.write.manifest import sha256_of, write_manifest
from schemas.rules import Severity
from schemas.text import Text


def run(params: Params, now: datetime) -> Outcome:
    """The main job. `now` is the run's one recorded time; all dates come from it."""
    params = _settled_period(params, now)
    assert params.out is not None
    assert params.the_ledger is not None
    out, ledger = params.out.resolve(), params.the_ledger
    calendar = calendar_of(dict(params.calendar_years), params.calendar)
    files = _open_inputs(params, clearing_known=bool(params.receipts) or params.assume_cleared)
    if params.require_ledger and not ledger.exists():
        raise no_ledger(ledger)
    if params.dry_run:
        return _dry_run(params, files, out, ledger)
    make_folder(out)
    make_folder(ledger.parent)
    at = now.isoformat(timespec="seconds")
    with locked(ledger, params.lock_wait):
        created = not ledger.exists()
        if created:
            refuse_unknown(out, (), "")
        with open_ledger(ledger, create=True, migrate=True, at=at) as connection:
            refuse_altered(connection, ledger)
            outcome = _declare(params, files, out, ledger, connection, calendar, now)
            outcome.ledger_created = created
            return outcome


def check(params: Params) -> tuple[Outcome, Iterator[pa.Table]]:
    """Read and validate only. Out: the outcome, complete once the findings (tables, in input order) are all taken."""
    files = _open_inputs(params, clearing_known=True)
    outcome = Outcome()

    def findings() -> Iterator[pa.Table]:
        with _work_folder(None, "aggregator-") as folder:
            result = calculate(params, files, folder, "", None, "000000-00", all_findings=True)
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
    return replace(params, period=period, as_of=as_of)


def _open_inputs(params: Params, *, clearing_known: bool) -> tuple[CsvFile, ...]:
    for path in (*params.inputs, *params.receipts):
        if path.is_dir():
            raise NoInput(
                f"{path} is a folder. Name the files in it, for example {path}/*.csv.",
                f"{path} 是文件夹。请指定其中的文件，例如 {path}/*.csv。",
            )
        if not path.is_file():
            raise NoInput(f"{path}: no such file. Check the path.", f"{path}：文件不存在。请检查路径。")
    files = []
    constants = [column for column, _ in params.constants]
    for path in params.inputs:
        file = open_csv(path, params.columns, params.chunk_bytes)
        require_columns(file.name, file.headings, {*file.columns, *constants}, clearing_known=clearing_known)
        files.append(file)
    return tuple(files)


def _first_period(params: Params, recorded: str | None) -> str:
    asked = params.first_period.key if params.first_period else None
    if recorded is not None and asked is not None and asked != recorded:
        raise WrongConfiguration(
            f"--first-period {params.first_period} differs from the ledger's own {recorded[:4]}-{recorded[4:]}. Leave it out.",
            f"--first-period {params.first_period} 与台账记录的 {recorded[:4]}-{recorded[4:]} 不同。请去掉该选项。",
        )
    return recorded or asked or params.the_period.key


@contextmanager
def _work_folder(out: Path | None, prefix: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dry_run(params: Params, files: tuple[CsvFile, ...], out: Path, ledger: Path) -> Outcome:
    """The whole line, but nothing is locked or written (a work folder in the system's place for such, removed after)."""
    with ExitStack() as stack:
        recorded, run_ref, mark = None, f"{params.the_period.key}-01", ""
        known: list[Run] = []
        if ledger.exists():
            connection = stack.enter_context(open_ledger(ledger))
            recorded, run_ref = setting(connection, "first_period"), next_run_ref(connection, params.the_period.key)
            known, mark = runs(connection, ledger), mark_of(connection)
        refuse_unknown(out, known, mark)
        folder = stack.enter_context(_work_folder(None, "aggregator-"))
        first = _first_period(params, recorded)
        result = calculate(params, files, folder, first, ledger if ledger.exists() else None, run_ref)
        outcome = outcome_of(result, str(params.period))
        outcome.notes += _notes(params)
        outcome.run_ref = run_ref if result.split.declarations else ""
        for _ in counted(result.findings(params.lang), outcome):
            pass
        return outcome


def _declare(
    params: Params,
    files: tuple[CsvFile, ...],
    out: Path,
    ledger: Path,
    connection: sqlite3.Connection,
    calendar: Calendar,
    now: datetime,
) -> Outcome:
    """Calculate, stage and record in one transaction of the ledger, whose end is the moment of declaring; then rename.

    In this order a crash leaves nothing, or something the next command finishes.
    """
    mark = mark_of(connection)
    run_ref = next_run_ref(connection, params.the_period.key)
    target = out / str(params.period) / run_ref
    stage = stage_folder(target, mark)
    with ExitStack() as last:
        try:
            # SQLite's own lock too is held from here on: where the disk does not keep ours, it still keeps two runs apart.
            with transaction(connection):
                finish(connection, ledger)
                tidy(connection, out)
                refuse_unknown(out, runs(connection, ledger), mark)
                with _work_folder(out, work_prefix(mark)) as folder:
                    outcome = _stage_and_record(params, files, folder, ledger, connection, run_ref, stage, target, now)
                _tell_deadline(params, connection, calendar, outcome)
                last.enter_context(uninterrupted())
        except BaseException:
            if _is_recorded(ledger, run_ref):
                raise CannotReadOrWrite(
                    f"The run {run_ref} is recorded in the ledger, but the disk failed at that moment. Mend that and run again, or "
                    "run 'aggregator ledger check': either finishes it.",
                    f"批次 {run_ref} 已在台账中登记，但磁盘同时发生故障。请排除故障后重新运行，或运行 aggregator ledger check，均会自动完成。",
                ) from None
            remove(stage)
            raise
        finish(connection, ledger)
    return outcome


def _notes(params: Params) -> list[Text]:
    return [_ITEM_NAME_NOTE] if params.item_name_flag == 0 else []


_ITEM_NAME_NOTE = Text(
    "Item name flag 0: customs merges by its own category names, which we do not know; it may cut finer than this.",
    "商品名汇总标志为0：海关按其商品综合分类名汇总，本工具无法得知，实际归并可能更细。",
)


def _is_recorded(ledger: Path, run_ref: str) -> bool:
    """Whether the ledger's file has the run, whatever became of the connection that recorded it."""
    try:
        with open_ledger(ledger) as connection:
            return run_ref in {run.run_ref for run in runs(connection, ledger)}
    except (StopRun, OSError):
        return False


def _stage_and_record(
    params: Params,
    files: tuple[CsvFile, ...],
    folder: Path,
    ledger: Path,
    connection: sqlite3.Connection,
    run_ref: str,
    stage: Path,
    target: Path,
    now: datetime,
) -> Outcome:
    at, run_no = now.isoformat(timespec="seconds"), next_run_no(connection)
    first_period = _first_period(params, setting(connection, "first_period"))
    seen: list[Merged] = []
    rows: list[Rows] = []
    undone: list[str] = []

    def into_ledger(merged: Merged) -> None:
        seen.append(merged)
        rows.append(record_rows(connection, run_no, State.APPLIED, merged.declared()))
        undone.extend(merged.newly_undone())
        record_waiting(connection, run_ref if merged.numbering.declarations else str(params.period), params.the_period.key, merged.waiting())

    record_first_period(connection, first_period, at)
    result = calculate(params, files, folder, first_period, ledger, run_ref, while_finishing=into_ledger)
    outcome = outcome_of(result, str(params.period))
    outcome.notes += _notes(params)
    outcome.counts["inventories_undone"] = len(undone)
    record_cancelled(connection, run_ref, at, undone)
    record_receipts(connection, at, ((sha256_of(path), str(path)) for path in params.receipts))
    rejections = result.rejections_sha256()
    told = {run.rejections_sha256: run for run in runs(connection, ledger) if run.period == params.the_period.key}
    if undone:
        outcome.exit_code = Exit.WAITING
    if not result.split.declarations and not undone and (not result.rejected_lines or rejections in told):
        for _ in counted(result.findings(params.lang), outcome):
            pass
        outcome.folder = str(_shown(told[rejections].folder, params)) if result.rejected_lines else ""
        return outcome
    make_folder(stage)
    write_outputs(params, result, run_ref, stage, outcome)
    shown = result.declarations.slice(0, DECLARATIONS_SHOWN).to_pylist()
    (stage / "report.html").write_text(page(outcome, run_ref, shown, now, params.lang), encoding="utf-8")
    ledger_id = setting(connection, "ledger_id") or ""
    manifest = write_manifest(stage, params, result.work.files, outcome.counts, outcome.excluded, run_ref, ledger_id, now)
    sync_files(stage)
    outcome.run_ref, outcome.folder, outcome.published = run_ref, str(_shown(target, params)), True
    record = RunRecord(run_no, run_ref, params.the_period.key, relative_folder(ledger, target), at, manifest, rejections)
    record_run(connection, record, rows[0], seen[0].applications, seen[0].declarations(result.declarations))
    return outcome


def _shown(folder: Path | None, params: Params) -> Path:
    """A run folder as the user named its place."""
    assert params.out is not None
    assert folder is not None
    out = params.out.resolve()
    return params.out / folder.relative_to(out) if folder.is_relative_to(out) else folder


def _tell_deadline(params: Params, connection: sqlite3.Connection, calendar: Calendar, outcome: Outcome) -> None:
    """What is still undeclared of the period, and by when it has to be. A missing calendar does not stop a run."""
    assert params.as_of is not None
    said = standing(connection, None, [params.the_period], params.as_of, calendar, 0)
    [one] = said.periods
    if said.no_calendar is not None:
        outcome.notes.append(said.no_calendar.text)
    outcome.deadline = str(one.deadline or "")
    outcome.working_days_left = one.working_days_left
    outcome.undeclared = one.undeclared
    if one.warns(params.as_of, params.warn_days):
        outcome.exit_code = Exit.WAITING
