"""Who may ask, and for what: the door of the page, before anything else sees a request.

The page is for one user of one machine. A site in another tab can send requests to it, also under a name of its own that points here:
so the Host must be ours, whoever posts must come from our own pages, and both need what only the terminal has shown.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_PAGES = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
REPORTS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
"""A report is one file with its styles within. It has no script, and gets none."""
_HEADERS = {
    "content-security-policy": OWN_PAGES, "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin", "x-frame-options": "DENY",
}  # fmt: skip
_READING = ("GET", "HEAD")
STYLE = "/style.css"


class TooMuch(Exception):  # noqa: N818 - of the sender
    """More was sent than is taken."""


@dataclass(frozen=True)
class Keys:
    """`token` stands in the address that the terminal shows, `session` in the cookie that is given for it, `form` in every form."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    form: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def cookie(self, port: int) -> str:
        """Cookies know no ports: two servers of one machine would take each other's."""
        return f"aggregator_{port}"

    def opens(self, query: QueryParams) -> bool:
        """Whether the address is the one that the terminal shows."""
        return same(query.get("token", ""), self.token)


def same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


@dataclass(frozen=True)
class Guard:
    """`hosts`: what the Host of a request may be. `refused`: what to answer instead, by status."""

    app: ASGIApp
    keys: Keys
    port: int
    hosts: tuple[str, ...]
    most_bytes: int
    refused: type[Refused]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers, taken = Headers(scope=scope), Taken(receive, self.most_bytes)
        answering = _Answering(send)
        refusal = self._refusal(scope, headers)
        if refusal:
            await self.refused(scope).answer(refusal)(scope, receive, answering)
            return
        await self.app(scope, taken, answering)

    def _refusal(self, scope: Scope, headers: Headers) -> int:
        """The status of a request that is refused; 0 of one that is let in."""
        host = headers.get("host", "").lower()
        if host not in self.hosts or len(headers.getlist("host")) != 1:
            return 421
        reading = scope["method"] in _READING
        if not reading and (scope["method"] != "POST" or not self._from_our_pages(headers, host)):
            return 403
        if int(headers.get("content-length") or 0) > self.most_bytes if (headers.get("content-length") or "0").isdecimal() else True:
            return 413
        if scope["path"] == STYLE and reading:
            return 0
        if self._knows_session(headers) or (scope["path"] == "/" and reading and self.keys.opens(QueryParams(scope["query_string"]))):
            return 0
        return 401

    @staticmethod
    def _from_our_pages(headers: Headers, host: str) -> bool:
        """Browsers say from where a form is sent; who says nothing is no browser's page, and is refused too."""
        return headers.get("origin", "").lower() == f"http://{host}" and headers.get("sec-fetch-site", "same-origin") == "same-origin"

    def _knows_session(self, headers: Headers) -> bool:
        """As browsers write cookies, not as the standard library reads them: one odd cookie of another program is not to hide ours."""
        given = cookie_parser(headers.get("cookie", "")).get(self.keys.cookie(self.port), "")
        return same(given, self.keys.session)


class Refused:
    """What is answered instead. `pages.py` says it in words."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def answer(self, status: int) -> Response:
        return Response(status_code=status)


class Taken:
    """What is received, counted. A body may be sent without its size being said."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._left = receive, most

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise TooMuch
        return message


class _Answering:
    """Headers that every answer has, unless it has its own."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)
