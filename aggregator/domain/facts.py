"""What the columns of an export say of each line: facts that decide which customs modes are open to it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Mask
from aggregator.schemas.imports import is_no_import
from aggregator.schemas.modes.advice import (
    ADVICE_FIELDS,
    CONSUMER_WORDS,
    FIRM_WORDS,
    NO,
    NO_WORDS,
    UNKNOWN,
    YES,
    YES_WORDS,
)
from aggregator.schemas.modes.m9610.rules.row_imports import IMPORT_COLUMNS


def facts_of(lines: pa.Table) -> pd.DataFrame:
    """In: canonical text columns. Out: for each line import, firm, warehouse, online, market, licence, duty (YES, NO, UNKNOWN)."""
    text = Texts(lines)
    trade, order = text.of("trade_mode_code"), text.of("order_type_code")
    buyer, slip = text.of("buyer_kind"), text.given("trade_slip_no")
    merchant = text.given("merchant_no") | text.given("merchant_name")
    firm = _first(
        (np.isin(buyer, FIRM_WORDS), YES), (np.isin(buyer, CONSUMER_WORDS), NO), (order == "B", YES), (np.isin(order, ["E", "W"]), NO),
        (trade == "9710", YES), (trade == "9610", NO),
    )  # fmt: skip
    sold = (buyer != "") | slip
    warehouse = _first((order == "W", YES), (np.isin(order, ["B", "E"]), NO), (trade == "9810", YES), (sold | np.isin(trade, ["9610", "9710", "1039"]), NO))
    platform = text.given("platform_code") | text.given("platform_name") | text.given("order_no")
    online = _first((platform | np.isin(trade, ["9610", "9710", "9810"]), YES), (slip | (trade == "1039"), NO))
    return pd.DataFrame({
        "import": np.where(imports_in(lines), YES, NO).astype(np.int8),
        "firm": firm,
        "warehouse": warehouse,
        "online": online,
        "market": _first((slip & merchant, YES), (slip | (trade == "1039"), UNKNOWN), (online == YES, NO)),
        "licence": _first((text.given("licence_no"), YES), (text.flag("licence_flag") != UNKNOWN, text.flag("licence_flag")), (text.has("licence_no"), NO)),
        "duty": text.flag("duty_flag"),
    })  # fmt: skip


def imports_in(lines: pa.Table) -> Mask:
    """Lines that are of import inventories."""
    found: Mask = np.zeros(lines.num_rows, dtype=bool)
    for column in IMPORT_COLUMNS:
        if column in lines.column_names:
            values = lines[column].combine_chunks().cast(pa.string())
            found |= ~is_no_import(values, ADVICE_FIELDS[column]).to_numpy(zero_copy_only=False)
    return found


class Texts:
    """Columns as text, blank where there is nothing."""

    def __init__(self, lines: pa.Table) -> None:
        self.lines = lines

    def of(self, column: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        if column not in self.lines.column_names:
            return np.full(self.lines.num_rows, "", dtype=object)
        return pc.fill_null(self.lines[column].combine_chunks().cast(pa.string()), "").to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    def given(self, column: str) -> Mask:
        if column not in self.lines.column_names:
            return np.zeros(self.lines.num_rows, dtype=bool)
        found: Mask = self.lines[column].is_valid().combine_chunks().to_numpy(zero_copy_only=False)
        return found

    def has(self, column: str) -> Mask:
        return np.full(self.lines.num_rows, column in self.lines.column_names)

    def flag(self, column: str) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
        words = self.of(column)
        return _first((np.isin(words, YES_WORDS), YES), (np.isin(words, NO_WORDS), NO))


def _first(*cases: tuple[Mask, int | np.ndarray[tuple[int], np.dtype[np.int8]]]) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """The value of the first case that holds, line by line; UNKNOWN where none does."""
    return np.select([holds for holds, _ in cases], [value for _, value in cases], UNKNOWN).astype(np.int8)
