"""What is known of orders (9710) before their route is chosen: their value in CNY, and whether licence, export duty and inspection
apply to them. Pure functions of complete orders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.rates import Exchange
from aggregator.domain.route import NO, UNKNOWN, YES
from aggregator.domain.slips import flags, worths
from aggregator.model.customs import Customs
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.decimals import SCALE, Units
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.patterns import clearing_digits
from aggregator.schemas.tariff import NOT_KNOWN
from aggregator.schemas.tariff import YES as APPLIES


def facts_of_orders(inventories: Inventories, day: pa.Array, exchange: Exchange, tariff: pa.Table | None) -> pd.DataFrame:
    """An order a row: value_fen, licence, duty, inspection (see route.py). What is not sound has a value of no meaning."""
    lines = inventories.lines
    says = flags(lines, day, tariff)
    licence = lines["licence_no"].combine_chunks().is_valid().to_numpy(zero_copy_only=False) if "licence_no" in lines.column_names else np.zeros(lines.num_rows, dtype=bool)
    return pd.DataFrame(
        {
            "value_fen": _fen(inventories, worths(lines["total_price"].combine_chunks(), lines["currency_code"].combine_chunks(), day, exchange), exchange.scale),
            "licence": inventories.any(licence),
            "duty": _of_order(inventories, says["duty_flag"]),
            "inspection": _of_order(inventories, says["inspection_flag"]),
        }
    )


def _of_order(inventories: Inventories, says: Ints) -> Ints:
    """It applies where it does to any item, and is not known where it is not to any."""
    yes, unknown = inventories.any(says == APPLIES), inventories.any(says == NOT_KNOWN)
    return np.where(yes, YES, np.where(unknown, UNKNOWN, NO))


def _fen(inventories: Inventories, worth: Units, scale: int) -> Ints:
    """Of each order, rounded half up; a line that stands twice counts once."""
    if not len(inventories.starts):
        return np.zeros(0, dtype=np.int64)
    once = np.where(inventories.same_content, 0, worth)
    whole = np.add.reduceat(once, inventories.starts).astype(object)
    unit = scale * 10 ** (SCALE - 2)
    return np.array((whole * 2 + unit) // (2 * unit), dtype=object).clip(0, (1 << 62) - 1).astype(np.int64)


def yuan(fen: Ints) -> pa.Array:
    """Amounts as text with two decimals."""
    whole, rest = np.divmod(fen, 100)
    return pa.array([f"{one}.{other:02d}" for one, other in zip(whole.tolist(), rest.tolist(), strict=True)], pa.string())


def chosen(inventories: Inventories, orders: Mask) -> Mask:
    """Which lines are of these orders, and stand there for the first time."""
    found: Mask = orders[inventories.inventory_of] & ~inventories.same_content
    return found


def value_in_message(lines: pa.Table, column: str, customs: Customs | None) -> pa.Array:
    """A column as messages have it: days as 8 digits, numbers without needless zeros, and the declarant as the config says where the
    order does not."""
    given = lines[column].combine_chunks() if column in lines.column_names else pa.nulls(lines.num_rows, pa.string())
    if pa.types.is_decimal(given.type):
        encoded = given.dictionary_encode()
        plain = pc.ascii_rtrim(pc.ascii_rtrim(encoded.dictionary.cast(pa.string()), "0"), ".")
        return plain.take(encoded.indices)
    given = given.cast(pa.string())
    if column == "export_on":
        return pc.utf8_slice_codeunits(clearing_digits(given), 0, 8)
    if customs is None or column not in ("declarant_code", "declarant_name"):
        return given
    default = pa.scalar(customs.declarant_code or None, pa.string())
    if column == "declarant_code":
        return pc.coalesce(given, default)
    known = {customs.declarant_code: customs.declarant_name, **customs.declarants}
    codes = value_in_message(lines, "declarant_code", customs)
    return pc.coalesce(given, pa.array([known.get(code) or None for code in codes.to_pylist()], pa.string()))
