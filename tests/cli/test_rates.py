"""The table of exchange rates as users give it, and `aggregator rates check`."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from aggregator.inputs.tables.rates import read_rates
from aggregator.model.errors import NoInput, WrongConfiguration
from aggregator.model.settings import RateSettings
from aggregator.schemas.rates import RATE_RULES
from tests.cli.test_cli import aggregator
from tests.conftest import Runner

HEAD = "currency_code,cny_per_unit,valid_from,valid_to,source"
GOOD = "USD,7.15,2026-10-01,2026-10-31,customs"
BREAKS = {
    "E101": ["US,7.15,2026-10-01,2026-10-31,"],
    "E102": ["USD,-7.15,2026-10-01,2026-10-31,"],
    "E103": ["USD,7.15,2026-10-31,2026-10-01,"],
    "E104": ["USD,7.15,2026-10-01,2026-10-15,", "USD,7.15,2026-10-15,2026-10-31,"],
    "E105": ["USD,7.15,2026-10-01,2026-10-15,", "USD,7.15,2026-10-17,2026-10-31,"],
    "E106": ["JPY,4.62,2026-10-01,2026-10-31,"],
    "E107": ["USD,0.1399,2026-10-01,2026-10-31,"],
    "E108": ["USD,0.000715,2026-10-01,2026-10-31,"],
    "E109": ["KWD,2.34,2026-10-01,2026-10-15,", "KWD,23.4,2026-10-16,2026-10-31,"],
}
KEEPS = {
    "E101": ["usd,7.15,20261001,2026/10/31,", "港币,0.91,2026-10-01,2026-10-31,"],
    "E102": ["VND,0.000284,2026-10-01,2026-10-31,"],
    "E103": ["USD,7.15,2026-10-05,2026-10-05,"],
    "E104": ["USD,7.15,2026-10-01,2026-10-15,", "USD,7.15,2026-10-16,2026-10-31,", "EUR,7.8,2026-10-01,2026-10-31,"],
    "E105": ["USD,7.15,2026-09-01,2026-10-15,", "USD,7.15,2026-10-16,2026-12-31,"],
    "E106": ["JPY,0.0462,2026-10-01,2026-10-31,"],
    "E107": ["HKD,0.91,2026-10-01,2026-10-31,"],
    "E108": ["142,1,2026-10-01,2026-10-31,"],
    "E109": ["KWD,2.34,2026-10-01,2026-10-15,", "KWD,7.02,2026-10-16,2026-10-31,"],
}


def checked(runner: Runner, rows: list[str], *more: str) -> tuple[int, list[dict[str, str]]]:
    runner.write("\n".join([HEAD, *rows]) + "\n", "rates.csv")
    result = aggregator("rates", "check", "--rates", "rates.csv", "--period", "2026-10", "--json", *more, folder=runner.folder)
    return result.returncode, json.loads(result.stdout)["findings"]


def test_every_rule_of_rates_has_its_cases() -> None:
    assert set(BREAKS) == set(KEEPS) == set(RATE_RULES.by_code)


@pytest.mark.parametrize("code", sorted(BREAKS))
def test_a_case_that_breaks_the_rule(code: str, runner: Runner) -> None:
    exit_code, found = checked(runner, BREAKS[code])
    assert exit_code == 3
    assert code in {each["code"] for each in found}
    one = next(each for each in found if each["code"] == code)
    assert one["remedy"] == RATE_RULES[code].remedy.en
    assert one["currency"]


@pytest.mark.parametrize("code", sorted(KEEPS))
def test_a_case_that_keeps_the_rule(code: str, runner: Runner) -> None:
    assert code not in {each["code"] for each in checked(runner, KEEPS[code])[1]}


def test_a_sound_table(runner: Runner) -> None:
    assert checked(runner, [GOOD]) == (0, [])
    result = aggregator("rates", "check", "rates.csv", "--period", "2026-10", "--lang", "zh", folder=runner.folder)
    assert (result.returncode, result.stdout) == (0, "USD 共 1 条汇率；申报期 2026-10：每日均有且仅有一条汇率，未见可疑。\n")


def test_gaps_name_their_days(runner: Runner) -> None:
    _, found = checked(runner, BREAKS["E105"])
    assert [(each["currency"], each["first"], each["last"]) for each in found] == [("USD", "2026-10-16", "2026-10-16")]
    exit_code, found = checked(runner, [GOOD], "--currency", "EUR", "--currency", "CNY")
    assert (exit_code, [(each["currency"], each["value"]) for each in found]) == (3, [("EUR", "2026-10-01 – 2026-10-31")])


def test_findings_name_file_and_row(runner: Runner) -> None:
    runner.write("\n".join([HEAD, GOOD, *BREAKS["E106"]]) + "\n", "rates.csv")
    result = aggregator("rates", "check", "rates.csv", "--period", "2026-10", "--lang", "en", folder=runner.folder)
    assert result.returncode == 3
    assert 'rates.csv:3 JPY "4.62 ÷ 100 = 0.0462" [E106 warning]' in result.stdout


def test_rates_of_the_config(runner: Runner) -> None:
    runner.write('[[rates]]\ncurrency_code = "USD"\ncny_per_unit = 7.15\nvalid_from = 2026-10-01\nvalid_to = "2026-10-31"\nsource = "customs"\n', "aggregator.toml")
    assert aggregator("rates", "check", "--period", "2026-10", folder=runner.folder).returncode == 0
    assert aggregator("rates", "check", "--period", "2026-11", folder=runner.folder).returncode == 3
    assert aggregator("config", "show", folder=runner.folder).returncode == 0
    runner.write('[run]\nrates = "rates.csv"\n[[rates]]\ncurrency_code = "USD"\n', "aggregator.toml")
    assert aggregator("rates", "check", folder=runner.folder).returncode == 78
    runner.write('[[rates]]\ncurrency = "USD"\n', "aggregator.toml")
    assert aggregator("rates", "check", folder=runner.folder).returncode == 78


def test_a_workbook_of_rates(runner: Runner) -> None:
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True})
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, ["币制", "汇率", "生效日期", "失效日期", "来源"])
    sheet.write_row(1, 0, ["美元", "7.15", "2026-10-01", "2026-10-31", "海关"])
    sheet.write_row(2, 0, ["日本元", 0.0462])
    sheet.write_datetime(2, 2, datetime(2026, 10, 1), day)  # noqa: DTZ001 - a cell has no zone
    sheet.write_datetime(2, 3, datetime(2026, 10, 31), day)  # noqa: DTZ001
    book.close()
    path = runner.write(sink.getvalue(), "rates.xlsx")
    rates, taken = read_rates(RateSettings(path, ()))
    assert (rates.find("502", date(2026, 10, 31)), rates.find("116", date(2026, 10, 1))) == (Decimal("7.15"), Decimal("0.0462"))
    assert [each.name for each in taken] == [str(path)]


@pytest.mark.parametrize("code", ["E101", "E102", "E103", "E104"])
def test_a_run_refuses_a_table_it_cannot_use(code: str, runner: Runner) -> None:
    path = runner.write("\n".join([HEAD, *BREAKS[code]]) + "\n", "rates.csv")
    with pytest.raises(WrongConfiguration, match=code):
        read_rates(RateSettings(path, ()))


def test_tables_that_are_none(runner: Runner) -> None:
    with pytest.raises(WrongConfiguration, match="valid_to"):
        read_rates(RateSettings(runner.write("币制,汇率,生效日期\nUSD,7,2026-10-01\n", "a.csv"), ()))
    with pytest.raises(WrongConfiguration, match="F101"):
        read_rates(RateSettings(runner.write("a,b\n1,2\n", "b.csv"), ()))
    with pytest.raises(NoInput):
        read_rates(RateSettings(Path("nowhere.csv"), ()))
    assert aggregator("rates", "check", folder=runner.folder).returncode == 2
    assert aggregator("rules", "E106", folder=runner.folder).returncode == 0
