"""What is wrong, or doubtful, with a table of exchange rates. Nothing is corrected: whose rate it is says what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa

from aggregator.domain.rates import CNY, Rate, gaps_of, letters_of
from aggregator.schemas.codes import code_list
from aggregator.schemas.patterns import clearing_digits
from aggregator.schemas.rates import QUOTED_FOR, RATE, USUAL, USUAL_CHANGE

_SLASHES = re.compile(r"^([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})(?![0-9])")


@dataclass(frozen=True)
class WrittenRate:
    """A row of the table as text; `place`: its file and row, or its place in the config."""

    place: str
    currency_code: str
    cny_per_unit: str
    valid_from: str
    valid_to: str
    source: str


@dataclass(frozen=True)
class RateFinding:
    """`first`, `last`: the days it is about."""

    code: str
    place: str
    currency: str
    value: str
    first: date | None = None
    last: date | None = None


def parsed(written: Iterable[WrittenRate]) -> tuple[list[Rate], list[RateFinding]]:
    """The rates that can be read, and what is wrong with the others (E101, E102, E103)."""
    rates, found = [], []
    for row in written:
        first, last = _day(row.valid_from), _day(row.valid_to)
        currency = letters_of(row.currency_code)

        def finding(code: str, value: str, of: WrittenRate = row, currency: str = currency) -> RateFinding:
            return RateFinding(code, of.place, currency, value)

        if row.currency_code not in code_list("currency").codes:
            found.append(finding("E101", row.currency_code))
        elif not re.fullmatch(f"-?{RATE}", row.cny_per_unit):
            found.append(finding("E101", row.cny_per_unit))
        elif first is None or last is None:
            found.append(finding("E101", row.valid_from if first is None else row.valid_to))
        elif (rate := Decimal(row.cny_per_unit)) <= 0:
            found.append(finding("E102", row.cny_per_unit))
        elif last < first:
            found.append(finding("E103", f"{first} – {last}"))
        else:
            rates.append(Rate(row.currency_code, first, last, rate, row.source, row.place))
    return rates, found


def _day(text: str) -> date | None:
    """Days as cells write them: 2026-10-01, 2026/10/1, 20261001, also with a time after them."""
    iso = _SLASHES.sub(lambda found: f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}", text)
    digits = clearing_digits(pa.array([iso], pa.string()))[0].as_py()
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if digits else None


def overlaps(rates: Sequence[Rate]) -> Iterator[RateFinding]:
    """E104: each rate that begins before an earlier one of its currency has ended."""
    longest: Rate | None = None
    for rate in sorted(rates):
        if longest is not None and longest.currency_code == rate.currency_code and rate.valid_from <= longest.valid_to:
            value = f"{longest.place}: {longest.cny_per_unit}, {rate.place}: {rate.cny_per_unit}"
            yield RateFinding("E104", rate.place, letters_of(rate.currency_code), value, rate.valid_from, min(rate.valid_to, longest.valid_to))
        if longest is None or longest.currency_code != rate.currency_code or rate.valid_to > longest.valid_to:
            longest = rate


def uncovered(rates: Sequence[Rate], first: date, last: date, needed: Iterable[str]) -> Iterator[RateFinding]:
    """E105: days of a period without a rate, of the currencies of the table and of those needed besides (customs' codes)."""
    for gap in gaps_of(rates, first, last, needed):
        yield RateFinding("E105", "", letters_of(gap.currency_code), f"{gap.first} – {gap.last}", gap.first, gap.last)


def doubts(rates: Sequence[Rate]) -> Iterator[RateFinding]:
    """E106 to E109: rates of a size that this currency cannot have, or has not had before."""
    doubted = set()
    for rate in sorted(rates):
        reading = _doubt(rate)
        if reading is not None:
            doubted.add(rate)
            yield RateFinding(reading[0], rate.place, letters_of(rate.currency_code), reading[1], rate.valid_from, rate.valid_to)
    for former, latter in pairwise(sorted(rates)):
        if former.currency_code != latter.currency_code or {former, latter} & doubted:
            continue
        low, high = sorted((former.cny_per_unit, latter.cny_per_unit))
        if high > low * USUAL_CHANGE:
            yield RateFinding(
                "E109", latter.place, letters_of(latter.currency_code), f"{former.cny_per_unit} → {latter.cny_per_unit}", latter.valid_from, latter.valid_to
            )


def _doubt(rate: Rate) -> tuple[str, str] | None:
    """The code of what it looks like, and what is said of it; None where nothing is odd, or nothing is known of the currency."""
    value, currency = rate.cny_per_unit, letters_of(rate.currency_code)
    if rate.currency_code == CNY:
        return None if value == 1 else ("E108", f"{value}; CNY = 1")
    if currency not in USUAL:
        return None
    low, high = USUAL[currency]
    if low <= value <= high:
        return None
    for units in QUOTED_FOR:
        if low <= value / units <= high:
            return "E106", f"{value} ÷ {units} = {_short(value / units)}"
    if low <= 1 / value <= high:
        return "E107", f"1 ÷ {value} = {_short(1 / value)}"
    return "E108", f"{value}; {low} – {high}"


def _short(value: Decimal) -> str:
    return f"{value:.6g}" if value.adjusted() >= -4 else f"{value:.8f}"
