"""The ledger's file: how it is made, opened, locked, brought to this version, copied.

One SQLite file with rollback journal and synchronous=FULL: a copy of the file alone is whole, and it works on a network
disk. A file that is empty, of another application or of a newer version is refused: empty must never mean "nothing
declared yet".
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from aggregator.ledger.errors import (
    CannotBackUp,
    CannotCopyLedger,
    CannotLock,
    CannotMakeLedger,
    CannotReadLedger,
    LedgerMoved,
    LedgerOfAnEarlierVersion,
    LedgerRefused,
    LedgerThere,
    LockHeld,
    NoLedger,
)
from aggregator.ledger.ledger import Rows
from aggregator.ledger.sql.chain import append_event, moved_to
from aggregator.ledger.sql.copy import fill, record_moved_from
from aggregator.ledger.sql.verify import UNREADABLE, refuse
from aggregator.ledger.sqlite.connection import SqliteConnection
from aggregator.ledger.sqlite.migrations import MIGRATIONS
from aggregator.ledger.sqlite.refusals import explained
from aggregator.ledger.sqlite.seal import sealing
from aggregator.ledger.sqlite.tables import APPLICATION_ID, VERSION, make_tables
from aggregator.ledger.sqlite.verify import found_altered
from aggregator.model.disk import new_file, put_in_place, refuse_odd
from aggregator.model.errors import OurFault, StopRun
from aggregator.model.place import Place
from aggregator.schemas.text import Text

_BUSY_SECONDS = 10.0
_PATIENCE_SECONDS = 600
_PAGE_CACHE_KIB = 16_384
_FOLDER = Text("is a folder.", "是文件夹。")
_NO_FILE = Text("is no regular file.", "不是普通文件。")
_EMPTY = Text("is empty (0 bytes).", "为空文件（0字节）。")
_NO_DATABASE = Text("cannot be read: it is no SQLite file.", "无法读取：不是SQLite文件。")
_FOREIGN = Text("is a database of another application.", "是其他程序的数据库。")
_DAMAGED_HEAD = Text("is damaged: its first bytes are not those of a ledger.", "已损坏：文件头与台账不符。")
_MAGIC, _HEAD_LENGTH, _APPLICATION_ID_AT = b"SQLite format 3\x00", 100, 68
_FIXED = {18: (b"\1\1", b"\2\2"), 52: (b"\0\0\0\0",), 56: (b"\0\0\0\1",), 64: (b"\0\0\0\0",)}
"""From the description of SQLite's file format: versions of the format, no vacuum by itself, UTF-8, none in steps. SQLite takes
other values for what they say, and would only read, or write over what it takes for maps of its own."""


def _of_another_version(version: int) -> Text:
    return Text(f"has schema version {version}; version {VERSION} is required.", f"结构版本为 {version}，需要版本 {VERSION}。")


def lock_of(ledger: Path, wait_seconds: float = 0) -> FileLock:
    """The kernel's lock, never a file that stands for one; the file itself stays, so that nobody locks one that is gone."""
    return FileLock(f"{ledger.resolve()}.lock", timeout=wait_seconds, fallback_to_soft=False, preserve_lock_file=True)


