"""Every rule of market procurement: a case that breaks it and one that keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator.schemas.modes import mode_of
from aggregator.schemas.rule import Scope
from aggregator.schemas.sources import SOURCES
from tests.conftest import Runner, csv_text, findings_by_code
from tests.market import RATES, line_of, run_market, slip_line

M1039 = mode_of("1039")
BREAKS: dict[str, list[dict[str, str]]] = {
    "R101": [slip_line(buyer_name="")],
    "R102": [slip_line(trade_slip_no="JY" + "1" * 59)],
    "R103": [slip_line(declared_quantity="1,234.50")],
    "R104": [slip_line(package_count="1.5")],
    "R105": [slip_line(gross_weight_kg="0")],
    "R106": [slip_line(net_weight_kg="-1")],
    "R107": [slip_line(commodity_code="950300890")],
    "R108": [slip_line(commodity_code="7700000000")],
    "R109": [slip_line(buyer_country_code="ZZZ")],
    "R110": [slip_line(currency_code="999")],
    "R111": [slip_line(declared_unit_code="999")],
    "R112": [slip_line(transport_mode_code="22")],
    "R113": [slip_line(exit_customs_code="224")],
    "R114": [slip_line(operator_code="91330782MA2E5N6C1V")],
    "R115": [slip_line(trade_mode_code="1093")],
    "R119": [slip_line(second_statutory_quantity="1")],
    "R120": [slip_line(total_price="1002.00")],
    "R121": [slip_line(trade_slip_no="2.02610E+12")],
    "R122": [slip_line(buyer_id_no="P123\u200b4567")],
    "R123": [slip_line(goods_name="#N/A")],
    "R126": [slip_line(goods_name="塑料\ufffd")],
    "R141": [slip_line(licence_flag="是")],
    "R142": [slip_line(inspection_flag="maybe")],
    "R143": [slip_line(export_on="31/10/2026")],
    "R202": [slip_line(transport_mode_code="G")],
    "R203": [slip_line(exit_customs_code="9999")],
    "R204": [slip_line(net_weight_kg="0")],
    "R205": [slip_line(declared_quantity="1", unit_price="100.0000", total_price="100.05")],
    "R206": [slip_line(voyage_no="2.02610E+16")],
    "R207": [slip_line(voyage_no="30\u00ad85")],
    "R208": [slip_line(goods_spec="???")],
    "R241": [slip_line(buyer_id_no="")],
    "I101": [slip_line(), slip_line(item_no="2", declaration_group_no="ZX002")],
    "I102": [slip_line(), slip_line(goods_name="另一品名")],
    "I103": [slip_line(), slip_line(item_no="3")],
    "I105": [slip_line(net_weight_kg="56")],
    "I106": [slip_line(package_count="0")],
    "I107": [slip_line(), slip_line(item_no="2", currency_code="142")],
    "I108": [slip_line(merchant_no="", merchant_name="")],
    "I109": [line_of("150000.01")],
    "I110": [slip_line(item_no=str(n), goods_name=f"品名{n}", inspection_flag="1") for n in range(1, 52)],
    "B102": [slip_line(), slip_line(item_no="2"), slip_line(goods_spec="另"), slip_line(item_no="2", goods_spec="另")],
    "B104": [slip_line(), slip_line(item_no="2", trade_slip_no="")],
    "B204": [slip_line(), slip_line(trade_slip_no="B", operator_name="远达公司")],
    "B205": [slip_line(), slip_line(trade_slip_no="B", operator_code="4403960Q7X")],
    "B211": [slip_line(duty_flag="")],
}
KEEPS: dict[str, list[dict[str, str]]] = {
    "R101": [slip_line(declaration_group_no="", buyer_country_code="", item_no="")],
    "R102": [slip_line(trade_slip_no="J" * 59 + "1")],
    "R114": [slip_line(operator_code="3318961cxp")],
    "R115": [slip_line(trade_mode_code="市场采购")],
    "R121": [slip_line(trade_slip_no="SCCG:3318961CXP17000834")],
    "R141": [slip_line(licence_flag="否"), slip_line(item_no="2", licence_flag="")],
    "R142": [slip_line(inspection_flag="Y", duty_flag="n", licence_flag="")],
    "R143": [slip_line(export_on="20261015"), slip_line(trade_slip_no="B", export_on="")],
    "R241": [slip_line(buyer_id_no="护照A1")],
    "I101": [slip_line(), slip_line(item_no="2", merchant_name="另一商户")],
    "I102": [slip_line(), slip_line()],
    "I103": [slip_line(item_no="2"), slip_line()],
    "I105": [slip_line(net_weight_kg="55")],
    "I106": [slip_line(package_count="1")],
    "I107": [slip_line(), slip_line(item_no="2", currency_code="美元")],
    "I108": [slip_line(merchant_no=""), slip_line(item_no="2", merchant_name="")],
    "I109": [line_of("150000.00")],
    "I110": [slip_line(item_no=str(n), goods_name=f"品名{n}", inspection_flag="1") for n in range(1, 51)],
    "B102": [slip_line(), slip_line(item_no="2"), slip_line(), slip_line(item_no="2")],
    "B104": [slip_line(), slip_line(item_no="2")],
    "B204": [slip_line(), slip_line(trade_slip_no="B")],
    "B205": [slip_line(), slip_line(trade_slip_no="B", operator_code="4403960Q7X", operator_name="另一家")],
    "B211": [slip_line(duty_flag="0")],
}
ELSEWHERE = {"B101", "B207", "B208", "B212", "B213", "B214"}
"""Shown with runs of several steps, or with a tariff table: tests/jobs/test_market_procurement.py."""


def found(runner: Runner, rows: list[dict[str, str]]) -> dict[str, list[dict[str, Any]]]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path = runner.write(csv_text([{name: row.get(name, "") for name in columns} for row in rows]))
    return findings_by_code(path, mode=M1039, rate_rows=RATES)


@pytest.mark.parametrize("code", sorted(BREAKS))
def test_case_that_breaks_the_rule(code: str, runner: Runner) -> None:
    by_code = found(runner, BREAKS[code])
    assert code in by_code
    finding, rule = by_code[code][0], M1039.rules[code]
    assert finding["severity"] == str(rule.severity)
    assert rule.remedy.en in finding["message"]
    assert finding["column"] in {M1039.dictionary[column].shown for column in rule.columns}


@pytest.mark.parametrize("code", sorted(KEEPS))
def test_case_that_keeps_the_rule(code: str, runner: Runner) -> None:
    assert code not in found(runner, KEEPS[code])


def test_a_sound_line_has_no_findings(runner: Runner) -> None:
    assert found(runner, [slip_line()]) == {}


def test_every_rule_about_data_has_its_cases() -> None:
    data = {rule.code for rule in M1039.rules if rule.scope in (Scope.ROW, Scope.INVENTORY, Scope.BATCH)}
    assert data == set(BREAKS) | ELSEWHERE
    for rule in M1039.rules:
        assert rule.citations
        assert all(cite.source in SOURCES for cite in rule.citations), rule.code


def test_an_error_rejects_the_whole_slip(runner: Runner) -> None:
    outcome = run_market(runner, [slip_line(), slip_line(item_no="2", licence_flag="1"), slip_line(trade_slip_no="B")])
    assert (outcome.counts["lines_rejected"], outcome.counts["inventories_declared"]) == (2, 1)
    [rejected] = (runner.out / "2026-10" / "202610-01" / "rejected").glob("*.csv")
    assert rejected.read_text(encoding="utf-8-sig").splitlines()[0].endswith('"reject_codes"')
