"""The ledger (台账): which inventories were declared, in which run, with which content. One SQLite file.

Rollback journal and synchronous=FULL: a copy of the file alone is whole, and it works on a network disk. A file that is
empty, of another application or of a newer version is refused: empty must never mean "nothing declared yet".
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from aggregator.errors import CannotCreate, CannotReadOrWrite, OurFault, WrongConfiguration
from schemas.text import Text

APPLICATION_ID = 0x39363130  # "9610"
VERSION = 1

_TABLES = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run (
    run_ref TEXT PRIMARY KEY, period TEXT NOT NULL, state TEXT NOT NULL, folder TEXT NOT NULL,
    recorded_at TEXT NOT NULL, manifest_sha256 TEXT NOT NULL, rejections_sha256 TEXT NOT NULL,
    previous_hash TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE declared (
    inventory_no TEXT PRIMARY KEY, content BLOB NOT NULL, run_ref TEXT NOT NULL, cleared_period TEXT NOT NULL,
    late INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE waiting (
    inventory_no TEXT PRIMARY KEY, cleared_period TEXT NOT NULL, fate TEXT NOT NULL, reason TEXT NOT NULL,
    seen_in TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE declaration (
    declaration_ref TEXT PRIMARY KEY, run_ref TEXT NOT NULL, item_count INTEGER NOT NULL, inventory_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True)
class RunRecord:
    """A run as the ledger keeps it."""

    period: str
    run_ref: str
    folder: str
    recorded_at: str
    manifest_sha256: str
    rejections_sha256: str


def _refused(path: Path, en: str, zh: str) -> WrongConfiguration:
    return WrongConfiguration(
        f"The ledger {path} {en} Restore it from a backup, or name the right one with --ledger.",
        f"台账 {path} {zh}请从备份恢复，或用 --ledger 指定正确的台账。",
    )


def _check(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise _refused(path, "is a database of another application.", "是其他程序的数据库。")
    if version > VERSION:
        raise _refused(path, f"is of version {version}, newer than this program.", f"版本为 {version}，高于本程序。")


@contextmanager
def open_ledger(path: Path, *, create: bool) -> Iterator[sqlite3.Connection]:
    """Open the ledger, made anew only where there is no file at all and `create` is given."""
    text = _explained(path)
    try:
        if not path.exists():
            if not create:
                raise FileNotFoundError(path)
            _create(path)
        if path.stat().st_size == 0:
            raise _refused(path, "is empty (0 bytes).", "为空文件（0字节）。")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            _check(path, connection)
            yield connection
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            stop = CannotCreate if "unable to open" in str(error) else CannotReadOrWrite
            raise stop(
                f"{text.en}: {error}. Nothing was published. Check rights and disk space, then run again.",
                f"{text.zh}：{error}。未发布任何内容。请检查权限和磁盘空间后重新运行。",
            ) from None
        raise _refused(path, f"cannot be read ({error}).", f"无法读取（{error}）。") from None


def _explained(path: Path) -> Text:
    return Text(f"The ledger {path} cannot be used", f"无法使用台账 {path}")


def _create(path: Path) -> None:
    """Make a whole ledger beside the place and rename it there: a crash must not leave an empty file that looks like one."""
    new = path.with_name(f"{path.name}.new")
    for left in (new, new.with_name(f"{new.name}-journal")):
        left.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            with transaction(connection):
                for statement in _TABLES.split(";"):
                    if statement.strip():
                        connection.execute(statement)
                connection.execute("INSERT INTO setting VALUES ('ledger_id', ?)", (str(uuid.uuid4()).upper(),))
                connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version={VERSION}")
        new.rename(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # On a full disk SQLite has rolled back by itself already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def setting(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def runs(connection: sqlite3.Connection) -> list[dict[str, str]]:
    cursor = connection.execute("SELECT run_ref, period, state, folder, recorded_at, rejections_sha256 FROM run ORDER BY run_ref")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def next_run_ref(connection: sqlite3.Connection, period: str) -> str:
    """`202610-01`, `-02`, …: a number is never used again, not even that of a voided run."""
    refs = [row[0] for row in connection.execute("SELECT run_ref FROM run WHERE run_ref LIKE ?", (f"{period}-%",))]
    return f"{period}-{max((int(ref.split('-')[1]) for ref in refs), default=0) + 1:02d}"


def declared_contents(path: Path, numbers: pa.Array) -> dict[str, bytes]:
    """Content hashes of those of the given inventories that the ledger has as declared."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
        if connection.execute("SELECT 1 FROM declared LIMIT 1").fetchone() is None:
            return {}
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("CREATE TEMP TABLE wanted (inventory_no TEXT PRIMARY KEY) WITHOUT ROWID")
        wanted = sorted(set(numbers.drop_null().to_pylist()))
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO wanted VALUES (?)", ((number,) for number in wanted))
        rows = connection.execute("SELECT inventory_no, content FROM wanted JOIN declared USING (inventory_no)")
        return dict(rows.fetchall())


