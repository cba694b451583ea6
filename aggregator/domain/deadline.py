"""The last day to declare a period: the 15th of the next month, moved to the next working day of the Chinese calendar.

The calendar is that of the package chinesecalendar (the State Council's yearly notices, made-up working days included),
over which the user's own table wins. A year that nobody has published yet is never guessed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import chinese_calendar

from aggregator.model.errors import NoCalendar, WrongConfiguration, WrongUsage
from aggregator.model.period import Period
from aggregator.model.small import read_small
from aggregator.schemas.limit import Limit

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class Year:
    """What one year's notice says. `off`: weekdays that are days off; `working`: weekend days that are worked."""

    off: frozenset[date]
    working: frozenset[date]


@dataclass(frozen=True)
class Calendar:
    """Working days. `own`: years the user gives; they win day by day, and make a year known that chinesecalendar lacks."""

    own: Mapping[int, Year] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Raises NoCalendar for a year that neither table has."""
        year = self.own.get(day.year)
        if year is not None and day in year.working:
            return True
        if year is not None and day in year.off:
            return False
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            if year is None:
                raise NoCalendar(
                    f"There is no working-day calendar for {day.year}: the State Council publishes it in November of the year "
                    "before. Update it with 'pip install -U chinesecalendar', or give it yourself in the config: "
                    f'[calendar.{day.year}] off = ["{day.year}-01-01", …] working = [… weekend days that are worked].',
                    f"没有 {day.year} 年的工作日历：国务院通常在上一年11月公布。请运行 pip install -U chinesecalendar 更新，或在配置中给出："
                    f'[calendar.{day.year}] off = ["{day.year}-01-01", …] working = [… 调休上班的周末]。',
                ) from None
            return day.weekday() < _SATURDAY

    def next_working_day(self, day: date) -> date:
        while not self.is_working_day(day):
            day += _ONE_DAY
        return day

    def working_days_left(self, today: date, until: date) -> int:
        """Working days after today up to and with `until`; on the day itself 0, after it below 0."""
        if today > until:
            return -self.working_days_left(until, today) or -1
        return sum(self.is_working_day(today + offset * _ONE_DAY) for offset in range(1, (until - today).days + 1))


def earliest_deadline(period: Period, last_day: Limit[int]) -> date:
    """The last day of the next month to declare a period, before it is moved to a working day."""
    day = period.next_month.replace(day=last_day.value)
    if day < last_day.in_force_from:
        raise WrongUsage(
            f"The period {period} is before the rule this tool knows, in force from {last_day.in_force_from}.",
            f"申报期 {period} 早于本工具所依据规则的生效日期 {last_day.in_force_from}。",
        )
    return day


def deadline(period: Period, calendar: Calendar, last_day: Limit[int]) -> date:
    return calendar.next_working_day(earliest_deadline(period, last_day))


def calendar_of(table: Mapping[str, Any], file: Path | None) -> Calendar:
    """The user's own years: those of the config's [calendar] over those of a TOML file of the same form."""
    years = _years(_read(file), str(file)) if file is not None else {}
    return Calendar(years | _years(table, "[calendar]"))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small(file).decode("utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise WrongConfiguration(
            f"The calendar file {file} cannot be read: {why}. Correct it, or leave --calendar out.",
            f"无法读取日历文件 {file}：{why}。请修正，或去掉 --calendar。",
        ) from None


def _years(table: Mapping[str, Any], where: str) -> dict[int, Year]:
    years = {}
    for name, value in table.items():
        if not (len(name) == 4 and name.isascii() and name.isdigit() and isinstance(value, dict)):
            raise _wrong(where, name)
        unknown = set(value) - {"off", "working", "source"}
        if unknown:
            raise _wrong(where, f"{name}.{min(unknown)}")
        years[int(name)] = Year(*(_days(value.get(kind, []), int(name), f"{where} {name}.{kind}") for kind in ("off", "working")))
    return years


def _days(values: Any, year: int, where: str) -> frozenset[date]:
    days = []
    for value in values if isinstance(values, list) else [values]:
        try:
            day = value if type(value) is date else date.fromisoformat(value)
        except (TypeError, ValueError):
            raise _wrong(where, str(value)) from None
        if day.year != year:
            raise _wrong(where, str(value))
        days.append(day)
    return frozenset(days)


def _wrong(where: str, what: str) -> WrongConfiguration:
    return WrongConfiguration(
        f"The calendar is wrong: {where}: {what}. A year looks like this: [calendar.2027] off = [\"2027-01-01\"] "
        'working = ["2027-02-06"], days of that year as YYYY-MM-DD.',
        f"日历有误：{where}：{what}。格式如下：[calendar.2027] off = [\"2027-01-01\"] working = [\"2027-02-06\"]，日期写成 YYYY-MM-DD。",
    )
