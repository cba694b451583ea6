"""Facts of lines that the packing of slips and the route of orders depend on: the day of their exchange rate, their worth in one
currency, whether inspection and export duty apply."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import group_codes
from aggregator.domain.rates import Exchange
from aggregator.schemas.arrays import Ints, Mask, constant
from aggregator.schemas.codes import NO, YES
from aggregator.schemas.decimals import SCALE, Units, scaled
from aggregator.schemas.patterns import clearing_digits
from aggregator.schemas.tariff import NOT_KNOWN, facts_of_tariff
from aggregator.schemas.tariff import YES as APPLIES


@dataclass(frozen=True)
class Apart:
    """Of each line: `by_itself`, its good is declared on a line of its own; `unknown`: flag column to the lines where nothing says
    whether it applies."""

    by_itself: Mask
    unknown: dict[str, Mask]


def priced_on(lines: pa.Table, as_of: str) -> pa.Array:
    """The day of each line's exchange rate as yyyymmdd: its day of export, `as_of` where it is blank; null where unreadable."""
    if "export_on" not in lines.column_names:
        return constant(as_of, lines.num_rows)
    encoded = lines["export_on"].combine_chunks().dictionary_encode()
    days = pa.concat_arrays([pc.utf8_slice_codeunits(clearing_digits(encoded.dictionary), 0, 8), pa.array([as_of], pa.string())])
    return days.take(pc.fill_null(encoded.indices, len(encoded.dictionary))).dictionary_encode()


def currencies_and_days(lines: pa.Table, as_of: str, trade_mode: str) -> set[tuple[str, str]]:
    """Which rates lines without errors need; those of another trade mode need none. In: `error_bits`."""
    wanted = pc.equal(lines["error_bits"], 0)
    if "trade_mode_code" in lines.column_names:
        wanted = pc.and_(wanted, pc.fill_null(pc.equal(lines["trade_mode_code"].cast(pa.string()), trade_mode), True))
    sound = lines.filter(wanted).combine_chunks()
    currency, day = sound["currency_code"].combine_chunks(), priced_on(sound, as_of)
    _, firsts = group_codes([currency, day], sound.num_rows)
    at = pa.array(firsts)
    pairs = zip(currency.take(at).to_pylist(), day.take(at).to_pylist(), strict=True)
    return {(code, when) for code, when in pairs if code is not None and when is not None}


def worths(amounts: pa.Array, currency: pa.Array, day: pa.Array, exchange: Exchange) -> Units:
    """Amounts as whole numbers that compare across currencies: the one of the exchange × 100,000 × scale. Of lines that are not
    sound: 0."""
    groups, firsts = group_codes([currency, day], len(amounts))
    at = pa.array(firsts)
    pairs = list(zip(currency.take(at).to_pylist(), day.take(at).to_pylist(), strict=True))
    factors = [exchange.factors.get(pair, 0) for pair in pairs]
    units = scaled(pc.fill_null(amounts, pa.scalar(Decimal(0), amounts.type)) if amounts.null_count else amounts)
    largest = max(factors, default=1)
    if units.dtype == object or (len(units) and int(units.max()) * max(largest, 1) * len(units) >= 1 << 62):
        units = units.astype(object)
    result: Units = units * np.array([*factors, 0], dtype=units.dtype)[groups]
    return result


def as_usd(worth: Units, scale: int) -> Units:
    """Worths as whole multiples of USD 0.00001, rounded half up: to be shown, never compared."""
    return np.array([(int(value) * 2 + scale) // (2 * scale) for value in worth], dtype=object)


def most(limit_usd: int, scale: int) -> int:
    """The limit as a worth."""
    return int(limit_usd * 10**SCALE * scale)


def apart(lines: pa.Table, day: pa.Array, tariff: pa.Table | None) -> Apart:
    """Goods with inspection or export duty, or where neither the line nor the tariff says whether they have."""
    says = flags(lines, day, tariff)
    return Apart(np.logical_or.reduce([each != 0 for each in says.values()]), {column: each == NOT_KNOWN for column, each in says.items()})


def flags(lines: pa.Table, day: pa.Array, tariff: pa.Table | None) -> dict[str, Ints]:
    """Whether inspection and export duty apply to each line (APPLIES, 0, NOT_KNOWN): as it says itself, else as the tariff does."""
    found, facts = {}, None
    for place, column in enumerate(("inspection_flag", "duty_flag")):
        says = _flag(lines, column)
        blank = np.flatnonzero(says == NOT_KNOWN)
        if len(blank) and tariff is not None:
            if facts is None:
                codes = pc.fill_null(lines["commodity_code"].combine_chunks().cast(pa.string()), "")
                facts = facts_of_tariff(pa.table({"commodity_code": codes, "day": pc.fill_null(day.cast(pa.string()), "")}), tariff)
            says[blank] = facts[place][blank]
        found[column] = says
    return found


def _flag(lines: pa.Table, column: str) -> Ints:
    if column not in lines.column_names:
        return np.full(lines.num_rows, NOT_KNOWN)
    values = lines[column].combine_chunks()
    yes, no = (pc.fill_null(pc.equal(values, each), False).to_numpy(zero_copy_only=False) for each in (YES, NO))
    return np.where(yes, APPLIES, np.where(no, 0, NOT_KNOWN))


def line_numbers(lines: pa.Table, columns: tuple[str, ...]) -> pa.Array:
    """A number for each line that has none of its slip: a hash of what stands on it, so that it is the same in any order and
    any file, and equal lines are one slip. In: canonical text."""


    parts = [_plain_number(lines[column].combine_chunks().cast(pa.string())) for column in columns if column in lines.column_names]
    texts = pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="")
    return pa.array([f"LINE-{hashlib.sha256(text.encode()).hexdigest()[:20].upper()}" for text in texts.to_pylist()], pa.string())


def _plain_number(values: pa.Array) -> pa.Array:
    """1.50 and 1.5 are one value."""
    without = pc.replace_substring_regex(values, r"\A([0-9]+\.[0-9]*?)0+\z", r"\1")
    return pc.replace_substring_regex(without, r"\A([0-9]+)\.\z", r"\1")
