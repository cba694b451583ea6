"""Compare settled inventories with the user's tariff table, by the day of clearance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.model.findings import findings_of, no_findings
from aggregator.schemas.arrays import Ints
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes import Mode


def against_tariff(
    mode: Mode, inventories: Inventories, cleared_at: np.ndarray[Any, Any], tariff: pa.Table
) -> tuple[pa.Table, Ints]:
    """`cleared_at`: 17 digits of each inventory, zeros where unknown; a month alone counts as its last day. Out: findings
    (B207, B208; `line` being the row in `inventories.lines`), and the error bits of each inventory."""
    bits, found = np.zeros(len(inventories.starts), dtype=np.int64), [no_findings()]
    rule = next((rule for rule in mode.rules if rule.needs_tariff), None)
    if rule is None or not len(bits):
        return no_findings(), bits
    lines, of_line = inventories.lines, inventories.inventory_of
    day = np.char.ljust(cleared_at.astype("U8"), 8)
    day = np.where(np.char.endswith(day, "00"), np.char.add(day.astype("U6"), "31"), day)
    day = np.where(cleared_at.astype("U6") == "000000", "", day)
    codes = {name: pc.fill_null(lines[name].cast(pa.string()), "") for name in _COLUMNS if name in lines.column_names}
    blank = pa.array([""] * lines.num_rows, pa.string())
    asked = pa.table({**{name: codes.get(name, blank) for name in _COLUMNS}, "day": pa.array(day[of_line], pa.string())})
    exists, fits, units = rule.sound(asked, tariff)
    for code, column, bad in (("B207", "commodity_code", np.flatnonzero(~exists)), ("B208", "statutory_unit_code", np.flatnonzero(~fits))):
        if not len(bad):
            continue
        np.bitwise_or.at(bits, of_line[bad], mode.rules.error_bit(code))
        rows = asked.take(pa.array(bad)).to_pylist()
        values = [row["commodity_code"] for row in rows]
        if code == "B208":
            values = [f"{row['commodity_code']}: {row[_COLUMNS[1]]}/{row[_COLUMNS[2]]} → {units[at]}" for row, at in zip(rows, bad, strict=True)]
        at = pa.array(bad)
        numbers, items = (lines[name].combine_chunks().take(at) for name in ("inventory_no", "item_no"))
        found.append(findings_of(mode, code, column, bad, pa.array(values, pa.string()), numbers, items))
    return pa.concat_tables(found), bits


_COLUMNS = ("commodity_code", "statutory_unit_code", "second_statutory_unit_code")
