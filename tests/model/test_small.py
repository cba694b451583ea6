"""Files that others wrote are read to a limit and never waited for without end; pipes are read where they make sense."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from aggregator.model import small
from aggregator.model.small import read_small
from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, csv_text, row

RUN = (*PERIOD, "--out", "out", "--as-of", "2026-11-05")
ZERO = Path("/dev/zero")


@pytest.fixture(autouse=True)
def _hardly_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small, "PATIENCE_SECONDS", 0.5)


def test_what_is_read(tmp_path: Path) -> None:
    path, fifo = tmp_path / "a", tmp_path / "fifo"
    path.write_bytes(b"12345")
    os.mkfifo(fifo)
    assert read_small(path) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_small(path, 4)
    with pytest.raises(IsADirectoryError):
        read_small(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_small(tmp_path / "absent")
    for odd in (fifo, ZERO, Path(os.devnull)):
        with pytest.raises(OSError, match="no regular file"):
            read_small(odd)
    with pytest.raises(OSError, match="no regular file"):
        read_small(ZERO, pipes=True)
    with pytest.raises(TimeoutError, match="nobody writes"):
        read_small(fifo, pipes=True)


@pytest.mark.parametrize("data", [b"", b"x" * 300_000])
def test_a_pipe_is_read_to_its_end(tmp_path: Path, data: bytes) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def write() -> None:
        time.sleep(0.2)
        with fifo.open("wb") as file:
            time.sleep(0.2)
            file.write(data[:10])
            file.flush()
            time.sleep(0.2)
            file.write(data[10:])

    writer = threading.Thread(target=write)
    writer.start()
    assert read_small(fifo, pipes=True) == data
    writer.join()


@pytest.mark.parametrize("kind", ["fifo", "zero", "folder"])
def test_no_command_waits_for_what_never_comes(runner: Runner, kind: str) -> None:
    runner.write([row()])
    assert aggregator("run", "export.csv", *RUN, folder=runner.folder).returncode == 0
    odd = runner.folder / "odd"
    if kind == "fifo":
        os.mkfifo(odd)
    elif kind == "zero":
        odd.symlink_to(ZERO)
    else:
        odd.mkdir()
    data = {66, 74, 65}
    for command, codes in [
        (("check", "export.csv", "--config", "odd"), {78}), (("status", "--out", "out", "--calendar", "odd"), {78}),
        (("status", "--ledger", "odd"), {78}), (("run", "export.csv", *RUN, "--ledger", "odd"), {78}), (("trace", "1", "--ledger", "odd"), {78}),
        (("ledger", "show", "--ledger", "odd"), {78}), (("ledger", "check", "--ledger", "odd"), {78}), (("doctor", "--ledger", "odd", "--out", "out"), {3}),
        (("check", "@odd"), data), (("trace", "--file", "odd", "--out", "out"), data), (("check", "odd"), data), (("columns", "odd"), data),
        (("check", "export.csv", "--tariff", "odd"), {*data, 78}), (("check", "export.csv", "--rates", "odd"), {*data, 78}),
        (("check", "export.csv", "--receipts", "odd"), data), (("ledger", "import", "odd", "--out", "out"), data), (("receive", "odd", "--out", "out"), data),
    ]:  # fmt: skip
        begun = time.monotonic()
        result = aggregator(*command, folder=runner.folder)
        assert result.returncode in codes, (command, result.stderr)
        assert time.monotonic() - begun < 5
    for place in ("ledger.head", "2026-10/202610-01/findings.csv"):
        file = runner.out / place
        data_there = file.read_bytes()
        file.unlink()
        odd.rename(file)
        result = aggregator("ledger", "check", "--out", "out", folder=runner.folder)
        assert result.returncode in (3, 74, 78), result.stderr
        file.rename(odd)
        file.write_bytes(data_there)


def test_an_endless_input_is_refused(runner: Runner) -> None:
    line = f"yes | {sys.executable} -m aggregator check - --spool-limit 1 --lang en"
    result = subprocess.run(line, shell=True, cwd=runner.folder, capture_output=True, text=True, check=False)
    assert result.returncode == 65
    assert "more than 1 MiB came" in result.stderr
    runner.write([row()])
    assert aggregator("check", "-", "--spool-limit", "1", folder=runner.folder, stdin=csv_text([row()]).encode()).returncode == 0
    runner.write("[run]\nspool_limit = 0\n", "aggregator.toml")
    assert aggregator("check", "export.csv", folder=runner.folder).returncode == 78


def test_what_a_shell_puts_for_a_command_is_read(runner: Runner) -> None:
    runner.write([row()])
    (runner.folder / "list.txt").write_text("export.csv\n", encoding="utf-8")
    own = f"{sys.executable} -m aggregator"
    for line in (
        f"{own} check <(cat export.csv)", f"{own} check @<(cat list.txt)", f"{own} run <(cat export.csv) {' '.join(RUN)}",
        f"{own} trace --file <(echo 22442026E000000001) --out out", f"{own} check export.csv --receipts <(printf 'inventory_no,status_code,cleared_at\\n22442026E000000001,899,20261005100000000\\n')",
    ):  # fmt: skip
        result = subprocess.run(["/bin/bash", "-c", line], cwd=runner.folder, capture_output=True, text=True, check=False)
        assert result.returncode == 0, (line, result.stderr)
