"""Rules that look at all lines of one inventory.

A test takes `Inventories` (complete inventories) and returns a numpy array, one boolean an inventory, true where sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.modes.m9610.fields import FIELDS, Use
from aggregator.schemas.modes.m9610.limits import ITEMS_PER_INVENTORY, NO_PRODUCER_CODE
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Status, ours, spec
from aggregator.schemas.text import Text

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

PRODUCER_NAME = "producer_seller_name"
"""Stands in the merge key only where the producer has no code; elsewhere it rides along."""
KEYED_HEADER_COLUMNS = tuple(
    field.column
    for field in FIELDS
    if field.header and (field.use in (Use.HEADER_KEY, Use.SUMMED) or field.column == "declaration_mode_code")
)
OTHER_HEADER_COLUMNS = tuple(
    field.column for field in FIELDS if (field.header and field.use is Use.OTHER) or field.column == PRODUCER_NAME
)


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

    def differs(self, column: str, *, blank_counts: bool = True) -> Mask:
        """Whether a column has more than one value in an inventory; a blank is a value of its own, or is passed over."""
        result = np.zeros(len(self.starts), dtype=bool)
        if column not in self.lines.column_names:
            return result
        values, inventory = self.lines[column].combine_chunks(), self.inventory_of
        if pa.types.is_dictionary(values.type):
            values = values.indices
        if not blank_counts:
            given = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
            values, inventory = values.take(pa.array(given)), inventory[given]
        former, latter = values.slice(0, max(len(values) - 1, 0)), values.slice(1)
        same = pc.fill_null(pc.equal(former, latter), False)
        if values.null_count:
            same = pc.or_(same, pc.and_(former.is_null(), latter.is_null()))
        changed = ~same.to_numpy(zero_copy_only=False) & (inventory[1:] == inventory[:-1])
        result[inventory[1:][changed]] = True
        return result

    def numbers(self, column: str) -> tuple[Ints, Mask]:
        """A whole-number column as integers (0 where missing) and where it is given."""
        values = self.lines[column].combine_chunks()
        given = values.is_valid().to_numpy(zero_copy_only=False)
        return pc.fill_null(values, 0).to_numpy().astype(np.int64), given


def has_one_keyed_value(inventories: Inventories, column: str) -> Mask:
    differs = inventories.differs(column)
    return ~differs | ~_named_in_key(inventories) if column == PRODUCER_NAME and differs.any() else ~differs


def has_one_other_value(inventories: Inventories, column: str) -> Mask:
    differs = inventories.differs(column)
    return ~differs | _named_in_key(inventories) if column == PRODUCER_NAME and differs.any() else ~differs


def _named_in_key(inventories: Inventories) -> Mask:
    """Inventories with a line whose producer has no code: there its name stands in the key."""
    codes = inventories.lines["producer_seller_code"].combine_chunks().cast(pa.string())
    is_no = pc.fill_null(pc.equal(codes, NO_PRODUCER_CODE), False)
    return inventories.any(is_no.to_numpy(zero_copy_only=False))


def has_one_clearing_time(inventories: Inventories, column: str) -> Mask:
    return ~inventories.differs("cleared_digits", blank_counts=False)


def has_no_clashing_items(inventories: Inventories, column: str) -> Mask:
    return ~inventories.any(inventories.clashes)


def has_items_without_gap(inventories: Inventories, column: str) -> Mask:
    """Item numbers are 1..n, whatever their order; inventories with an unreadable item number are R104's."""
    items, given = inventories.numbers("item_no")
    ordered = items[np.lexsort((items, inventories.inventory_of))]
    step = np.diff(ordered, prepend=0)
    step[inventories.starts] = ordered[inventories.starts]
    gap = step > 1
    gap[inventories.starts] |= ordered[inventories.starts] != 1
    return ~inventories.any(gap) | inventories.any(~given) | inventories.incomplete


def has_at_most_100_items(inventories: Inventories, column: str) -> Mask:
    counted = ~inventories.same_content
    counts = np.add.reduceat(counted, inventories.starts, dtype=np.int64) if len(inventories.starts) else counted
    result: Mask = counts <= ITEMS_PER_INVENTORY.value
    return result


def has_net_within_gross(inventories: Inventories, column: str) -> Mask:
    lines = inventories.lines
    over = pc.greater(lines["net_weight_kg"].combine_chunks(), lines["gross_weight_kg"].combine_chunks())
    return ~inventories.any(pc.fill_null(over, False).to_numpy(zero_copy_only=False))


