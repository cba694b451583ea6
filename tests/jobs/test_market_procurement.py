"""Market procurement from exports to declarations: the worked examples, the limits, and what a run tells of its packing."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.jobs.trace import trace
from aggregator.model.company import Company, Market
from aggregator.model.errors import Exit, UnusableInput, WrongConfiguration
from aggregator.model.period import Period
from tests.conftest import Runner
from tests.market import RATES, line_of, packed, run_market, slip_line, total

# Nine kinds in USD, 43,032.50 together; the first five 33,404.70.
GOODS = (
    ("塑料玩具", "9503008900", "9000.00", "10"), ("玻璃杯", "7013370000", "7186.50", "10"), ("不锈钢酒壶", "7323930000", "6234.80", "10"),
    ("塑料夹子", "3924900000", "5929.40", "10"), ("电子秤", "8423100000", "5054.00", "10"), ("化纤门帘", "6303920090", "4195.80", "999"),
    ("铁勺子", "7323930000", "3432.00", "660"), ("铁制挂钩", "8302500000", "1100.00", "250"), ("铁丝筐", "7326201000", "900.00", "310"),
)  # fmt: skip


def nine_kinds(**changes: dict[str, str]) -> list[dict[str, str]]:
    """Over three slips."""
    return [
        line_of(price, trade_slip_no=f"JY{place % 3}", item_no=str(place // 3 + 1), goods_name=name, commodity_code=code,
                statutory_quantity=kilos, **changes.get(name, {}))
        for place, (name, code, price, kilos) in enumerate(GOODS)
    ]  # fmt: skip


def listed(runner: Runner, rows: list[dict[str, str]]) -> list[tuple[str, str, str, str]]:
    items = runner.results(run_market(runner, rows), "declaration_items")
    return [(each["goods_name"], each["commodity_code"], each["chapter"], each["total_price"]) for each in items]


def test_example_a(runner: Runner) -> None:
    outcome = run_market(runner, nine_kinds())
    assert (outcome.exit_code, outcome.findings) == (Exit.DONE, {})
    items = runner.results(outcome, "declaration_items")
    assert [(each["goods_name"], each["chapter"], each["total_price"], each["simplified"]) for each in items] == [
        ("塑料玩具", "", "9000.00000", "0"), ("玻璃杯", "", "7186.50000", "0"), ("不锈钢酒壶", "", "6234.80000", "0"),
        ("塑料夹子", "", "5929.40000", "0"), ("电子秤", "", "5054.00000", "0"), ("化纤门帘", "63", "4195.80000", "1"),
        # 3,432.00 + 900.00 = 4,332.00 and 660 + 310 = 970 kg, under the code and name of the more valuable.
        ("铁勺子", "73", "4332.00000", "1"), ("铁制挂钩", "83", "1100.00000", "1"),
    ]  # fmt: skip
    spoons = items[6]
    assert (spoons["commodity_code"], spoons["declared_quantity"], spoons["declared_unit_code"]) == ("7323930000", "970.00000", "035")
    assert (spoons["statutory_quantity"], spoons["package_count"], spoons["net_weight_kg"]) == ("970.00000", "10", "100.00000")
    assert total(items, "total_price") == Decimal("43032.50")
    goods = runner.results(outcome, "simplified_goods")
    assert [(each["declaration_item_no"], each["goods_name"], each["total_price"]) for each in goods] == [
        ("6", "化纤门帘", "4195.80000"), ("7", "铁勺子", "3432.00000"), ("7", "铁丝筐", "900.00000"), ("8", "铁制挂钩", "1100.00000"),
    ]  # fmt: skip
    [declaration] = runner.results(outcome, "declarations")
    assert (declaration["remark"], declaration["consignor_code"]) == ("Omar Haddad P1234567", "91330782MA2E5N6C1U")
    assert (declaration["inventory_count"], declaration["item_count"], declaration["package_count"]) == ("3", "8", "45")


def test_example_a2_a_good_with_inspection_stands_by_itself(runner: Runner) -> None:
    names = [name for name, *_ in listed(runner, nine_kinds(化纤门帘={"inspection_flag": "1"}))]
    assert names == ["塑料玩具", "玻璃杯", "不锈钢酒壶", "塑料夹子", "电子秤", "化纤门帘", "铁勺子", "铁制挂钩"]


def test_five_kinds_are_not_simplified_and_six_are(runner: Runner) -> None:
    assert [chapter for *_, chapter, _ in listed(runner, nine_kinds()[:5])] == [""] * 5
    # The sixth is alone in its chapter: six items either way.
    runner.out = runner.folder / "six"
    assert [chapter for *_, chapter, _ in listed(runner, nine_kinds()[:6])] == [*[""] * 5, "63"]


def test_a_good_whose_unit_differs_stays_beside_its_chapter(runner: Runner) -> None:
    outcome = run_market(runner, nine_kinds(铁丝筐={"statutory_unit_code": "007"}))
    items = runner.results(outcome, "declaration_items")
    assert [(each["goods_name"], each["simplified"]) for each in items[6:]] == [("铁勺子", "1"), ("铁丝筐", "0"), ("铁制挂钩", "1")]
    assert outcome.findings == {"B212": 1}
    [finding] = runner.results(outcome, "findings")
    assert finding["value"] == "202610-01-000001/8: 7326201000 007"


@pytest.mark.parametrize(
    ("thousands", "declarations", "bound"),
    [
        # 90 + 60 = 150; 70 + 40 + 30 + 10 = 150.
        ((90, 70, 60, 40, 30, 10), 2, 2),
        # First-fit decreasing makes three: 60 + 60, 45 + 45 + 45, 45. Two do: 60 + 45 + 45 = 150 twice.
        ((60, 60, 45, 45, 45, 45), 2, 2),
        # 76 + 76 > 150, although one is only half full.
        ((76, 76), 2, 2),
        ((150,), 1, 1),
    ],
)
def test_slips_are_packed_whole_into_the_fewest(runner: Runner, thousands: tuple[int, ...], declarations: int, bound: int) -> None:
    outcome = run_market(runner, [line_of(f"{value}000.00", trade_slip_no=f"JY{place}") for place, value in enumerate(thousands)])
    assert len(packed(runner, outcome)) == outcome.counts["declarations"] == declarations
    [group] = runner.results(outcome, "packing_groups")
    assert (group["slips"], group["declarations"], group["lower_bound"], group["proven"]) == (str(len(thousands)), str(declarations), str(bound), "1")
    assert group["operator_code"] == "91330782MA2E5N6C1U"


def test_the_limit_is_inclusive_and_a_slip_above_it_is_never_split(runner: Runner) -> None:
    outcome = run_market(runner, [line_of("150000.00", trade_slip_no="A"), line_of("75000.00", trade_slip_no="B"), line_of("75000.01", trade_slip_no="B", item_no="2")])
    assert outcome.findings == {"I109": 1}
    [finding] = runner.results(outcome, "findings")
    assert (finding["inventory_no"], finding["column"], finding["value"]) == ("B", "total_price", "150000.01000")
    assert packed(runner, outcome) == {"01": {"A"}}
    assert outcome.exit_code is Exit.WAITING


def test_other_currencies_by_the_rate_of_their_day(runner: Runner) -> None:
    # EUR 120,000.00 × 7.80 = CNY 936,000.00; ÷ 7.15 = USD 130,909.0909…: with USD 19,090.91 it is above 150,000, with 19,090.90 not.
    euro = line_of("120000.00", trade_slip_no="E", currency_code="300")
    for dollars, declarations in (("19090.90", 1), ("19090.91", 2)):
        runner.out = runner.folder / dollars
        outcome = run_market(runner, [euro, line_of(dollars, trade_slip_no="D")], rate_rows=RATES)
        assert outcome.counts["declarations"] == declarations
    assert [each["total_usd"] for each in runner.results(outcome, "packing")] == ["19090.91000", "130909.09091"]


def test_a_rate_that_is_needed_and_missing_stops_the_run(runner: Runner) -> None:
    rows = [line_of("1.00", currency_code="300", export_on="2026-11-01"), line_of("1.00", currency_code="CNY", export_on="", trade_slip_no="B")]
    with pytest.raises(WrongConfiguration, match="EUR 2026-11-01, USD 2026-11-01, USD 2026-11-05"):
        run_market(runner, rows, rate_rows=RATES)
    # Dollars need none.
    assert run_market(runner, [slip_line()]).counts["declarations"] == 1


def test_rates_from_a_file(runner: Runner) -> None:
    rates = runner.write("币制,cny_per_unit,valid_from,valid_to,source\n美元,7.15,2026-10-01,2026-10-31,海关\nEUR,7.80,2026-10-01,2026-10-31,海关\n", "rates.csv")
    outcome = run_market(runner, [line_of("120000.00", currency_code="欧元")], rates=rates)
    assert [each["total_usd"] for each in runner.results(outcome, "packing")] == ["130909.09091"]
    manifest = json.loads((Path(outcome.folder) / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["mode"] == "1039"
    assert manifest["rates"][0]["file"].endswith("rates.csv")


@pytest.mark.parametrize("cells", ["EUR,7.80,2026-10-01,bad", "EUR,x,2026-10-01,2026-10-31", "XXX,7.8,2026-10-01,2026-10-31", "EUR,0,2026-10-01,2026-10-31", "EUR,-1,2026-10-01,2026-10-31"])
def test_rates_that_cannot_be_used(runner: Runner, cells: str) -> None:
    rates = runner.write(f"currency_code,cny_per_unit,valid_from,valid_to\n{cells}\n", "rates.csv")
    with pytest.raises(WrongConfiguration, match="rates"):
        run_market(runner, [slip_line()], rates=rates)


@pytest.mark.parametrize(
    "column",
    ["declaring_customs_code", "operator_code", "buyer_name", "buyer_id_no", "exit_customs_code", "transport_mode_code", "arrival_country_code", "declaration_group_no"],
)
def test_what_is_never_mixed_in_one_declaration(runner: Runner, column: str) -> None:
    others = {"operator_code": "4403960Q7X", "declaring_customs_code": "2244", "exit_customs_code": "2244", "transport_mode_code": "5", "arrival_country_code": "303"}
    rows = [slip_line(), slip_line(trade_slip_no="B", **{column: others.get(column, "Another")})]
    assert run_market(runner, rows).counts["declarations"] == 2


def test_a_slip_is_declared_once(runner: Runner) -> None:
    assert run_market(runner, [slip_line()]).counts["declarations"] == 1
    again = run_market(runner, [slip_line(), slip_line(trade_slip_no="B")])
    assert again.excluded == {"known": 1}
    assert packed(runner, again) == {"01": {"B"}}
    changed = run_market(runner, [slip_line(goods_name="另一品名")])
    assert changed.findings == {"B101": 1}
    assert changed.counts["declarations"] == 0


def test_an_earlier_period_filters_nothing(runner: Runner) -> None:
    run_market(runner, [slip_line()])
    earlier = run_market(runner, [slip_line(trade_slip_no="B")], period=Period(2026, 9))
    assert (earlier.run_ref, earlier.counts["declarations"]) == ("202609-01", 1)


def test_trace_both_ways(runner: Runner) -> None:
    run_market(runner, nine_kinds())
    [table] = trace(runner.out / "ledger.sqlite", {"JY0"})
    assert table["declaration_item_no"].to_pylist() == ["1", "4", "7"]
    [back] = trace(runner.out / "ledger.sqlite", {"202610-01-000001/7"})
    assert sorted(zip(back["inventory_no"].to_pylist(), back["total_price"].to_pylist(), strict=True)) == [("JY0", "3432.00000"), ("JY2", "900.00000")]


def test_without_item_numbers_equal_rows_are_separate_lines(runner: Runner) -> None:
    rows = [{name: cell for name, cell in slip_line().items() if name != "item_no"}] * 2
    outcome = run_market(runner, rows)
    assert (outcome.counts["lines_declared"], outcome.excluded) == (2, {})
    [item] = runner.results(outcome, "declaration_items")
    assert (item["total_price"], item["inventory_item_count"]) == ("2000.00000", "2")
    assert run_market(runner, rows).excluded == {"known": 1}


def test_without_slip_numbers(runner: Runner) -> None:
    rows = [{name: cell for name, cell in slip_line(goods_name=name).items() if name not in ("trade_slip_no", "item_no")} for name in ("甲", "乙", "乙")]
    with pytest.raises(UnusableInput, match="trade_slip_no"):
        run_market(runner, rows)
    outcome = run_market(runner, rows, by_line=True)
    assert (outcome.counts["inventories_declared"], outcome.counts["lines_declared"]) == (2, 3)
    assert outcome.findings == {"B213": 1}
    # In another order and file they are known.
    again = run_market(runner, runner.write("".join(f"{line}\n" for line in _shuffled(runner)), "again.csv"), by_line=True)
    assert again.excluded == {"known": 2}


def _shuffled(runner: Runner) -> list[str]:
    head, *lines = (runner.folder / "slips.csv").read_text(encoding="utf-8").splitlines()
    return [head, *reversed(lines)]


def test_flags_from_the_tariff_table(runner: Runner) -> None:
    tariff = runner.write("商品编码,法定计量单位,检验检疫类别,出口关税率\n9503008900,035,,0%\n7323930000,035,N,\n", "tariff.csv")
    rows = [slip_line(inspection_flag="", duty_flag=""), slip_line(item_no="2", commodity_code="7323930000", inspection_flag="", duty_flag="")]
    assert run_market(runner, rows, tariff=tariff).findings == {}
    rows.append(slip_line(item_no="3", commodity_code="8302500000", inspection_flag="", duty_flag=""))
    outcome = run_market(runner, [{**each, "trade_slip_no": "B"} for each in rows], tariff=tariff)
    assert outcome.findings == {"B207": 1, "B211": 2}


def test_the_config_has_to_name_market_and_operator(runner: Runner) -> None:
    with pytest.raises(WrongConfiguration, match=r"\[company\] registered_operator = true, \[market\] name, \[market\] starts_on"):
        run_market(runner, [slip_line()], company=Company(), market=Market())
    with pytest.raises(WrongConfiguration, match="starts_on"):
        run_market(runner, [slip_line()], market=Market("义乌", date(2026, 12, 1)))


def test_another_trade_mode_is_excluded(runner: Runner) -> None:
    outcome = run_market(runner, [slip_line(), slip_line(trade_slip_no="B", trade_mode_code="0110"), slip_line(trade_slip_no="C", trade_mode_code="")])
    assert outcome.excluded == {"other_mode": 1}
    assert outcome.counts["inventories_declared"] == 2


def test_too_many_items_of_a_slip_and_of_a_declaration(runner: Runner) -> None:
    """Goods with inspection stay items of their own: 51 of them are too many for a slip, and 26 twice for one declaration."""

    def many(slip: str, count: int, first: int = 0) -> list[dict[str, str]]:
        return [slip_line(trade_slip_no=slip, item_no=str(n + 1), goods_name=f"品名{first + n:03d}", inspection_flag="1") for n in range(count)]

    outcome = run_market(runner, [*many("A", 51), *many("B", 26), *many("C", 26, 100)])
    assert outcome.findings == {"I110": 1}
    assert packed(runner, outcome) == {"01": {"B"}, "02": {"C"}}
    assert [each["item_count"] for each in runner.results(outcome, "declarations")] == ["26", "26"]
