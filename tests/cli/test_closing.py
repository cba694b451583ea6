"""How a run ends for a person: tables on a terminal, as wide as that is; plain lines elsewhere; nothing that acts in either."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from aggregator.cli.closing import drawn
from aggregator.reports.summary import Line, Table, Tone
from aggregator.schemas.shown import width_of
from tests.conftest import Runner, row

COMMAND = (sys.executable, "-m", "aggregator")
RUN = ("run", "export.csv", "--period", "2026-10", "--first-period", "2026-09", "--out", "out")
COLOURS = re.compile("\x1b\\[3[0-9]m")
ESCAPES = re.compile("\x1b\\[[0-9;]*m")
FAULTY = [row(), row(inventory_no="22442026E000000002", order_no="2", waybill_no="2", internal_no="2", goods_name="")]


@pytest.fixture
def folder(runner: Runner) -> Path:
    runner.write(FAULTY)
    return runner.folder


def environment(**more: str) -> dict[str, str]:
    left = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**left, "LC_ALL": "C.UTF-8", "TERM": "xterm", **more}


def on_a_terminal(folder: Path, columns: int, *words: str, **more: str) -> str:
    """What a terminal so wide is given on standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen([*COMMAND, *words], cwd=folder, stdout=theirs, stderr=subprocess.DEVNULL, env=environment(**more)) as process:
        os.close(theirs)
        data = b""
        while True:
            try:
                data += os.read(ours, 1 << 16)
            except OSError:
                break
    os.close(ours)
    assert process.returncode == 3
    return data.decode().replace("\r\n", "\n")


def in_a_pipe(folder: Path, *words: str, **more: str) -> str:
    result = subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, check=False, env=environment(**more))
    assert result.returncode == 3
    return result.stdout


@pytest.mark.parametrize(("lang", "columns"), [("en", 80), ("zh", 80), ("en", 40), ("zh", 40), ("en", 200), ("zh", 200)])
def test_tables_as_wide_as_the_terminal(folder: Path, lang: str, columns: int) -> None:
    said = on_a_terminal(folder, columns, *RUN, "--lang", lang)
    lines = ESCAPES.sub("", said).splitlines()
    [rule] = [line for line in lines if line.startswith("R101")]
    assert re.match(r"R101 +1 +", rule)
    assert {"en": "Fate", "zh": "去向"}[lang] in said
    assert all(width_of(line) <= columns for line in lines if "out/2026-10" not in line)
    assert any(line.endswith("out/2026-10/202610-01/report.html") for line in lines), "a path is never broken"
    assert COLOURS.search(said)
    assert not re.search("\x1b(?!\\[[0-9;]*m)", said)


def test_of_a_check(folder: Path) -> None:
    assert re.search(r"\nR101 +1 +", ESCAPES.sub("", on_a_terminal(folder, 80, "check", "export.csv", "--lang", "en")))


def test_colour_is_as_is_asked_for(folder: Path) -> None:
    plain = in_a_pipe(folder, *RUN, "--dry-run", "--lang", "en")
    assert "\x1b" not in plain
    assert "  [R101] 1 × " in plain
    forced = in_a_pipe(folder, *RUN, "--dry-run", "--lang", "en", FORCE_COLOR="1")
    assert COLOURS.search(forced)
    without = on_a_terminal(folder, 80, *RUN, "--dry-run", "--lang", "en", NO_COLOR="1")
    assert "\x1b" not in without
    assert "Fate" in without
    assert on_a_terminal(folder, 80, *RUN, "--dry-run", "--lang", "en", TERM="dumb") == plain


@pytest.mark.parametrize("more", [{}, {"FORCE_COLOR": "1"}], ids=["lines", "tables"])
def test_a_reader_who_leaves_changes_nothing(folder: Path, more: dict[str, str]) -> None:
    """The pipe is closed before the end is written; the exit code is the run's, and nothing is said of it."""
    ours, theirs = os.pipe()
    with subprocess.Popen([*COMMAND, *RUN, "--lang", "en"], cwd=folder, stdout=theirs, stderr=subprocess.PIPE, env=environment(**more)) as process:
        os.close(theirs)
        os.close(ours)
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (3, b"")
    assert (folder / "out/2026-10/202610-01/manifest.json").exists()


def test_names_do_not_act(runner: Runner) -> None:
    name = "\x1b[31m[red]out\nall is well"
    (runner.folder / name).mkdir()
    runner.write(FAULTY)
    said = on_a_terminal(runner.folder, 80, *RUN[:-1], name, "--lang", "en")
    assert "\\x1b[31m[red]out\\nall is well" in said
    assert "\nall is well" not in said


def test_cells_of_tables_do_not_act(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    said = drawn([Line("", Tone.BAD, Table.FINDINGS, ("R1\x1b[31m", "1", "[red]a\u202e\nall is well"))], "en")
    assert "R1\\x1b[31m" in said
    assert "\x1b" not in said
    assert "\nall is well" not in said


@pytest.mark.parametrize("columns", ["0", "1", "-1", "9" * 20])
def test_a_width_that_is_none_hides_nothing(folder: Path, columns: str) -> None:
    said = ESCAPES.sub("", in_a_pipe(folder, *RUN, "--dry-run", "--lang", "en", FORCE_COLOR="1", COLUMNS=columns))
    assert "declared 1 inventory" in said or re.search(r"\ndeclared +1 ", said, re.IGNORECASE)
    assert "R101" in said


def test_a_stream_that_knows_no_chinese(folder: Path) -> None:
    said = in_a_pipe(folder, *RUN, "--dry-run", "--lang", "zh", FORCE_COLOR="1", PYTHONIOENCODING="ascii")
    assert said.isascii()
    assert "R101" in said
