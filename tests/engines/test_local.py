"""Workers of a command are forked ahead, where that is safe; nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from aggregator.engines.local import InProcess, Workers
from aggregator.inputs.inputs import open_inputs
from aggregator.jobs.engine import engine_for
from tests.conftest import csv_text, parameters, row

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone")

ASKED = """
import os, sys, threading, time
from pathlib import Path
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the command does
from aggregator.engines.local import local_engine, start_ahead

PRELOAD = "aggregator.engines.engine"
"""
PARENTS = """
with local_engine(Path(sys.argv[1]), 2, 10, PRELOAD) as engine:
    print({each == os.getpid() for each in engine.map(os.getppid, [()] * 20)})
"""


def program(folder: Path, text: str) -> list[str]:
    path = folder / "program.py"
    path.write_text(ASKED + text, encoding="utf-8")
    (folder / "shards").mkdir()
    return [sys.executable, str(path), str(folder / "shards")]


def said(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.strip()


def test_workers_are_children_of_the_command(tmp_path: Path) -> None:
    assert said(program(tmp_path, f"start_ahead(2, PRELOAD)\n{PARENTS}")) == "{True}"


def test_where_memory_runs_out_workers_are_ended_first(tmp_path: Path) -> None:
    text = """
place = Path("/proc/self/oom_score_adj")
for ahead in (True, False):
    if ahead:
        start_ahead(2, PRELOAD)
    with local_engine(Path(sys.argv[1]), 2, 10, PRELOAD) as engine:
        print(all(int(each) > int(place.read_text()) for each in engine.map(Path.read_text, [(place,)] * 20)))
"""
    assert said(program(tmp_path, text)).split() == ["True", "True"]


def test_beside_a_thread_nothing_is_forked(tmp_path: Path) -> None:
    assert said(program(tmp_path, f"threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\nstart_ahead(2, PRELOAD)\n{PARENTS}")) == "{False}"


def test_where_there_are_to_be_no_more_processes_none_of_them_stays(tmp_path: Path) -> None:
    once = """
fork, forked = os.fork, []
def fork_once():
    if forked:
        raise BlockingIOError("Resource temporarily unavailable")
    forked.append(fork())
    return forked[0]
os.fork = fork_once
start_ahead(2, PRELOAD)
print(*forked)
"""
    [worker] = said(program(tmp_path, once)).split()
    assert not psutil.pid_exists(int(worker))


def test_those_that_no_engine_takes_end_with_the_command(tmp_path: Path) -> None:
    children = "import psutil\nprint(*(each.pid for each in psutil.Process().children()))"
    began = time.monotonic()
    workers = said(program(tmp_path, f"start_ahead(2, PRELOAD)\n{children}")).split()
    assert len(workers) == 2
    assert time.monotonic() - began < 30
    assert not any(psutil.pid_exists(int(each)) for each in workers)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_a_command_that_is_ended(tmp_path: Path, number: int) -> None:
    running = "import psutil\nprint(*(each.pid for each in psutil.Process().children()), flush=True)\ntime.sleep(60)"
    with subprocess.Popen(program(tmp_path, f"start_ahead(2, PRELOAD)\n{running}"), stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        workers = [psutil.Process(int(each)) for each in command.stdout.readline().split()]
        os.kill(command.pid, number)
    assert len(workers) == 2
    gone, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive, gone


def test_what_is_no_more_than_a_chunk_starts_no_workers(tmp_path: Path) -> None:
    """Blank lines cut it into several, each of which is done in a moment."""
    export = tmp_path / "export.csv"
    export.write_text(csv_text([row()]) + "\n" * 5_000_000, encoding="utf-8")
    job = parameters(export, out=tmp_path, workers=2).for_check()
    with open_inputs(job.reading, clearing_known=True) as inputs, engine_for(job.engine, inputs, tmp_path) as engine:
        assert (len(inputs.chunks), isinstance(engine, InProcess)) == (2, True)
    small = replace(job, reading=replace(job.reading, chunk_bytes=1 << 20))
    with open_inputs(small.reading, clearing_known=True) as inputs, engine_for(small.engine, inputs, tmp_path) as engine:
        assert isinstance(engine, Workers)