def has_a_package(inventories: Inventories, column: str) -> Mask:
    counts, given = inventories.numbers("package_count")
    return ~inventories.any(given & (counts < 1))


def has_no_clashing_copies(inventories: Inventories, column: str) -> Mask:
    return (inventories.copies < 2) | ~inventories.any(inventories.clashes)


_INVENTORY, _ERROR, _WARNING = Scope.INVENTORY, Severity.ERROR, Severity.WARNING

INVENTORY_RULES: tuple[Rule, ...] = (
    Rule(
        code="I101", scope=_INVENTORY, severity=_ERROR, columns=KEYED_HEADER_COLUMNS, fixed=True,
        message=Text("The lines of this inventory differ in a header value that stands in the merge key, is added up or decides its fate.",
                     "同一清单各行的表头数据不一致（该项参与归并、合计或决定是否申报）。"),
        remedy=Text("Give every line of the inventory the header value that customs released.",
                    "请将该清单所有行的表头数据统一为海关放行的内容。"),
        citations=(spec("InventoryHead: one a list"),), test=has_one_keyed_value,
    ),
    Rule(
        code="I102", scope=_INVENTORY, severity=_ERROR, columns=("item_no",), fixed=True,
        message=Text("An item number stands in this inventory twice with different content.", "同一清单中有相同商品序号但内容不同的行。"),
        remedy=Text("Keep the line that customs released and remove the other.", "请保留海关放行的行并删除另一行。"),
        citations=(spec("gnum"),), test=has_no_clashing_items,
    ),
    Rule(
        code="I103", scope=_INVENTORY, severity=_ERROR, columns=("item_no",),
        message=Text("The item numbers are not 1, 2, 3 … without a gap: a line is missing.", "商品序号不是从1开始连续：缺少表体行。"),
        remedy=Text("Export the inventory again with all its lines.", "请重新导出该清单的全部表体行。"),
        citations=(spec("gnum: contiguous from 1"),), test=has_items_without_gap,
    ),
    Rule(
        code="I104", scope=_INVENTORY, severity=_ERROR, columns=("item_no",),
        message=Text("The inventory has more than 100 items.", "清单表体超过100项。"),
        remedy=Text("Check whether two inventories carry one number.", "请检查是否有两份清单使用了同一编号。"),
        citations=(spec("InventoryList 1..100"),), test=has_at_most_100_items,
    ),
    Rule(
        code="I105", scope=_INVENTORY, severity=_ERROR, columns=("net_weight_kg",), fixed=True,
        message=Text("The net weight is above the gross weight.", "净重大于毛重。"),
        remedy=Text("Check whether the two columns are swapped.", "请检查毛重与净重是否填反。"),
        citations=(spec("grossWeight, netWeight", Status.INFERENCE),), test=has_net_within_gross,
    ),
    Rule(
        code="I106", scope=_INVENTORY, severity=_ERROR, columns=("package_count",),
        message=Text("The package count is below 1.", "件数小于1。"),
        remedy=Text("Give the number of packages of the released inventory.", "请填写海关放行清单上的件数。"),
        citations=(spec("packNo"),), test=has_a_package,
    ),
    Rule(
        code="I201", scope=_INVENTORY, severity=_WARNING, columns=OTHER_HEADER_COLUMNS,
        message=Text("The lines of this inventory differ in a header value that is not needed for the merge.",
                     "同一清单各行的表头数据不一致（该项不影响归并）。"),
        remedy=Text("Check the export; the value of each line is kept as it is.", "请检查导出表；各行按原值保留。"),
        citations=(spec("InventoryHead: one a list"),), test=has_one_other_value,
    ),
    Rule(
        code="I202", scope=_INVENTORY, severity=_WARNING, columns=("cleared_at",),
        message=Text("The lines of this inventory give different times of clearance (status 899); the latest counts.",
                     "同一清单各行的结关时间（状态899）不一致，以最晚者为准。"),
        remedy=Text("Check the time against customs' receipt: it decides the month.", "请与海关回执核对结关时间：它决定申报月份。"),
        citations=(ours("the latest time counts, as with receipts", Status.INFERENCE),), test=has_one_clearing_time,
    ),
    Rule(
        code="B102", scope=Scope.BATCH, severity=_ERROR, columns=("inventory_no",), fixed=True,
        message=Text("The inventory stands in the input more than once, with different content.", "同一清单在输入中多次出现且内容不同。"),
        remedy=Text("Keep the export that holds what customs released and leave the other out.",
                    "请保留与海关放行内容一致的导出表，去掉另一份。"),
        citations=(spec("invtNo"),), test=has_no_clashing_copies,
    ),
)  # fmt: skip
