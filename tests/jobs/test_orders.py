"""Business to business from exports to declarations, lists and messages: routes at their limits, what is sent, orders filed once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from aggregator.jobs.ledger import imported, void
from aggregator.jobs.receive import Received, receive
from aggregator.jobs.status import status
from aggregator.jobs.trace import trace
from aggregator.ledger.at import ledger_at
from aggregator.ledger.errors import RunAnswered
from aggregator.model.company import Company
from aggregator.model.errors import Exit, UnusableInput, WrongConfiguration
from aggregator.model.outcome import Outcome
from aggregator.model.period import Period
from aggregator.model.records import Run
from aggregator.reports.status import status_as_json, status_lines
from aggregator.reports.summary import as_json, summary
from aggregator.schemas.messages import NAMESPACE
from aggregator.schemas.modes import mode_of
from aggregator.schemas.modes.m9710.limits import LIST_CNY
from aggregator.schemas.modes.m9710.reasons import REASONS
from aggregator.schemas.sources import SOURCES
from tests.conftest import NOW, Runner, parameters, read_rows, row
from tests.market import run_market, slip_line, total
from tests.orders import CUSTOMS, PLATFORM, order_line, priced, routed, run_orders

XSD = Path(__file__).parents[3] / "shared" / "ceb" / "xsd"
"""The official schemas, where somebody has them beside the project."""
OTHER_PLATFORM = "4403960P02"
TARIFF = "商品编码,法定第一单位,检验检疫类别,出口关税率\n6109100010,件,{inspection},{duty}\n"


@pytest.mark.parametrize(
    ("cells", "route"),
    [
        # At 7.15: 699.30 × 7.15 = 4,999.995, rounded half up 5,000.00; 699.31 × 7.15 = 5,000.0665, rounded 5,000.07.
        ({"total_price": "699.30"}, ("list", "5000.00", "within_limit")),
        ({"total_price": "699.31"}, ("declaration", "5000.07", "over_limit")),
        ({"currency_code": "142", "total_price": "5000.00"}, ("list", "5000.00", "within_limit")),
        ({"currency_code": "142", "total_price": "5000.01"}, ("declaration", "5000.01", "over_limit")),
        ({"licence_no": "26-XK-1"}, ("declaration", "71.50", "licence")),
        ({"inspection_flag": "是"}, ("declaration", "71.50", "inspection")),
        ({"duty_flag": "Y"}, ("declaration", "71.50", "duty")),
        ({"inspection_flag": ""}, ("declaration", "71.50", "unknown_inspection")),
        ({"duty_flag": "", "inspection_flag": "", "licence_no": "1", "total_price": "700"}, ("declaration", "5005.00", "over_limit;licence;unknown_inspection;unknown_duty")),
    ],
)  # fmt: skip
def test_route(runner: Runner, cells: dict[str, str], route: tuple[str, str, str]) -> None:
    outcome = run_orders(runner, [priced(**{"total": "10.00", **_total(cells)})])
    assert routed(runner, outcome) == {"B2B-2026-0001": route}
    assert len(runner.results(outcome, "declarations")) == (route[0] == "declaration")


def _total(cells: dict[str, str]) -> dict[str, str]:
    return {("total" if name == "total_price" else name): value for name, value in cells.items()}


@pytest.mark.parametrize(("changes", "reasons"), [({"company": Company(refund=True)}, "refund"), ({"company": Company(refund=False)}, "within_limit"), ({"route": "declaration"}, "chosen")])
def test_route_of_the_firm(runner: Runner, changes: dict[str, Any], reasons: str) -> None:
    outcome = run_orders(runner, [priced("10.00")], **changes)
    assert routed(runner, outcome)["B2B-2026-0001"] == ("list" if reasons == "within_limit" else "declaration", "71.50", reasons)


@pytest.mark.parametrize(("inspection", "duty", "reasons"), [("", "", "within_limit"), ("A/B", "", "inspection"), ("", "20%", "duty"), ("", "0", "within_limit")])
def test_blank_flags_are_those_of_the_tariff(runner: Runner, inspection: str, duty: str, reasons: str) -> None:
    tariff = runner.write(TARIFF.format(inspection=inspection, duty=duty), "tariff.csv")
    outcome = run_orders(runner, [priced("10.00", inspection_flag="", duty_flag="")], tariff=tariff)
    assert routed(runner, outcome)["B2B-2026-0001"][2] == reasons


def test_one_order_one_declaration(runner: Runner) -> None:
    rows = [
        order_line(order_no="B2", item_no="2", goods_value="1000"), order_line(order_no="B2", goods_value="1000"), priced("900", order_no="B1", platform_code=OTHER_PLATFORM),
        priced("900", order_no="B10"), priced("10", order_no="B3"),
    ]  # fmt: skip
    outcome = run_orders(runner, rows)
    declarations = runner.results(outcome, "declarations")
    # By platform and order number, by code point.
    assert [(each["declaration_ref"][-2:], each["platform_code"], each["order_no"], each["item_count"]) for each in declarations] == [
        ("01", PLATFORM, "B10", "1"), ("02", PLATFORM, "B2", "2"), ("03", OTHER_PLATFORM, "B1", "1"),
    ]  # fmt: skip
    assert {(each["attached_document_category_code"], each["attached_document_no"] == each["order_no"]) for each in declarations} == {("10000004", True)}
    items = runner.results(outcome, "declaration_items")
    assert [(each["declaration_ref"][-2:], each["declaration_item_no"]) for each in items] == [("01", "1"), ("02", "1"), ("02", "2"), ("03", "1")]
    routes = runner.results(outcome, "routes")
    assert [(each["platform_code"], each["order_no"]) for each in routes] == [(PLATFORM, "B10"), (PLATFORM, "B2"), (PLATFORM, "B3"), (OTHER_PLATFORM, "B1")]
    # The list counts as declared, though it is in no declaration.
    [totals] = [each for each in runner.results(outcome, "control_totals") if each["column"] == "total_price"]
    assert (totals["read"], totals["declared"], total(items, "total_price")) == ("2810.00000", "2810.00000", 2800)


def test_audit_map_holds_lists_without_a_declaration(runner: Runner) -> None:
    outcome = run_orders(runner, [priced("10", order_no="B/1"), priced("900", order_no="B2")], formats=("csv",))
    audited = read_rows(Path(outcome.folder) / "audit_map.csv")
    assert [(each["inventory_no"], each["order_no"], each["declaration_ref"], each["declaration_item_no"]) for each in audited] == [
        ("B/1", "B/1", "", ""), ("B2", "B2", "202610-01-000001", "1"),
    ]  # fmt: skip


def test_the_same_number_on_two_platforms_is_two_orders(runner: Runner) -> None:
    rows = [priced("10"), priced("900", platform_code=OTHER_PLATFORM)]
    outcome = run_orders(runner, rows)
    assert (outcome.counts["inventories_declared"], outcome.findings) == (2, {"B215": 1})
    assert run_orders(runner, rows[:1]).excluded == {"known": 1}


def test_an_order_of_the_ledger_with_other_content_is_rejected(runner: Runner) -> None:
    run_orders(runner, [priced("900")])
    outcome = run_orders(runner, [priced("900", sku="TS-002")])
    assert (outcome.exit_code, outcome.findings) == (Exit.WAITING, {"B101": 1})
    [finding] = runner.results(outcome, "findings")
    assert (finding["inventory_no"], finding["item_no"], finding["column"]) == ("B2B-2026-0001", "1", "sku")
    assert finding["value"] == "TS-001 → TS-002 @ 202610-01-000001/1"


def test_a_list_of_the_ledger_with_other_content_is_rejected(runner: Runner) -> None:
    run_orders(runner, [priced("10")])
    outcome = run_orders(runner, [priced("10", freight="3")])
    [finding] = runner.results(outcome, "findings")
    assert (finding["code"], finding["inventory_no"], finding["column"], finding["value"]) == ("B101", "B2B-2026-0001", "freight", "20.00000 → 3.00000 @ 202610-01")


def test_no_rate_stops_the_run(runner: Runner) -> None:
    with pytest.raises(WrongConfiguration, match="USD 2026-11-01"):
        run_orders(runner, [order_line(export_on="2026-11-01")])
    outcome = run_orders(runner, [priced("10"), order_line(order_no="X", trade_mode_code="0110", export_on="2026-11-01")])
    assert (outcome.counts["inventories_declared"], outcome.excluded) == (1, {"other_mode": 1})


# -------------------------------------------------------------------------------------------------------------------- messages


def messages(outcome: Outcome, folder: str) -> list[Any]:
    return [etree.parse(path) for path in sorted((Path(outcome.folder) / folder).glob("*.xml"))]


def values(message: Any, name: str) -> list[str]:
    return [each.text for each in message.iter(f"{{{NAMESPACE}}}{name}")]


@pytest.mark.parametrize("edition", ["202205", "2018-113"])
def test_messages_are_valid(runner: Runner, edition: str) -> None:
    rows = [
        priced("10", order_no="B1", goods_spec="a<b & c>d", barcode="6901234567892", enterprise_goods_name=""), priced("900", order_no="B2", freight="", insurance=""),
        order_line(order_no="B3", item_no="2", goods_value=""), order_line(order_no="B3", goods_value="", barcode="6901234567892"),
    ]  # fmt: skip
    outcome = run_orders(runner, rows, customs=CUSTOMS, edition=edition)
    assert (outcome.messages, outcome.counts["inventories_declared"]) == (2, 3)
    [order], [listed] = messages(outcome, "orders"), messages(outcome, "inventories")
    assert (values(order, "orderNo"), values(listed, "orderNo")) == (["B1", "B2", "B3"], ["B1"])
    assert (values(order, "orderType"), values(order, "freight"), values(order, "goodsValue")) == (["B"] * 3, ["20", "0", "20"], ["10", "900", "1000"])
    assert (values(order, "gnum"), values(order, "itemName")[0]) == (["1", "1", "1", "2"], "棉制T恤衫")
    assert (values(listed, "tradeMode"), values(listed, "fFlag"), values(listed, "gmodel"), values(listed, "ieDate")) == (["9710"], ["3"], ["a<b & c>d"], ["20261015"])
    assert (values(listed, "barCode"), values(order, "barCode")) == (["6901234567892"], ["6901234567892"] * 2)
    if XSD.exists():
        schema = etree.XMLSchema(etree.parse(XSD / edition / "export-business.xsd"))
        for message in (order, listed):
            schema.assertValid(message)


def test_a_message_holds_a_hundred_orders(runner: Runner) -> None:
    outcome = run_orders(runner, [priced("10", order_no=f"B{n:03d}") for n in range(201)], customs=CUSTOMS)
    assert [len(values(each, "orderNo")) for folder in ("orders", "inventories") for each in messages(outcome, folder)] == [100, 100, 1] * 2
    guids = [guid for folder in ("orders", "inventories") for each in messages(outcome, folder) for guid in [*values(each, "guid"), each.getroot().get("guid")]]
    assert len(set(guids)) == len(guids) == 2 * (201 + 3)


def test_without_customs_nothing_is_sent(runner: Runner) -> None:
    outcome = run_orders(runner, [priced("10")])
    assert outcome.messages is None
    assert not list(Path(outcome.folder).rglob("*.xml"))


def test_the_declarant_is_that_of_the_config_where_the_order_says_none(runner: Runner) -> None:
    outcome = run_orders(runner, [priced("10", declarant_code="", declarant_name="")])
    assert (outcome.counts["inventories_rejected"], outcome.findings) == (1, {"I112": 2})
    customs = replace(CUSTOMS, declarant_code="4403180009", declarant_name="深圳申报行")
    outcome = run_orders(runner, [priced("10", declarant_code="", declarant_name="")], customs=customs)
    [listed] = messages(outcome, "inventories")
    assert (values(listed, "agentCode"), values(listed, "agentName")) == (["4403180009"], ["深圳申报行"])


# --------------------------------------------------------------------------------------------------- what customs answers


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


def test_orders_filed_elsewhere_are_known(runner: Runner) -> None:
    rows = [priced("10", order_no="B-1"), priced("10", order_no="B-1", platform_code=OTHER_PLATFORM)]
    runner.out.mkdir()
    listed = runner.write(f"电商平台代码,订单编号\n{PLATFORM},B-1\n{PLATFORM},B-1\n", "elsewhere.csv")
    text = imported(mode_of("9710"), runner.out / "ledger.sqlite", runner.out, listed, 1 << 20, NOW, 0)
    assert "1" in text.en
    outcome = run_orders(runner, rows)
    assert (outcome.counts["inventories_declared"], outcome.excluded) == (1, {"known": 1})
    with pytest.raises(UnusableInput, match="platform_code"):
        imported(mode_of("9710"), runner.out / "ledger.sqlite", runner.out, runner.write("order_no\nB-2\n", "lacks.csv"), 1 << 20, NOW, 0)


def test_orders_are_counted_by_period(runner: Runner, answers: Answers) -> None:
    run_orders(runner, [priced("10", order_no="B1")])
    run_orders(runner, [priced("10", order_no="B2")], period=Period(2026, 9))
    answers.take(order_receipt("B2", "120"))
    found = status_as_json(status(parameters(out=runner.out, period=None).for_status(3), NOW.date()), 3)
    assert [(each["period"], each["orders"]["filed"], each["orders"]["accepted"]) for each in found["periods"]] == [("2026-09", 0, 1), ("2026-10", 1, 0)]
    assert (found["orders"]["filed"], found["orders"]["accepted"]) == (1, 1)


def test_lines_that_stand_twice_count_once(runner: Runner) -> None:
    rows = [order_line(order_no="B1", goods_value="1000"), order_line(order_no="B1", item_no="2", goods_value="1000"), priced("699.30", order_no="B2")]
    outcome = run_orders(runner, [*rows, *rows])
    assert routed(runner, outcome) == {"B1": ("declaration", "7150.00", "over_limit"), "B2": ("list", "5000.00", "within_limit")}
    assert (outcome.counts["lines_declared"], outcome.counts["lines_excluded"], outcome.excluded) == (3, 3, {"repeat": 2})


def test_orders_say_nothing_of_where_the_ledger_begins(runner: Runner) -> None:
    run_orders(runner, [priced("10")])
    before = runner.run_rows([row(cleared_at="2026-09-30 10:00:00")], period=Period(2026, 9), first_period=None)
    assert before.counts["inventories_declared"] == 1


def test_reasons_are_counted_and_shown_with_their_sources(runner: Runner) -> None:
    outcome = run_orders(runner, [priced("900", order_no="B1", inspection_flag="1"), priced("900", order_no="B2"), priced("10", order_no="B3")])
    assert outcome.routes == {"over_limit": 2, "inspection": 1, "within_limit": 1}
    assert outcome.counts["lists"] == 1
    assert as_json(outcome)["routes"] == outcome.routes
    assert any("over_limit 2: over RMB 5,000.00" in line for line in summary(outcome, "en", dry_run=False))
    page = (Path(outcome.folder) / "report.html").read_text(encoding="utf-8")
    assert "[UNVERIFIED]" in page
    assert str(LIST_CNY.cite) in page


def test_every_reason_of_a_route_is_in_the_register() -> None:
    assert list(REASONS) == ["over_limit", "licence", "duty", "inspection", "refund", "unknown_inspection", "unknown_duty", "chosen", "within_limit"]
    assert all(cite.source in SOURCES for _, cites in REASONS.values() for cite in cites)
