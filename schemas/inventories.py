"""Complete inventories, as the rules and the procedure look at them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints, Mask

IDENTIFIERS = ("order_no", "waybill_no", "internal_no")
"""Numbers that one inventory has and no other: who shares one may be part of the same."""


@dataclass(frozen=True)
class Inventories:
    """Complete inventories: `lines` with the lines of each inventory standing together from `starts[i]` on.

    `same_content[i]`: line i equals an earlier line in inventory, item number and content. `clashes[i]`: the line's item
    number stands in its inventory with another content too. `copies[i]`: how often an inventory's item numbers stand in
    the input, where all stand equally often, else 0. `incomplete[i]`: a record of the inventory could not be read as cells and is
    not in `lines`.
    """

    lines: pa.Table
    starts: Ints
    same_content: Mask
    clashes: Mask
    copies: Ints
    incomplete: Mask

    @cached_property
    def lengths(self) -> Ints:
        return np.diff(np.append(self.starts, self.lines.num_rows))

    def any(self, mask: Mask) -> Mask:
        """Whether any line of an inventory is marked."""
        return np.logical_or.reduceat(mask, self.starts) if len(self.starts) else np.zeros(0, dtype=bool)

    @cached_property
    def inventory_of(self) -> Ints:
        """For each line, the position of its inventory."""
        return np.repeat(np.arange(len(self.starts)), self.lengths)

    @cached_property
    def _goes_on(self) -> Mask:
        """For each line but the first, whether it is of the inventory of the line before."""
        goes_on = np.ones(max(self.lines.num_rows - 1, 0), dtype=bool)
        goes_on[self.starts[1:] - 1] = False
        return goes_on

    def differs(self, column: str, *, blank_counts: bool = True) -> Mask:
        """Whether a column has more than one value in an inventory; a blank is a value of its own, or is passed over."""
        result = np.zeros(len(self.starts), dtype=bool)
        if column not in self.lines.column_names:
            return result
        values, inventory, goes_on = self.lines[column].combine_chunks(), self.inventory_of, self._goes_on
        if pa.types.is_dictionary(values.type):
            values = values.indices
        if not blank_counts and values.null_count:
            given = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
            values, inventory = values.take(pa.array(given)), inventory[given]
            goes_on = inventory[1:] == inventory[:-1]
        former, latter = values.slice(0, max(len(values) - 1, 0)), values.slice(1)
        differ = pc.not_equal(former, latter)
        if values.null_count:
            differ = pc.and_not(pc.fill_null(differ, True), pc.and_(former.is_null(), latter.is_null()))
        changed = differ.to_numpy(zero_copy_only=False) & goes_on
        result[inventory[1:][changed]] = True
        return result

    def numbers(self, column: str) -> tuple[Ints, Mask]:
        """A whole-number column as integers (0 where missing) and where it is given."""
        values = self.lines[column].combine_chunks()
        given = values.is_valid().to_numpy(zero_copy_only=False)
        return pc.fill_null(values, 0).to_numpy().astype(np.int64), given
