"""A run folder that is gone, moved, renamed or changed, and a ledger that is gone while run folders are there: whoever looks is told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row

AT = ("--out", "out", "--as-of", "2026-11-05")


def _run_folder(out: Path) -> Path:
    return out / "2026-10/202610-01"


EDITS: dict[str, Callable[[Path], object]] = {
    "deleted": lambda out: shutil.rmtree(_run_folder(out)),
    "deleted with its period": lambda out: shutil.rmtree(out / "2026-10"),
    "moved": lambda out: _run_folder(out).rename(out.parent / "elsewhere"),
    "renamed to another run": lambda out: _run_folder(out).rename(out / "2026-10/202610-07"),
    "renamed": lambda out: _run_folder(out).rename(out / "2026-10/October"),
    "period renamed": lambda out: (out / "2026-10").rename(out / "2026-09"),
    "manifest changed": lambda out: (_run_folder(out) / "manifest.json").write_text("{}"),
    "ledger gone": lambda out: (out / "ledger.sqlite").unlink(),
    "ledger and its head gone": lambda out: [path.unlink() for path in out.glob("ledger*")],
    "put in a file's place": lambda out: (_run_folder(out).rename(out / "x"), _run_folder(out).write_bytes(b"")),
}


@pytest.mark.parametrize("edit", EDITS)
def test_whoever_looks_is_told(runner: Runner, edit: str) -> None:
    runner.run_rows([row()])
    assert aggregator("status", *AT, folder=runner.folder).returncode == 0
    assert aggregator("doctor", *AT, folder=runner.folder).returncode == 0
    EDITS[edit](runner.out)
    for lang, name in (("en", "run folder" if "gone" in edit else "202610-0"), ("zh", "202610-0")):
        status = aggregator("status", *AT, "--quiet", folder=runner.folder, lang=lang)
        assert status.returncode == 3
        assert name in status.stdout or "ledger.head" in status.stdout, status.stdout
        doctor = aggregator("doctor", *AT, folder=runner.folder, lang=lang)
        assert doctor.returncode == 3
        assert name in doctor.stdout or "ledger.head" in doctor.stdout, doctor.stdout
    answer = json.loads(aggregator("status", *AT, "--json", folder=runner.folder).stdout)
    assert answer["problems"]
    assert aggregator("ledger", "check", "--out", "out", folder=runner.folder).returncode in (3, 78)
    # What the ledger does not know, or knows otherwise, might be declared twice; what is only gone is not.
    refused = {"renamed to another run", "manifest changed", "ledger gone", "ledger and its head gone"}
    runner.write([row(inventory_no="22442026E000000002", order_no="DD2", waybill_no="LP2")], "more.csv")
    assert aggregator("run", "more.csv", "--period", "2026-10", *AT, folder=runner.folder).returncode == (78 if edit in refused else 0)


@pytest.mark.parametrize("edit", [lambda file: file.unlink(), lambda file: file.write_bytes(b"x")], ids=["gone", "changed"])
def test_a_file_of_a_run_is_told_by_the_check_of_the_ledger(runner: Runner, edit: Callable[[Path], object]) -> None:
    runner.run_rows([row()])
    edit(_run_folder(runner.out) / "declarations.csv")
    result = aggregator("ledger", "check", "--out", "out", folder=runner.folder)
    assert (result.returncode, "declarations.csv" in result.stdout) == (3, True)


def test_void_and_unfinished_runs_are_no_trouble(runner: Runner) -> None:
    runner.run_rows([row()])
    assert aggregator("ledger", "void", "202610-01", "--reason", "wrong receipts", "--out", "out", folder=runner.folder).returncode == 0
    assert aggregator("status", *AT, folder=runner.folder).returncode == 0
    runner.run_rows([row(inventory_no="22442026E000000002")])
    folder = runner.out / "2026-10/202610-02"
    mark = json.loads((runner.out / "ledger.head").read_text())["ledger_id"][:8]
    folder.rename(folder.with_name(f".stage-{mark}-202610-02"))
    status = aggregator("status", *AT, folder=runner.folder)
    assert "202610-02 is not there" not in status.stdout
    assert status.returncode == 0
    assert "half done" in aggregator("doctor", *AT, folder=runner.folder).stdout


def test_before_the_first_run_nothing_is_wrong(tmp_path: Path) -> None:
    for command in ("status", "doctor"):
        result = aggregator(command, *AT, folder=tmp_path)
        assert result.returncode == 0, result.stdout
