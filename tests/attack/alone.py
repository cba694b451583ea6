"""A command in a process of its own, as the script runs it: what it says, how it ends, and what it takes with all that it began.

The process is a fork of this one, which has imported what commands need and given one on a sound file, so that schemas are made.
"""

from __future__ import annotations

import concurrent.futures.process
import gc
import io
import json
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import multiprocessing.util
import os
import pkgutil
import resource
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache
from importlib import import_module
from pathlib import Path

import pyarrow as pa

import aggregator
import aggregator.__main__ as script
from aggregator.cli import cli, ending
from aggregator.cli.ending import ended
from aggregator.inputs.tables import receipts
from tests.attack.texts import RUN
from tests.conftest import csv_text, row

for _module in pkgutil.walk_packages(aggregator.__path__, "aggregator."):
    # Spark brings half a second and a hundred megabytes that no case asks for.
    if "spark" not in _module.name:
        import_module(_module.name)

HANGS = 120
"""Seconds after which it is ended."""


@cache
def _warm() -> None:
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, chdir(folder):
        Path("export.csv").write_text(csv_text([row()]), encoding="utf-8")
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), suppress(SystemExit):
            cli.main(["run", "export.csv", *RUN, "--metrics-file", "m.prom"], prog_name="aggregator", standalone_mode=False)
        assert Path("out", "ledger.sqlite").exists()


@dataclass(frozen=True)
class Taken:
    """Of CPU, by all processes; of memory, by how much its own grew and what the largest other took, where that was more than its own."""

    seconds: float = 0.0
    megabytes: int = 0


Nothing = Taken()


@dataclass(frozen=True)
class Came:
    """`left`: whether a process of its own still ran when it had ended."""

    code: int
    said: str
    told: str
    taken: Taken = Nothing
    left: bool = False


def alone(command: tuple[str, ...], work: Path, temporary: Path, before: Callable[[Path], object] = lambda work: None) -> Came:
    """`before` is called in the process, before the command: it may change what it will."""
    _warm()
    gc.freeze()
    # What a large file took here, and gave back, the process would begin with, give up and be told to have taken.
    pa.default_memory_pool().release_unused()
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        answer, ours = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(answer)
            _be_it(command, work, temporary, before, (said.fileno(), told.fileno()), ours)
        os.close(ours)
        with os.fdopen(answer, "rb") as end:
            # It comes when the process has ended, and all those it began.
            hangs = not select.select([end], [], [], HANGS)[0]
            if hangs:
                os.kill(child, signal.SIGKILL)
            facts = json.loads(end.read() or b"{}")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for stream in (said, told):
            stream.seek(0)
        texts = [stream.read().decode("utf-8", "replace") for stream in (said, told)]
    if hangs:
        texts[1] += f"It had not ended after {HANGS} s."
    return Came(code, texts[0], texts[1], Taken(facts.get("seconds", 0.0), facts.get("megabytes", 0)), facts.get("left", False))


def _be_it(command: tuple[str, ...], work: Path, temporary: Path, before: Callable[[Path], object], streams: tuple[int, int], answer: int) -> None:
    """Never returns."""
    code = 1
    try:
        # Not what it is a fork of: that would be tidied up after, and imported by its workers.
        multiprocessing.util._finalizer_registry.clear()  # type: ignore[attr-defined]
        multiprocessing.resource_tracker._resource_tracker.__dict__.update(_fd=None, _pid=None)
        sys.modules["__main__"] = script
        os.chdir(work)
        os.environ["TMPDIR"], tempfile.tempdir = str(temporary), None
        for number, stream in enumerate(streams, 1):
            os.dup2(stream, number)
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
        sys.stdout, sys.stderr = (io.TextIOWrapper(os.fdopen(number, "wb", 0), "utf-8", newline="", write_through=True) for number in (1, 2))
        sys.argv = ["aggregator", *command]
        before(work)
        begun, standing = _used(), _resident()
        try:
            code = ended(lambda: cli.main(list(command), prog_name="aggregator", standalone_mode=False))
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        # As at the end of an interpreter, before multiprocessing waits for its processes: workers that nobody took are let go.
        concurrent.futures.process._python_exit()  # type: ignore[attr-defined]
        _stop_servers()
        facts = {"seconds": _used() - begun, "megabytes": _grown(standing), "left": _left()}
        multiprocessing.util._exit_function()  # type: ignore[attr-defined]
        os.write(answer, json.dumps(facts).encode())
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def with_clock(ahead: timedelta) -> None:
    """From here on the clock of this process is so much ahead."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    for module in (ending, receipts):
        module.datetime = Clock  # type: ignore[attr-defined]


def _used() -> float:
    """Seconds of CPU, also of processes that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 10


def _grown(standing: int) -> int:
    """Its own, and the largest other's where that is more. A process begins with the figure of the one that began it, also where it is
    another program: only what is more than that is counted."""
    peak, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (peak - standing + (others - standing if others > peak else 0)) >> 10


def _stop_servers() -> None:
    """Those that multiprocessing keeps until the end: what they took is known when they have ended."""
    for server in (multiprocessing.forkserver._forkserver, multiprocessing.resource_tracker._resource_tracker):  # type: ignore[attr-defined]
        server._stop()


def _left() -> bool:
    with suppress(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return True
    return False
