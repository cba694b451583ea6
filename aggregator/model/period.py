"""The period (申报期): the month whose cleared inventories are declared together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from aggregator.model.errors import WrongUsage
from aggregator.schemas.patterns import CHINA

YEARS = range(2000, 3000)
"""What a year may be: what comes before and after them, months and deadlines, is a date too."""
_SHOWN = 60


@dataclass(frozen=True)
class Period:
    """A calendar month, China time; `key` as yyyymm sorts as text."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Period:
        try:
            moment = datetime.strptime(text, "%Y-%m").replace(tzinfo=CHINA)
        except ValueError:
            moment = None
        if moment is None or moment.year not in YEARS:
            begin = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
            raise WrongUsage(
                f"'{begin}' is not a period. Write it as YYYY-MM, for example 2026-10.",
                f"“{begin}”不是申报期。请写成 YYYY-MM，例如 2026-10。",
            )
        return cls(moment.year, moment.month)

    @classmethod
    def before(cls, day: date) -> Period:
        last = day.replace(day=1) - timedelta(days=1)
        return cls(last.year, last.month)

    @property
    def key(self) -> str:
        return f"{self.year:04d}{self.month:02d}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return self.next_month - timedelta(days=1)

    @property
    def next_month(self) -> date:
        return date(self.year + self.month // 12, self.month % 12 + 1, 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
