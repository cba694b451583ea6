"""A name node and data node that speak WebHDFS, HDFS's own protocol over HTTP, before a folder of this disk: for Hadoop's own client."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_PREFIX = "/webhdfs/v1"
_ERRORS = {FileNotFoundError: (404, "java.io.FileNotFoundException"), PermissionError: (403, "org.apache.hadoop.security.AccessControlException")}


class WebHdfs:
    """`folder` is its root. `refused`: whether an operation on a path is. `typed`: it says that its answers are JSON, as the real one does; the
    client that PySpark 4.3 brings lacks the class that reads that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operations: list[str] = []
        self.refused: Callable[[str, str], bool] = lambda operation, path: False
        self.url, self.typed = "", False

    def status(self, path: Path, name: str) -> dict[str, Any]:
        found = path.stat()
        is_file = path.is_file()
        return {
            "accessTime": 0, "blockSize": 1 << 27, "childrenNum": 0, "fileId": found.st_ino, "group": "hadoop", "length": found.st_size if is_file else 0,
            "modificationTime": found.st_mtime_ns // 1_000_000, "owner": "hadoop", "pathSuffix": name, "permission": "644" if is_file else "755",
            "replication": 1 if is_file else 0, "storagePolicy": 0, "type": "FILE" if is_file else "DIRECTORY",
        }  # fmt: skip

    def listing(self, path: Path) -> list[dict[str, Any]]:
        if path.is_file():
            return [self.status(path, "")]
        return [self.status(each, each.name) for each in sorted(path.iterdir())]

    def answer(self, operation: str, path: Path, given: dict[str, str]) -> dict[str, Any]:
        match operation:
            case "GETFILESTATUS":
                return {"FileStatus": self.status(path, "")}
            case "LISTSTATUS":
                path.stat()
                return {"FileStatuses": {"FileStatus": self.listing(path)}}
            case "LISTSTATUS_BATCH":
                path.stat()
                return {"DirectoryListing": {"partialListing": {"FileStatuses": {"FileStatus": self.listing(path)}}, "remainingEntries": 0}}
            case "MKDIRS":
                path.mkdir(parents=True, exist_ok=True)
                return {"boolean": True}
            case "RENAME":
                target = self.folder / given["destination"].strip("/")
                may_be = path.exists() and not target.exists() and target.parent.is_dir()
                if may_be:
                    path.rename(target)
                return {"boolean": may_be}
            case "DELETE":
                there = path.exists()
                if path.is_dir():
                    shutil.rmtree(path) if given.get("recursive") == "true" else path.rmdir()
                elif there:
                    path.unlink()
                return {"boolean": there}
        raise NotImplementedError(operation)


def _handler(server: WebHdfs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_any(self) -> None:
            asked = urlsplit(self.path)
            given = {name.lower(): values[0] for name, values in parse_qs(asked.query).items()}
            operation, inside = given["op"].upper(), unquote(asked.path).removeprefix(_PREFIX).strip("/")
            server.operations.append(operation)
            try:
                if server.refused(operation, inside):
                    raise PermissionError(f"Permission denied: user=somebody, inode=/{inside}")
                if operation in ("OPEN", "CREATE"):
                    self.data(operation, server.folder / inside, given)
                else:
                    self.say(200, server.answer(operation, server.folder / inside, given))
            except Exception as error:
                code, kind = _ERRORS.get(type(error), (500, "java.io.IOException"))
                self.say(code, {"RemoteException": {"exception": kind.rpartition(".")[2], "javaClassName": kind, "message": str(error)}})

        do_GET = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815 - as the library calls them

        def data(self, operation: str, path: Path, given: dict[str, str]) -> None:
            """The name node says where the data node is, and that reads or writes."""
            if "datanode" not in given:
                if operation == "OPEN":
                    path.stat()
                self.send_response(307)
                self.send_header("Location", f"http://{self.headers['Host']}{self.path}&datanode=1")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif operation == "OPEN":
                with path.open("rb") as file:
                    file.seek(int(given.get("offset", 0)))
                    read = file.read(int(given["length"]) if "length" in given else -1)
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(read)))
                self.end_headers()
                self.wfile.write(read)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.body())
                self.say(201, {})

        def body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            read = list[bytes]()
            while size := int(self.rfile.readline(), 16):
                read.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(read)

        def say(self, code: int, answer: dict[str, Any]) -> None:
            said = json.dumps(answer).encode()
            self.send_response(code)
            if server.typed:
                self.send_header("Content-Type", "application/json;charset=utf-8")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    return Handler


@contextmanager
def webhdfs(folder: Path) -> Iterator[WebHdfs]:
    served = WebHdfs(folder)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    served.url = f"webhdfs://127.0.0.1:{http.server_port}"
    thread = Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
