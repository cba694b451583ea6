"""Declaration mode A and B: where an inventory of mode A is none that may be simplified, and where one of mode B could have been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.rates import Rates
from aggregator.domain.unit_values import NOT_KNOWN, unit_values
from aggregator.model.company import Company
from aggregator.model.findings import findings_of
from aggregator.schemas.arrays import Mask
from aggregator.schemas.codes import DECLARATION_MODE_SIMPLIFIED
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes import Mode
from aggregator.schemas.modes.advice import YES
from aggregator.schemas.modes.m9610.rules.simplified import COULD_BE_SIMPLIFIED, LICENCE_OR_DUTY, OVER_LIMIT
from aggregator.schemas.patterns import clearing_digits


@dataclass(frozen=True)
class Simplified:
    """What the user says: exchange rates, facts of the firm, and the day of the rate where a line names none."""

    rates: Rates
    company: Company
    as_of: date


def on_simplified(mode: Mode, inventories: Inventories, asked: Simplified) -> pa.Table:
    """Findings B209, B210 and B211, at the first line of each inventory. What is not known is not reported."""
    lines, of_line, count = inventories.lines, inventories.inventory_of, len(inventories.starts)
    values = _values(inventories, asked)
    fen, own = values["value_fen"].to_numpy(), _is(lines, "trade_mode_code", mode.code)
    first = inventories.starts
    is_a = (own & _is(lines, "declaration_mode_code", DECLARATION_MODE_SIMPLIFIED))[first]
    is_b = (own & _is(lines, "declaration_mode_code", "B"))[first]
    licence = np.bincount(of_line, _given(lines, "licence_no"), count) > 0
    duty = np.bincount(of_line, _is(lines, "duty_flag", "1"), count) > 0
    over = values["over_cny"].to_numpy() == YES
    open_to_a = is_b & (fen != NOT_KNOWN) & ~over & ~licence & ~duty & (asked.company.refund is not True) & (asked.company.pilot_zone is not False)
    yuan = [str(Decimal(int(each)).scaleb(-2)) for each in fen]
    found = [
        _findings(mode, inventories, OVER_LIMIT, "total_price", is_a & over, [f"{exact(each)} → {rounded}" for each, rounded in zip(values["value_cny"], yuan, strict=True)]),
        _findings(mode, inventories, LICENCE_OR_DUTY, "licence_no", is_a & licence, None),
        _findings(mode, inventories, LICENCE_OR_DUTY, "duty_flag", is_a & duty & ~licence, None),
        _findings(mode, inventories, COULD_BE_SIMPLIFIED, "declaration_mode_code", open_to_a, [f"B: {each}" for each in yuan]),
    ]
    return pa.concat_tables(found)


def exact(value: Fraction) -> str:
    """A product of plain decimals, in full."""
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


def _findings(mode: Mode, inventories: Inventories, code: str, column: str, chosen: Mask, values: list[str] | None) -> pa.Table:
    """`values`: what to show of each inventory; None for the first value of the column that it has."""
    places, lines = np.flatnonzero(chosen), inventories.lines
    rows = inventories.starts[places]
    if values is None:
        held = _is(lines, column, "1") if column == "duty_flag" else _given(lines, column)
        at = np.flatnonzero(held)
        rows = at[np.searchsorted(inventories.inventory_of[at], places)] if len(places) else rows
        shown = lines[column].combine_chunks().cast(pa.string()).take(pa.array(rows)) if column in lines.column_names else pa.array([], pa.string())
    else:
        shown = pa.array([values[place] for place in places], pa.string())
    at_rows = pa.array(rows)
    numbers, items = (lines[name].combine_chunks().take(at_rows) for name in ("inventory_no", "item_no"))
    return findings_of(mode, code, column, rows, shown, numbers, items)


def _values(inventories: Inventories, asked: Simplified) -> pd.DataFrame:
    """What each inventory is worth; lines that stand twice count once."""
    lines = inventories.lines
    written = lines["export_on"].combine_chunks().cast(pa.string()) if "export_on" in lines.column_names else pa.nulls(lines.num_rows, pa.string())
    table = pd.DataFrame({
        "amount": lines["total_price"].combine_chunks().to_numpy(zero_copy_only=False),
        "currency": pc.fill_null(lines["currency_code"].combine_chunks().cast(pa.string()), "").to_numpy(zero_copy_only=False),
        "day": pc.fill_null(pc.utf8_slice_codeunits(clearing_digits(written), 0, 8), "").to_numpy(zero_copy_only=False),
        "day_given": written.is_valid().to_numpy(zero_copy_only=False),
    })  # fmt: skip
    once = ~inventories.same_content
    table["amount"] = table["amount"].astype(object).where(table["amount"].notna(), None)
    return unit_values(table[once], inventories.inventory_of[once], len(inventories.starts), asked.rates, asked.as_of)


def _is(lines: pa.Table, column: str, value: str) -> Mask:
    if column not in lines.column_names:
        return np.zeros(lines.num_rows, dtype=bool)
    found: Mask = pc.fill_null(pc.equal(lines[column].combine_chunks().cast(pa.string()), value), False).to_numpy(zero_copy_only=False)
    return found


def _given(lines: pa.Table, column: str) -> Mask:
    if column not in lines.column_names:
        return np.zeros(lines.num_rows, dtype=bool)
    found: Mask = lines[column].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    return found
