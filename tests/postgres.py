"""A PostgreSQL server of the tests' own, started when one first asks for it; each ledger has a schema of its own in it."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from aggregator.model.place import Database, place_of

PASSWORD = "s3cret"
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
_PR_SET_PDEATHSIG = 1


def _binaries() -> Path | None:
    found = sorted(path for place in _PLACES for path in Path("/").glob(f"{place[1:]}/initdb"))
    named = shutil.which("initdb")
    return found[-1].parent if found else Path(named).parent if named else None


def missing() -> str:
    """Why there can be no server here; blank where there can."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    if _binaries() is None:
        return "no PostgreSQL server is installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and not _user():
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


def _user() -> dict[str, Any]:
    """As whom the server runs: never as root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        return {}
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


needs_postgres = pytest.mark.skipif(bool(missing()), reason=missing() or "-")


class Server:
    """Over its socket every user is trusted, over the network passwords are asked for."""

    def __init__(self, durable: bool = False) -> None:
        """`durable`: for measuring; tests kill processes, never the machine."""
        self.durable = durable
        binaries = _binaries()
        assert binaries is not None
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        if user := _user():
            os.chown(self.folder, user["user"], user["group"])
        self.folder.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        word = self.folder / "word"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        self._call("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=trust",
                   "--auth-host=scram-sha-256", f"--pwfile={word}", "--no-sync")  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run([self.binaries / program, *arguments], check=True, capture_output=True, cwd=self.folder, **_user())

    def start(self) -> None:
        options = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "fsync": "off", "max_connections": 60,
            "shared_buffers": "64MB", "autovacuum_naptime": "10min",
        }  # fmt: skip
        if self.durable:
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
            options |= {"fsync": "on", "shared_buffers": f"{memory // 4 >> 20}MB", "autovacuum_naptime": "1min"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self.folder / "data", *arguments], cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"), preexec_fn=_ends_with_us, **_user(),
        )  # fmt: skip
        until = time.monotonic() + 30
        while subprocess.run([self.binaries / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)], check=False).returncode:
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text(errors="replace"))
            time.sleep(0.05)

    def stop(self, how: int = signal.SIGQUIT) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, schema: str, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}&schema={schema}"

    def network_url(self, schema: str, user: str = f"postgres:{PASSWORD}", database: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?schema={schema}"

    def place(self, name: object) -> Database:
        """A ledger of its own for every name."""
        found = place_of(self.url(f"t_{md5(str(name).encode()).hexdigest()[:20]}"))
        assert isinstance(found, Database)
        return found

    def execute(self, statement: str, schema: str = "public", database: str = "postgres") -> list[Any]:
        """By another hand than ours."""
        import psycopg

        with psycopg.connect(host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {schema}")
            answer = connection.execute(statement)
            return answer.fetchall() if answer.description else []


def _ends_with_us() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


_running: list[Server] = []


def server() -> Server:
    """One for all tests of a process."""
    if why := missing():
        pytest.skip(why)
    if not _running:
        _running.append(Server())
    return _running[0]


def stop() -> None:
    while _running:
        _running.pop().remove()
