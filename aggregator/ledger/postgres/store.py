"""The ledger's place in a database: how it is connected to, made, opened, locked.

A ledger has a schema of its own. One with other tables, or of another version, is refused: empty must never mean "nothing
declared yet". The lock is the server's and goes with the connection, over which all is written: with one the other is gone.
"""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from aggregator.ledger.errors import (
    DatabaseUnfit,
    LedgerMoved,
    LedgerOfAnEarlierVersion,
    LedgerRefused,
    LedgerThere,
    LockHeld,
    NoLedger,
)
from aggregator.ledger.ledger import Rows
from aggregator.ledger.postgres.connection import PostgresConnection
from aggregator.ledger.postgres.errors import NoRights
from aggregator.ledger.postgres.refusals import explained, not_connected
from aggregator.ledger.postgres.seal import sealing
from aggregator.ledger.postgres.tables import APPLICATION, COUNTED, FORMAT, make_tables, make_triggers
from aggregator.ledger.postgres.verify import found_altered
from aggregator.ledger.sql.chain import append_event, moved_to
from aggregator.ledger.sql.copy import fill, record_moved_from
from aggregator.ledger.sql.tables import VERSION
from aggregator.ledger.sql.verify import UNREADABLE, refuse
from aggregator.model.errors import OurFault
from aggregator.model.place import Database, Place
from aggregator.schemas.text import Text

_BUSY_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 0.1
_LEAST_SERVER = 140_000
_LOCK_CLASS = 0x39363130  # "9610"
_WHILE_CONNECTED: dict[str, Any] = {
    "application_name": "aggregator", "client_encoding": "utf8", "connect_timeout": 10,
    "tcp_user_timeout": 60_000, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3,
}  # fmt: skip
_SESSION = """
SET search_path TO {schema}; SET statement_timeout TO 0; SET lock_timeout TO 0; SET idle_in_transaction_session_timeout TO 0;
SET bytea_output TO hex; SET jit TO off; SET default_transaction_isolation TO 'read committed'; SET tcp_keepalives_idle TO 30;
SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');
"""
"""A run may think for hours between two statements; and what is said to be recorded is to outlast a crash of the server."""
_FOREIGN = Text("has tables of another application in its schema.", "其 schema 中有其他程序的表。")


def connect(place: Database) -> PostgresConnection:
    try:
        raw = psycopg.connect(place.server_url, autocommit=True, **_defaults(place))
    except psycopg.Error as error:
        raise not_connected(place, error) from None
    connection = PostgresConnection(raw)
    try:
        if raw.info.server_version < _LEAST_SERVER:
            raise DatabaseUnfit(
                place,
                Text("is on a server older than PostgreSQL 14.", "所在服务器早于 PostgreSQL 14。"),
                Text("Name one on a newer server with --ledger.", "请用 --ledger 指定更新版本服务器上的数据库。"),
            )
        if raw.info.parameter_status("server_encoding") != "UTF8":
            raise DatabaseUnfit(
                place,
                Text("is in a database whose encoding is not UTF8.", "所在数据库的编码不是 UTF8。"),
                Text(
                    "Make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name it with --ledger.",
                    "请用 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 新建数据库，并用 --ledger 指定。",
                ),
            )
        with explained(place):
            connection.script(_SESSION.format(schema=place.schema))
    except BaseException:
        raw.close()
        raise
    return connection


def _defaults(place: Database) -> dict[str, Any]:
    """What the URL does not say itself."""
    return {name: value for name, value in _WHILE_CONNECTED.items() if f"{name}=" not in place.server_url}


@contextmanager
def connected(place: Database) -> Iterator[PostgresConnection]:
    connection = connect(place)
    try:
        with explained(place):
            yield connection
    finally:
        connection.close()


def is_there(connection: PostgresConnection, place: Database) -> bool:
    """Whether the schema holds anything. What may not be looked at is not taken for nothing."""
    query = "SELECT has_schema_privilege(oid, 'USAGE'), EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = n.oid) FROM pg_namespace n WHERE nspname = ?"
    found = connection.execute(query, (place.schema,)).fetchone()
    if found is None:
        return False
    may_look, anything = found
    if not may_look:
        raise NoRights(place, f"permission denied for schema {place.schema}")
    return bool(anything)


# --------------------------------------------------------------------------------------------------------------------- lock


