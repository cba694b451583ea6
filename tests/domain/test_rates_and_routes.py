"""Rates by day, and the route of an order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from aggregator.domain.rates import USD, Gap, Rate, Rates, rounded
from aggregator.domain.route import NO, UNKNOWN, YES, routes
from aggregator.model.errors import WrongConfiguration

OCTOBER = Rate(USD, date(2026, 10, 1), date(2026, 10, 31), Decimal("7.15"), "customs")


def test_both_ends_of_a_rate_are_within() -> None:
    rates = Rates((OCTOBER,))
    assert rates.find(USD, date(2026, 10, 1)) == rates.find(USD, date(2026, 10, 31)) == Decimal("7.15")
    assert rates.find(USD, date(2026, 11, 1)) is None
    assert rates.find("142", date(1999, 1, 1)) == 1


def test_missing_rates_are_named() -> None:
    with pytest.raises(WrongConfiguration, match="USD 2026-11-01"):
        Rates((OCTOBER,)).all_of([(USD, date(2026, 11, 1)), (USD, date(2026, 10, 2)), ("142", date(2026, 11, 1))])


@pytest.mark.parametrize(
    "others",
    [
        (Rate(USD, date(2026, 10, 31), date(2026, 11, 30), Decimal("7.1"), ""),),
        (Rate("300", date(2026, 10, 1), date(2026, 10, 31), Decimal(0), ""),),
        (Rate("300", date(2026, 10, 1), date(2026, 10, 31), Decimal("-1"), ""),),
        (Rate("300", date(2026, 10, 2), date(2026, 10, 1), Decimal("8"), ""),),
    ],
)
def test_rates_that_overlap_or_are_not_above_0_are_refused(others: tuple[Rate, ...]) -> None:
    with pytest.raises(WrongConfiguration):
        Rates((OCTOBER, *others))


def test_gaps_of_a_period() -> None:
    rates = Rates((OCTOBER, Rate(USD, date(2026, 11, 5), date(2026, 11, 20), Decimal("7.1"), "")))
    assert rates.gaps(date(2026, 10, 15), date(2026, 11, 30)) == [
        Gap(USD, date(2026, 11, 1), date(2026, 11, 4)), Gap(USD, date(2026, 11, 21), date(2026, 11, 30)),
    ]  # fmt: skip
    assert Rates((OCTOBER,)).gaps(date(2026, 10, 1), date(2026, 10, 31)) == []


@pytest.mark.parametrize(
    # USD 699.30 × 7.15 = 4,999.995, rounded half up 5,000.00; USD 699.31 × 7.15 = 5,000.0665, rounded 5,000.07.
    ("usd", "cny"),
    [("699.30", "5000.00"), ("699.31", "5000.07"), ("0", "0.00")],
)
def test_cny_is_rounded_half_up_before_it_is_compared(usd: str, cny: str) -> None:
    assert rounded(Decimal(usd) * Decimal("7.15")) == Decimal(cny)


def test_reasons_are_all_that_apply_in_their_order() -> None:
    orders = pd.DataFrame(
        [
            (500_000, False, NO, NO), (500_001, False, NO, NO), (1, True, NO, NO), (1, False, YES, YES), (1, False, UNKNOWN, UNKNOWN),
            (900_000, True, YES, UNKNOWN),
        ],
        columns=["value_fen", "licence", "duty", "inspection"],
    )  # fmt: skip
    made = routes(orders, limit_fen=500_000, refund=False, chosen=False)
    assert list(zip(made["route"], made["reasons"], strict=True)) == [
        ("list", "within_limit"), ("declaration", "over_limit"), ("declaration", "licence"), ("declaration", "duty;inspection"),
        ("declaration", "unknown_inspection;unknown_duty"), ("declaration", "over_limit;licence;duty;unknown_inspection"),
    ]  # fmt: skip
    assert routes(orders, limit_fen=500_000, refund=True, chosen=False)["reasons"].tolist()[0] == "refund"
    assert routes(orders, limit_fen=500_000, refund=False, chosen=True).iloc[0].tolist() == ["declaration", "chosen"]
    assert routes(orders.head(0), limit_fen=1, refund=False, chosen=False).empty
