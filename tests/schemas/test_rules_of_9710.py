"""Every rule of business-to-business export: a case that breaks it and one that keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator.schemas.modes import mode_of
from aggregator.schemas.rule import Scope
from aggregator.schemas.sources import SOURCES
from tests.conftest import Runner, csv_text, findings_by_code
from tests.market import RATES
from tests.orders import order_line, priced, run_orders

M9710 = mode_of("9710")
_TWO = {"goods_value": "1000.00"}
BREAKS: dict[str, list[dict[str, str]]] = {
    "R101": [order_line(goods_name="")],
    "R102": [order_line(waybill_no="L" * 33)],
    "R103": [order_line(declared_quantity="1,234.50")],
    "R104": [order_line(package_count="1.5")],
    "R105": [order_line(gross_weight_kg="0")],
    "R106": [order_line(net_weight_kg="-1")],
    "R107": [order_line(commodity_code="610910001")],
    "R108": [order_line(commodity_code="7700000000")],
    "R109": [order_line(buyer_country_code="ZZZ")],
    "R110": [order_line(currency_code="999")],
    "R111": [order_line(declared_unit_code="999")],
    "R112": [order_line(transport_mode_code="22")],
    "R113": [order_line(exit_customs_code="224")],
    "R114": [order_line(consignor_code="91440300MA5F0A1B2M")],
    "R115": [order_line(trade_mode_code="9701")],
    "R116": [order_line(declaration_mode_code="C")],
    "R119": [order_line(second_statutory_quantity="")],
    "R120": [order_line(total_price="502.00", goods_value="502.00")],
    "R121": [order_line(order_no="2.02610E+12")],
    "R122": [order_line(order_no="B2B\u200b-1")],
    "R123": [order_line(goods_name="#N/A")],
    "R125": [order_line(premises_code="前海")],
    "R126": [order_line(goods_name="棉\ufffd")],
    "R127": [{**order_line(), "direction_code": "I"}, {**order_line(order_no="B"), "direction_code": "E"}],
    "R142": [order_line(inspection_flag="maybe")],
    "R143": [order_line(export_on="31/10/2026")],
    "R144": [order_line(order_type_code="W")],
    "R145": [order_line(buyer_kind="个人")],
    "R202": [order_line(transport_mode_code="G")],
    "R203": [order_line(exit_customs_code="9999")],
    "R204": [order_line(net_weight_kg="0")],
    "R205": [order_line(declared_quantity="1", unit_price="100.0000", total_price="100.05", goods_value="100.05")],
    "R206": [order_line(waybill_no="2.02610E+16")],
    "R207": [order_line(pre_entry_no="B20\u00ad26")],
    "R208": [order_line(goods_spec="???")],
    "R246": [order_line(platform_code="P1")],
    "I101": [order_line(**_TWO), order_line(item_no="2", exit_customs_code="5301", **_TWO)],
    "I102": [order_line(), order_line(goods_name="另一品名")],
    "I103": [order_line(**_TWO), order_line(item_no="3", **_TWO)],
    "I104": [priced("1", item_no=str(n)) for n in range(1, 102)],
    "I105": [order_line(net_weight_kg="12.6")],
    "I106": [order_line(package_count="0")],
    "I107": [order_line(goods_value=""), order_line(item_no="2", currency_code="142", goods_value="")],
    "I108": [order_line(goods_value="500.02")],
    "I111": [priced("100", item_no=str(n)) for n in range(1, 52)],
    "I112": [order_line(destination_port_code="")],
    "I113": [order_line(sku="S" * 21)],
    "I114": [order_line(sku="")],
    "I201": [order_line(**_TWO), order_line(item_no="2", freight="21", **_TWO)],
    "I203": [order_line(goods_value="500.01")],
    "I204": [order_line(buyer_kind="")],
    "B102": [order_line(**_TWO), order_line(item_no="2", **_TWO), order_line(goods_spec="另", **_TWO), order_line(item_no="2", goods_spec="另", **_TWO)],
    "B104": [order_line(**_TWO), order_line(item_no="2", order_no="", **_TWO)],
    "B204": [order_line(), order_line(order_no="B", consignor_name="星河公司")],
    "B205": [order_line(), order_line(order_no="B", consignor_code="4403960Q7X")],
    "B215": [order_line(declaration_mode_code="A")],
}
KEEPS: dict[str, list[dict[str, str]]] = {
    "R101": [order_line(buyer_country_code="", premises_code="")],
    "R102": [order_line(order_no="B" * 60, sku="S" * 30)],
    "R115": [order_line(trade_mode_code="9710")],
    "R116": [order_line(declaration_mode_code="简化申报")],
    "R121": [order_line(order_no="2026E12")],
    "R122": [order_line(order_no="订单 1/2")],
    "R127": [{**order_line(), "direction_code": "出口"}],
    "R142": [order_line(inspection_flag="否", duty_flag="N", buyer_kind="firm")],
    "R143": [order_line(export_on="20261015")],
    "R144": [order_line(order_type_code=""), order_line(order_no="B", order_type_code="B2B出口订单")],
    "R145": [order_line(buyer_kind="")],
    "R246": [order_line(platform_code="无"), order_line(order_no="B", platform_code="91440300MA5F0A1B2N")],
    "I101": [order_line(**_TWO), order_line(item_no="2", freight="21", **_TWO)],
    "I102": [order_line(), order_line()],
    "I103": [order_line(item_no="2", **_TWO), order_line(**_TWO)],
    "I104": [priced("1", item_no=str(n)) for n in range(1, 101)],
    "I105": [order_line(net_weight_kg="12.5")],
    "I106": [order_line(package_count="1")],
    "I107": [order_line(**_TWO), order_line(item_no="2", currency_code="美元", **_TWO)],
    "I108": [order_line(goods_value="500.01"), order_line(order_no="B", goods_value="")],
    "I111": [priced("100", item_no=str(n)) for n in range(1, 51)],
    "I112": [order_line(destination_port_code="", licence_no="1")],
    "I113": [order_line(sku="S" * 20), order_line(order_no="B", sku="S" * 30, inspection_flag="1")],
    "I114": [order_line(enterprise_goods_name="", barcode="", freight="")],
    "I201": [order_line(**_TWO), order_line(item_no="2", **_TWO)],
    "I203": [order_line(goods_value="500")],
    "I204": [order_line(buyer_kind="FIRM")],
    "B102": [order_line(), order_line()],
    "B104": [order_line(**_TWO), order_line(item_no="2", **_TWO)],
    "B204": [order_line(), order_line(order_no="B")],
    "B205": [order_line(), order_line(order_no="B", consignor_code="4403960Q7X", consignor_name="另一家")],
    "B215": [order_line(licence_no="1")],
}
ELSEWHERE = {"B101", "B207", "B208"}
"""Shown with runs of several steps, or with a tariff table: tests/jobs/test_orders.py."""
NOT_ABOUT_THE_SHOWN = {"B215"}
"""Of what a sound order on the list route always has: no text says which declaration mode it takes."""


def found(runner: Runner, rows: list[dict[str, str]]) -> dict[str, list[dict[str, Any]]]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    extra = {"premises_code": "", "pre_entry_no": ""}
    path = runner.write(csv_text([{name: {**extra, **row}.get(name, "") for name in (*columns, *(name for name in extra if name not in columns))} for row in rows]))
    return findings_by_code(path, mode=M9710, rate_rows=RATES)


@pytest.mark.parametrize("code", sorted(BREAKS))
def test_case_that_breaks_the_rule(code: str, runner: Runner) -> None:
    by_code = found(runner, BREAKS[code])
    assert code in by_code
    finding, rule = by_code[code][0], M9710.rules[code]
    assert finding["severity"] == str(rule.severity)
    assert rule.remedy.en in finding["message"]
    assert finding["column"] in {M9710.dictionary[column].shown for column in rule.columns}


@pytest.mark.parametrize("code", sorted(KEEPS))
def test_case_that_keeps_the_rule(code: str, runner: Runner) -> None:
    assert code not in found(runner, KEEPS[code])


def test_a_sound_line_has_no_findings_but_one(runner: Runner) -> None:
    assert set(found(runner, [order_line()])) == NOT_ABOUT_THE_SHOWN
    assert found(runner, [order_line(licence_no="1")]) == {}


def test_every_rule_about_data_has_its_cases() -> None:
    data = {rule.code for rule in M9710.rules if rule.scope in (Scope.ROW, Scope.INVENTORY, Scope.BATCH)}
    assert data == set(BREAKS) | ELSEWHERE
    for rule in M9710.rules:
        assert rule.citations
        assert all(cite.source in SOURCES for cite in rule.citations), rule.code


def test_a_finding_names_the_order_by_its_number(runner: Runner) -> None:
    by_code = found(runner, [*BREAKS["I103"], order_line(order_no="B/2", net_weight_kg="99"), order_line(order_no="B/3", goods_name="")])
    assert {each["inventory_no"] for each in by_code["I103"]} == {"B2B-2026-0001"}
    assert {each["inventory_no"] for each in (*by_code["I105"], *by_code["R101"])} == {"B/2", "B/3"}


def test_a_line_without_a_platform_rejects_the_order_it_may_be_of(runner: Runner) -> None:
    rows = [priced("10", order_no="B1"), priced("10", order_no="B1", item_no="2", platform_code=""), priced("10", order_no="B2")]
    outcome = run_orders(runner, rows)
    assert (outcome.counts["inventories_declared"], outcome.counts["lines_rejected"]) == (1, 2)
    codes = {(each["code"], each["inventory_no"]) for each in runner.results(outcome, "findings")}
    assert codes == {("R101", "B1"), ("B104", "B1"), ("B215", ""), ("I103", "")}


def test_orders_under_one_waybill_do_not_reject_one_another(runner: Runner) -> None:
    rows = [priced("10", order_no="B1"), priced("10", order_no="B1", item_no="3"), priced("10", order_no="B2"), priced("10", order_no="B1", platform_code="4403960P02")]
    outcome = run_orders(runner, rows)
    assert (outcome.counts["inventories_declared"], outcome.counts["lines_rejected"], outcome.findings) == (2, 2, {"I103": 1, "B215": 1})


def test_a_line_without_an_order_number_rejects_what_it_may_be_of(runner: Runner) -> None:
    far = [priced("10", order_no=f"C{n}", waybill_no=f"W{n}", internal_no=f"I{n}") for n in range(3)]
    rows = [priced("10", order_no="B1"), *far, priced("10", order_no="", item_no="2")]
    outcome = run_orders(runner, rows)
    found = {(each["code"], each["inventory_no"]) for each in runner.results(outcome, "findings") if each["severity"] == "error"}
    # By its waybill it is of B1; the order before it has another.
    assert found >= {("B104", "B1"), ("R101", "")}
    assert outcome.counts["inventories_declared"] in (2, 3)


@pytest.mark.parametrize("column", ["logistics_company_name", "wrap_type_code", "freight", "insurance_currency_code", "internal_no", "goods_spec", "export_on", "platform_name"])
def test_what_a_list_lacks_is_named(runner: Runner, column: str) -> None:
    rows = [priced("10", **{column: ""}), priced("900", order_no="B", **{column: ""})]
    outcome = run_orders(runner, rows, rate_rows=(*RATES, {**RATES[0], "valid_from": "2026-11-01", "valid_to": "2026-11-30"}))
    needed_anyway = column == "platform_name"
    findings = [(each["code"], each["inventory_no"], each["column"]) for each in runner.results(outcome, "findings") if each["severity"] == "error"]
    assert findings[0] == ("I114" if needed_anyway else "I112", "B2B-2026-0001", column)
    assert outcome.counts["inventories_declared"] == (0 if needed_anyway else 1)
