"""What customs answers to orders and their lists: states, what a refusal frees, and how an order is found again."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator.jobs.ledger import void
from aggregator.jobs.receive import Received, receive
from aggregator.jobs.status import status
from aggregator.jobs.trace import trace
from aggregator.ledger.at import ledger_at
from aggregator.ledger.errors import RunAnswered
from aggregator.model.period import Period
from aggregator.model.records import Run
from aggregator.reports.status import status_as_json, status_lines
from aggregator.schemas.messages import NAMESPACE
from aggregator.schemas.modes import mode_of
from tests.conftest import NOW, Runner, parameters, row
from tests.market import run_market, slip_line
from tests.orders import PLATFORM, priced, run_orders

OTHER_PLATFORM = "4403960P02"


def order_receipt(order: str, status: str, at: str = "20261106100000000", info: str = "", platform: str = PLATFORM) -> str:
    return (
        f"<ceb:OrderReturn><ceb:guid>{'0' * 36}</ceb:guid><ceb:ebpCode>{platform}</ceb:ebpCode><ceb:ebcCode>91440300MA5F0A1B2N</ceb:ebcCode>"
        f"<ceb:orderNo>{order}</ceb:orderNo><ceb:returnStatus>{status}</ceb:returnStatus><ceb:returnTime>{at}</ceb:returnTime>"
        f"<ceb:returnInfo>{info}</ceb:returnInfo></ceb:OrderReturn>"
    )


def list_receipt(order: str, status: str, at: str = "20261107100000000", number: str = "22442026E000000077", platform: str = PLATFORM) -> str:
    return (
        f"<ceb:InventoryReturn><ceb:guid>{'0' * 36}</ceb:guid><ceb:agentCode>4403180001</ceb:agentCode><ceb:copNo>IN0001</ceb:copNo>"
        f"<ceb:preNo>B20261107000000001</ceb:preNo><ceb:invtNo>{number}</ceb:invtNo><ceb:ebcCode>91440300MA5F0A1B2N</ceb:ebcCode>"
        f"<ceb:ebpCode>{platform}</ceb:ebpCode><ceb:orderNo>{order}</ceb:orderNo><ceb:statisticsFlag>B</ceb:statisticsFlag>"
        f"<ceb:returnStatus>{status}</ceb:returnStatus><ceb:returnTime>{at}</ceb:returnTime><ceb:returnInfo>-</ceb:returnInfo></ceb:InventoryReturn>"
    )


class Answers:
    """Messages of customs, received one by one."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.count = runner, 0

    def take(self, *receipts: str, **changes: Any) -> Received:
        self.count += 1
        root = "CEB304Message" if "OrderReturn" in receipts[0] else "CEB604Message"
        text = f'<?xml version="1.0" encoding="UTF-8"?><ceb:{root} guid="{"A" * 36}" version="1.0" xmlns:ceb="{NAMESPACE}">{"".join(receipts)}</ceb:{root}>'
        path = self.runner.write(text, f"answer-{self.count}.xml")
        return receive(parameters(path, out=self.runner.out, **changes).for_receive(), NOW)

    def states(self) -> dict[str, int]:
        found = status_as_json(status(parameters(out=self.runner.out, period=None).for_status(3), NOW.date()), 3)["orders"]
        return {state: count for state, count in found.items() if count}


@pytest.fixture
def answers(runner: Runner) -> Answers:
    return Answers(runner)


@pytest.mark.parametrize(
    ("order_status", "list_status", "state"),
    [
        ("", "", "filed"), ("1", "", "filed"), ("2", "", "filed"), ("3", "", "filed"), ("120", "", "accepted"), ("399", "", "accepted"), ("100", "", "refused"),
        ("-301008", "", "refused"), ("-301010", "", "refused"), ("120", "300", "accepted"), ("120", "500", "accepted"), ("120", "120", "listed"),
        ("120", "399", "listed"), ("120", "800", "released"), ("120", "899", "cleared"), ("", "899", "cleared"), ("120", "100", "refused"), ("120", "-1", "refused"),
    ],
)  # fmt: skip
def test_states_of_orders(runner: Runner, answers: Answers, order_status: str, list_status: str, state: str) -> None:
    run_orders(runner, [priced("10", order_no="B1")])
    if order_status:
        answers.take(order_receipt("B1", order_status))
    if list_status:
        answers.take(list_receipt("B1", list_status))
    assert answers.states() == {state: 1}


def test_the_latest_answer_counts_in_whatever_order_they_come(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("10", order_no="B1"), priced("10", order_no="B2")])
    answers.take(list_receipt("B1", "899", at="20261109100000000"), list_receipt("B2", "100", at="20261109100000000"))
    answers.take(list_receipt("B1", "100", at="20261108100000000"), list_receipt("B2", "800", at="20261110100000000", number="22442026E000000078"))
    assert answers.states() == {"cleared": 1, "released": 1}


def test_we_have_it_already_undoes_nothing(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("900", order_no="B1")])
    answers.take(order_receipt("B1", "120"))
    received = answers.take(order_receipt("B1", "-301010", at="20261108100000000"))
    assert (answers.states(), received.orders["accepted"], received.documents) == ({"accepted": 1}, 1, {"order_receipts": 1})


def test_receipts_of_other_orders_are_quarantined_where_the_file_was_named(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("900", order_no="B1")])
    received = answers.take(order_receipt("B1", "120"), order_receipt("B1", "120", platform=OTHER_PLATFORM), order_receipt("X", "120"))
    [aside] = received.aside
    assert (f"{PLATFORM}/X, {OTHER_PLATFORM}/B1 (2)" in aside.why.en, answers.states()) == (True, {"accepted": 1})
    folder = runner.folder / "answers"
    folder.mkdir()
    (runner.folder / "answer-1.xml").rename(folder / "a.xml")
    (folder / "a.xml").write_text((folder / "a.xml").read_text().replace("120", "399"))
    received = receive(parameters(folder, out=runner.out).for_receive(), NOW)
    assert (received.aside, received.documents) == ([], {"order_receipts": 1, "receipts_of_other_orders": 2})


