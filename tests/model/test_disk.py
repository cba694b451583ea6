"""How files are written: whole or not at all, through no link, over no device; and what a killed process leaves goes."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from aggregator.model.disk import OWNER, OwnFolder, own_folder, remove_left, replacing, write_file
from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, row


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_file(target, b"old")
    with pytest.raises(ZeroDivisionError):
        _write_half(target)
    assert target.read_bytes() == b"old"
    write_file(target, b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~_umask()


def _write_half(target: Path) -> None:
    with replacing(target) as file:
        file.write(b"half")
        raise ZeroDivisionError


def _umask() -> int:
    os.umask(mask := os.umask(0))
    return mask


def test_no_link_is_written_through(tmp_path: Path) -> None:
    target, other = tmp_path / "a", tmp_path / "other"
    other.write_bytes(b"mine")
    (tmp_path / ".a.part").symlink_to(other)
    target.symlink_to(other)
    write_file(target, b"new")
    assert (target.read_bytes(), target.is_symlink(), other.read_bytes()) == (b"new", False, b"mine")


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "link to a device"])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "a"
    if kind == "fifo":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    elif kind == "device":
        target = Path(os.devnull)
    else:
        target.symlink_to(os.devnull)
    with pytest.raises(OSError, match="no regular file"):
        write_file(target, b"new")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["a"])


def test_what_a_killed_writer_left_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    (tmp_path / ".a.part").write_bytes(b"left")
    write_file(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with replacing(tmp_path / "a") as file:
        file.write(b"first")
        with pytest.raises(OSError, match="written by another"):
            write_file(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_folders_of_the_dead_are_removed_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "x-others").mkdir()
    (tmp_path / "x-others" / "file").write_bytes(b"1")
    dead = tmp_path / "x-dead"
    dead.mkdir()
    (dead / OWNER).touch()
    (tmp_path / "y-dead").mkdir()
    (tmp_path / "y-dead" / OWNER).touch()
    (tmp_path / "x-link").symlink_to(tmp_path / "y-dead")
    with own_folder("x-", tmp_path) as living:
        remove_left(tmp_path, "x-")
        assert living.is_dir()
        assert not dead.exists()
        second = OwnFolder("x-", tmp_path)
        assert living.is_dir()
        second.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-link", "x-others", "y-dead"]


# ------------------------------------------------------------------------------------------------------------------ commands


def test_metrics_replace_no_device_and_follow_no_link(runner: Runner) -> None:
    runner.write([row()])
    fifo, other, link = runner.folder / "fifo", runner.folder / "other", runner.folder / "m.prom"
    os.mkfifo(fifo)
    other.write_bytes(b"mine")
    link.symlink_to(other)
    run = ("run", "export.csv", *PERIOD, "--out", "out", "--as-of", "2026-11-05", "--metrics-file")
    result = aggregator(*run, "fifo", folder=runner.folder)
    assert (result.returncode, "no regular file" in result.stderr) == (3, True)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert aggregator(*run, "m.prom", folder=runner.folder).returncode == 0
    assert (other.read_bytes(), link.is_symlink()) == (b"mine", False)
    result = aggregator("check", "export.csv", "--findings", "fifo", folder=runner.folder)
    assert (result.returncode, "no regular file" in result.stderr) == (74, True)


def test_a_link_to_what_is_not_there_is_no_place_for_a_ledger_or_a_file(runner: Runner) -> None:
    """The disk of the ledger may not be mounted: an empty one would have everything declared again."""
    runner.write([row()])
    link = runner.folder / "link"
    link.symlink_to("absent")
    run = ("run", "export.csv", *PERIOD, "--out", "out", "--as-of", "2026-11-05")
    result = aggregator(*run, "--ledger", "link", folder=runner.folder)
    assert (result.returncode, "which is not there" in result.stderr) == (78, True)
    result = aggregator(*run, "--metrics-file", "link", folder=runner.folder)
    assert (result.returncode, "a link to what is not there" in result.stderr) == (3, True)
    assert link.is_symlink()
    assert not [path for path in runner.folder.iterdir() if path.name.startswith("absent")]


def test_a_planted_link_is_written_through_by_no_command(runner: Runner) -> None:
    from hashlib import sha256

    runner.write([row()])
    other, answer = runner.folder / "other", runner.write("<x/>", "answer.xml")
    other.write_bytes(b"mine")
    name, aside = f"{sha256(answer.read_bytes()).hexdigest()}.xml", runner.out / "received/aside"
    aside.mkdir(parents=True)
    planted = [aside / name, aside / f".{name}.part", aside / f"{name[:-4]}.part"]
    planted += [runner.out / each for each in ("ledger.sqlite.new", "ledger.sqlite.new-journal", "ledger.head.part", ".ledger.head.part")]
    planted += [runner.folder / ".backup.part", runner.folder / "backup.new"]
    for each in planted:
        each.symlink_to(other)
    assert aggregator("run", "export.csv", *PERIOD, "--out", "out", "--as-of", "2026-11-05", folder=runner.folder).returncode == 0
    assert aggregator("receive", "answer.xml", "--out", "out", folder=runner.folder).returncode == 3
    assert aggregator("ledger", "backup", "backup", "--out", "out", folder=runner.folder).returncode == 0
    assert other.read_bytes() == b"mine"
    assert (aside / name).read_bytes() == answer.read_bytes()
    assert not (aside / name).is_symlink()


@pytest.mark.long
@pytest.mark.parametrize("command", ["run", "check"])
def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path, command: str) -> None:
    # Short, as the path of a socket has to be.
    place = Path(tempfile.mkdtemp())
    assert aggregator("sample", "--lines", "90000", "--out", "data", "--headings", "zh", "--encoding", "gb18030", "--period", "2026-10", folder=tmp_path).returncode == 0
    more = [*PERIOD, "--out", "out"] if command == "run" else ["--period", "2026-10"]
    own = [sys.executable, "-m", "aggregator", command, "data/inventories.csv", *more, "--workers", "2"]
    environment = {**os.environ, "TMPDIR": str(place)}
    process = subprocess.Popen(own, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (list(place.glob("aggregator-work-*/*.arrow")) or list(tmp_path.glob("out/.work-*/*.arrow"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(place.rglob("pymp-*")), "there is something left"
    assert all(path.name.startswith("aggregator-") for path in place.iterdir())
    subprocess.run(own, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert list(place.iterdir()) == []
    place.rmdir()
    assert not list(tmp_path.glob("out/.work-*"))


def test_an_export_of_the_ledger_that_was_killed_leaves_nothing_for_long(runner: Runner) -> None:
    runner.run_rows([row()])
    left = Path(tempfile.mkdtemp(prefix=".export-", dir=runner.folder))
    (left / OWNER).touch()
    assert aggregator("ledger", "export", "tables", "--out", "out", folder=runner.folder).returncode == 0
    assert not left.exists()
    assert {path.suffix for path in (runner.folder / "tables").iterdir()} == {".parquet"}


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_what_is_written_has_the_rights_that_the_umask_leaves(runner: Runner, umask: int) -> None:
    runner.write([row(), row(inventory_no="22442026E000000002", goods_name="")])
    former = os.umask(umask)
    try:
        assert aggregator("run", "export.csv", *PERIOD, "--out", "out", "--as-of", "2026-11-05", folder=runner.folder).returncode == 3
    finally:
        os.umask(former)
    rights = {path.relative_to(runner.out): stat.S_IMODE(path.stat().st_mode) for path in (runner.out, *runner.out.rglob("*"))}
    assert len(rights) > 10
    assert {str(path): oct(mode) for path, mode in rights.items() if mode & umask} == {}


def test_temporary_folders_are_the_users_alone(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        with own_folder("aggregator-", tmp_path) as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(former)
