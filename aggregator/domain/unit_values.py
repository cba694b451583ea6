"""What inventories, orders and slips are worth in CNY and USD, by the user's rates, as far as it is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd

from aggregator.domain.rates import CNY, USD, Rates, rounded
from aggregator.schemas.modes.advice import CNY_LIMIT, NO, UNKNOWN, USD_LIMIT, YES

NOT_KNOWN = -1


def unit_values(lines: pd.DataFrame, unit: np.ndarray[tuple[int], np.dtype[np.int64]], count: int, rates: Rates | None, as_of: date) -> pd.DataFrame:
    """In: lines with amount (Decimal or None), currency, day (yyyymmdd, blank if unreadable or not given), day_given. Out, a unit a row:
    value_fen (NOT_KNOWN), value_cny (not rounded, a Fraction), over_cny, over_usd (YES, NO, UNKNOWN), value_missing (column, or `rates`)."""
    sums: dict[tuple[int, str, str], Decimal] = {}
    lacks, used = [""] * count, [""] * count
    columns = (lines[name].tolist() for name in ("amount", "currency", "day", "day_given"))
    for place, amount, currency, day, given in zip(unit.tolist(), *columns, strict=True):
        used[place] = day or used[place]
        if amount is None or not currency or (given and not day):
            lacks[place] = lacks[place] or ("total_price" if amount is None else "export_on" if currency else "currency_code")
        else:
            at = (place, currency, day)
            sums[at] = sums[at] + amount if at in sums else amount
    cny, usd = [Fraction(0)] * count, [Fraction(0)] * count
    usd_lacks = list(lacks)
    for (place, currency, text), amount in sums.items():
        day = date(int(text[:4]), int(text[4:6]), int(text[6:])) if text else as_of
        rate = Decimal(1) if currency == CNY else rates.find(currency, day) if rates is not None else None
        dollar = rates.find(USD, day) if rates is not None else None
        if rate is None:
            lacks[place] = lacks[place] or "rates"
        else:
            cny[place] += Fraction(amount) * Fraction(rate)
        if currency == USD:
            usd[place] += Fraction(amount)
        elif rate is None or dollar is None:
            usd_lacks[place] = usd_lacks[place] or "rates"
        else:
            usd[place] += Fraction(amount) * Fraction(rate) / Fraction(dollar)
    fen = [NOT_KNOWN if lack else _fen(value) for value, lack in zip(cny, lacks, strict=True)]
    limit = int(CNY_LIMIT * 100)
    return pd.DataFrame({
        "value_fen": np.array(fen, dtype=np.int64),
        "value_cny": cny,
        "over_cny": [UNKNOWN if value == NOT_KNOWN else YES if value > limit else NO for value in fen],
        "over_usd": [UNKNOWN if lack else YES if value > Fraction(USD_LIMIT) else NO for value, lack in zip(usd, usd_lacks, strict=True)],
        "value_missing": np.array([one or other for one, other in zip(lacks, usd_lacks, strict=True)], dtype=object),
        "last_day": used,
    })  # fmt: skip


def _fen(value: Fraction) -> int:
    """Rounded half up, as the limit in CNY is compared. A product of decimals is one."""
    return int(rounded(Decimal(value.numerator) / Decimal(value.denominator)) * 100)
