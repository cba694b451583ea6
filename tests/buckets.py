"""A real S3 server on loopback (moto's), one for a module, with faults in front of it: what clouds and networks do to requests."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from aggregator.jobs.ledger_check import Checked, check_ledger
from aggregator.model.remote import S3Path

BUCKET = "customs"
OUT = S3Path(BUCKET, "results/2026")
RUN = "results/2026/2026-10/202610-01/"
ACCESS_KEY, SECRET_KEY = "AKIALOOPBACKTESTS000", "s3cr3t/of+the/tests0000000000000000000000"


@dataclass(frozen=True)
class Request:
    """`what`: the verb, and what of the object or bucket it is about."""

    method: str
    path: str
    query: dict[str, str]

    @property
    def key(self) -> str:
        return self.path.strip("/").partition("/")[2]

    @property
    def writes(self) -> bool:
        return self.method in ("PUT", "POST", "DELETE")

    @property
    def lists(self) -> bool:
        return self.method == "GET" and "list-type" in self.query


Fault = Callable[[Any, Any], Any]
"""What answers instead of the server: a WSGI application, or None to let it through."""


@dataclass
class Server:
    """`choose` says for a request which fault answers it; `seen`: all that came; `after`: called once a request was answered."""

    url: str = ""
    choose: Callable[[Request], Fault | None] = lambda _: None
    after: Callable[[Request], None] = lambda _: None
    seen: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reset(self) -> None:
        self.choose, self.after, self.seen = lambda _: None, lambda _: None, []

    def wrap(self, application: Any) -> Any:
        def answer(environ: Any, start: Any) -> Iterable[bytes]:
            request = Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)))
            if request.path.startswith("/moto-api"):
                return application(environ, start)
            with self.lock:
                self.seen.append(request)
                fault = self.choose(request)
            if fault is None and f"Credential={ACCESS_KEY}/" not in environ.get("HTTP_AUTHORIZATION", ""):
                fault = refused("InvalidAccessKeyId", 403)
            body = [b"".join((fault or application)(environ, start))]
            with self.lock:
                self.after(request)
            return body

        return answer


def refused(code: str, status: int) -> Fault:
    """An error as S3 says it, with what is not to be repeated."""

    def answer(environ: Any, start: Any) -> Iterable[bytes]:
        _drain(environ)
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{ACCESS_KEY} {SECRET_KEY} did it</Message><RequestId>1</RequestId></Error>".encode()
        start(f"{status} Refused", [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else text]

    return answer


def slow(seconds: float) -> Fault:
    def answer(environ: Any, start: Any) -> Iterable[bytes]:
        time.sleep(seconds)
        return refused("RequestTimeout", 503)(environ, start)

    return answer


def cut(environ: Any, start: Any) -> Iterable[bytes]:
    """The connection is reset."""
    connection = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError


def _drain(environ: Any) -> None:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    while length > 0 and (piece := environ["wsgi.input"].read(min(length, 1 << 20))):
        length -= len(piece)


def times(count: int, fault: Fault, which: Callable[[Request], bool] = lambda _: True) -> Callable[[Request], Fault | None]:
    """The first so many of those requests."""
    left = [count]

    def choose(request: Request) -> Fault | None:
        if which(request) and left[0] > 0:
            left[0] -= 1
            return fault
        return None

    return choose


def always(fault: Fault, which: Callable[[Request], bool] = lambda _: True) -> Callable[[Request], Fault | None]:
    return lambda request: fault if which(request) else None


@contextmanager
def served() -> Iterator[Server]:
    pytest.importorskip("moto", reason="moto (the S3 server of the tests) is not installed")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: Any, **__: Any) -> None:
            """Nothing is told of requests."""

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, OSError):
                self.close_connection = True

    server = Server()
    http = make_server("127.0.0.1", 0, server.wrap(DomainDispatcherApplication(create_backend_app)), threaded=True, request_handler=Quiet)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def environment(server: Server, **changes: str) -> dict[str, str]:
    """What a user would have in the environment."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.url,
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_MAX_ATTEMPTS": "3", **changes,
    }  # fmt: skip


class Storage:
    """The server as a test looks at it: beside the program, and past its faults."""

    def __init__(self, server: Server) -> None:
        import botocore.session

        self.server = server
        session = botocore.session.Session()
        session.set_credentials(ACCESS_KEY, SECRET_KEY)
        self.client = session.create_client("s3", region_name="us-east-1", endpoint_url=server.url)

    def empty(self) -> None:
        """Nothing but an empty bucket; no faults."""
        import urllib.request

        self.server.reset()
        urllib.request.urlopen(urllib.request.Request(f"{self.server.url}/moto-api/reset", method="POST")).read()
        self.client.create_bucket(Bucket=BUCKET)
        self.server.seen.clear()

    def put(self, key: str, data: bytes) -> str:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=data)
        return f"s3://{BUCKET}/{key}"

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Whatever is there, past all faults."""
        chosen, after, seen = self.server.choose, self.server.after, self.server.seen
        self.server.reset()
        try:
            found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", ())
            return {each["Key"]: self.client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found}
        finally:
            self.server.choose, self.server.after, self.server.seen = chosen, after, seen

    def checked(self, folder: Path) -> Checked:
        """What `ledger check` finds, of the ledger in that folder."""
        return check_ledger(folder / LEDGER, OUT, 0)


LEDGER = Path("ledger", "ledger.sqlite")


@pytest.fixture(scope="module")
def s3_server() -> Iterator[Server]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def s3_shared(s3_server: Server) -> Storage:
    return Storage(s3_server)


@pytest.fixture
def storage(s3_shared: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """An empty bucket, which the environment speaks of. Between tries nothing is waited for."""
    from botocore import endpoint

    from aggregator.places import client, objects

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment(s3_shared.server).items():
        monkeypatch.setenv(name, value)
    hasty = SimpleNamespace(**{**vars(time), "sleep": lambda _: None})
    monkeypatch.setattr(endpoint, "time", hasty)
    monkeypatch.setattr(objects, "time", hasty)
    client.client.cache_clear()
    s3_shared.empty()
    yield s3_shared
    s3_shared.server.reset()
    client.client.cache_clear()