def lock_key(place: Database) -> tuple[int, int]:
    return _LOCK_CLASS, zlib.crc32(place.schema.encode()) - (1 << 31)


def take_lock(connection: PostgresConnection, place: Database, wait_seconds: float) -> None:
    until = time.monotonic() + wait_seconds
    while not connection.execute("SELECT pg_try_advisory_lock(?, ?)", lock_key(place)).fetchone()[0]:
        if time.monotonic() >= until:
            raise LockHeld(place, wait_seconds)
        time.sleep(_ASK_AGAIN_SECONDS)


def release_lock(connection: PostgresConnection, place: Database) -> None:
    connection.execute("SELECT pg_advisory_unlock(?, ?)", lock_key(place))


# --------------------------------------------------------------------------------------------------------------------- open


@contextmanager
def ledger_in(connection: PostgresConnection, place: Database, *, create: bool, at: str) -> Iterator[None]:
    """A sound ledger in the schema, or a refusal. What breaks on a damaged one is not our fault."""
    if not is_there(connection, place):
        if not create:
            raise NoLedger(place)
        create_ledger(connection, place, at)
    _refuse_foreign(connection, place)
    try:
        if (target := moved_to(connection)) is not None:
            raise LedgerMoved(place, target)
        yield
    except (*UNREADABLE, OurFault):
        if not connection.is_lost and not connection.in_transaction:
            refuse(place, found_altered(connection, whole=True))
        raise


def _refuse_foreign(connection: PostgresConnection, place: Database) -> None:
    query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    tables = {name for (name,) in connection.execute(query)}
    if not {FORMAT, COUNTED, "event"} <= tables:
        raise LedgerRefused(place, _FOREIGN)
    found = connection.execute(f"SELECT application, version FROM {FORMAT}").fetchall()
    if len(found) != 1 or found[0][0] != APPLICATION:
        raise LedgerRefused(place, _FOREIGN)
    [(_, version)] = found
    if version < VERSION:
        raise LedgerOfAnEarlierVersion(place, version, VERSION)
    if version > VERSION:
        raise LedgerRefused(
            place, Text(f"has schema version {version}; version {VERSION} is required.", f"结构版本为 {version}，需要版本 {VERSION}。")
        )


def create_ledger(connection: PostgresConnection, place: Database, at: str) -> None:
    """All of it in one transaction: a crash must not leave anything that looks like a ledger."""
    with _begun(connection):
        make_schema(connection, place)
        make_tables(connection)
        make_triggers(connection)
        with sealing(connection, at):
            ledger_id = str(uuid.uuid4()).upper()
            connection.execute("INSERT INTO setting VALUES ('ledger_id', ?)", (ledger_id,))
            append_event(connection, at, "created", ledger_id, {})


def fill_ledger(connection: PostgresConnection, place: Database, tables: Iterator[Rows], at: str, moved_from: Place | None) -> None:
    """A ledger with all that another has, or nothing: what it holds is verified before it is there."""
    if is_there(connection, place):
        raise LedgerThere(place)
    with _begun(connection):
        make_schema(connection, place)
        make_tables(connection)
        fill(connection, place, tables)
        make_triggers(connection)
        # Sealed anew where another kind has sealed last.
        with sealing(connection, at):
            if moved_from is not None:
                record_moved_from(connection, at, moved_from)
        refuse(place, found_altered(connection, whole=True))


def make_schema(connection: PostgresConnection, place: Database) -> None:
    """One that was made for the ledger by somebody else is as good, and asks for fewer rights."""
    if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", (place.schema,)).fetchone():
        connection.execute(f"CREATE SCHEMA {place.schema}")


@contextmanager
def transaction(connection: PostgresConnection, at: str = "") -> Iterator[None]:
    """`at`: the time that is recorded; blank: that of the last event. Who only reads holds up nothing, and is held up by nothing."""
    with _begun(connection):
        connection.execute(f"SET LOCAL lock_timeout TO {round(_BUSY_SECONDS * 1000)}")
        # Also where our lock were lost: two that write never overlap, and no other hand writes meanwhile.
        connection.execute(f"LOCK TABLE event, {COUNTED} IN EXCLUSIVE MODE")
        connection.execute("SET LOCAL lock_timeout TO 0")
        with sealing(connection, at):
            yield


@contextmanager
def _begun(connection: PostgresConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
        raise