def insert_declared(connection: sqlite3.Connection, run_ref: str, declared: Iterable[pa.Table]) -> None:
    """Within a transaction: the inventories this run declares. Tables: inventory_no, content, cleared_period, late."""
    try:
        for table in declared:
            rows = _rows(table, ("inventory_no", "content", "cleared_period", "late"))
            connection.executemany(
                "INSERT INTO declared (inventory_no, content, run_ref, cleared_period, late) VALUES (?, ?, ?, ?, ?)",
                ((number, content, run_ref, period, bool(late)) for number, content, period, late in rows),
            )
    except sqlite3.IntegrityError as error:
        raise OurFault(
            f"an inventory would be declared twice ({error}); nothing was published. Report this.",
            f"有清单将被重复申报（{error}）；未发布任何内容。请报告此错误。",
        ) from None


def insert_waiting(
    connection: sqlite3.Connection, seen_in: str, first_period: str, waiting: Iterable[pa.Table]
) -> None:
    """Within a transaction: what was seen and not declared. Tables: inventory_no, cleared_period, fate, reason."""
    connection.execute("INSERT OR IGNORE INTO setting VALUES ('first_period', ?)", (first_period,))
    for table in waiting:
        connection.executemany(
            "INSERT INTO waiting VALUES (?, ?, ?, ?, ?) ON CONFLICT (inventory_no) DO UPDATE SET "
            "cleared_period = excluded.cleared_period, fate = excluded.fate, reason = excluded.reason, seen_in = excluded.seen_in",
            ((*row, seen_in) for row in _rows(table, ("inventory_no", "cleared_period", "fate", "reason"))),
        )


def record(connection: sqlite3.Connection, run: RunRecord, declarations: pa.Table) -> None:
    """Within a transaction: the run itself and its declarations, chained to the run before. Its end is the moment of
    declaring."""
    if connection.execute("SELECT 1 FROM waiting LIMIT 1").fetchone():
        connection.execute(
            "DELETE FROM waiting WHERE EXISTS (SELECT 1 FROM declared WHERE declared.inventory_no = waiting.inventory_no)"
        )
    connection.executemany(
        "INSERT INTO declaration VALUES (?, ?, ?, ?)",
        (
            (ref, run.run_ref, items, inventories)
            for ref, items, inventories in _rows(declarations, ("declaration_ref", "item_count", "inventory_count"))
        ),
    )
    last = connection.execute("SELECT hash FROM run ORDER BY rowid DESC LIMIT 1").fetchone()
    previous = last[0] if last else ""
    chained = [previous, run.run_ref, run.period, run.folder, run.recorded_at, run.manifest_sha256, run.rejections_sha256]
    digest = hashlib.sha256(json.dumps(chained).encode()).hexdigest()
    connection.execute(
        "INSERT INTO run VALUES (?, ?, 'live', ?, ?, ?, ?, ?, ?)",
        (run.run_ref, run.period, run.folder, run.recorded_at, run.manifest_sha256, run.rejections_sha256, previous, digest),
    )


def _rows(table: pa.Table, columns: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    for batch in table.select(columns).to_batches(max_chunksize=65_536):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
