"""Several runs on one ledger at the same moment: one works, the others are asked to come again; and the disk that is full."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from aggregator.jobs import declare
from aggregator.jobs.ledger_check import check_ledger
from aggregator.jobs.run import run
from aggregator.ledger.at import ledger_at
from aggregator.ledger.sqlite.ledger import SqliteLedgerAt
from aggregator.model.errors import Busy, StopRun
from aggregator.model.place import Place
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, parameters, read_rows, row
from tests.postgres import needs_postgres, server

pytestmark = pytest.mark.long

PROCESSES, ROUNDS = 8, 20


def _inventory(number: int) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"L{number}")


def _run_in_a_fork(export: Path, out: Path, ledger: Place, others_have_ended: int) -> int:
    """A child that runs, and once it has the lock goes on only when all others have ended."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        whole = declare.calculate

        def wait_then_calculate(*arguments: Any, **named: Any) -> Any:
            if not select.select([others_have_ended], [], [], 60)[0]:
                raise TimeoutError("two runs hold the lock")
            return whole(*arguments, **named)

        declare.calculate = wait_then_calculate
        code = int(run(parameters(export, out=out, ledger=ledger).for_run(NOW.date()), NOW).exit_code)
    except StopRun as stop:
        code = int(stop.exit_code)
    finally:
        os._exit(code)


@pytest.mark.parametrize(("kind", "rounds"), [("sqlite", ROUNDS), pytest.param("postgres", 5, marks=needs_postgres)])
def test_eight_at_once_many_times(runner: Runner, kind: str, rounds: int) -> None:
    """Every process has inventories of its own: those of each round's one winner are declared, and nobody else's."""
    ledger: Place = runner.out / "ledger.sqlite" if kind == "sqlite" else server().place(runner.folder)
    exports = [[runner.write([_inventory(r * 100 + p)], f"{r}-{p}.csv") for p in range(PROCESSES)] for r in range(rounds)]
    expected = []
    for number in range(rounds):
        reader, writer = os.pipe()
        children = {_run_in_a_fork(exports[number][p], runner.out, ledger, reader): p for p in range(PROCESSES)}
        codes: dict[int, int] = {}
        let_go = 0
        while len(codes) < PROCESSES:
            if len(codes) == PROCESSES - 1 and not let_go:
                let_go = os.write(writer, b"x")
            ended = [(child, status) for child, status in (os.waitpid(child, os.WNOHANG) for child in children) if child]
            for child, status in ended:
                codes[children.pop(child)] = os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        os.close(reader)
        os.close(writer)
        winners = [process for process, code in codes.items() if code == 0]
        assert sorted(codes.values()) == [0] + [75] * (PROCESSES - 1), codes
        expected.append(f"22442026E{number * 100 + winners[0]:09d}")
    with ledger_at(ledger).opened() as opened:
        declared = [number for table in opened.all_tables() for rows in table.rows if table.table == "inventory" for number in rows["inventory_no"].to_pylist()]
    assert declared == expected
    assert check_ledger(ledger, runner.out, 0).problems == []
    assert sorted(path.name for path in (runner.out / "2026-10").iterdir()) == [f"202610-{n:02d}" for n in range(1, rounds + 1)]
    assert list(runner.out.glob(".work-*")) == []


