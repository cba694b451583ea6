"""Where a ledger is: a file by its path, or a database by its URL. What is secret in a URL is shown to nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from aggregator.model.errors import WrongConfiguration
from aggregator.model.names import path_of
from aggregator.model.remote import is_remote
from aggregator.schemas.shown import without_secrets

_BEGINS = re.compile(r"(?i)postgres(?:ql)?:")
_URL = re.compile(r"(?i)postgres(?:ql)?://(?:(?P<user>[^:@/?#]*)(?P<password>:[^@/?#]*)?@)?(?P<hosts>[^@/?#]*)(?P<database>/[^@/?#]*)?(?:\?(?P<query>[^?#@]*))?")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:,]*)(?::[0-9]{1,5})?")
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f\\\"'<>]")
_SECRETS = ("password", "sslpassword")
_SCHEMA, DEFAULT_SCHEMA = "schema", "aggregator"
_SCHEMA_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Database:
    """A database by its URL: `server_url` as the server's own library takes it, `shown` as people may see it. `schema`: what in the
    database is the ledger's. `secrets`: texts that may stand in no message."""

    server_url: str = field(repr=False)
    shown: str
    schema: str
    secrets: frozenset[str] = field(repr=False)

    def __str__(self) -> str:
        return self.shown

    def without_secrets(self, text: str) -> str:
        return without_secrets(text, self.secrets)


Place = Path | Database
"""Of a ledger."""


class MalformedUrl(WrongConfiguration):
    """The URL is not repeated: it may hold a password."""

    def __init__(self, what: str, what_zh: str) -> None:
        super().__init__(
            f"The URL of the ledger cannot be used: {what}. Nothing was done. Write postgresql://USER@HOST:PORT/DATABASE?schema=NAME, with "
            "the password in PGPASSWORD or ~/.pgpass; special characters are written as %XX.",
            f"台账的网址无法使用：{what_zh}。未执行任何操作。请写成 postgresql://用户@主机:端口/数据库?schema=名称，密码请放在 PGPASSWORD 或 "
            "~/.pgpass 中；特殊字符写作 %XX。",
        )


class LedgerInObjectStorage(WrongConfiguration):
    """No object can be changed in place, nor locked."""

    def __init__(self) -> None:
        super().__init__(
            "A ledger cannot be in object storage: it has to be locked, and changed in one transaction. Nothing was done. With results at "
            "s3://… say where the ledger is: --ledger postgresql://USER@HOST/DATABASE, or --ledger PATH of a file on a disk.",
            "台账不能存放在对象存储中：台账需要加锁并在一个事务中更改。未执行任何操作。结果存放在 s3://… 时请指定台账：--ledger "
            "postgresql://用户@主机/数据库，或 --ledger 本地磁盘上的文件路径。",
        )


def place_of(text: str) -> Place:
    """A path, or where it begins like a URL of PostgreSQL that. Raises MalformedUrl, and LedgerInObjectStorage."""
    if is_remote(text):
        raise LedgerInObjectStorage
    return _database(text) if _BEGINS.match(text) else path_of(text)


def _database(url: str) -> Database:
    # Where a password ends is not to be guessed: whatever could be read in two ways is refused.
    found = _URL.fullmatch(url)
    if found is None or _UNSAFE.search(url) or not all(_HOST.fullmatch(host) for host in found["hosts"].split(",")):
        raise MalformedUrl("it is not well-formed", "写法有误")
    pairs = [pair for pair in (found["query"] or "").split("&") if pair]
    named = {unquote(name): value for name, _, value in (pair.partition("=") for pair in pairs)}
    schema = named.pop(_SCHEMA, DEFAULT_SCHEMA)
    if not _SCHEMA_NAME.fullmatch(schema):
        raise MalformedUrl("a schema is written in small letters, digits and _", "schema 只能用小写字母、数字和下划线")
    written = ((found["password"] or "")[1:], *(named.get(name, "") for name in _SECRETS))
    secrets = {text for each in written for text in (each, unquote(each)) if text}
    user, password = found["user"], found["password"] or ""
    of_server = _joined(f"{user}{password}@" if user is not None else "", found["hosts"], found["database"], pairs, hidden=(_SCHEMA,))
    shown = _joined(f"{user}@" if user is not None else "", found["hosts"], found["database"], pairs, hidden=_SECRETS)
    return Database(of_server, shown, schema, frozenset(secrets))


def _joined(user: str, hosts: str, database: str | None, pairs: list[str], hidden: tuple[str, ...]) -> str:
    kept = "&".join(pair for pair in pairs if unquote(pair.partition("=")[0]) not in hidden)
    return f"postgresql://{user}{hosts}{database or ''}{'?' if kept else ''}{kept}"
