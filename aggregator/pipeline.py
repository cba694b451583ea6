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

from aggregator.errors import Exit, NoInput, WrongConfiguration, WrongUsage
from aggregator.ledger import (
    RunRecord,
    insert_declared,
    insert_waiting,
    next_run_ref,
    open_ledger,
    record,
    runs,
    setting,
    transaction,
)
from aggregator.line import calculate
from aggregator.params import Params, Period
from aggregator.publish import (
    STAGE_PREFIX,
    WORK_PREFIX,
    locked,
    make_folder,
    publish,
    recover,
    refuse_unknown,
    sync_files,
)
from aggregator.read.headings import require_columns
from aggregator.read.scan import CsvFile, open_csv
from aggregator.report.page import DECLARATIONS_SHOWN, page
from aggregator.result import Outcome, counted, declared_of, inventories_of, outcome_of, waiting_of
from aggregator.run_folder import write_outputs
from aggregator.stages import Settled, Work
from aggregator.write.manifest import write_manifest
from schemas.rules import Severity


def run(params: Params, now: datetime) -> Outcome:
    """The main job. `now` is the run's one recorded time; all dates come from it."""
    params = _settled_period(params, now)
    assert params.out is not None
    out, ledger = params.out, params.ledger or params.out / "ledger.sqlite"
    files = _open_inputs(params, clearing_known=bool(params.receipts) or params.assume_cleared)
    if params.dry_run:
        return _dry_run(params, files, out, ledger)
    make_folder(out)
    make_folder(ledger.parent)
    with locked(ledger):
        if not ledger.exists():
            refused = refuse_unknown(out, set())
            if refused is not None:
                raise refused
        with open_ledger(ledger, create=True) as connection:
            recover(out, connection)
            first = _first_period(params, setting(connection, "first_period"))
            run_ref = next_run_ref(connection, params.the_period.key)
            stage = out / str(params.period) / f"{STAGE_PREFIX}{run_ref}"
            try:
                with _work_folder(out) as folder, transaction(connection):
                    outcome = _declare(params, files, folder, first, ledger, connection, run_ref, stage, now)
            except BaseException:
                if run_ref not in {row["run_ref"] for row in runs(connection)}:
                    shutil.rmtree(stage, ignore_errors=True)
                raise
            if outcome.published:
                publish(stage, stage.parent / run_ref)
            return outcome


def check(params: Params) -> tuple[Outcome, Iterator[pa.Table]]:
    """Read and validate only. Out: the outcome, complete once the findings (tables, in input order) are all taken."""
    files = _open_inputs(params, clearing_known=True)
    outcome = Outcome()

    def findings() -> Iterator[pa.Table]:
        with _work_folder(None) as folder:
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
def _work_folder(out: Path | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=out))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dry_run(params: Params, files: tuple[CsvFile, ...], out: Path, ledger: Path) -> Outcome:
    """The whole line, but nothing is locked or written (a work folder in the system's place for such, removed after)."""
    with ExitStack() as stack:
        recorded, run_ref = None, f"{params.the_period.key}-01"
        known: set[str] = set()
        if ledger.exists():
            connection = stack.enter_context(open_ledger(ledger, create=False))
            recorded, run_ref = setting(connection, "first_period"), next_run_ref(connection, params.the_period.key)
            known = {row["run_ref"] for row in runs(connection)}
        refused = refuse_unknown(out, known)
        if refused is not None:
            raise refused
        folder = stack.enter_context(_work_folder(None))
        first = _first_period(params, recorded)
        result = calculate(params, files, folder, first, ledger if ledger.exists() else None, run_ref)
        outcome = outcome_of(result, str(params.period))
        outcome.run_ref = run_ref if result.split.declarations else ""
        for _ in counted(result.findings(params.lang), outcome):
            pass
        return outcome


def _declare(
    params: Params,
    files: tuple[CsvFile, ...],
    folder: Path,
    first_period: str,
    ledger: Path,
    connection: sqlite3.Connection,
    run_ref: str,
    stage: Path,
    now: datetime,
) -> Outcome:
    """Within the ledger's transaction: calculate, stage, record. Its end is the moment of declaring; the rename comes after.

    In this order a crash leaves nothing, or something the next command finishes.
    """

    def into_ledger(work: Work, settled: list[Settled], declarations: int) -> None:
        if declarations:
            insert_declared(connection, run_ref, declared_of(inventories_of(work, settled)))
        seen_in = run_ref if declarations else str(params.period)
        insert_waiting(connection, seen_in, first_period, waiting_of(inventories_of(work, settled)))

    result = calculate(params, files, folder, first_period, ledger, run_ref, while_finishing=into_ledger)
    outcome = outcome_of(result, str(params.period))
    rejections, moment = result.rejections_sha256(), now.isoformat(timespec="seconds")
    told = {row["rejections_sha256"]: row["folder"] for row in runs(connection) if row["period"] == str(params.period)}
    if not result.split.declarations and (not result.rejected_lines or rejections in told):
        for _ in counted(result.findings(params.lang), outcome):
            pass
        outcome.folder = told[rejections] if result.rejected_lines else ""
        return outcome
    make_folder(stage)
    write_outputs(params, result, run_ref, stage, outcome)
    shown = result.declarations.slice(0, DECLARATIONS_SHOWN).to_pylist()
    (stage / "report.html").write_text(page(outcome, run_ref, shown, now, params.lang), encoding="utf-8")
    manifest = write_manifest(stage, params, result.work.files, outcome.counts, outcome.excluded, run_ref, now)
    sync_files(stage)
    outcome.run_ref, outcome.folder, outcome.published = run_ref, str(stage.parent / run_ref), True
    entry = RunRecord(str(params.period), run_ref, outcome.folder, moment, manifest, rejections)
    record(connection, entry, result.declarations)
    return outcome