def test_where_the_disk_does_not_keep_our_lock_sqlite_keeps_them_apart(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.run_rows([_inventory(1)])
    monkeypatch.setattr(SqliteLedgerAt, "locked", lambda *_: nullcontext())
    monkeypatch.setattr("aggregator.ledger.sqlite.store._BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(runner.out / "ledger.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        left = runner.out / "2026-10/.stage-of-the-other"
        left.mkdir()
        with pytest.raises(Busy, match="Another program"):
            runner.run_rows([_inventory(2)])
        assert left.exists(), "what the other run is making is not touched"


def test_who_reads_the_ledger_does_not_undo_a_run(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that takes long holds up the end of the transaction; the run waits for it."""
    runner.run_rows([_inventory(1)])
    monkeypatch.setattr("aggregator.ledger.sqlite.store._BUSY_SECONDS", 0.1)
    reader = (
        "import sqlite3, sys, time\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\nc.execute('BEGIN')\n"
        "c.execute('SELECT * FROM run').fetchall()\nprint('reads', flush=True)\ntime.sleep(3)"
    )
    with subprocess.Popen([sys.executable, "-c", reader, str(runner.out / "ledger.sqlite")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reads\n"
        outcome = runner.run_rows([_inventory(1), _inventory(2)])
        assert outcome.published
        assert process.wait() == 0, "it went on reading to its end"


def test_lock_wait(runner: Runner) -> None:
    from filelock import FileLock

    runner.write([_inventory(1)])
    runner.out.mkdir()
    command = ("run", "export.csv", "--period", "2026-10", "--out", "out")
    lock = FileLock(str(runner.out / "ledger.sqlite.lock"), preserve_lock_file=True)
    with lock:
        started = time.monotonic()
        result = aggregator(*command, "--lock-wait", "1.5", folder=runner.folder)
        assert result.returncode == 75
        assert "after 1.5 s" in result.stderr
        assert time.monotonic() - started > 1.5
    lock.acquire()
    process = subprocess.Popen(
        [sys.executable, "-m", "aggregator", *command, "--lock-wait", "60"], cwd=runner.folder, stdout=subprocess.PIPE, text=True
    )
    time.sleep(2)
    assert process.poll() is None
    lock.release()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output


def test_lock_of_a_killed_run_is_free_at_once(runner: Runner) -> None:
    runner.write([_inventory(1)])
    held = "import sys, time; from pathlib import Path; from aggregator.ledger.sqlite.store import locked\nwith locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    runner.out.mkdir()
    with subprocess.Popen([sys.executable, "-c", held, str(runner.out / "ledger.sqlite")], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy):
            runner.run_rows([_inventory(1)])
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert runner.run_rows([_inventory(1)]).published


def test_one_ledger_by_two_names_has_one_lock(runner: Runner) -> None:
    runner.run_rows([_inventory(1)])
    (runner.folder / "link.sqlite").symlink_to(runner.out / "ledger.sqlite")
    from aggregator.ledger.sqlite.store import locked

    with locked(runner.out / "ledger.sqlite"), pytest.raises(Busy):
        runner.run_rows([_inventory(2)], ledger=runner.folder / "link.sqlite")


# -------------------------------------------------------------------------------------------------- full and read-only disks


@contextmanager
def _disk(place: Path, options: str) -> Any:
    """A small disk of its own, where this may be made."""
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


needs_mount = pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="only root mounts disks")


@needs_mount
@pytest.mark.parametrize("kilobytes", [8, 40, 72, 104, 120, 136, 152, 168, 184, 200, 216, 232, 248, 280, 312, 376])
def test_full_disk_leaves_nothing_half_made(tmp_path: Path, kilobytes: int) -> None:
    export = Runner(tmp_path).write([_inventory(number) for number in range(300)])
    with _disk(tmp_path / "disk", f"size={kilobytes}k") as disk:
        command = ("run", str(export), "--period", "2026-10", "--first-period", "2026-09", "--out", str(disk / "out"), "--workers", "1")
        result = aggregator(*command, folder=tmp_path)
        assert "Traceback" not in result.stderr
        assert result.returncode in (0, 73, 74), result.stderr
        if result.returncode:
            assert "space" in result.stderr
            assert not list(disk.glob("out/2026-10/202610-*"))
            assert not list(disk.glob("out/2026-10/.stage*"))
        _remount(disk, "size=64m")
        again = aggregator(*command, folder=tmp_path)
        assert again.returncode == 0, again.stderr
        [declaration] = read_rows(disk / "out/2026-10/202610-01/declarations.csv")
        assert declaration["inventory_count"] == "300"
        assert check_ledger(disk / "out/ledger.sqlite", disk / "out", 0).problems == []


@needs_mount
def test_read_only_disk(tmp_path: Path) -> None:
    """What only looks works; what would write says so and changes nothing."""
    runner = Runner(tmp_path)
    export = runner.write([_inventory(1)])
    runner.write("inventory_no\n22442026E000000007\n", "elsewhere.csv")
    with _disk(tmp_path / "out", "size=16m"):
        runner.run(export)
        _remount(tmp_path / "out", "ro")
        expected: dict[tuple[str, ...], tuple[int, ...]] = {
            ("status", "--as-of", "2026-11-05"): (0,),
            ("ledger", "show"): (0,),
            ("ledger", "check"): (0,),
            ("ledger", "export", "tables"): (0,),
            ("ledger", "backup", "copy.sqlite"): (0,),
            ("run", "export.csv", "--period", "2026-10", "--dry-run"): (0,),
            ("run", "export.csv", "--period", "2026-10"): (73, 74),
            ("ledger", "void", "202610-01", "--reason", "wrong receipts"): (73, 74),
            ("ledger", "import", "elsewhere.csv"): (73, 74),
            ("ledger", "answer", "202610-01-A001", "accepted"): (73, 74),
            ("ledger", "migrate"): (73, 74),
        }
        for command, codes in expected.items():
            result = aggregator(*command, "--out", "out", folder=tmp_path)
            assert result.returncode in codes, (command, result.stderr)
            assert "Traceback" not in result.stderr
            if codes != (0,):
                assert "ead-only" in result.stderr, result.stderr
        doctor = aggregator("doctor", "--out", "out", folder=tmp_path)
        assert doctor.returncode == 3
        assert "mount the disk for writing" in doctor.stdout


def test_interrupt_after_recording_comes_too_late(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM between the ledger's transaction and the rename: what is declared is published."""
    import aggregator.jobs.publish as publish_module

    whole: Callable[..., None] = publish_module.publish

    def interrupted_publish(source: Path, target: Path) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        whole(source, target)

    before = signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    try:
        monkeypatch.setattr(publish_module, "publish", interrupted_publish)
        outcome = runner.run_rows([_inventory(1)])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert outcome.published
    assert (Path(outcome.folder) / "manifest.json").exists()
