"""What is declared by day of clearance, country and exit customs: how many inventories, and their value in each currency."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints
from aggregator.schemas.outputs import AMOUNT

DAY, COUNTRY, EXIT_CUSTOMS = "cleared_on", "arrival_country_code", "exit_customs_code"
FIGURES = pa.schema(
    [("by", pa.string()), ("value", pa.string()), ("currency_code", pa.string()), ("inventories", pa.int64()), ("amount", AMOUNT)]
)
"""`by`: what the figures are by; `value`: a day (yyyymmdd, or 0 where it is not known) or a code."""
_DIGITS = 8
_POWERS = 10 ** np.arange(_DIGITS - 1, -1, -1)


def days_of(times: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> Ints:
    """Times of 17 digits as numbers yyyymmdd; 0 where the day is not known."""
    letters = np.ascontiguousarray(times.astype(f"U{_DIGITS}")).view(np.uint32).reshape(-1, _DIGITS)
    days: Ints = (letters.astype(np.int64) - ord("0")) @ _POWERS
    return np.where(days % 100 > 0, days, 0)


def figures_of(taken: pa.Table, days: Ints) -> pa.Table:
    """Figures of declared lines, which stand by inventory. In: their columns, `inventory` (the number of each line's inventory in
    the unit), and the day of each inventory of the unit."""
    if not taken.num_rows or "total_price" not in taken.column_names:
        return FIGURES.empty_table()
    inventory = taken["inventory"].to_numpy()
    firsts = np.diff(inventory, prepend=-1) != 0
    of_day, dates = _numbered(days[inventory])
    parts = {DAY: (of_day, pa.array(dates).cast(pa.string()))}
    parts |= {name: _encoded(taken[name].combine_chunks()) for name in (COUNTRY, EXIT_CUSTOMS) if name in taken.column_names}
    currency, currencies = _encoded(taken["currency_code"].combine_chunks())
    key = currency
    for codes, values in parts.values():
        key = key * len(values) + codes
    lines = pa.table({"key": key, "inventories": firsts.astype(np.int64), "amount": taken["total_price"].combine_chunks().cast(AMOUNT)})
    cells = lines.group_by("key", use_threads=False).aggregate([("inventories", "sum"), ("amount", "sum")])
    left, tables = cells["key"].to_numpy(), []
    for name, (_, values) in reversed(parts.items()):
        left, place = np.divmod(left, len(values))
        tables.append((name, values.take(pa.array(place))))
    told = currencies.take(pa.array(left))
    return summed_figures(
        pa.table({"by": pa.array([name] * len(told), pa.string()), "value": value, "currency_code": told,
                  "inventories": cells["inventories_sum"], "amount": cells["amount_sum"]})
        for name, value in tables
    )  # fmt: skip


def summed_figures(parts: Iterable[pa.Table]) -> pa.Table:
    """Figures of several units together, in order."""
    table = pa.concat_tables([FIGURES.empty_table(), *parts])
    keys = ["by", "value", "currency_code"]
    summed = table.group_by(keys, use_threads=False).aggregate([("inventories", "sum"), ("amount", "sum")])
    summed = summed.select([*keys, "inventories_sum", "amount_sum"]).rename_columns(FIGURES.names).cast(FIGURES)
    return summed.sort_by([(name, "ascending") for name in keys])


def _numbered(values: Ints) -> tuple[Ints, Ints]:
    """For each value its place among the different ones, and these."""
    places, standing = pd.factorize(values)
    return places.astype(np.int64), standing


def _encoded(column: pa.Array) -> tuple[Ints, pa.Array]:
    """The same for a column of text; null is blank."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = pa.concat_arrays([column.dictionary.cast(pa.string()), pa.array([""], pa.string())])
    codes = pc.fill_null(column.indices.cast(pa.int64()), len(values) - 1).to_numpy()
    # A dictionary may hold what stands in no declared line: the keys made of several columns are to stay small.
    stands = np.bincount(codes, minlength=len(values)) > 0
    places: Ints = (np.cumsum(stands) - 1)[codes]
    return places, values.filter(pa.array(stands))