@contextmanager
def locked(ledger: Path, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the ledger's lock. It is the kernel's and goes with the process: there is no stale lock to remove by hand."""
    if ledger.exists():
        _refuse_foreign(ledger)
    lock = lock_of(ledger, wait_seconds)
    try:
        lock.acquire()
    except Timeout:
        raise LockHeld(ledger, wait_seconds) from None
    except OSError as error:
        raise CannotLock(ledger, error) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_ledger(path: Path, *, create: bool = False, migrate: bool = False, at: str = "") -> Iterator[SqliteConnection]:
    """Open the ledger; made anew only where there is no file at all and `create` is given. `create` and `migrate` need the
    lock; `at` is the time they record."""
    with explained(path):
        if not path.exists():
            if not create:
                raise NoLedger(path)
            create_ledger(path, at)
        _refuse_foreign(path)
        with closing(_connect(path)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if not min(MIGRATIONS) <= version <= VERSION:
                raise LedgerRefused(path, _of_another_version(version))
            if version < VERSION:
                if not migrate:
                    raise LedgerOfAnEarlierVersion(path, version, VERSION)
                _migrate(path, connection, version, at)
            with _damage_told(connection, path):
                if (target := moved_to(connection)) is not None:
                    raise LedgerMoved(path, target)
                yield connection


@contextmanager
def _damage_told(connection: SqliteConnection, ledger: Path) -> Iterator[None]:
    """What breaks on a damaged ledger is not our fault: it is refused like any damaged ledger."""
    try:
        yield
    except (*UNREADABLE, OurFault):
        refuse(ledger, found_altered(connection, whole=True))
        raise


def _connect(path: Path) -> SqliteConnection:
    # mode=rw never makes a file, and falls back to reading where the file cannot be written.
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=_BUSY_SECONDS, factory=SqliteConnection)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{_PAGE_CACHE_KIB}")
    except UnicodeDecodeError:
        # What SQLite has to say of a damaged file quotes the damage.
        raise sqlite3.DatabaseError("the tables' own description is damaged") from None
    return connection


def _refuse_foreign(path: Path) -> None:
    """What is no ledger is refused before anything is made beside it. The file's own first bytes say what it is."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise LedgerRefused(path, _NO_FILE)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_LENGTH)
    except IsADirectoryError:
        raise LedgerRefused(path, _FOLDER) from None
    except OSError as error:
        raise CannotReadLedger(path, error) from None
    if not head:
        raise LedgerRefused(path, _EMPTY)
    if len(head) < _HEAD_LENGTH or not head.startswith(_MAGIC):
        raise LedgerRefused(path, _NO_DATABASE)
    if int.from_bytes(head[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4], "big") != APPLICATION_ID:
        raise LedgerRefused(path, _FOREIGN)
    if any(head[at : at + len(values[0])] not in values for at, values in _FIXED.items()):
        raise LedgerRefused(path, _DAMAGED_HEAD)


def create_ledger(path: Path, at: str) -> None:
    with _made_beside(path, CannotMakeLedger) as connection, transaction(connection, at):
        make_tables(connection)
        ledger_id = str(uuid.uuid4()).upper()
        connection.execute("INSERT INTO setting VALUES ('ledger_id', ?)", (ledger_id,))
        append_event(connection, at, "created", ledger_id, {})


@contextmanager
def _made_beside(path: Path, failure: Callable[[Path, OSError], StopRun]) -> Iterator[SqliteConnection]:
    """A whole ledger beside the place, renamed there at the end: a crash must not leave an empty file that looks like one."""
    new = path.with_name(f"{path.name}.new")
    try:
        _remove_database(new)
        new_file(new)
        with closing(sqlite3.connect(new, isolation_level=None, factory=SqliteConnection)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            yield connection
        put_in_place(new, path)
    except BaseException as error:
        with suppress(OSError):
            _remove_database(new)
        if isinstance(error, OSError):
            raise failure(path, error) from None
        raise


def fill_ledger(path: Path, tables: Iterator[Rows], at: str, moved_from: Place | None) -> None:
    """A ledger with all that another has, beside the place and renamed there."""
    if path.exists():
        raise LedgerThere(path)
    refuse_odd(path)
    with _made_beside(path, CannotCopyLedger) as connection:
        with transaction(connection, at):
            make_tables(connection)
            fill(connection, path, tables)
            if moved_from is not None:
                record_moved_from(connection, at, moved_from)
        refuse(path, found_altered(connection, whole=True))


def copy_ledger(connection: SqliteConnection, target: Path) -> None:
    """A whole copy of the ledger as `target`, which appears complete or not at all."""
    new = target.with_name(f"{target.name}.new")
    refuse_odd(target)
    try:
        _remove_database(new)
        new_file(new)
        with closing(sqlite3.connect(new, isolation_level=None, factory=SqliteConnection)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        put_in_place(new, target)
    except BaseException:
        with suppress(OSError):
            _remove_database(new)
        raise


def _remove_database(path: Path) -> None:
    for left in (path, path.with_name(f"{path.name}-journal")):
        left.unlink(missing_ok=True)


def _migrate(path: Path, connection: SqliteConnection, version: int, at: str) -> None:
    backup = path.with_name(f"{path.name}.v{version}-backup")
    try:
        copy_ledger(connection, backup)
    except OSError as error:
        raise CannotBackUp(backup, error) from None
    with transaction(connection, at):
        while version < VERSION:
            problem = MIGRATIONS[version](connection, path, at)
            if problem is not None:
                raise LedgerRefused(path, problem)
            version += 1
            append_event(connection, at, "migrated", str(version), {})
        connection.execute(f"PRAGMA user_version={VERSION}")


@contextmanager
def transaction(connection: SqliteConnection, at: str = "") -> Iterator[None]:
    """`at`: the time that is recorded; blank: that of the last event."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Who only reads (a backup of years, say) may hold up the end: hours of work are not thrown away for that.
        connection.execute(f"PRAGMA busy_timeout={_PATIENCE_SECONDS * 1000}")
        with sealing(connection, at):
            yield
        connection.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite has rolled back by itself already.
        if connection.in_transaction:
            with suppress(sqlite3.DatabaseError):
                connection.execute("ROLLBACK")
        raise
