"""Every rule: a case that breaks it and one that does not. And the rule book as a whole."""

from __future__ import annotations

import pytest

from aggregator.model.errors import UnusableInput
from aggregator.samples.faults import FAULTS, ODD_ROWS
from aggregator.samples.shapes import SHAPES
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.rule import Scope, Severity
from aggregator.schemas.sources import SOURCES
from tests.conftest import Runner, csv_text, findings_by_code, row

TWO = [row(), row(item_no="2")]


def with_all(rows: list[dict[str, str]], **cells: str) -> list[dict[str, str]]:
    return [{**cells_of_row, **cells} for cells_of_row in rows]


OTHER = "22442026E000000002"
MANY = [row(item_no=str(number)) for number in range(1, 102)]

BREAKS: dict[str, list[dict[str, str]]] = {
    "R101": [row(goods_name="")],
    "R102": [row(goods_name="长" * 251)],
    "R103": [row(declared_quantity="1,234.50")],
    "R104": [row(package_count="1.5")],
    "R105": [row(statutory_quantity="0.00")],
    "R106": [row(net_weight_kg="-1")],
    "R107": [row(commodity_code="610910001")],
    "R108": [row(commodity_code="7700000000")],
    "R109": [row(destination_country_code="ZZZ")],
    "R110": [row(currency_code="999")],
    "R111": [row(declared_unit_code="999")],
    "R112": [row(transport_mode_code="55")],
    "R113": [row(exit_customs_code="224")],
    "R114": [row(consignor_code="91440300MA5F0A1B2M")],
    "R115": [row(trade_mode_code="9160")],
    "R116": [row(declaration_mode_code="C")],
    "R117": [row(status_code="988")],
    "R118": [row(cleared_at="31/10/2026")],
    "R119": [row(second_statutory_unit_code="")],
    "R120": [row(total_price="10.02")],
    "R121": [row(inventory_no="2.24420E+17")],
    "R122": [row(declarant_code="4403180001\u200b")],
    "R123": [row(goods_name="#N/A")],
    "R124": [row(inventory_no="22442026-E-000000001")],
    "R125": [row(premises_code="无")],
    "R126": [row(goods_name="棉\ufffd")],
    "R127": [row(), row(inventory_no="22442026I000000002")],
    "R201": [row(inventory_no="INVT2026000001")],
    "R202": [row(transport_mode_code="G")],
    "R203": [row(exit_customs_code="9999")],
    "R204": [row(net_weight_kg="0")],
    "R205": [row(declared_quantity="1", unit_price="100.0000", total_price="100.05")],
    "R206": [row(order_no="2.02610E+16")],
    "R207": [row(voyage_no="30\u00ad85")],
    "R208": [row(goods_spec="???")],
    "I101": [row(), row(item_no="2", gross_weight_kg="2.000")],
    "I102": [row(), row(goods_name="另一品名")],
    "I103": [row(), row(item_no="3")],
    "I104": MANY,
    "I105": [row(net_weight_kg="2", gross_weight_kg="1")],
    "I106": [row(package_count="0")],
    "I201": [row(), row(item_no="2", voyage_no="3086")],
    "I202": [row(), row(item_no="2", cleared_at="2026-10-16 10:00:00")],
    "B102": [*TWO, *with_all(TWO, goods_spec="另一规格")],
    "B104": [row(), row(item_no="2", inventory_no="")],
    "B201": [row(), row(inventory_no=OTHER, waybill_no="LP2")],
    "B202": [row(), row(inventory_no=OTHER, order_no="DD2")],
    "B203": [row(), row(item_no="2", declared_unit_code="006")],
    "B204": [row(), row(inventory_no=OTHER, order_no="DD2", waybill_no="LP2", consignor_name="星河电商")],
    "B205": [row(), row(inventory_no=OTHER, order_no="DD2", waybill_no="LP2", consignor_code="4403960Q8Y")],
}
KEEPS: dict[str, list[dict[str, str]]] = {
    "R101": [row(goods_spec="")],
    "R102": [row(goods_name="长" * 250)],
    "R103": [row(declared_quantity="2.00000", freight="12345678901234.12345")],
    "R104": [row(package_count="999999999")],
    "R105": [row(gross_weight_kg="1.20001")],
    "R106": [row(net_weight_kg="0.00001")],
    "R107": [row(commodity_code="０１０１２１００１０")],
    "R108": [row(commodity_code="9804000000"), row(item_no="2", commodity_code="7801000000")],
    "R109": [row(destination_country_code="USA", arrival_country_code="美国")],
    "R110": [row(currency_code="usd"), row(item_no="2", currency_code="美元")],
    "R111": [row(declared_unit_code="件", second_statutory_unit_code="千克")],
    "R112": [row(transport_mode_code="航空运输")],
    "R113": [row(exit_customs_code="0100")],
    "R114": [row(consignor_code="4403960q7x", producer_seller_code="91330100MA27Y3K4XJ")],
    "R115": [row(trade_mode_code="跨境贸易电子商务")],
    "R116": [row(declaration_mode_code="汇总申报")],
    "R117": [row(status_code="-301001"), row(inventory_no=OTHER, status_code="")],
    "R118": [row(cleared_at="20261031235959999"), row(inventory_no=OTHER, status_code="800", cleared_at=""), row(inventory_no=f"{OTHER}1", status_code="", cleared_at="-")],
    "R119": [row(second_statutory_quantity="", second_statutory_unit_code="")],
    "R120": [row(declared_quantity="3", statutory_quantity="3", unit_price="3.33", total_price="10.00")],
    "R121": [row(inventory_no="53142026E000000001")],
    "R122": [row(declarant_code="\u00a04403180001\u3000", goods_name="棉制\u200bT恤衫")],
    "R123": [row(goods_name="#10 信封", goods_spec="N/A", voyage_no="#")],
    "R124": [row(inventory_no="INVT20180507000001")],
    "R125": [row(premises_code="530401a001"), row(inventory_no=OTHER, premises_code="5304"), row(inventory_no=f"{OTHER}1", premises_code="")],
    "R126": [row(goods_name="棉製T恤衫 é 😀", goods_spec="a\nb")],
    "R127": [row(inventory_no="22442026E000000002")],
    "R201": [row(inventory_no="53142026E00000000011")],
    "R202": [row(transport_mode_code="4")],
    "R203": [row(exit_customs_code="5304")],
    "R204": [row(net_weight_kg="0.001")],
    "R205": [row(declared_quantity="3", statutory_quantity="3", unit_price="3.33", total_price="10.00")],
    "R206": [row(order_no="2026E10")],
    "R207": [row(voyage_no="\u202f30 85", order_no="订单１")],
    "R208": [row(goods_name="锦鲤（氨纶腈纶）?", consignor_name="東京通関サービス株式会社", goods_spec="100%棉&麻", producer_seller_name="张䶮")],
    "I101": TWO,
    "I102": [row(), row()],
    "I103": [row(item_no="2"), row()],
    "I104": MANY[:100],
    "I105": [row(net_weight_kg="1.5", gross_weight_kg="1.5")],
    "I106": [row(package_count="1")],
    "I201": TWO,
    "I202": [row(), row(item_no="2", status_code="800", cleared_at="2026-10-14 10:00:00")],
    "B102": [*TWO, *TWO],
    "B104": [row(), row(inventory_no="", order_no="DD2", waybill_no="LP2")],
    "B201": [row(), row(inventory_no=OTHER, order_no="DD2", waybill_no="LP2")],
    "B202": [row(), row(inventory_no=OTHER, order_no="", waybill_no="")],
    "B203": [row(), row(item_no="2", commodity_code="6109909091", declared_unit_code="006")],
    "B204": [row(), row(inventory_no=OTHER, order_no="DD2", waybill_no="LP2")],
    "B205": [row(), row(inventory_no=OTHER, order_no="DD2", waybill_no="LP2", consignor_name="另一家", consignor_code="4403960Q8Y")],
}


