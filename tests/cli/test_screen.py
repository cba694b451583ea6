"""What reaches a terminal and a log is clean, whatever the input holds; and what a command says of itself is true, whatever becomes
of its words."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.cli.test_cli import FULL, PERIOD, aggregator
from tests.conftest import Runner, csv_text, row

EVIL = "e\x1b[31m\x07\x7f\x9bm\u202e\u2066\u2028\r\nall is well\n"
"""Colours, a bell, the end of the line, and writing turned around."""
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
RUN = (*PERIOD, "--out", "out", "--as-of", "2026-11-05")


def assert_clean(result: subprocess.CompletedProcess[str]) -> None:
    for text in (result.stdout, result.stderr):
        assert not RAW.search(text), repr(text)
        assert not any(line.strip().startswith("all is well") for line in text.splitlines()), text


def evil_export(runner: Runner) -> str:
    name = f"{EVIL}.csv"
    sound, faulty = row(order_no=f"o{EVIL}"), row(inventory_no=f"x{EVIL}", order_no="2", waybill_no="2", goods_spec=EVIL, commodity_code=EVIL)
    runner.write([sound, faulty], name)
    return name


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("how", [(), ("--json",)], ids=["text", "json"])
def test_nothing_of_an_input_acts_on_a_terminal(runner: Runner, lang: str, how: tuple[str, ...]) -> None:
    name = evil_export(runner)
    runner.write("<a/>", f"{EVIL}.xml")
    with zipfile.ZipFile(runner.folder / "evil.zip", "w") as archive:
        archive.writestr(f"{EVIL}.csv", "")
        archive.writestr("b\x1b\u202e.csv", csv_text([row(inventory_no="7", goods_name="")]))
    runner.write([{EVIL: EVIL, f"=1{EVIL}": EVIL, "item_no": EVIL}], "headings.csv")
    commands = [
        ("check", name), ("columns", name), ("columns", "headings.csv"), ("check", "headings.csv"), ("check", "evil.zip"), ("check", f"{EVIL}.csv", "--period", "2026-10"),
        ("run", name, *RUN), ("run", name, *RUN, "--log-format", "json"), ("status", "--out", "out", "--as-of", "2026-11-05"),
        ("trace", "22442026E000000001", EVIL, "--out", "out"), ("receive", f"{EVIL}.xml", "--out", "out"), ("run", f"{EVIL}absent", *RUN),
        ("check", "export.csv", "--config", EVIL), ("ledger", "show", "--out", "out"), ("ledger", "check", "--out", "out"),
        ("doctor", "--out", f"out/{EVIL}"), ("modes", name), ("config", "show", "--out", EVIL), ("rules", EVIL),
    ]  # fmt: skip
    for command in commands:
        told = command if command[0] in ("ledger",) else (*command, *(how if command[0] != "rules" else ()))
        result = aggregator(*told, "--lang", lang, folder=runner.folder, lang="")
        assert result.returncode in (0, 3, 65, 66, 78, 2), (command, result.stderr)
        assert_clean(result)
        assert result.stdout + result.stderr
    report = runner.out / "2026-10/202610-01/report.html"
    assert not RAW.search(report.read_text(encoding="utf-8"))


def test_wrong_usage_repeats_nothing_that_acts(runner: Runner) -> None:
    for arguments in (("run", "x", "--as-of", EVIL), ("run", "x", f"--period={EVIL}"), (EVIL,), ("run", f"--{EVIL}"), ("run", "x", "--lang", EVIL)):
        result = aggregator(*arguments, folder=runner.folder, lang="", LANG="C.UTF-8")
        assert result.returncode == 2
        assert_clean(result)


@pytest.mark.parametrize("place", [("--config",), ("--receipts",), ("--rates",), ("--log-format", "json", "--receipts"), ()])
def test_a_password_in_the_wrong_place_is_not_repeated(runner: Runner, place: tuple[str, ...]) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", *place, "postgresql://user:geheim@127.0.0.1:9/db", folder=runner.folder)
    assert result.returncode not in (0, 70)
    assert "geheim" not in result.stdout + result.stderr
    assert "user:***@" in result.stderr


def test_cells_of_modes_are_no_formulas(runner: Runner) -> None:
    runner.write([row(inventory_no="=1+1")])
    result = aggregator("modes", "export.csv", "--format", "csv", folder=runner.folder, lang="")
    assert result.returncode == 0, result.stderr
    assert "\n'=1+1," in result.stdout


# ------------------------------------------------------------------------------------------------------------ true sentences


def command(runner: Runner, line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "", **environment}
    full = f"{sys.executable} -m aggregator {line}"
    return subprocess.run(full, shell=True, executable="/bin/bash", cwd=runner.folder, env=env, capture_output=True, check=False)


IN_TIME = " ".join(RUN)


@pytest.mark.long
@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("errors", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize("more", ["", "--json", "--log-format json"])
def test_a_log_that_cannot_be_written_changes_nothing(runner: Runner, errors: str, more: str) -> None:
    runner.write([row()])
    result = command(runner, f"run export.csv {IN_TIME} {more} {errors}")
    assert (result.returncode, result.stderr) == (0, b"")
    assert (runner.out / "2026-10/202610-01/manifest.json").exists()
    assert command(runner, f"run absent.csv {IN_TIME} {errors}").returncode == 66
    assert command(runner, f"run --bogus {errors}").returncode == 2


def test_standard_output_that_is_closed(runner: Runner) -> None:
    runner.write([row()])
    result = command(runner, f"run export.csv {IN_TIME} --lang en >&-")
    assert result.returncode == 3
    assert b"The run 202610-01 is recorded in the ledger and published in out/2026-10/202610-01. It stands." in result.stderr
    for other in ("--help", "--version", "rules", "status --out out", "completions bash"):
        result = command(runner, f"{other} >&-")
        assert b"Traceback" not in result.stderr
        assert result.returncode in (0, 74)
    assert command(runner, "trace --file - --out out <&- >&-").returncode == 66
    assert command(runner, f"run - {IN_TIME} <&-").returncode == 66
    # Nothing that a command opens stands where a standard stream would be.
    assert command(runner, "ledger check --out out <&- >&- 2>&-").returncode == 74
    assert command(runner, "ledger check --out out").returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "gbk", "latin-1", "utf-16"])
def test_any_encoding_of_the_output_will_do(runner: Runner, encoding: str) -> None:
    runner.write([row(), row(inventory_no="2", order_no="é\U0001f600", waybill_no="2", goods_name="")], "清单é.csv")
    for how in ("", "--json", "--log-format json"):
        result = command(runner, f"check 清单é.csv {how.replace('--log-format json', '')} --lang zh", PYTHONIOENCODING=encoding)
        assert result.returncode == 3, result.stderr
        text = result.stdout.decode(encoding)
        assert ("R101" in text) if how != "--json" else json.loads(text)["findings"]
    result = command(runner, f"run 清单é.csv {IN_TIME} --lang zh --log-format json", PYTHONIOENCODING=encoding)
    assert result.returncode == 3
    lines = result.stderr.decode(encoding if encoding != "utf-16" else "utf-16").splitlines()
    assert json.loads(lines[0])["inputs"] == ["清单é.csv"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_whoever_asks_to_end_is_answered_alike(tmp_path: Path, name: str) -> None:
    """At any moment of the first second: while Python's libraries are imported, too."""
    (tmp_path / "export.csv").write_text(csv_text([row()]), encoding="utf-8")
    own = [sys.executable, "-c", "import sys\nfrom aggregator.__main__ import main\nsys.stderr.write('.')\nmain()", "run", "export.csv", *RUN]
    chance = random.Random(name)
    for _ in range(6):
        process = subprocess.Popen(own, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert process.stderr is not None
        process.stderr.read(1)
        time.sleep(0.1 + chance.random())
        os.killpg(process.pid, getattr(signal, name))
        output, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors
        assert "Aborted" not in errors
        if process.returncode == 130:
            assert "nterrupted" in errors
            assert "othing was published" in errors or (tmp_path / "out/2026-10/202610-01").exists()
        else:
            assert (process.returncode, "declare" in output) in ((0, True), (3, True)), (process.returncode, errors)


def test_nohup_is_kept(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(csv_text([row()]), encoding="utf-8")
    line = f"trap '' HUP; exec {sys.executable} -m aggregator run export.csv {IN_TIME}"
    process = subprocess.Popen(["/bin/bash", "-c", line], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(20):
        time.sleep(0.02)
        process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize("command", [("run", "export.csv", "--period", "2026-10", "--out", "out", "--ledger", "odd"), ("status", "--out", "odd"), ("receive", "export.csv", "--out", "odd")])
def test_a_link_that_leads_to_itself(runner: Runner, command: tuple[str, ...]) -> None:
    runner.write([row()])
    (runner.folder / "odd").symlink_to("odd")
    result = aggregator(*command, folder=runner.folder)
    assert result.returncode in (73, 74, 78), result.stderr
    assert "odd" in result.stderr
    assert "Internal" not in result.stderr
