"""A clock that is set back between two commands: runs stay in order, nothing is declared twice, and whoever looks is told."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, row

RUN = ("run", "export.csv", "--period", "2026-10", "--first-period", "2026-09", "--out", "out", "--workers", "1", "--unfinished")


def _set_clock(monkeypatch: pytest.MonkeyPatch, back: timedelta) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return NOW - back

    monkeypatch.setattr("aggregator.cli.ending.datetime", Clock)


BACK = {"some hours": timedelta(hours=5), "a month": timedelta(days=31), "a year": timedelta(days=365)}


@pytest.mark.parametrize("back", BACK)
def test_runs_stay_in_order(runner: Runner, monkeypatch: pytest.MonkeyPatch, back: str) -> None:
    _set_clock(monkeypatch, timedelta())
    runner.write([row()])
    assert aggregator(*RUN, folder=runner.folder).returncode == 0
    _set_clock(monkeypatch, BACK[back])
    again = aggregator(*RUN, folder=runner.folder)
    assert "Nothing new to declare" in again.stdout
    runner.write([row(), row(inventory_no="22442026E000000002", order_no="2", waybill_no="2")])
    assert aggregator(*RUN, folder=runner.folder).returncode == 0
    assert (runner.out / "2026-10/202610-02").is_dir()
    assert aggregator("ledger", "void", "202610-02", "--reason", "x", "--out", "out", folder=runner.folder).returncode == 0
    _set_clock(monkeypatch, timedelta())
    assert aggregator(*RUN, folder=runner.folder).returncode == 0
    assert aggregator("ledger", "check", "--out", "out", folder=runner.folder).returncode == 0
    [period] = json.loads(aggregator("status", "--period", "2026-10", "--json", "--out", "out", folder=runner.folder).stdout)["periods"]
    assert (period["declared"], period["runs"]) == (2, ["202610-01", "202610-03"])


@pytest.mark.parametrize(("back", "told"), [("some hours", False), ("a month", True), ("a year", True)])
def test_whoever_looks_is_told(runner: Runner, monkeypatch: pytest.MonkeyPatch, back: str, told: bool) -> None:
    runner.run_rows([row()])
    _set_clock(monkeypatch, BACK[back])
    for command in ("status", "doctor"):
        for lang, says in (("en", "run 202610-01 was recorded at 2026-11-05"), ("zh", "请校正时钟")):
            result = aggregator(command, "--out", "out", folder=runner.folder, lang=lang)
            assert (result.returncode, says in result.stdout) == ((3, True) if told else (0, False)), result.stdout
        assert aggregator(command, "--out", "out", "--as-of", "2025-11-05", folder=runner.folder).returncode == 0, "the day is the user's own"


def test_before_any_rule_nothing_is_checked(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that begins anew with every start of its machine."""
    runner.write([row()])
    _set_clock(monkeypatch, NOW - NOW.replace(year=2015))
    for command in (("check", "export.csv"), ("check", "export.csv", "--receipts", "export.csv"), RUN[:2] + RUN[6:]):
        result = aggregator(*command, folder=runner.folder)
        assert (result.returncode, "before the rule" in result.stderr) == (2, True), result.stderr