@pytest.mark.parametrize("code", sorted(BREAKS))
def test_case_that_breaks_the_rule(code: str, runner: Runner) -> None:
    found = findings_by_code(runner.write(BREAKS[code]))
    assert code in found
    finding = found[code][0]
    rule = M9610.rules.by_code[code]
    assert finding["severity"] == str(rule.severity)
    assert rule.remedy.en in str(finding["message"])
    if rule.columns:
        assert finding["column"] in rule.columns


@pytest.mark.parametrize("code", sorted(BREAKS))
def test_error_rejects_and_warning_declares(code: str, runner: Runner) -> None:
    outcome = runner.run_rows(BREAKS[code])
    if M9610.rules.by_code[code].severity is Severity.ERROR:
        assert outcome.exit_code == 3
        assert outcome.counts["inventories_declared"] == 0
        assert code in {finding["code"] for finding in runner.results(outcome, "findings")}
    else:
        assert outcome.exit_code == 0
        assert outcome.counts["inventories_rejected"] == 0
        assert outcome.counts["inventories_declared"] > 0
        assert code in outcome.findings


@pytest.mark.parametrize("code", sorted(KEEPS))
def test_case_that_keeps_the_rule(code: str, runner: Runner) -> None:
    assert code not in findings_by_code(runner.write(KEEPS[code]))


