"""What is said of a ledger that cannot be used, and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.ledger.sqlite.tables import VERSION
from aggregator.model.errors import Busy, CannotCreate, CannotReadOrWrite, StopRun, WrongConfiguration

_OF_THE_DISK = {
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT,
}  # fmt: skip


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors as sentences: a damaged file is refused, a full or locked disk is not the file's fault."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise explanation(path, error) from None


def _code(error: sqlite3.DatabaseError) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_NOTADB)) & 0xFF


def is_busy(error: sqlite3.DatabaseError) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def explanation(path: Path, error: sqlite3.DatabaseError) -> StopRun:
    text, code = str(error), _code(error)
    if is_busy(error):
        return Busy(
            f"Another program is using the ledger {path}. Nothing was done; try again when it has ended.",
            f"另一个程序正在使用台账 {path}。未执行任何操作；请在其结束后重试。",
        )
    if code not in _OF_THE_DISK:
        return refused(path, f"cannot be read ({text}).", f"无法读取（{text}）。")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        stop = CannotCreate if code == sqlite3.SQLITE_CANTOPEN else CannotReadOrWrite
        return stop(
            f"The ledger {path} cannot be written: {text}. Nothing was changed. Check rights and disk space, then run again.",
            f"无法写入台账 {path}：{text}。未作任何更改。请检查权限和磁盘空间后重新运行。",
        )
    return CannotReadOrWrite(
        f"The ledger {path} cannot be written: {text}. Nothing was published. Check disk space and rights, then run again: what "
        "was under way is taken back, or finished if it was recorded already.",
        f"无法写入台账 {path}：{text}。未发布任何内容。请检查磁盘空间和权限后重新运行：未登记的操作将撤回，已登记的将自动完成。",
    )


def refused(path: Path, en: str, zh: str) -> WrongConfiguration:
    return WrongConfiguration(
        f"The ledger {path} {en} Nothing was done. Restore it from a backup, or name the right one with --ledger.",
        f"台账 {path} {zh}未执行任何操作。请从备份恢复，或用 --ledger 指定正确的台账。",
    )


def refused_as_old(path: Path, version: int) -> WrongConfiguration:
    return WrongConfiguration(
        f"The ledger {path} is of version {version}, this program's is {VERSION}. Nothing was done. 'aggregator ledger migrate' "
        "brings it forward; a backup is made first.",
        f"台账 {path} 的版本为 {version}，本程序为 {VERSION}。未执行任何操作。请运行 aggregator ledger migrate 升级（会先自动备份）。",
    )


def no_ledger(path: Path) -> WrongConfiguration:
    return WrongConfiguration(
        f"There is no ledger {path}. Nothing was done. Name it with --ledger PATH or --out DIR; the first 'aggregator run' makes one.",
        f"台账 {path} 不存在。未执行任何操作。请用 --ledger 或 --out 指定；首次 aggregator run 会创建台账。",
    )
