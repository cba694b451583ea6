"""`aggregator modes`: advice on customs modes, as a user asks for it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from aggregator.schemas.modes.advice import ADVISED
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, csv_text, read_rows, row

RATES = "currency_code,cny_per_unit,valid_from,valid_to,source\nUSD,7.15,2026-10-01,2026-10-31,customs\nEUR,7.80,2026-10-01,2026-10-31,customs\n"
FIRM = "[company]\npilot_zone = true\nrefund = false\nregistered_operator = true\n[market]\nname = \"Yiwu\"\nstarts_on = 2020-01-01\n"
KNOWN = {"licence_no": "", "duty_flag": "0", "platform_code": "1234567890", "export_on": "2026-10-10"}
PARCEL = {**KNOWN, "buyer_kind": "consumer", "total_price": "699.30"}
ORDER = {"order_no": "B1", "platform_code": "1234567890", "trade_mode_code": "9710", "consignor_code": "4403960Q7X", "consignor_name": "星河", "currency_code": "502",
         "total_price": "1250.00", "export_on": "2026-10-10", "order_type_code": "B", "buyer_kind": "企业"}  # fmt: skip
SLIP = {"trade_slip_no": "T1", "merchant_name": "商户甲", "operator_code": "3318961CXP", "operator_name": "义乌贸易", "trade_mode_code": "1039", "currency_code": "300",
        "total_price": "120000.00", "export_on": "2026-10-10", "licence_flag": "N"}  # fmt: skip


def advice(runner: Runner, rows: list[dict[str, str]], config: str = FIRM, rates: str = RATES) -> dict[tuple[str, str], tuple[str, str, list[str]]]:
    made = answer(runner, rows, config, rates)
    return {(each["unit"], each["mode"]): (each["fits"], each["reason"], each["missing"]) for each in made["units"]}


def answer(runner: Runner, rows: list[dict[str, str]], config: str = FIRM, rates: str = RATES) -> Any:
    runner.write(csv_text(rows))
    runner.write(config, "aggregator.toml")
    runner.write(rates, "rates.csv")
    result = aggregator("modes", "export.csv", *(("--rates", "rates.csv") if rates else ()), "--as-of", "2026-10-31", "--json", "--lang", "en", folder=runner.folder)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


NUMBER = row()["inventory_no"]
# Mode, reason, a unit that it closes the mode to (or leaves unknown), one that it does not.
CASES: list[tuple[str, str, dict[str, str], dict[str, str]]] = [
    ("9610-B", "buyer_is_firm", row(**KNOWN, buyer_kind="firm"), row(**PARCEL)),
    ("9610-B", "to_warehouse", row(**KNOWN, order_type_code="W"), row(**PARCEL)),
    ("9610-B", "unknown_firm", row(**KNOWN, trade_mode_code=""), row(**PARCEL)),
    ("9610-B", "not_online", {**SLIP, "buyer_kind": "consumer"}, row(**PARCEL)),
    # USD 699.31 × 7.15 = 5,000.0665 → 5,000.07; USD 699.30 × 7.15 = 4,999.995 → 5,000.00, which is within.
    ("9610-A", "over_limit", row(**{**PARCEL, "total_price": "699.31"}), row(**PARCEL)),
    ("9610-A", "licence", row(**{**PARCEL, "licence_no": "L1"}), row(**PARCEL)),
    ("9610-A", "duty", row(**{**PARCEL, "duty_flag": "是"}), row(**PARCEL)),
    ("9610-A", "unknown_duty", row(**{**PARCEL, "duty_flag": ""}), row(**PARCEL)),
    ("9610-A", "unknown_over_cny", row(**{**PARCEL, "export_on": "2026-11-10"}), row(**PARCEL)),
    ("9710", "buyer_is_consumer", {**ORDER, "buyer_kind": "个人"}, ORDER),
    ("9710", "to_warehouse", {**ORDER, "order_type_code": "W"}, ORDER),
    ("9810", "not_to_warehouse", ORDER, {**ORDER, "order_type_code": "W", "buyer_kind": ""}),
    ("1039", "not_from_market", row(**PARCEL), SLIP),
    ("1039", "unknown_market", {**SLIP, "merchant_name": ""}, SLIP),
    ("1039", "licence", {**SLIP, "licence_flag": "1"}, SLIP),
    # EUR 120,000 × 7.80 ÷ 7.15 = USD 130,909.09; EUR 137,500 is USD 150,000 exactly, which is within.
    ("1039", "over_usd_limit", {**SLIP, "total_price": "137500.01"}, {**SLIP, "total_price": "137500.00"}),
]


@pytest.mark.parametrize(("mode", "reason", "breaks", "keeps"), CASES, ids=lambda each: each if isinstance(each, str) else "")
def test_what_closes_a_mode(mode: str, reason: str, breaks: dict[str, str], keeps: dict[str, str], runner: Runner) -> None:
    closed = next(found for (_, of), found in advice(runner, [breaks]).items() if of == mode)
    assert closed[:2] == ("unknown" if reason.startswith("unknown") else "no", reason)
    assert bool(closed[2]) is reason.startswith("unknown")
    left_open = next(found for (_, of), found in advice(runner, [keeps]).items() if of == mode)
    assert left_open == ("yes", next(each.open_reason for each in ADVISED if each.mode == mode), [])


@pytest.mark.parametrize(
    ("mode", "reason", "old", "new", "unit"),
    [
        ("9610-A", "refund", "refund = false", "refund = true", row(**PARCEL)), ("9610-A", "outside_pilot_zone", "pilot_zone = true", "pilot_zone = false", row(**PARCEL)),
        ("9610-A", "unknown_refund", "refund = false\n", "", row(**PARCEL)), ("9610-A", "unknown_pilot_zone", "pilot_zone = true\n", "", row(**PARCEL)),
        ("1039", "no_registered_operator", "registered_operator = true", "registered_operator = false", SLIP),
        ("1039", "unknown_registered_operator", "registered_operator = true\n", "", SLIP),
        ("1039", "market_not_started", "2020-01-01", "2026-10-11", SLIP), ("1039", "unknown_market_started", 'name = "Yiwu"\n', "", SLIP),
        ("1039", "refund", "refund = false", "refund = true", SLIP),
    ],
)  # fmt: skip
def test_what_the_config_says(mode: str, reason: str, old: str, new: str, unit: dict[str, str], runner: Runner) -> None:
    assert old in FIRM
    found = next(found for (_, of), found in advice(runner, [unit], FIRM.replace(old, new)).items() if of == mode)
    assert found[:2] == ("unknown" if reason.startswith("unknown") else "no", reason)
    if reason.startswith("unknown"):
        assert set(found[2]) <= {"company.refund", "company.pilot_zone", "company.registered_operator", "market.name", "market.starts_on"}
        assert found[2]


def test_nothing_known_is_named_not_assumed(runner: Runner) -> None:
    found = advice(runner, [row()], "", "")
    assert found[NUMBER, "9610-A"] == ("unknown", "unknown_over_cny", ["rates", "licence_no", "duty_flag", "company.refund", "company.pilot_zone"])
    assert found[NUMBER, "0110"] == ("yes", "general", [])
    assert list(found) == [(NUMBER, each.mode) for each in ADVISED]


def test_lines_of_a_unit_are_added_and_judged_together(runner: Runner) -> None:
    first = row(**{**PARCEL, "total_price": "349.66"})
    within = advice(runner, [first, {**first, "item_no": "2", "total_price": "349.64"}])
    over = advice(runner, [first, {**first, "item_no": "2", "total_price": "349.65"}])
    assert (within[NUMBER, "9610-A"][1], over[NUMBER, "9610-A"][1]) == ("simplified", "over_limit")
    one_unknown = advice(runner, [first, {**first, "item_no": "2", "duty_flag": "?"}])
    assert one_unknown[NUMBER, "9610-A"][1] == "over_limit" or one_unknown[NUMBER, "9610-A"][1] == "unknown_duty"


def test_orders_of_two_platforms_are_two(runner: Runner) -> None:
    made = answer(runner, [ORDER, {**ORDER, "platform_code": "0987654321"}])
    assert len(made["units"]) == 2 * len(ADVISED)


def test_the_table_by_consignor(runner: Runner) -> None:
    parcels = [row(**PARCEL), row(**{**PARCEL, "total_price": "1000.00"}, inventory_no="22442026E000000002")]
    made = {each["mode"]: each for each in answer(runner, parcels)["consignors"]}
    # USD 1,699.30 × 7.15 = 12,149.995: 5,000.00 and 7,150.00, each rounded.
    assert {name: made["9610-B"][name] for name in ("yes", "no", "unknown", "value_cny")} == {"yes": 2, "no": 0, "unknown": 0, "value_cny": "12150.00"}
    assert (made["9610-A"]["yes"], made["9610-A"]["no"], made["9610-A"]["value_cny"]) == (1, 1, "5000.00")
    assert made["9610-A"]["consignor_code"] == parcels[0]["consignor_code"]


def test_text_and_csv_in_both_languages(runner: Runner) -> None:
    runner.write(csv_text([row(**PARCEL)]))
    english = aggregator("modes", "export.csv", "--lang", "en", folder=runner.folder).stdout
    for text in ("By consignor", "missing: rates", "READ-partial", "not law", "12360"):
        assert text in english
    chinese = aggregator("modes", "export.csv", "--lang", "zh", folder=runner.folder).stdout
    for text in ("按收发货人", "缺少：汇率表(rates)", "不是法律意见", "可按零售出口汇总申报"):
        assert text in chinese
    table = list(csv.DictReader(io.StringIO(aggregator("modes", "export.csv", "--format", "csv", folder=runner.folder).stdout)))
    assert [each["mode"] for each in table] == [each.mode for each in ADVISED]
    assert list(table[0]) == ["unit", "mode", "fits", "reason", "missing"]


def test_imports_are_refused_by_name(runner: Runner) -> None:
    for headings, cells in (({"inventory_no": "进口清单编号", "exit_customs_code": "进境关别"}, {}), ({}, {"inventory_no": "22442026I000000002"})):
        runner.write(csv_text([row(**cells)], headings))
        result = aggregator("modes", "export.csv", folder=runner.folder)
        assert result.returncode == 65
        assert "F119" in result.stderr


def test_imports_among_exports_are_named(runner: Runner) -> None:
    runner.write(csv_text([row(), row(inventory_no="22442026I000000002")]))
    result = aggregator("modes", "export.csv", "--json", "--lang", "en", folder=runner.folder)
    assert (result.returncode, result.stderr) == (0, "export.csv: import lines among exports, rows 3.\n")
    assert {(each["fits"], each["reason"]) for each in json.loads(result.stdout)["units"] if each["unit"][8] == "I"} == {("no", "import")}


def test_exports_without_units_or_with_unusable_rates(runner: Runner) -> None:
    runner.write("商品编码,总价\n6109100010,1\n")
    result = aggregator("modes", "export.csv", folder=runner.folder)
    assert result.returncode == 65
    assert "trade_slip_no" in result.stderr
    runner.write(csv_text([row()]))
    runner.write(RATES + "USD,7.1,2026-10-31,2026-11-30,\n", "rates.csv")
    assert aggregator("modes", "export.csv", "--rates", "rates.csv", folder=runner.folder).returncode == 78
    assert aggregator("modes", "nowhere.csv", folder=runner.folder).returncode == 66


def test_a_doubtful_rate_is_reported_and_used_as_it_stands(runner: Runner) -> None:
    runner.write(csv_text([row(export_on="2026-10-10")]))
    runner.write(RATES.replace("7.15", "715"), "rates.csv")
    for command in (("modes", "export.csv", "--lang", "en"), ("run", "export.csv", "--period", "2026-10", "--first-period", "2026-09", "--out", "out")):
        result = aggregator(*command, "--rates", "rates.csv", folder=runner.folder)
        assert result.returncode == 0
        assert 'rates.csv:2 USD "715 ÷ 100 = 7.15"' in result.stderr


def test_the_table_as_a_file(runner: Runner) -> None:
    runner.write(csv_text([row(), row(inventory_no="22442026E000000002")]))
    for form in ("csv", "parquet", "xlsx"):
        made = aggregator("modes", "export.csv", "--format", form, "--out", f"modes.{form}", folder=runner.folder)
        assert (made.returncode, made.stdout) == (0, f"modes.{form}\n")
    table = pq.read_table(runner.folder / "modes.parquet")
    assert (table.column_names, table.num_rows) == (["unit", "mode", "fits", "reason", "missing"], 12)
    assert table.to_pylist() == read_rows(runner.folder / "modes.csv")
    rows = CalamineWorkbook.from_path(runner.folder / "modes.xlsx").get_sheet_by_index(0).to_python()
    assert rows == [list(table.column_names), *(list(each.values()) for each in table.to_pylist())]
    for wrong in (("--format", "xlsx"), ("--out", "modes.csv"), ("--format", "csv", "--out", "nowhere/modes.csv")):
        assert aggregator("modes", "export.csv", *wrong, folder=runner.folder).returncode == (74 if "nowhere/modes.csv" in wrong else 2)