def test_the_sound_row_has_no_findings(runner: Runner) -> None:
    assert findings_by_code(runner.write([row()])) == {}


def test_changed_inventory_known_to_the_ledger_is_b101(runner: Runner) -> None:
    runner.run_rows([row()])
    again = runner.run_rows([row(goods_spec="另一规格")])
    assert again.findings == {"B101": 1}
    assert again.counts["inventories_rejected"] == 1
    same = runner.run_rows([row()])
    assert same.excluded == {"known": 1}


def test_declaration_without_packages_is_b206(runner: Runner) -> None:
    # 51 names fill one declaration of 50 and leave one item, whose inventory has its first line in the other.
    rows = [row(item_no=str(n), enterprise_goods_name=f"品名{n:03d}") for n in range(1, 52)]
    outcome = runner.run_rows(rows)
    assert outcome.findings["B206"] == 1
    assert [made["package_count"] for made in runner.results(outcome, "declarations")] == ["1", "0"]


FILE_CASES: dict[str, bytes] = {
    "F101": b"a,b,c\n1,2,3\n",
    "F102": b"inventory_no,item_no\n1,2\n",
    "F103": ("清单编号,inventory_no,item_no\n1,1,1\n").encode(),
    "F104": csv_text([row()]).encode("utf-8")[:-40] + b"\xff\xfe,\n",
    "F105": b"",
    "F106": csv_text([row(), row(item_no="2")]).encode()[:-30],
    "F107": csv_text([row()]).encode() + b"x" * (1 << 20),
}


@pytest.mark.parametrize("code", sorted(FILE_CASES))
def test_unusable_file(code: str, runner: Runner) -> None:
    with pytest.raises(UnusableInput) as stopped:
        runner.run_rows(FILE_CASES[code])
    assert code in stopped.value.text.en
    assert code in stopped.value.text.zh
    assert M9610.rules.by_code[code].remedy.en in stopped.value.text.en
    assert not runner.out.exists() or not list(runner.out.glob("2026-10/*"))


ODD_FILES: dict[str, bytes] = {
    "F201": csv_text([row(), row(item_no="2")]).replace(",夏季棉T恤,", ",夏季,棉T恤,", 1).encode(),
    "F202": csv_text([row()]).encode().replace(",夏季棉T恤,".encode(), ',夏季"棉T恤,'.encode(), 1),
    "F203": csv_text([row()]).encode().replace(",夏季棉T恤,".encode(), ",夏季\0棉T恤,".encode(), 1),
    "F206": csv_text([row(), row(item_no="2")]).replace("22442026E", "22442\n026E", 1).encode(),
    "F301": csv_text([{**row(), "库位": "A1"}]).encode(),
    "F302": csv_text([row()]).encode().rstrip(b"\n"),
    "F303": csv_text([]).encode(),
}


