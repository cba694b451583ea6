"""Publish a run folder: stage beside the target, fsync, record in the ledger, rename. And put right what a crash left."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from aggregator.errors import Busy, CannotCreate, CannotReadOrWrite, WrongConfiguration
from aggregator.ledger import runs

_PERIOD = re.compile(r"[0-9]{4}-[0-9]{2}")
_RUN = re.compile(r"[0-9]{6}-[0-9]{2,}")
STAGE_PREFIX, WORK_PREFIX = ".stage-", ".work-"


@contextmanager
def locked(ledger: Path) -> Iterator[None]:
    """Hold the ledger's lock. It goes with the process: there is no stale lock to remove by hand."""
    lock = FileLock(f"{ledger}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(
            f"Another run holds the lock of {ledger}. Nothing was done; try again when it has ended.",
            f"另一次运行正占用 {ledger}。未执行任何操作；请在其结束后重试。",
        ) from None
    except OSError as error:
        raise CannotCreate(
            f"The lock {ledger}.lock cannot be made: {error.strerror}. Check rights and disk space.",
            f"无法创建锁文件 {ledger}.lock：{error.strerror}。请检查权限和磁盘空间。",
        ) from None
    try:
        yield
    finally:
        lock.release()


def make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotCreate(
            f"The folder {path} cannot be made: {error.strerror}. Check the path, rights and disk space.",
            f"无法创建文件夹 {path}：{error.strerror}。请检查路径、权限和磁盘空间。",
        ) from None


def run_folders(out: Path) -> list[Path]:
    periods = [folder for folder in out.iterdir() if _PERIOD.fullmatch(folder.name) and folder.is_dir()] if out.exists() else []
    return sorted(run for period in periods for run in period.iterdir() if _RUN.fullmatch(run.name) and run.is_dir())


def recover(out: Path, connection: sqlite3.Connection) -> None:
    """Finish the renames of recorded runs, remove what was never recorded, refuse folders the ledger does not know."""
    recorded = {row["run_ref"] for row in runs(connection)}
    for period in [folder for folder in out.iterdir() if _PERIOD.fullmatch(folder.name) and folder.is_dir()]:
        for stage in sorted(period.glob(f"{STAGE_PREFIX}*")):
            run_ref = stage.name.removeprefix(STAGE_PREFIX)
            if run_ref in recorded and not (period / run_ref).exists():
                _rename(stage, period / run_ref)
            else:
                shutil.rmtree(stage)
    for left in out.glob(f"{WORK_PREFIX}*"):
        shutil.rmtree(left)
    unknown = refuse_unknown(out, recorded)
    if unknown is not None:
        raise unknown


def refuse_unknown(out: Path, recorded: set[str]) -> WrongConfiguration | None:
    unknown = [folder for folder in run_folders(out) if folder.name not in recorded]
    if not unknown:
        return None
    names = ", ".join(str(folder) for folder in unknown[:5])
    return WrongConfiguration(
        f"The ledger does not know the published run {names}: it is lost or old, and what was declared there would be "
        "declared again. Restore the ledger from a backup, or name the right one with --ledger.",
        f"台账中没有已发布的批次 {names}：台账已丢失或是旧的，其中已申报的清单会被重复申报。请从备份恢复台账，或用 --ledger 指定正确的台账。",
    )


def sync_files(folder: Path) -> None:
    """Flush every file and folder below to the disk."""
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(stage: Path, target: Path) -> None:
    _rename(stage, target)
    _sync(target.parent)


def _rename(stage: Path, target: Path) -> None:
    try:
        stage.rename(target)
    except OSError as error:
        raise CannotReadOrWrite(
            f"The run is recorded, but {stage} cannot be renamed to {target}: {error.strerror}. The next command finishes it.",
            f"批次已登记，但无法将 {stage} 重命名为 {target}：{error.strerror}。下一次运行会自动完成。",
        ) from None
