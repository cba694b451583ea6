"""How far a run is: on a terminal only, never longer than its line, and nothing of it is left."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from aggregator.cli.progress import fitting, progress_line
from aggregator.cli.wrapping import width_of
from aggregator.model.progress import Progress
from tests.cli.test_cli import PERIOD
from tests.conftest import Runner, row

CODE = "import sys, aggregator.cli.progress as p; p._FROM = p._EVERY = 0.0; sys.argv[0] = 'aggregator'; from aggregator.cli import main; main()"


RUN = ("run", "export.csv", *PERIOD, "--out", "out")


def on_a_terminal(runner: Runner, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, and what the terminal was given."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", CODE, *words]
    result = subprocess.run(command, cwd=runner.folder, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"})
    os.write(theirs, b"|")
    data = b""
    while not data.endswith(b"|"):
        data += os.read(ours, 1 << 16)
    said = data.decode()
    os.close(ours)
    os.close(theirs)
    return result.returncode, result.stdout, said


@pytest.mark.parametrize("command", [RUN, ("check", "export.csv")], ids=lambda command: command[0])
def test_on_a_terminal(runner: Runner, command: tuple[str, ...]) -> None:
    runner.write([row()])
    code, out, said = on_a_terminal(runner, *command, "--lang", "zh")
    assert code == 0
    assert "\x1b" not in out
    assert "读取并校验" in said
    assert said.endswith("\r\x1b[K|"), "the line is wiped out"


@pytest.mark.parametrize("words", [("--quiet",), ("--log-format", "json")])
def test_where_nobody_looks(runner: Runner, words: tuple[str, ...]) -> None:
    runner.write([row()])
    assert "\x1b" not in on_a_terminal(runner, *RUN, *words)[2]


def test_not_in_a_pipe(runner: Runner) -> None:
    runner.write([row()])
    result = subprocess.run([sys.executable, "-c", CODE, "run", "export.csv", *PERIOD, "--out", "out"], cwd=runner.folder, capture_output=True, check=True)
    assert result.stderr == b""


def test_the_line() -> None:
    progress = Progress("resolve_chunk", 2, 4, 400 << 20, 800_000)
    assert progress_line(progress, 11, 4, "en") == " 55% deciding fates, 200/400 MiB, 100,000 lines/s, 11 s, about 9 s left"
    reading = Progress("ingest", 2, 4, 400 << 20, 500_000)
    assert "200/400 MiB, 250,000 lines/s, 2 s," in progress_line(reading, 2, 2, "en")
    assert "60/120 KiB," in progress_line(Progress("ingest", 2, 4, 120 << 10, 500), 2, 2, "en"), "not 0/0 MiB"
    assert width_of(fitting(progress_line(progress, 11, 4, "zh"), 20)) <= 20


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_does_not_change_the_exit_code(runner: Runner, unbuffered: str) -> None:
    runner.write([row(goods_name="")])
    command = f"{sys.executable} -m aggregator check export.csv | true; exit ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    result = subprocess.run(["bash", "-c", command], cwd=runner.folder, capture_output=True, check=False, env=env)
    assert (result.returncode, result.stderr) == (3, b"")