@pytest.mark.parametrize("code", sorted(ODD_FILES))
def test_odd_file_is_a_finding(code: str, runner: Runner) -> None:
    outcome = runner.run_rows(ODD_FILES[code])
    assert code in outcome.findings
    assert outcome.exit_code == (3 if M9610.rules.by_code[code].severity is Severity.ERROR else 0)


@pytest.mark.parametrize("code", ["F101", *ODD_FILES])
def test_sound_file_has_no_such_finding(code: str, runner: Runner) -> None:
    assert code not in findings_by_code(runner.write([row()]))


# ------------------------------------------------------------------------------------------------------- the whole book


def test_every_rule_has_a_case() -> None:
    own = {"D101", "C101"}  # internal errors: test_outputs breaks them
    elsewhere = {"B101", "B103", "B206", "B207", "B208", "B209", "B210", "B211"} | {rule.code for rule in M9610.rules.exclusions.values()}
    known = set(M9610.rules.by_code)
    # Of the shapes of exports each has its test, and so have those that fit none of their codes; a sheet has to be asked for.
    shapes = {shape.code for shape in SHAPES} | {"F110"}
    fired = set(BREAKS) | set(FILE_CASES) | set(ODD_FILES) | own | elsewhere | shapes
    assert known - fired == set()
    assert set(BREAKS) == set(KEEPS)


def test_fault_sample_breaks_every_rule_of_a_line() -> None:
    of_lines = {code for code in M9610.rules.by_code if code[0] in "RIB" or code.startswith("F2")}
    # B101 and B103 need a ledger, B206 a full declaration, B207 and B208 a tariff, F204 and F205 a message, F206 a row in two pieces,
    # F207 a workbook; R127 is about imports, of which the sample has none.
    assert of_lines - set(FAULTS) - set(ODD_ROWS) == {"B101", "B103", "B206", "B207", "B208", "B209", "B210", "B211", "F204", "F205", "F206", "F207", "R127"}


def test_codes_texts_and_citations() -> None:
    letters = dict(zip("FRIBXDC", Scope, strict=True))
    for code, rule in M9610.rules.by_code.items():
        assert rule.code == code
        assert letters[code[0]] is rule.scope or code == "B102"
        assert rule.message.en
        assert rule.message.zh
        assert rule.remedy.en.strip()
        assert rule.remedy.zh.strip()
        assert rule.citations
        assert {cite.source for cite in rule.citations} <= set(SOURCES)
        assert set(rule.columns) <= set(M9610.dictionary.by_column)


def test_every_rule_on_lines_has_a_vectorised_test() -> None:
    for rule in M9610.rules.by_code.values():
        if rule.scope in (Scope.ROW, Scope.INVENTORY):
            assert callable(rule.test), rule.code


def test_error_bits_cover_what_can_reject() -> None:
    assert {code for code, rule in M9610.rules.by_code.items() if rule.severity is Severity.ERROR} - set(M9610.rules.bit) == {
        *(code for code in M9610.rules.by_code if code.startswith("F1")), "D101", "C101",
    }  # fmt: skip
    assert set(M9610.rules.exclusions) == set(M9610.rules.exclusions)


def test_field_dictionary() -> None:
    assert len({field.column for field in M9610.dictionary.fields}) == len(M9610.dictionary.fields)
    headings = [heading for field in M9610.dictionary.fields for heading in (field.column, field.element, *field.headings)]
    assert len(headings) - len(set(headings)) <= 2, "only freight and currency are both a column and an element"
    for field in M9610.dictionary.fields:
        assert field.headings
        assert field.element in str(field.cite)


def test_unsure_facts_are_marked() -> None:
    """Users must be able to tell the law from our reading of it."""
    assert any(str(cite.status) == "INFERENCE" for cite in M9610.rules.by_code["R120"].citations)
    assert any(str(cite.status) == "UNVERIFIED" for cite in M9610.rules.by_code["B203"].citations)
