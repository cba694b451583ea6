"""The deadline: the 15th, moved to the next working day of the Chinese calendar; and what is said of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import chinese_calendar
import pytest

from aggregator.domain.deadline import Calendar, calendar_of, deadline
from aggregator.model.errors import NoCalendar, WrongConfiguration, WrongUsage
from aggregator.model.period import Period
from aggregator.schemas.modes.m9610.limits import DEADLINE_DAY
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row

LAST_YEAR = max(chinese_calendar.constants.holidays).year
"""The last year chinesecalendar has; the next one is not published, as far as it knows."""


@pytest.mark.parametrize(
    ("fifteenth", "expected"),
    [
        ("2024-02-15", "2024-02-18"),  # Spring Festival; the 18th is a Sunday that is worked
        ("2024-06-15", "2024-06-17"),
        ("2024-09-15", "2024-09-18"),  # Mid-Autumn
        ("2025-02-15", "2025-02-17"),
        ("2026-02-15", "2026-02-24"),
        ("2026-03-15", "2026-03-16"),
        ("2026-08-15", "2026-08-17"),
        ("2026-11-15", "2026-11-16"),
        ("2026-10-15", "2026-10-15"),
    ],
)
def test_golden(fifteenth: str, expected: str) -> None:
    period = Period.before(date.fromisoformat(fifteenth))
    assert deadline(period, Calendar(), DEADLINE_DAY) == date.fromisoformat(expected)


def test_december_is_due_in_january() -> None:
    assert deadline(Period(2025, 12), Calendar(), DEADLINE_DAY) == date(2026, 1, 15)


def test_a_year_nobody_has_published_is_never_guessed() -> None:
    with pytest.raises(NoCalendar, match="chinesecalendar") as stop:
        deadline(Period(LAST_YEAR, 12), Calendar(), DEADLINE_DAY)
    assert str(LAST_YEAR + 1) in stop.value.text.zh
    assert stop.value.exit_code == 78


def test_own_table_makes_a_year_known_and_wins_over_the_built_in_one() -> None:
    year = LAST_YEAR + 1
    first_15th = date(year, 1, 15)
    calendar = calendar_of({str(year): {"off": [str(first_15th)]}}, None)
    assert deadline(Period(LAST_YEAR, 12), calendar, DEADLINE_DAY) > first_15th
    assert deadline(Period(LAST_YEAR, 12), calendar_of({str(year): {}}, None), DEADLINE_DAY).weekday() < 5
    # 2026-11-15 is a Sunday: worked, if the user's table says so.
    assert deadline(Period(2026, 10), calendar_of({"2026": {"working": [date(2026, 11, 15)]}}, None), DEADLINE_DAY) == date(2026, 11, 15)
    assert deadline(Period(2026, 10), calendar_of({"2026": {"off": ["2026-11-16"]}}, None), DEADLINE_DAY) == date(2026, 11, 17)


def test_a_file_gives_years_and_the_config_wins_over_it(tmp_path: Path) -> None:
    file = tmp_path / "cn.toml"
    file.write_text('[2026]\nsource = "notice"\noff = ["2026-11-16"]\n', encoding="utf-8")
    assert deadline(Period(2026, 10), calendar_of({}, file), DEADLINE_DAY) == date(2026, 11, 17)
    assert deadline(Period(2026, 10), calendar_of({"2026": {}}, file), DEADLINE_DAY) == date(2026, 11, 16)


@pytest.mark.parametrize(
    "table",
    [
        {"26": {}}, {"2026": {"off": ["2026-13-01"]}}, {"2026": {"off": ["2025-01-01"]}}, {"2026": {"holidays": []}},
        {"2026": []}, {"2026": {"off": [5]}}, {"2026": {"off": "2026-01-01x"}},
    ],
)  # fmt: skip
def test_wrong_calendar_is_reported(table: dict[str, object]) -> None:
    with pytest.raises(WrongConfiguration, match="calendar is wrong"):
        calendar_of(table, None)


def test_working_days_left() -> None:
    calendar, until = Calendar(), date(2026, 11, 16)
    assert calendar.working_days_left(date(2026, 11, 12), until) == 2
    assert calendar.working_days_left(date(2026, 11, 14), until) == 1
    assert calendar.working_days_left(until, until) == 0
    assert calendar.working_days_left(date(2026, 11, 17), until) == -1
    # Over the National Day week: 28, 29, 30 September, then 8 and 9 October and the made-up Saturday.
    assert calendar.working_days_left(date(2026, 9, 27), date(2026, 10, 10)) == 6


def test_before_the_rule_this_tool_knows() -> None:
    with pytest.raises(WrongUsage, match="2019-01-01"):
        deadline(Period(2018, 11), Calendar(), DEADLINE_DAY)
    assert deadline(Period(2018, 12), Calendar(), DEADLINE_DAY) == date(2019, 1, 15)


# ------------------------------------------------------------------------------------------------- on the command line


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_status_without_a_ledger_tells_the_deadline_in_any_zone(tmp_path: Path, zone: str) -> None:
    result = aggregator("status", "--period", "2026-10", "--as-of", "2026-11-12", "--out", "out", "--json", folder=tmp_path, TZ=zone)
    assert result.returncode == 0, result.stderr
    [period] = json.loads(result.stdout)["periods"]
    assert (period["deadline"], period["working_days_left"]) == ("2026-11-16", 2)
    assert list(tmp_path.iterdir()) == []


def test_status_of_an_unpublished_year_is_78_with_the_remedy(tmp_path: Path) -> None:
    result = aggregator("status", "--period", f"{LAST_YEAR}-12", "--out", "out", folder=tmp_path)
    assert result.returncode == 78
    assert "pip install -U chinesecalendar" in result.stderr
    assert f"[calendar.{LAST_YEAR + 1}]" in result.stderr
    (tmp_path / "cn.toml").write_text(f'[{LAST_YEAR + 1}]\noff = ["{LAST_YEAR + 1}-01-01"]\n', encoding="utf-8")
    known = aggregator("status", "--period", f"{LAST_YEAR}-12", "--out", "out", "--calendar", "cn.toml", folder=tmp_path)
    assert known.returncode == 0, known.stderr
    assert f"{LAST_YEAR + 1}-01-1" in known.stdout


def test_a_run_goes_on_without_a_calendar_and_says_so(runner: Runner) -> None:
    runner.write([row(cleared_at=f"{LAST_YEAR}-12-15 10:00:00")])
    options = ("--period", f"{LAST_YEAR}-12", "--as-of", f"{LAST_YEAR + 1}-01-05", "--out", "out")
    result = aggregator("run", "export.csv", *options, folder=runner.folder)
    assert result.returncode == 0, result.stderr
    assert "no working-day calendar" in result.stderr
    assert "Published" in result.stdout


def test_run_tells_the_deadline_and_warns_when_something_is_left(runner: Runner) -> None:
    runner.write([row(), row(inventory_no="22442026E000000002", order_no="2", waybill_no="2", cleared_at="2026-09-20 10:00:00")])
    common = ("run", "export.csv", "--period", "2026-09", "--first-period", "2026-09", "--out", "out", "--as-of")
    far = aggregator(*common, "2026-10-08", folder=runner.folder)
    assert far.returncode == 0, "the October one is declared with its own period"
    assert "deadline 2026-10-15" in far.stdout
    held = ("run", "export.csv", "--period", "2026-10", "--no-late", "--out", "held", "--first-period", "2026-09", "--as-of")
    assert aggregator(*held, "2026-11-13", folder=runner.folder).returncode == 0
    runner.write([row(inventory_no="22442026E000000003", order_no="3", waybill_no="3"), row(inventory_no="4", goods_name="")], "more.csv")
    near = aggregator("run", "more.csv", *held[2:], "2026-11-13", folder=runner.folder)
    assert near.returncode == 3
    assert "1 inventory of the period still undeclared" in near.stdout


def test_doctor_warns_sixty_days_ahead(tmp_path: Path) -> None:
    for day, well in ((f"{LAST_YEAR}-11-01", True), (f"{LAST_YEAR}-11-20", False)):
        result = aggregator("doctor", "--out", "out", "--as-of", day, "--json", folder=tmp_path)
        [calendar] = [check for check in json.loads(result.stdout)["checks"] if check["name"] == "working-day calendar"]
        assert calendar["well"] is well, day
        assert result.returncode == (0 if well else 3)
    assert "pip install -U chinesecalendar" in calendar["remedy"]["en"]
