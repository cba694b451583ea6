"""Business to business from exports to declarations, lists and messages: routes at their limits, what is sent, orders filed once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from aggregator.jobs.ledger import imported
from aggregator.model.company import Company
from aggregator.model.errors import Exit, UnusableInput, WrongConfiguration
from aggregator.model.outcome import Outcome
from aggregator.model.period import Period
from aggregator.reports.summary import as_json, summary
from aggregator.schemas.messages import NAMESPACE
from aggregator.schemas.modes import mode_of
from aggregator.schemas.modes.m9710.limits import LIST_CNY
from aggregator.schemas.modes.m9710.reasons import REASONS
from aggregator.schemas.sources import SOURCES
from tests.conftest import NOW, Runner, read_rows, row
from tests.market import total
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
    assert any("over_limit 2: over RMB 5,000.00" in line.text for line in summary(outcome, "en", dry_run=False))
    page = (Path(outcome.folder) / "report.html").read_text(encoding="utf-8")
    assert "[UNVERIFIED]" in page
    assert str(LIST_CNY.cite) in page


def test_every_reason_of_a_route_is_in_the_register() -> None:
    assert list(REASONS) == ["over_limit", "licence", "duty", "inspection", "refund", "unknown_inspection", "unknown_duty", "chosen", "within_limit"]
    assert all(cite.source in SOURCES for _, cites in REASONS.values() for cite in cites)


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
