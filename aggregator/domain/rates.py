"""Exchange rates: a dated table that the user gives, as CNY for one unit of a currency.

Which rate the limits of 9710 and 1039 are meant in is said by no text that was read; customs' rate for taxable value is the
nearest [INFERENCE]. So the table is the user's, with its source, and a day or currency it lacks stops the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import lcm

from aggregator.model.errors import WrongConfiguration
from aggregator.schemas.codes import code_list

CNY, USD = "142", "502"
_CENT = Decimal("0.01")
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Rate:
    """CNY for one unit of a currency (customs' code), on the days of its validity, both ends within. `place`: where it is written."""

    currency_code: str
    valid_from: date
    valid_to: date
    cny_per_unit: Decimal
    source: str
    place: str = ""


@dataclass(frozen=True)
class Gap:
    """Days of a period for which a currency has no rate."""

    currency_code: str
    first: date
    last: date


@dataclass(frozen=True)
class Exchange:
    """Amounts into one currency in whole numbers, exactly: an amount times the factor of its currency and day (yyyymmdd) is its
    worth there times `scale`."""

    factors: Mapping[tuple[str, str], int]
    scale: int


@dataclass(frozen=True)
class Rates:
    """Raises WrongConfiguration for a rate that is not above 0, that ends before it begins, or overlaps another of its currency."""

    rates: tuple[Rate, ...]

    def __post_init__(self) -> None:
        for rate in self.rates:
            if rate.cny_per_unit <= 0 or rate.valid_to < rate.valid_from:
                raise wrong_rates(
                    f"{_named(rate)}: a rate is above 0 and ends after it begins", f"{_named(rate)}：汇率必须大于0，且截止日期不得早于起始日期"
                )
        for former, latter in pairwise(sorted(self.rates)):
            if former.currency_code == latter.currency_code and latter.valid_from <= former.valid_to:
                raise wrong_rates(f"{_named(former)} and {_named(latter)} overlap", f"{_named(former)} 与 {_named(latter)} 的有效期重叠")

    @cached_property
    def _by_currency(self) -> Mapping[str, list[Rate]]:
        found: dict[str, list[Rate]] = {}
        for rate in sorted(self.rates):
            found.setdefault(rate.currency_code, []).append(rate)
        return found

    def find(self, currency_code: str, day: date) -> Decimal | None:
        """CNY for one unit on a day; CNY itself needs no rate."""
        if currency_code == CNY:
            return Decimal(1)
        for rate in self._by_currency.get(currency_code, ()):
            if rate.valid_from <= day <= rate.valid_to:
                return rate.cny_per_unit
        return None

    def all_of(self, wanted: Iterable[tuple[str, date]]) -> dict[tuple[str, date], Decimal]:
        """The rate of each currency and day. Raises WrongConfiguration naming what is missing."""
        asked = sorted(set(wanted))
        found = {each: self.find(*each) for each in asked}
        missing = [f"{letters_of(currency)} {day}" for (currency, day), rate in found.items() if rate is None]
        if missing:
            listed = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
            raise wrong_rates(f"there is no rate for {listed}", f"缺少汇率：{listed}")
        return {each: rate for each, rate in found.items() if rate is not None}

    def to_usd(self, wanted: Iterable[tuple[str, date]]) -> Exchange:
        """By CNY per unit ÷ CNY per USD of the day. Raises WrongConfiguration naming what is missing."""
        pairs = sorted(set(wanted))
        others = [(currency, day) for currency, day in pairs if currency != USD]
        found = self.all_of([*others, *((USD, day) for _, day in others)])
        ratios = {
            (currency, day): Fraction(1) if currency == USD else Fraction(found[currency, day]) / Fraction(found[USD, day])
            for currency, day in pairs
        }
        return _exchange(ratios)

    def to_cny(self, wanted: Iterable[tuple[str, date]]) -> Exchange:
        """Raises WrongConfiguration naming what is missing."""
        return _exchange({each: Fraction(rate) for each, rate in self.all_of(wanted).items()})

    def gaps(self, first: date, last: date) -> list[Gap]:
        """Days of a period without a rate, of the currencies that the table has."""
        return list(gaps_of(self.rates, first, last))


def _exchange(ratios: Mapping[tuple[str, date], Fraction]) -> Exchange:
    scale = lcm(*(ratio.denominator for ratio in ratios.values()))
    return Exchange({(currency, f"{day:%Y%m%d}"): int(ratio * scale) for (currency, day), ratio in ratios.items()}, scale)


def gaps_of(rates: Sequence[Rate], first: date, last: date, needed: Iterable[str] = ()) -> Iterator[Gap]:
    """Days of a period without a rate, of the currencies of the table and of those needed besides. Rates may overlap."""
    for currency in sorted({rate.currency_code for rate in rates} | set(needed) - {CNY}):
        day = first
        for rate in sorted(rate for rate in rates if rate.currency_code == currency):
            if rate.valid_to < day or rate.valid_from > last:
                continue
            if rate.valid_from > day:
                yield Gap(currency, day, rate.valid_from - _ONE_DAY)
            day = rate.valid_to + _ONE_DAY
        if day <= last:
            yield Gap(currency, day, last)


def rounded(amount: Decimal) -> Decimal:
    """To the cent, half up (Order 272 of customs, article 13, says so of amounts in CNY)."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def letters_of(currency_code: str) -> str:
    """ISO letters of a customs' code, the code itself where it has none."""
    return next((letters for letters, code in code_list("currency").to_code.items() if code == currency_code and letters.isascii()), currency_code)


def _named(rate: Rate) -> str:
    return f"{letters_of(rate.currency_code)} {rate.cny_per_unit} ({rate.valid_from} – {rate.valid_to})"


def wrong_rates(en: str, zh: str) -> WrongConfiguration:
    return WrongConfiguration(f"The table of rates: {en}. Correct it (--rates FILE, or [[rates]]) and run again.", f"汇率表：{zh}。请修正（--rates 文件 或 [[rates]]）后重新运行。")