def test_an_inventory_of_retail_is_no_list_of_an_order(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("10", order_no="B1")])
    received = answers.take(list_receipt("D9", "899"))
    assert (received.documents, answers.states()) == ({"inventory_receipts": 1}, {"filed": 1})


def test_a_refused_order_is_filed_anew_once(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("10", order_no="B1"), priced("10", order_no="B2")])
    answers.take(order_receipt("B1", "100"), order_receipt("B2", "120"))
    again = run_orders(runner, [priced("10", order_no="B1", freight="3"), priced("10", order_no="B2")])
    assert (again.counts["inventories_declared"], again.excluded, answers.states()) == (1, {"known": 1}, {"filed": 1, "accepted": 1})
    third = run_orders(runner, [priced("10", order_no="B1", freight="3")])
    assert (third.published, third.excluded) == (False, {"known": 1})
    answers.take(order_receipt("B1", "120", at="20261109100000000"))
    assert answers.states() == {"accepted": 2}
    with ledger_at(runner.out / "ledger.sqlite").opened() as ledger:
        assert ledger.altered() == []


def test_voiding_what_filed_a_refused_order_anew_leaves_it_refused(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("10", order_no="B1")])
    answers.take(order_receipt("B1", "100"))
    run_orders(runner, [priced("10", order_no="B1", freight="3")])
    void(runner.out / "ledger.sqlite", "202610-02", "test", NOW, 0)
    assert answers.states() == {"refused": 1}
    assert run_orders(runner, [priced("10", order_no="B1")]).counts["inventories_declared"] == 1


def test_a_run_whose_orders_were_answered_cannot_be_voided(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("10", order_no="B1")])
    answers.take(order_receipt("B1", "3"))
    with pytest.raises(RunAnswered, match="B1"):
        void(runner.out / "ledger.sqlite", "202610-01", "test", NOW, 0)


def traced(runner: Runner, *numbers: str) -> list[dict[str, str]]:
    return [row for table in trace(runner.out / "ledger.sqlite", set(numbers)) for row in table.to_pylist()]


def test_trace_goes_both_ways(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("900", order_no="B/1"), priced("10", order_no="B/2"), priced("10", order_no="B/1", platform_code=OTHER_PLATFORM)])
    answers.take(list_receipt("B/2", "899", number="22442026E000000077"))
    [declared] = traced(runner, "202610-01-000001/1")
    assert (declared["inventory_no"], declared["order_no"], declared["declaration_ref"], declared["list_no"]) == ("B/1", "B/1", "202610-01-000001", "")
    [listed] = traced(runner, "22442026E000000077")
    assert (listed["order_no"], listed["platform_code"], listed["declaration_ref"], listed["list_no"]) == ("B/2", PLATFORM, "", "22442026E000000077")
    assert traced(runner, "B/2") == [listed]
    assert [(each["platform_code"], each["declaration_ref"]) for each in traced(runner, "B/1")] == [(PLATFORM, "202610-01-000001"), (OTHER_PLATFORM, "")]
    assert [each["platform_code"] for each in traced(runner, f"{OTHER_PLATFORM}/B/1")] == [OTHER_PLATFORM]


def test_modes_may_share_a_ledger(runner: Runner, answers: Answers) -> None:
    runner.run_rows([row(), row(inventory_no="22442026E000000002", net_weight_kg="x")])
    run_orders(runner, [priced("900", order_no="B1"), priced("10", order_no="B2"), priced("10", order_no="B3", net_weight_kg="x")])
    run_market(runner, [slip_line(), slip_line(trade_slip_no="T2", licence_flag="1")])
    answers.take(order_receipt("B1", "120"))
    for mode, own, others in (("9610", (1, 1), {"9710": 2, "1039": 1}), ("9710", (2, 1), {"9610": 1, "1039": 1}), ("1039", (1, 1), {"9610": 1, "9710": 2})):
        found = status_as_json(status(parameters(out=runner.out, mode=mode_of(mode)).for_status(3), NOW.date()), 3)
        [period] = found["periods"]
        assert (period["declared"], period["undeclared"]) == own
        assert {code: each["declared"] for code, each in period["others"].items()} == others
        assert period["orders"] == found["orders"]
        assert {state: count for state, count in found["orders"].items() if count} == {"filed": 1, "accepted": 1}
        assert status_lines(status(parameters(out=runner.out, mode=mode_of(mode)).for_status(3), NOW.date()), 3, "en")[-1] == "Orders (9710): filed 1, accepted 1"
    assert {run.mode for run in _runs(runner)} == {"9610", "9710", "1039"}


def _runs(runner: Runner) -> list[Run]:
    with ledger_at(runner.out / "ledger.sqlite").opened() as ledger:
        return ledger.runs()


def test_orders_are_counted_by_period(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("10", order_no="B1")])
    run_orders(runner, [priced("10", order_no="B2")], period=Period(2026, 9))
    answers.take(order_receipt("B2", "120"))
    found = status_as_json(status(parameters(out=runner.out, period=None).for_status(3), NOW.date()), 3)
    assert [(each["period"], each["orders"]["filed"], each["orders"]["accepted"]) for each in found["periods"]] == [("2026-09", 0, 1), ("2026-10", 1, 0)]
    assert (found["orders"]["filed"], found["orders"]["accepted"]) == (1, 1)
