"""PostgreSQL's errors as what a ledger says of itself. No text of the server goes out with a secret in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from aggregator.ledger.errors import (
    CannotWriteLedger,
    ConnectionLost,
    DatabaseBusy,
    DatabaseRefuses,
    LedgerInUse,
    LedgerRefused,
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
    """Why there is no connection. The server's own words may be in any language: what they mean is asked of the library."""
    text, connection = _first_line(place, error), getattr(error, "pgconn", None)
    if isinstance(error, psycopg.ProgrammingError) and connection is None:
        return MalformedUrl(text, text)
    if isinstance(error, pg.ConnectionTimeout) or connection is None:
        return ServerUnreachable(place, text)
    answers = server_answers(place)
    if answers == Ping.REJECT or "too many" in text or "reserved for" in text:
        return DatabaseBusy(place, text)
    if answers != Ping.OK:
        return ServerUnreachable(place, text)
    return WrongPassword(place, text) if connection.needs_password or "password" in text else DatabaseRefuses(place, text)


def server_answers(place: Database) -> Ping:
    """Whether there is a server, and takes connections, whoever asks."""
    return Ping(PGconn.ping(make_conninfo(place.server_url, connect_timeout=_PING_SECONDS).encode()))


def _first_line(place: Database, error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error).strip() or type(error).__name__
    return place.without_secrets(" ".join(text.split("\n")[0].split()))
