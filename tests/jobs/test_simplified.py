"""Declaration mode A: where it should not have been, and where B could have been A. Only with exchange rates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, csv_text, read_rows, row

RATES = "currency_code,cny_per_unit,valid_from,valid_to,source\nUSD,7.15,2026-10-01,2026-10-31,customs\n"
BASE = {"export_on": "2026-10-10", "declared_quantity": "1", "statutory_quantity": "1"}
A, B = {**BASE, "declaration_mode_code": "A"}, {**BASE, "declaration_mode_code": "B"}


def priced(total: str, **cells: str) -> dict[str, str]:
    return row(**{"duty_flag": "", "licence_no": "", **cells, "unit_price": total, "total_price": total})


def codes(runner: Runner, rows: list[dict[str, str]], config: str = "", *, rates: bool = True) -> list[tuple[str, str, str]]:
    runner.write(csv_text(rows))
    runner.write(RATES, "rates.csv")
    runner.write(config, "aggregator.toml")
    given = ("--rates", "rates.csv") if rates else ()
    result = aggregator("check", "export.csv", "--findings", "found.csv", *given, folder=runner.folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return [(each["code"], each["column"], each["value"]) for each in read_rows(runner.folder / "found.csv")]


@pytest.mark.parametrize(
    ("breaks", "keeps", "found"),
    [
        # USD 699.31 × 7.15 = 5,000.0665 → 5,000.07; USD 699.30 × 7.15 = 4,999.995 → 5,000.00, which is within.
        (priced("699.31", **A), priced("699.30", **A), ("B209", "total_price", "4999.995 → 5000.00")),
        (priced("10.00", **{**A, "licence_no": "L-1"}), priced("10.00", **A), ("B210", "licence_no", "L-1")),
        (priced("10.00", **{**A, "duty_flag": "是"}), priced("10.00", **{**A, "duty_flag": "否"}), ("B210", "duty_flag", "1")),
        (priced("699.30", **B), priced("699.31", **B), ("B211", "declaration_mode_code", "B: 5000.00")),
        (priced("10.00", **B), priced("10.00", **{**B, "licence_no": "L-1"}), ("B211", "declaration_mode_code", "B: 71.50")),
        (priced("10.00", **B), priced("10.00", **{**B, "duty_flag": "1"}), ("B211", "declaration_mode_code", "B: 71.50")),
    ],
)  # fmt: skip
def test_rules_of_mode_a(breaks: dict[str, str], keeps: dict[str, str], found: tuple[str, str, str], runner: Runner) -> None:
    value = "5000.0665 → 5000.07" if found[0] == "B209" else found[2]
    assert codes(runner, [breaks]) == [(found[0], found[1], value)]
    assert codes(runner, [keeps]) == []
    assert codes(runner, [breaks], rates=False) == []


@pytest.mark.parametrize("config", ["[company]\nrefund = true\n", "[company]\npilot_zone = false\n"])
def test_who_may_not_simplify_is_not_told_to(config: str, runner: Runner) -> None:
    assert codes(runner, [priced("10.00", **B)], config) == []


def test_what_is_not_known_is_not_reported(runner: Runner) -> None:
    later = {"export_on": "2026-11-02"}
    assert codes(runner, [priced("699.31", **{**A, **later}), priced("10.00", **{**B, **later}, inventory_no="22442026E000000002", order_no="2", waybill_no="2")]) == []


def test_all_lines_count_once(runner: Runner) -> None:
    two = [priced("400.00", **A), priced("400.00", **A, item_no="2")]
    assert [code for code, _, _ in codes(runner, two)] == ["B209"]
    assert "B209" not in [code for code, _, _ in codes(runner, [two[0], two[0]])]


def test_a_run_reports_counts_and_declares_the_same(runner: Runner) -> None:
    rows = [priced("10.00", **B), priced("800.00", **A, inventory_no="22442026E000000002", order_no="2", waybill_no="2")]
    runner.write(csv_text(rows))
    runner.write(RATES, "rates.csv")
    without = json.loads(aggregator("run", "export.csv", *PERIOD, "--out", "without", "--json", folder=runner.folder).stdout)
    given = json.loads(aggregator("run", "export.csv", *PERIOD, "--out", "given", "--rates", "rates.csv", "--json", folder=runner.folder).stdout)
    assert given.pop("simplified") == {"B209": {"inventories": 1, "first": ["22442026E000000002"]}, "B211": {"inventories": 1, "first": [rows[0]["inventory_no"]]}}
    assert {**given, "folder": ""} == {**without, "folder": ""}
    for name in ("declarations", "declaration_items", "findings", "excluded", "control_totals"):
        one, other = (Path(runner.folder / made["folder"]) / f"{name}.csv" for made in (without, given))
        assert one.read_bytes() == other.read_bytes()
    page = (Path(runner.folder / given["folder"]) / "report.html").read_text(encoding="utf-8")
    assert "Declaration modes A and B" in page
    assert "22442026E000000002" in page
    assert "Declaration modes A and B" not in (Path(runner.folder / without["folder"]) / "report.html").read_text(encoding="utf-8")
