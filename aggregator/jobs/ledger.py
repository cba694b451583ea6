"""The jobs of `aggregator ledger`: each opens the ledger, does one thing in one transaction, and says what it did.

Those that write hold the lock, and finish what a crash has left of an earlier publication first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aggregator.inputs.tables.numbers import read_numbers
from aggregator.jobs.heads import leave_head, refuse_lost, settle_heads
from aggregator.jobs.publish import finish, refuse_unknown, uninterrupted
from aggregator.ledger.at import ledger_at
from aggregator.ledger.errors import CannotCopyLedger, NoLedger
from aggregator.ledger.ledger import Ledger
from aggregator.model.disk import own_folder
from aggregator.model.errors import CannotCreate, NoInput, WrongUsage
from aggregator.model.names import told
from aggregator.model.period import Period
from aggregator.model.place import Place
from aggregator.model.records import ApplicationStanding, Imported, Run, State
from aggregator.model.remote import AnyPath
from aggregator.places.local import make_folder
from aggregator.schemas.modes import Mode
from aggregator.schemas.text import Text, counted


@dataclass(frozen=True)
class ShownRun:
    run: Run
    declarations: int
    states: dict[str, int]
    late: int
    applications: list[ApplicationStanding]


@contextmanager
def changing(path: Place, out: AnyPath | None, at: str, lock_wait: float, *, create: bool = False) -> Iterator[Ledger]:
    """The ledger in a transaction. What is to be done to run folders, and the head, follow once it has ended."""
    place = ledger_at(path)
    if not create and not place.exists():
        raise NoLedger(path)
    with place.locked(lock_wait), place.opened(create=create, migrate=True, at=at) as ledger, uninterrupted():
        ledger.refuse_altered()
        settle_heads(ledger, out)
        with ledger.transaction(at):
            finish(ledger)
            yield ledger
        finish(ledger)
        leave_head(ledger, out)


def shown_runs(path: Place, period: Period | None) -> list[ShownRun]:
    """The runs of a period, or all."""
    with ledger_at(path).opened() as ledger:
        chosen = [run for run in ledger.runs() if period is None or run.period == period.key]
        return [_shown(ledger, run) for run in chosen]


def _shown(ledger: Ledger, run: Run) -> ShownRun:
    states, late = dict[str, int](), 0
    for each in ledger.tally(run.run_no):
        states[each.state] = states.get(each.state, 0) + each.inventories
        late += each.inventories if each.late else 0
    return ShownRun(run, ledger.declarations_made(run.run_ref), states, late, ledger.applications(run.run_no))


def void(path: Place, run_ref: str, reason: str, now: datetime, lock_wait: float, out: AnyPath | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    with changing(path, out, at, lock_wait) as ledger:
        freed = ledger.void_run(run_ref, reason)
    return Text(
        f"The run {run_ref} is voided: {counted(freed, 'inventory is', 'inventories are')} free to be declared again.",
        f"批次 {run_ref} 已作废：{freed:,} 份清单可重新申报。",
    )


def answered(path: Place, application_ref: str, answer: str, reason: str, now: datetime, lock_wait: float, out: AnyPath | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    with changing(path, out, at, lock_wait) as ledger:
        changed = ledger.answer_application(application_ref, State(answer), reason)
    freed = Text(f" {'It is' if changed == 1 else 'They are'} free to be declared again.", "这些清单可重新申报。") if answer == State.REFUSED else Text("", "")
    return Text(
        f"The application {application_ref} is {answer}: {counted(changed, 'inventory', 'inventories')}.{freed.en}",
        f"汇总申请单 {application_ref} 已登记为{_ANSWERS[State(answer)]}：{changed:,} 份清单。{freed.zh}",
    )


_ANSWERS = {State.ACCEPTED: "已受理", State.MERGED: "已汇总", State.ENTERED: "已入报关单", State.REFUSED: "已退单"}


def dismissed(path: Place, numbers: list[str], reason: str, now: datetime, lock_wait: float, out: AnyPath | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    with changing(path, out, at, lock_wait) as ledger:
        count = ledger.dismiss(numbers, reason)
    return Text(f"{counted(count, 'inventory is', 'inventories are')} no longer waited for.", f"{count:,} 份清单不再列为待申报。")


def first_period_corrected(path: Place, period: Period, reason: str, now: datetime, lock_wait: float, out: AnyPath | None = None) -> Text:
    at = now.isoformat(timespec="seconds")
    if period.key > f"{now:%Y%m}":
        raise WrongUsage(
            f"The period {period} has not begun: a ledger cannot answer for it first. Nothing was changed.",
            f"申报期 {period} 尚未开始，不能作为台账的起始申报期。未作任何更改。",
        )
    with changing(path, out, at, lock_wait) as ledger:
        former = ledger.correct_first_period(period.key, reason)
    was = Text(f" (it was {former[:4]}-{former[4:]})", f"（此前为 {former[:4]}-{former[4:]}）") if former not in ("", period.key) else Text("", "")
    return Text(f"The ledger answers for {period} and later{was.en}.", f"台账的起始申报期为 {period}{was.zh}。")


def imported(mode: Mode, path: Place, out: AnyPath | None, file: Path, chunk_bytes: int, now: datetime, lock_wait: float) -> Text:
    at = now.isoformat(timespec="seconds")
    if not file.is_file():
        raise NoInput(f"{file}: no such file. Check the path.", f"{file}：文件不存在。请检查路径。")
    numbers, sha256 = read_numbers(file, mode.dictionary, chunk_bytes)
    if (home := ledger_at(path).folder) is not None:
        make_folder(home)
    if not ledger_at(path).exists():
        if out is not None:
            refuse_unknown(out.resolve(), (), "")
        refuse_lost(path, out)
    with changing(path, out, at, lock_wait, create=True) as ledger:
        found = ledger.import_declared(told(file.name), sha256, numbers)
    if not found.new:
        return Text(f"Nothing new: the ledger has {'the inventory' if found.known == 1 else f'all {found.known:,} inventories'} as declared.", f"没有新内容：{found.known:,} 份清单均已登记为已申报。")
    seen = _seen_undeclared(found)
    return Text(
        f"{found.run_ref}: {counted(found.new, 'inventory is', 'inventories are')} marked as declared elsewhere ({counted(found.known, 'was', 'were')} known as declared).{seen.en}",
        f"{found.run_ref}：{found.new:,} 份清单登记为已在别处申报（另有 {found.known:,} 份此前已登记）。{seen.zh}",
    )


def _seen_undeclared(found: Imported) -> Text:
    """Of inventories that a run rejected or excluded: a wrong file would keep them from ever being declared."""
    if not found.waiting:
        return Text("", "")
    count, first = len(found.waiting), ", ".join(found.waiting[:3])
    return Text(
        f" {count:,} of them were seen here and not declared: {first}{' …' if count > 3 else ''}. If they were not declared elsewhere, take it back: "
        f"aggregator ledger void {found.run_ref} --reason TEXT.",
        f"其中 {count:,} 份本工具曾读入但未申报：{first}{' ……' if count > 3 else ''}。如并未在别处申报，请撤回：aggregator ledger void {found.run_ref} --reason 原因。",
    )


def exported(path: Place, folder: Path) -> list[str]:
    """Write every table as Parquet into `folder`, which appears complete or not at all; the files written."""
    import pyarrow.parquet as pq

    names: list[str] = []
    if folder.exists():
        raise CannotCreate(f"{folder} exists. Name a new folder.", f"{folder} 已存在。请指定新的文件夹。")
    with ledger_at(path).opened() as ledger:
        make_folder(folder.resolve().parent)
        try:
            with own_folder(".export-", folder.resolve().parent) as stage:
                whole = stage / "whole"
                whole.mkdir()
                for table in ledger.export():
                    names.append(f"{table.name}.parquet")
                    with pq.ParquetWriter(whole / names[-1], table.schema, compression="zstd") as writer:
                        for rows in table.rows:
                            writer.write_table(rows)
                whole.rename(folder)
        except OSError as error:
            raise CannotCopyLedger(folder, error.strerror or error) from None
    return [str(folder / name) for name in names]


def backed_up(path: Place, file: Path) -> Text:
    if file.exists():
        raise CannotCreate(f"{file} exists and is left as it is. Name a new file.", f"{file} 已存在，未作更改。请指定新的文件名。")
    with ledger_at(path).opened() as ledger:
        make_folder(file.resolve().parent)
        ledger.copy_to(ledger_at(file))
    return Text(f"The ledger was copied to {file} ({file.stat().st_size:,} bytes).", f"台账已备份到 {file}（{file.stat().st_size:,} 字节）。")


def migrated(path: Place, now: datetime, lock_wait: float, out: AnyPath | None = None) -> Text:
    with changing(path, out, now.isoformat(timespec="seconds"), lock_wait):
        return Text(f"The ledger {path} is of this program's version.", f"台账 {path} 已是本程序的版本。")
