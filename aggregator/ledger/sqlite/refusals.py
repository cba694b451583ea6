"""SQLite's errors as what a ledger says of itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.ledger.errors import CannotOpenLedger, CannotWriteLedger, LedgerInUse, LedgerReadOnly, LedgerRefused
from aggregator.model.errors import StopRun
from aggregator.schemas.text import Text

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
        return LedgerInUse(path)
    if code not in _OF_THE_DISK:
        return LedgerRefused(path, Text(f"cannot be read ({text}).", f"无法读取（{text}）。"))
    if code == sqlite3.SQLITE_CANTOPEN:
        return CannotOpenLedger(path, text)
    return LedgerReadOnly(path, text) if code == sqlite3.SQLITE_READONLY else CannotWriteLedger(path, text)
