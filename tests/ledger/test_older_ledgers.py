"""An older ledger put back: refused by every command that would act on it, wherever results and ledger are kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from aggregator.jobs.heads import HEAD
from aggregator.samples.shapes.formats import as_receipts
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row

RUN = ("run", "export.csv", "--period", "2026-10", "--first-period", "2026-09", "--as-of", "2026-11-05", "--workers", "1")
ELSEWHERE = "inventory_no\n22442026E000000900\n22442026E000000901\n"


class Firm:
    """Folders of a firm, and the commands it gives."""

    def __init__(self, runner: Runner, ledger: str = "out/ledger.sqlite") -> None:
        self.runner, self.folder = runner, runner.folder
        self.ledger = self.folder / ledger
        self.named = ("--ledger", ledger) if ledger != "out/ledger.sqlite" else ()
        runner.write([row(), row(inventory_no="22442026E000000002", order_no="2", waybill_no="2", goods_name="")])
        runner.write(ELSEWHERE, "elsewhere.csv")
        runner.write(as_receipts([("22442026E000000777", "899", "20261020100000000")]), "answer.xml")

    def give(self, *command: str, out: str = "out") -> CompletedProcess[str]:
        return aggregator(*command, "--out", out, *self.named, folder=self.folder)

    def must(self, *command: str, out: str = "out") -> None:
        result = self.give(*command, out=out)
        assert result.returncode in (0, 3), result.stderr

    def everything(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


def is_refused(firm: Firm, out: str = "out") -> None:
    """By all commands, in words that say what to do, with nothing changed."""
    before = firm.everything()
    for command in (
        RUN, (*RUN, "--dry-run"), ("receive", "answer.xml"), ("ledger", "import", "elsewhere.csv"),
        ("ledger", "void", "202610-01", "--reason", "wrong receipts"), ("ledger", "answer", "202610-01-A001", "accepted"), ("ledger", "first-period", "2026-09"),
        ("ledger", "dismiss", "22442026E000000002", "--reason", "x"), ("ledger", "migrate"), ("ledger", "check"),
    ):  # fmt: skip
        result = firm.give(*command, out=out)
        said = result.stdout + result.stderr
        assert result.returncode == 78, (command, said)
        assert "lost or old" in said, command
        assert "Restore the newest backup" in said, command
    doctor = firm.give("doctor", out=out)
    assert doctor.returncode == 3
    assert "lost or old" in doctor.stdout
    assert firm.everything() == before


AFTERWARDS = {
    "import": ("ledger", "import", "elsewhere.csv"),
    "receive": ("receive", "answer.xml"),
    "answer": ("ledger", "answer", "202610-01-A001", "accepted"),
    "dismiss": ("ledger", "dismiss", "22442026E000000002", "--reason", "typing error"),
    "void": ("ledger", "void", "202610-01", "--reason", "wrong receipts"),
}


@pytest.mark.parametrize("afterwards", AFTERWARDS)
@pytest.mark.parametrize("ledger", ["out/ledger.sqlite", "kept/firm.sqlite"])
def test_ledger_from_before_is_refused_and_the_newest_is_not(runner: Runner, afterwards: str, ledger: str) -> None:
    firm = Firm(runner, ledger)
    firm.must(*RUN)
    old = firm.ledger.read_bytes()
    firm.must(*AFTERWARDS[afterwards])
    newest = firm.ledger.read_bytes()
    firm.ledger.write_bytes(old)
    is_refused(firm)
    firm.ledger.write_bytes(newest)
    assert firm.give("ledger", "check").returncode == 0
    firm.must(*RUN)


def test_lost_ledger_is_not_begun_anew_where_only_its_head_is_left(runner: Runner) -> None:
    firm = Firm(runner)
    firm.must("ledger", "import", "elsewhere.csv")
    firm.ledger.unlink()
    for command in (RUN, (*RUN, "--dry-run"), ("ledger", "import", "elsewhere.csv")):
        result = firm.give(*command)
        assert result.returncode == 78, result.stderr
        assert "lost or old" in result.stderr
    assert "lost or old" in firm.give("doctor").stdout
    assert not firm.ledger.exists()
    (firm.folder / "out" / HEAD).rename(firm.folder / "away")
    firm.must(*RUN)


def test_another_ledger_is_refused_by_the_head(runner: Runner) -> None:
    firm = Firm(runner)
    firm.must("ledger", "import", "elsewhere.csv")
    firm.must("ledger", "import", "elsewhere.csv", out="other")
    shutil.copy(firm.folder / "other/ledger.sqlite", firm.ledger)
    assert firm.give(*RUN).returncode == 78
    assert firm.give("ledger", "check").returncode == 78


def test_ledger_that_went_another_way_is_refused(runner: Runner) -> None:
    """A copy and the ledger both went on: the head is that of one of them, and the other holds no such event."""
    firm = Firm(runner)
    firm.must(*RUN)
    copy = firm.ledger.read_bytes()
    firm.must("ledger", "dismiss", "22442026E000000002", "--reason", "typing error")
    head = firm.folder / "out" / HEAD
    kept = head.read_bytes()
    firm.ledger.write_bytes(copy)
    head.unlink()
    firm.must("ledger", "import", "elsewhere.csv")
    firm.must("receive", "answer.xml")
    head.write_bytes(kept)
    assert json.loads(kept)["event_no"] < events(firm)
    is_refused(firm)


def events(firm: Firm) -> int:
    return int(json.loads(firm.give("ledger", "check", "--json").stdout)["events"])


@pytest.mark.parametrize("ledger", ["out/ledger.sqlite", "kept/firm.sqlite"])
def test_head_follows_a_ledger_that_is_ahead_of_it(runner: Runner, ledger: str) -> None:
    """As after a crash between the two, or where a command was not given the folder of results."""
    firm = Firm(runner, ledger)
    firm.must(*RUN)
    heads = list(firm.folder.rglob("*.head"))
    assert len(heads) == (1 if ledger.startswith("out") else 2)
    before = {path: path.read_bytes() for path in heads}
    firm.must("ledger", "import", "elsewhere.csv")
    newest = {path: path.read_bytes() for path in heads}
    assert newest != before
    for lost in (False, True):
        for path, content in before.items():
            path.unlink() if lost else path.write_bytes(content)
        assert firm.give("ledger", "check").returncode == 0
        assert {path: path.read_bytes() for path in heads} == newest
    for path, content in before.items():
        path.write_bytes(content)
    firm.must("ledger", "import", "elsewhere.csv")
    assert {path: path.read_bytes() for path in heads} == newest, "nothing new, and yet brought up to date"


def test_several_folders_of_results_with_one_ledger(runner: Runner) -> None:
    firm = Firm(runner, "kept/firm.sqlite")
    firm.must(*RUN, out="a")
    firm.must("ledger", "import", "elsewhere.csv", out="b")
    old = firm.ledger.read_bytes()
    firm.must(*RUN, out="b")
    firm.must("receive", "answer.xml", out="a")
    firm.must(*RUN, out="b")
    firm.ledger.write_bytes(old)
    for out in ("a", "b", "c"):
        (firm.folder / "c").mkdir(exist_ok=True)
        is_refused(firm, out)
    beside = firm.folder / "kept/firm.sqlite.head"
    beside.rename(beside.with_suffix(".away"))
    is_refused(firm, "c")
    assert (firm.folder / "a" / HEAD).exists()


def test_a_command_that_is_given_no_folder_of_results(runner: Runner) -> None:
    firm = Firm(runner, "kept/firm.sqlite")
    firm.must(*RUN)
    old = firm.ledger.read_bytes()
    for command in (("ledger", "import", "elsewhere.csv"), ("ledger", "void", "202610-01", "--reason", "wrong receipts")):
        assert aggregator(*command, *firm.named, folder=firm.folder).returncode == 0
    firm.ledger.write_bytes(old)
    is_refused(firm)


def test_a_copy_tried_out_elsewhere_does_not_stop_the_ledger(runner: Runner) -> None:
    firm = Firm(runner, "kept/firm.sqlite")
    firm.must(*RUN)
    shutil.copy(firm.ledger, firm.folder / "copy.sqlite")
    tried = aggregator("ledger", "import", "elsewhere.csv", "--ledger", "copy.sqlite", "--out", "tried", folder=firm.folder)
    assert tried.returncode == 0, tried.stderr
    firm.must(*RUN)
    assert firm.give("ledger", "check").returncode == 0


@pytest.mark.parametrize("content", [b"", b"{}", b"no json", b'{"ledger_id": "x", "event_no": "y", "hash": "z"}', b"\xff", b"[]"])
def test_damaged_head_is_refused_with_what_to_do(runner: Runner, content: bytes) -> None:
    firm = Firm(runner)
    firm.must(*RUN)
    head = firm.folder / "out" / HEAD
    head.write_bytes(content)
    for command in (RUN, ("ledger", "check"), ("receive", "answer.xml")):
        result = firm.give(*command)
        assert result.returncode == 78
        assert "remove that file" in result.stdout + result.stderr
    head.unlink()
    firm.must(*RUN)
    assert json.loads(head.read_bytes())["event_no"] == events(firm)


def test_head_that_cannot_be_written_is_reported_and_what_was_done_stands(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.jobs import heads

    firm = Firm(runner)
    firm.must("ledger", "import", "elsewhere.csv")
    written = heads._write

    def full(place: Path, head: heads.Head) -> None:
        (place.parent / f".{place.name}.part").mkdir()
        try:
            written(place, head)
        finally:
            (place.parent / f".{place.name}.part").rmdir()

    monkeypatch.setattr(heads, "_write", full)
    run = firm.give(*RUN)
    assert run.returncode == 3
    assert "ledger.head cannot be written" in run.stderr
    assert "Published" in run.stdout
    blocked = firm.give("receive", "answer.xml")
    assert (blocked.returncode, "Nothing was done" in blocked.stderr) == (74, True)
    check = firm.give("ledger", "check")
    assert (check.returncode, "cannot be written" in check.stdout) == (3, True)
    monkeypatch.setattr(heads, "_write", written)
    assert firm.give("ledger", "check").returncode == 0
    monkeypatch.setattr(heads, "_write", full)
    answered = firm.give("ledger", "answer", "202610-01-A001", "accepted")
    assert answered.returncode == 3
    assert "All is recorded in the ledger" in answered.stderr
    monkeypatch.setattr(heads, "_write", written)
    firm.must("receive", "answer.xml")
    assert "accepted" in firm.give("ledger", "show").stdout


def test_a_ledger_of_before_heads_gets_one(runner: Runner) -> None:
    firm = Firm(runner)
    firm.must(*RUN)
    head = firm.folder / "out" / HEAD
    head.unlink()
    firm.must("receive", "answer.xml")
    assert json.loads(head.read_bytes())["event_no"] == events(firm)
