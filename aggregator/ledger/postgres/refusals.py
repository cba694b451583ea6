"""PostgreSQL's errors as what a ledger says of itself. No text of the server goes out with a secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from aggregator.ledger.errors import CannotWriteLedger, LedgerInUse, LedgerRefused
from aggregator.ledger.postgres.errors import (
    ConnectionLost,
    DatabaseBusy,
    DatabaseRefuses,
    NoRights,
    ServerUnreachable,
    WrongPassword,
)
from aggregator.model.errors import StopRun
from aggregator.model.place import Database, MalformedUrl
from aggregator.schemas.text import Text

_IN_USE = (pg.LockNotAvailable, pg.SerializationFailure, pg.DeadlockDetected, pg.ObjectInUse)
_LOST = (pg.AdminShutdown, pg.CrashShutdown, pg.IdleInTransactionSessionTimeout, pg.IdleSessionTimeout)
_NO_RIGHTS = (pg.InsufficientPrivilege, pg.ReadOnlySqlTransaction)
_OF_THE_SERVER = (pg.DiskFull, pg.OutOfMemory, pg.InsufficientResources, pg.SystemError, pg.QueryCanceled, pg.ConfigurationLimitExceeded, pg.IoError)


_OF_THE_SERVER_ITSELF = re.compile(r"failed: \S+:  ")
"""How severe it is, in whatever language, and two blanks."""
_PING_SECONDS = 5


@contextmanager
def explained(place: Database) -> Iterator[None]:
    """PostgreSQL's errors as sentences."""
    try:
        yield
    except psycopg.Error as error:
        raise explanation(place, error) from None


def explanation(place: Database, error: psycopg.Error) -> StopRun:
    text = _first_line(place, error)
    if isinstance(error, _IN_USE):
        return LedgerInUse(place)
    if isinstance(error, pg.TooManyConnections | pg.CannotConnectNow):
        return DatabaseBusy(place, text)
    if isinstance(error, _LOST) or (isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None):
        return ConnectionLost(place, text)
    if isinstance(error, _NO_RIGHTS):
        return NoRights(place, text)
    if isinstance(error, _OF_THE_SERVER) or (error.sqlstate or "")[:2] in ("53", "58", "08"):
        return CannotWriteLedger(place, text)
    return LedgerRefused(place, Text(f"cannot be read ({text}).", f"无法读取（{text}）。"))


def not_connected(place: Database, error: psycopg.Error) -> StopRun:
    """Why there is no connection. What the server itself says may be in any language; the library's own words are English."""
    text, connection = _first_line(place, error), getattr(error, "pgconn", None)
    if isinstance(error, psycopg.ProgrammingError) and connection is None:
        return MalformedUrl(text, text)
    if connection is not None and connection.needs_password:
        return WrongPassword(place, text)
    if not _OF_THE_SERVER_ITSELF.search(str(error)):
        secured = any(word in text for word in ("SSL", "certificate")) and not any(word in text for word in ("SYSCALL", "unexpectedly"))
        return DatabaseRefuses(place, text) if secured else ServerUnreachable(place, text)
    if "too many" in text or "reserved for" in text or not _takes_connections(place):
        return DatabaseBusy(place, text)
    return WrongPassword(place, text) if "password" in text else DatabaseRefuses(place, text)


def _takes_connections(place: Database) -> bool:
    """Of a server that answers; one that starts or stops takes none."""
    return bool(PGconn.ping(make_conninfo(place.server_url, connect_timeout=_PING_SECONDS).encode()) != Ping.REJECT)


def _first_line(place: Database, error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error).strip() or type(error).__name__
    return place.without_secrets(" ".join(text.split("\n")[0].split()))
