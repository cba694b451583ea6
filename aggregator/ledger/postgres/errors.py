"""Why a ledger in a database cannot be used: each with its text. Needs no psycopg."""

from __future__ import annotations

from aggregator.model.errors import Busy, CannotReadOrWrite, WrongConfiguration
from aggregator.model.place import Place


class NoDriver(WrongConfiguration):
    def __init__(self, place: Place) -> None:
        super().__init__(
            f"The ledger {place} is in PostgreSQL, and the library for it (psycopg) is not installed. Nothing was done. Install "
            "'summary-declaration-aggregator[postgres]'.",
            f"台账 {place} 在 PostgreSQL 中，但未安装其驱动（psycopg）。未执行任何操作。请安装 summary-declaration-aggregator[postgres]。",
        )


class ServerUnreachable(CannotReadOrWrite):
    def __init__(self, place: Place, why: str) -> None:
        super().__init__(
            f"The server of the ledger {place} cannot be reached: {why}. Nothing was done. Check host, port and network, and that "
            "the server runs; then try again.",
            f"无法连接台账 {place} 的服务器：{why}。未执行任何操作。请检查主机、端口、网络以及服务器是否运行，然后重试。",
        )


class WrongPassword(WrongConfiguration):
    def __init__(self, place: Place, why: str) -> None:
        super().__init__(
            f"The server does not let this user into the ledger {place}: {why}. Nothing was done. Check user and password: the "
            "password is taken from PGPASSWORD, ~/.pgpass or the URL.",
            f"服务器拒绝该用户访问台账 {place}：{why}。未执行任何操作。请检查用户和密码：密码取自 PGPASSWORD、~/.pgpass 或网址。",
        )


class DatabaseRefuses(WrongConfiguration):
    def __init__(self, place: Place, why: str) -> None:
        super().__init__(
            f"The server refuses the connection to the ledger {place}: {why}. Nothing was done. Check database, user and password, "
            "and that the server lets them in from this host.",
            f"服务器拒绝连接台账 {place}：{why}。未执行任何操作。请检查数据库名、用户和密码，以及服务器是否允许本机连接。",
        )


class DatabaseBusy(Busy):
    def __init__(self, place: Place, why: str) -> None:
        super().__init__(
            f"The server of the ledger {place} takes no connection now: {why}. Nothing was done; try again later.",
            f"台账 {place} 的服务器暂不接受连接：{why}。未执行任何操作；请稍后重试。",
        )


class ConnectionLost(CannotReadOrWrite):
    """In the middle of writing, perhaps at its end: what became of it is known only when the server is asked again."""

    def __init__(self, place: Place, why: str) -> None:
        super().__init__(
            f"The connection to the ledger {place} was lost: {why}. Nothing was published. Run again once the server can be "
            "reached: what was under way is taken back, or finished if it was recorded already.",
            f"与台账 {place} 的连接已中断：{why}。未发布任何内容。请在服务器恢复后重新运行：未登记的操作将撤回，已登记的将自动完成。",
        )


class NoRights(CannotReadOrWrite):
    def __init__(self, place: Place, why: str) -> None:
        super().__init__(
            f"The ledger {place} cannot be used with this user's rights: {why}. Nothing was done. The user needs CREATE on the "
            "database (or to own the schema) for the first run, and to own the ledger's tables after.",
            f"该用户的权限不足以使用台账 {place}：{why}。未执行任何操作。首次运行需要数据库的 CREATE 权限（或拥有该 schema），此后须为台账各表的所有者。",
        )
