"""The first period a ledger answers for, and periods that see the same inventories: none hides what another has to declare."""

from __future__ import annotations

import json

import pytest

from aggregator.model.period import Period
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row

OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)
SEPTEMBER = Period(2026, 9)
RUN = ("run", "export.csv", "--out", "out", "--as-of", "2026-12-05", "--workers", "1")
FAULTY = row(goods_name="")


def states(runner: Runner, period: Period) -> tuple[int, list[tuple[str, str]]]:
    """What is undeclared of a period, and why."""
    result = aggregator("status", "--period", str(period), "--out", "out", "--as-of", "2026-12-05", "--json", folder=runner.folder)
    [one] = json.loads(result.stdout)["periods"]
    return one["undeclared"], [(each["fate"], each["reason"]) for each in one["waiting"]]


def first_period(runner: Runner, period: str) -> tuple[int, str]:
    result = aggregator("ledger", "first-period", period, "--out", "out", "--reason", "typing error", folder=runner.folder)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_first_period_after_the_period_is_refused(runner: Runner, more: tuple[str, ...]) -> None:
    runner.write([row()])
    result = aggregator(*RUN, "--period", "2026-10", "--first-period", "2026-11", *more, folder=runner.folder)
    assert (result.returncode, runner.out.exists()) == (2, False)
    assert "--first-period 2026-11 is after the period 2026-10" in result.stderr


def test_first_period_is_corrected_as_long_as_nothing_was_declared(runner: Runner) -> None:
    september = row(inventory_no="22442026E000000002", order_no="2", waybill_no="2", cleared_at="2026-09-20 10:00:00")
    runner.write([FAULTY, september])
    command = (*RUN, "--period", "2026-10")
    assert aggregator(*command, "--first-period", "2026-10", folder=runner.folder).returncode == 3
    assert states(runner, SEPTEMBER) == (0, [("excluded", "before_ledger")])
    reported = aggregator(*command, "--first-period", "2026-09", folder=runner.folder)
    assert (reported.returncode, "ledger first-period" in reported.stderr) == (78, True)
    assert first_period(runner, "2026-09") == (0, "The ledger answers for 2026-09 and later (it was 2026-10).\n")
    assert states(runner, SEPTEMBER) == (1, [("excluded", "")]), "it is to be declared now"
    assert first_period(runner, "2026-09")[0] == 0
    assert aggregator("ledger", "check", "--out", "out", folder=runner.folder).returncode == 0
    run = aggregator(*command, folder=runner.folder)
    assert "declared 1 inventory (1 late)" in run.stdout
    code, said = first_period(runner, "2026-08")
    assert (code, "1 inventory was declared under it" in said) == (78, True)
    assert first_period(runner, "2026-09")[0] == 0, "nothing is changed by it"


def test_first_period_of_a_ledger_of_imports_and_of_a_voided_run(runner: Runner) -> None:
    runner.write("inventory_no\n22442026E000000900\n", "elsewhere.csv")
    assert aggregator("ledger", "import", "elsewhere.csv", "--out", "out", folder=runner.folder).returncode == 0
    assert first_period(runner, "2026-10") == (0, "The ledger answers for 2026-10 and later.\n")
    assert first_period(runner, "2126-10")[0] == 2
    runner.write([row()])
    assert aggregator(*RUN, "--period", "2026-10", folder=runner.folder).returncode == 0
    assert first_period(runner, "2026-09")[0] == 78
    assert aggregator("ledger", "void", "202610-01", "--reason", "wrong receipts", "--out", "out", folder=runner.folder).returncode == 0
    assert first_period(runner, "2026-09")[0] == 0


DATED, UNDATED = {"goods_name": ""}, {"cleared_at": "10/15"}
OTHERS = {
    "earlier": {"period": SEPTEMBER},
    "later": {"period": NOVEMBER},
    "later, held back": {"period": NOVEMBER, "late": False},
    "later, by the user's word": {"period": NOVEMBER, "assume_cleared": True},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("cells", [DATED, UNDATED], ids=["dated", "undated"])
def test_a_run_of_another_period_hides_no_rejection(runner: Runner, cells: dict[str, str], other: str) -> None:
    path = runner.write([row(**cells)])
    runner.run(path)
    before = states(runner, OCTOBER)
    assert (before[0], before[1][0][0]) == (1, "rejected")
    runner.run(path, **{"first_period": None, "unfinished": True, **OTHERS[other]})
    assert states(runner, OCTOBER) == before


@pytest.mark.parametrize("other", [{"period": NOVEMBER}, {"period": SEPTEMBER}], ids=["later", "earlier"])
def test_a_run_without_the_receipts_hides_no_rejection_of_another_period(runner: Runner, other: dict[str, Period]) -> None:
    path = runner.write([row(**DATED, status_code="", cleared_at="")])
    receipts = runner.write("message,inventory_no,status_code,cleared_at\nCEB604,22442026E000000001,899,20261015100000000\n", "r.csv")
    runner.run(path, receipts=(receipts,))
    before = states(runner, OCTOBER)
    assert before == (1, [("rejected", "R101")])
    runner.run(path, first_period=None, unfinished=True, **other)
    assert states(runner, OCTOBER) == before
    runner.run(path)
    assert states(runner, OCTOBER) == (0, [("excluded", "not_cleared")]), "a run of its own period is believed"


def test_what_was_voided_is_still_undeclared_after_a_run_of_another_period(runner: Runner) -> None:
    path = runner.write([row()])
    outcome = runner.run(path)
    assert aggregator("ledger", "void", outcome.run_ref, "--reason", "wrong receipts", "--out", "out", folder=runner.folder).returncode == 0
    assert states(runner, OCTOBER) == (1, [("voided", "")])
    runner.run(path, period=SEPTEMBER)
    assert states(runner, OCTOBER) == (1, [("voided", "")])


def test_corrected_rejections_are_declared_by_a_run_of_any_later_period(runner: Runner) -> None:
    runner.run_rows([row(**UNDATED), row(**DATED, inventory_no="22442026E000000002", order_no="2", waybill_no="2")])
    assert states(runner, OCTOBER)[0] == 2
    outcome = runner.run_rows([row(), row(inventory_no="22442026E000000002", order_no="2", waybill_no="2")], period=NOVEMBER, unfinished=True)
    assert outcome.counts["inventories_late"] == 2
    assert states(runner, OCTOBER) == (0, [])
    assert states(runner, NOVEMBER) == (0, [])


def test_cancelled_ones_are_no_longer_undeclared_whatever_run_sees_it(runner: Runner) -> None:
    path = runner.write([FAULTY])
    runner.run(path)
    receipts = runner.write("message,inventory_no,status_code,cleared_at\nCEB606,22442026E000000001,399,20261103000000000\n", "r.csv")
    runner.run(path, period=NOVEMBER, unfinished=True, receipts=(receipts,))
    assert states(runner, OCTOBER) == (0, [("excluded", "cancelled")])
