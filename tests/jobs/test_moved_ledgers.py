"""`ledger migrate --to`: a ledger goes to another place with all it holds, and is used in that place alone from then on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from aggregator.jobs import ledger_move
from aggregator.jobs.ledger import answered, exported, void
from aggregator.jobs.ledger_check import check_ledger
from aggregator.jobs.ledger_move import moved
from aggregator.ledger import errors
from aggregator.ledger.at import ledger_at
from aggregator.ledger.ledger import Ledger
from aggregator.model.errors import StopRun, WrongConfiguration
from aggregator.model.place import Database, Place
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, row
from tests.postgres import PASSWORD, needs_postgres, server

pytestmark = needs_postgres


def _inventory(number: int, **cells: str) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"L{number}", **cells)


@pytest.fixture
def firm(runner: Runner) -> Runner:
    """With runs live and voided, an answer, what waits, what was imported."""
    path = runner.out / "ledger.sqlite"
    runner.run_rows([_inventory(1), _inventory(2, total_price="bad")])
    answered(path, "202610-01-A001", "refused", "späť 退单", NOW, 0)
    runner.run_rows([_inventory(1), _inventory(3)])
    void(path, "202610-02", "it's \"wrong\", \\ & 错误", NOW, 0, runner.out)
    runner.run_rows([_inventory(4)])
    return runner


def tables(place: Place) -> dict[str, list[dict[str, Any]]]:
    with ledger_at(place).opened() as ledger:
        return {each.table: [line for rows in each.rows for line in rows.to_pylist()] for each in ledger.all_tables()}


def _places(runner: Runner) -> tuple[Path, Database, Database, Path]:
    return runner.out / "ledger.sqlite", server().place((runner.folder, 1)), server().place((runner.folder, 2)), runner.folder / "kept/back.sqlite"


def test_there_and_back_everything_is_the_same_but_for_the_events_of_moving(firm: Runner) -> None:
    places = _places(firm)
    before = tables(places[0])
    for moves, (source, target) in enumerate(pairwise(places), 1):
        said = moved(source, target, NOW, 0, firm.out)
        assert str(target) in said.en
        assert str(target) in said.zh
        after = tables(target)
        assert after["event"][: len(before["event"])] == before["event"]
        assert [each["kind"] for each in after["event"][len(before["event"]) :] if each["kind"] != "sealed"] == ["moved_from"] * moves
        for name in before.keys() - {"event", "setting"}:
            assert after[name] == before[name], name
        with pytest.raises(errors.LedgerMoved, match="was moved to"):
            firm.run_rows([_inventory(9)], ledger=source)
        assert check_ledger(target, firm.out, 0).problems == []
    outcome = firm.run_rows([_inventory(1), _inventory(4), _inventory(5)], ledger=places[-1])
    assert (outcome.run_ref, outcome.counts["inventories_declared"], outcome.excluded) == ("202610-04", 2, {"known": 1})
    assert check_ledger(places[-1], firm.out, 0).problems == []


def test_a_moved_ledger_goes_on_where_it_was(firm: Runner) -> None:
    path, target, *_ = _places(firm)
    moved(path, target, NOW, 0, firm.out)
    outcome = firm.run_rows([_inventory(1), _inventory(4), _inventory(5)], ledger=target)
    assert (outcome.run_ref, outcome.counts["inventories_declared"], outcome.excluded) == ("202610-04", 2, {"known": 1})
    assert [run.folder for run in _runs(target)] == [firm.out / f"2026-10/202610-0{number}" for number in (1, 2, 3, 4)]
    for command in (("status",), ("trace", "D4"), ("ledger", "check"), ("ledger", "show"), ("doctor",)):
        result = aggregator(*command, "--out", "out", folder=firm.folder)
        assert "was moved to" in result.stdout + result.stderr, command


def _runs(place: Place) -> Any:
    with ledger_at(place).opened() as ledger:
        return ledger.runs()


def test_the_command_tells_no_password(firm: Runner) -> None:
    url = server().network_url("t_command_moves")
    result = aggregator("ledger", "migrate", "--to", url, "--out", "out", folder=firm.folder)
    assert (result.returncode, PASSWORD in result.stdout + result.stderr) == (0, False), result.stderr
    again = aggregator("ledger", "migrate", "--to", url, "--out", "out", folder=firm.folder)
    assert (again.returncode, PASSWORD in again.stdout + again.stderr) == (78, False)
    assert PASSWORD.encode() not in (firm.out / "ledger.sqlite").read_bytes()


def test_what_is_not_as_recorded_is_not_moved(firm: Runner) -> None:
    import sqlite3

    path, target, *_ = _places(firm)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE inventory SET items = '9/9' WHERE inventory_id = 1")
    connection.close()
    with pytest.raises(errors.LedgerAltered):
        moved(path, target, NOW, 0, firm.out)
    assert not ledger_at(target).exists()


def test_another_ledger_there_is_left_as_it_is(firm: Runner) -> None:
    path, target, *_ = _places(firm)
    Runner(firm.folder).run_rows([_inventory(7)], ledger=target, out=firm.folder / "elsewhere")
    before = tables(target), path.read_bytes()
    with pytest.raises(errors.OtherLedgerThere):
        moved(path, target, NOW, 0, firm.out)
    assert (tables(target), path.read_bytes()) == before
    server().execute(f"DROP SCHEMA {target.schema} CASCADE")
    server().execute(f"CREATE SCHEMA {target.schema}; CREATE TABLE {target.schema}.theirs (x int)")
    with pytest.raises(errors.LedgerRefused, match="another application"):
        moved(path, target, NOW, 0, firm.out)
    assert path.read_bytes() == before[1]


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("where", "copied"),
    [("aggregator.ledger.postgres.store.make_triggers", False), ("aggregator.ledger.postgres.store.found_altered", False), ("aggregator.ledger.sql.ledger.SqlLedger.record_moved", True)],
)
def test_cut_anywhere_it_is_given_again(firm: Runner, monkeypatch: pytest.MonkeyPatch, where: str, copied: bool) -> None:
    path, target, *_ = _places(firm)
    before = tables(path)
    child = os.fork()
    if not child:
        monkeypatch.setattr(where, _die)
        moved(path, target, NOW, 0, firm.out)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert tables(path) == before, "it is used as before"
    _until(lambda: not ledger_at(target).is_locked())
    assert ledger_at(target).exists() == copied
    moved(path, target, NOW, 0, firm.out)
    assert tables(target)["inventory"] == before["inventory"]
    with pytest.raises(errors.LedgerMoved):
        _runs(path)


def _until(so: Callable[[], bool]) -> None:
    import time

    for _ in range(200):
        if so():
            return
        time.sleep(0.05)
    raise AssertionError


def test_one_that_went_on_after_a_cut_is_not_overtaken_by_its_copy(firm: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target, *_ = _places(firm)

    def cut(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(ledger_move, "leave_head", cut)
        patch.setattr("aggregator.ledger.sql.ledger.SqlLedger.record_moved", cut)
        with pytest.raises(RuntimeError):
            moved(path, target, NOW, 0, firm.out)
    firm.run_rows([_inventory(6)])
    with pytest.raises(errors.OtherLedgerThere):
        moved(path, target, NOW, 0, firm.out)
    with pytest.raises(WrongConfiguration, match="lost or old"):
        firm.run_rows([_inventory(6)], ledger=target)


def test_a_backup_of_a_database_is_a_file_that_works(firm: Runner) -> None:
    path, target, *_ = _places(firm)
    moved(path, target, NOW, 0, firm.out)
    result = aggregator("ledger", "backup", "kept.sqlite", "--ledger", target.server_url + f"&schema={target.schema}", folder=firm.folder)
    assert result.returncode == 0, result.stderr
    kept = firm.folder / "kept.sqlite"
    assert tables(kept)["inventory"] == tables(target)["inventory"]
    assert check_ledger(kept, firm.out, 0).problems == []
    for place in (kept, target):
        exported(place, firm.folder / f"from-{type(place).__name__}")
    [one, other] = (pq.read_table(next(firm.folder.glob(f"from-{name}/inventories.parquet"))) for name in ("PosixPath", "Database"))
    assert one.equals(other)


def test_locked_by_a_run_it_waits_for_no_one(firm: Runner) -> None:
    path, target, *_ = _places(firm)
    for place in (path, target):
        with ledger_at(place).locked(), pytest.raises(StopRun) as stop:
            moved(path, target, NOW, 0, firm.out)
        assert stop.value.exit_code == 75
    assert not ledger_at(target).exists()
    assert isinstance(_ledger_of(path), str)


def _ledger_of(place: Place) -> str:
    with ledger_at(place).opened() as ledger:
        opened: Ledger = ledger
        return opened.ledger_id
