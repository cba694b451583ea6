"""The jobs of `aggregator ledger`: each opens the ledger, does one thing in one transaction, and says what it did.

Those that write hold the lock, and finish what a crash has left of an earlier publication first.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aggregator.inputs.tables.numbers import read_numbers
from aggregator.jobs.heads import leave_head, refuse_lost, settle_heads
from aggregator.jobs.publish import finish, make_folder, refuse_unknown, uninterrupted
from aggregator.ledger.sqlite.amend import answer_application, correct_first_period, dismiss, record_import, void_run
from aggregator.ledger.sqlite.query import Run, declarations_of, declared, runs
from aggregator.ledger.sqlite.refusals import is_busy, no_ledger
from aggregator.ledger.sqlite.rows import fetched
from aggregator.ledger.sqlite.store import copy_ledger, locked, open_ledger, transaction
from aggregator.ledger.sqlite.tables import State
from aggregator.ledger.sqlite.verify import refuse_altered
from aggregator.model.errors import CannotCreate, CannotReadOrWrite, NoInput, WrongUsage
from aggregator.model.settings import Period
from aggregator.schemas.text import Text

_ARROW_TYPES = {"TEXT": pa.string(), "INTEGER": pa.int64(), "BLOB": pa.binary()}
_TABLES = {"run": "runs", "application": "applications", "declaration": "declarations", "inventory": "inventories",
           "waiting": "waiting", "receipt": "receipts", "event": "events",
           "sent": "sent", "application_receipt": "application_receipts", "result": "results", "result_part": "result_parts",
           "result_line": "result_lines", "clearance": "clearances"}  # fmt: skip


@dataclass(frozen=True)
class Application:
    application_ref: str
    state: str
    consignor_code: str
    declarant_code: str
    declaring_customs_code: str
    premises_code: str
    inventories: int
    reason: str


@dataclass(frozen=True)
class ShownRun:
    run: Run
    declarations: int
    states: dict[str, int]
    late: int
    applications: list[Application]


@contextmanager
def changing(path: Path, out: Path | None, at: str, lock_wait: float, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """The ledger in a transaction. What is to be done to run folders, and the head, follow once it has ended."""
    if not create and not path.exists():
        raise no_ledger(path)
    with locked(path, lock_wait), open_ledger(path, create=create, migrate=True, at=at) as connection, uninterrupted():
        refuse_altered(connection, path)
        settle_heads(connection, path, out)
        with transaction(connection, at):
            finish(connection, path)
            yield connection
        finish(connection, path)
        leave_head(connection, path, out)


def shown_runs(path: Path, period: Period | None) -> list[ShownRun]:
    """The runs of a period, or all."""
    with open_ledger(path) as connection:
        found = []
        for run in runs(connection, path):
            if period is not None and run.period != period.key:
                continue
            states, late = {}, 0
            for state, count, of_these_late in connection.execute(
                "SELECT state, sum(inventories), sum(inventories * late) FROM tally WHERE run_no = ? GROUP BY 1 ORDER BY 1", (run.run_no,)
            ):
                states[state], late = count, late + of_these_late
            declarations = declarations_of(connection, run.run_ref)
            applications = connection.execute(
                "SELECT application_ref, application.state, consignor_code, declarant_code, declaring_customs_code, premises_code, "
                "coalesce(sum(inventories), 0), reason FROM application LEFT JOIN tally USING (run_no, application_no) "
                "WHERE run_no = ? GROUP BY application_no ORDER BY application_no",
                (run.run_no,),
            )
            found.append(ShownRun(run, declarations, states, late, [Application(*row) for row in applications]))
        return found


def void(path: Path, run_ref: str, reason: str, now: datetime, lock_wait: float, out: Path | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    with changing(path, out, at, lock_wait) as connection:
        freed = void_run(connection, run_ref, at, reason)
    return Text(
        f"The run {run_ref} is voided: {freed:,} inventories are free to be declared again.",
        f"批次 {run_ref} 已作废：{freed:,} 份清单可重新申报。",
    )


def answered(path: Path, application_ref: str, answer: str, reason: str, now: datetime, lock_wait: float, out: Path | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    with changing(path, out, at, lock_wait) as connection:
        changed = answer_application(connection, application_ref, State(answer), at, reason)
    freed = Text(" They are free to be declared again.", "这些清单可重新申报。") if answer == State.REFUSED else Text("", "")
    return Text(
        f"The application {application_ref} is {answer}: {changed:,} inventories.{freed.en}",
        f"汇总申请单 {application_ref} 的状态已登记为 {answer}：{changed:,} 份清单。{freed.zh}",
    )


def dismissed(path: Path, numbers: list[str], reason: str, now: datetime, lock_wait: float, out: Path | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    with changing(path, out, at, lock_wait) as connection:
        count = dismiss(connection, numbers, at, reason)
    return Text(f"{count:,} inventories are no longer waited for.", f"{count:,} 份清单不再列为待申报。")


def first_period_corrected(path: Path, period: Period, reason: str, now: datetime, lock_wait: float, out: Path | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    if period.key > f"{now:%Y%m}":
        raise WrongUsage(
            f"The period {period} has not begun: a ledger cannot answer for it first. Nothing was changed.",
            f"申报期 {period} 尚未开始，不能作为台账的起始申报期。未作任何更改。",
        )
    with changing(path, out, at, lock_wait) as connection:
        former = correct_first_period(connection, period.key, at, reason)
    was = Text(f" (it was {former[:4]}-{former[4:]})", f"（此前为 {former[:4]}-{former[4:]}）") if former not in ("", period.key) else Text("", "")
    return Text(f"The ledger answers for {period} and later{was.en}.", f"台账的起始申报期为 {period}{was.zh}。")


def imported(path: Path, out: Path | None, file: Path, chunk_bytes: int, now: datetime, lock_wait: float) -> Text:
    at = now.isoformat(timespec="seconds")
    if not file.is_file():
        raise NoInput(f"{file}: no such file. Check the path.", f"{file}：文件不存在。请检查路径。")
    numbers, sha256 = read_numbers(file, chunk_bytes)
    make_folder(path.parent)
    if not path.exists() and out is not None:
        refuse_unknown(out.resolve(), (), "")
    if not path.exists():
        refuse_lost(path, out)
    with changing(path, out, at, lock_wait, create=True) as connection:
        known = len(in_ledger := declared(path, numbers["inventory_no"]))
        new = numbers.filter(pc.invert(pc.is_in(numbers["inventory_no"], value_set=pa.array(in_ledger, pa.string()))))
        run_ref = record_import(connection, at, file.name, sha256, new.combine_chunks()) if new.num_rows else ""
    if not run_ref:
        return Text(f"Nothing new: the ledger has all {known:,} inventories as declared.", f"没有新内容：{known:,} 份清单均已登记为已申报。")
    return Text(
        f"{run_ref}: {new.num_rows:,} inventories are marked as declared elsewhere ({known:,} were known as declared).",
        f"{run_ref}：{new.num_rows:,} 份清单登记为已在别处申报（另有 {known:,} 份此前已登记）。",
    )


def exported(path: Path, folder: Path) -> list[str]:
    """Write every table as Parquet into `folder`, which appears complete or not at all; the files written."""
    if folder.exists():
        raise CannotCreate(f"{folder} exists. Name a new folder.", f"{folder} 已存在。请指定新的文件夹。")
    with open_ledger(path) as connection:
        make_folder(folder.resolve().parent)
        try:
            stage = Path(tempfile.mkdtemp(prefix=".export-", dir=folder.resolve().parent))
        except OSError as error:
            raise _cannot_write(folder, error) from None
        try:
            connection.execute("BEGIN")
            for table, name in _TABLES.items():
                _write_table(connection, table, stage / f"{name}.parquet")
            stage.chmod(0o755)
            stage.rename(folder)
        except OSError as error:
            raise _cannot_write(folder, error) from None
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return [str(folder / f"{name}.parquet") for name in _TABLES.values()]


def _cannot_write(path: Path, error: OSError) -> CannotReadOrWrite:
    return CannotReadOrWrite(
        f"{path} cannot be written: {error.strerror or error}. The ledger is as it was. Check rights and disk space.",
        f"无法写入 {path}：{error.strerror or error}。台账未变。请检查权限和磁盘空间。",
    )


def _write_table(connection: sqlite3.Connection, table: str, path: Path) -> None:
    columns = [(name, _ARROW_TYPES[kind]) for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")]
    schema = pa.schema(columns)
    order = ", ".join(name for _, name, _, _, _, key in connection.execute(f"PRAGMA table_info({table})") if key)
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {order}")
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table_of_rows in fetched(cursor, schema):
            writer.write_table(table_of_rows)


def backed_up(path: Path, file: Path) -> Text:
    if file.exists():
        raise CannotCreate(f"{file} exists and is left as it is. Name a new file.", f"{file} 已存在，未作更改。请指定新的文件名。")
    with open_ledger(path) as connection:
        make_folder(file.resolve().parent)
        try:
            copy_ledger(connection, file.resolve())
        except (OSError, sqlite3.OperationalError) as error:
            if isinstance(error, sqlite3.OperationalError) and is_busy(error):
                raise
            raise CannotReadOrWrite(
                f"{file} cannot be written: {error}. The ledger is as it was. Check rights and disk space.",
                f"无法写入 {file}：{error}。台账未变。请检查权限和磁盘空间。",
            ) from None
    return Text(f"The ledger was copied to {file} ({file.stat().st_size:,} bytes).", f"台账已备份到 {file}（{file.stat().st_size:,} 字节）。")


def migrated(path: Path, now: datetime, lock_wait: float, out: Path | None = None) -> Text:
    with changing(path, out, now.isoformat(timespec="seconds"), lock_wait):
        return Text(f"The ledger {path} is of this program's version.", f"台账 {path} 已是本程序的版本。")
