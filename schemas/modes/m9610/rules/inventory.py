"""Rules that look at all lines of one inventory.

A test takes `Inventories` (complete inventories) and returns a numpy array, one boolean an inventory, true where sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Mask
from aggregator.schemas.codes import NO_PRODUCER_CODE
from aggregator.schemas.field import Dictionary, Use
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes.m9610.limits import ITEMS_PER_INVENTORY
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Status, ours, spec
from aggregator.schemas.text import Text

PRODUCER_NAME = "producer_seller_name"
"""Stands in the merge key only where the producer has no code; elsewhere it rides along."""


def keyed_header_columns(dictionary: Dictionary) -> tuple[str, ...]:
    """Header columns that stand in the key, are added up or decide the fate: they must be the same on all lines."""
    return tuple(
        field.column
        for field in dictionary.fields
        if field.header and (field.use in (Use.HEADER_KEY, Use.SUMMED) or field.column == "declaration_mode_code")
    )


def other_header_columns(dictionary: Dictionary) -> tuple[str, ...]:
    return tuple(
        field.column
        for field in dictionary.fields
        if (field.header and field.use is Use.OTHER) or field.column == PRODUCER_NAME
    )


def has_one_value(inventories: Inventories, column: str) -> Mask:
    return ~inventories.differs(column)


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


@dataclass(frozen=True)
class AtMostItems:
    """Whether inventories have no more items than the limit; a repeated line is none."""

    limit: int

    def __call__(self, inventories: Inventories, column: str) -> Mask:
        counted = ~inventories.same_content
        counts = np.add.reduceat(counted, inventories.starts, dtype=np.int64) if len(inventories.starts) else counted
        result: Mask = counts <= self.limit
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


def inventory_rules(dictionary: Dictionary) -> tuple[Rule, ...]:
    """The inventory rules of a mode whose lines have these fields."""
    return (
        Rule(
            code="I101", scope=_INVENTORY, severity=_ERROR, columns=keyed_header_columns(dictionary), fixed=True,
            message=Text("The lines of this inventory differ in a header value that stands in the merge key, is added up or decides its fate.",
                         "同一清单各行的表头数据不一致（该项参与归并、合计或决定是否申报）。"),
            remedy=Text("Give every line of the inventory the header value that customs released.",
                        "请将该清单所有行的表头数据统一为海关放行的内容。"),
            citations=(spec("InventoryHead: one an inventory"),), takes_inventories=True, test=has_one_keyed_value,
        ),
        Rule(
            code="I102", scope=_INVENTORY, severity=_ERROR, columns=("item_no",), fixed=True,
            message=Text("An item number stands in this inventory twice with different content.", "同一清单中有相同商品序号但内容不同的行。"),
            remedy=Text("Keep the line that customs released and remove the other.", "请保留海关放行的行并删除另一行。"),
            citations=(spec("gnum"),), takes_inventories=True, test=has_no_clashing_items,
        ),
        Rule(
            code="I103", scope=_INVENTORY, severity=_ERROR, columns=("item_no",),
            message=Text("The item numbers are not 1, 2, 3 … without a gap: a line is missing.", "商品序号不是从1开始连续：缺少表体行。"),
            remedy=Text("Export the inventory again with all its lines.", "请重新导出该清单的全部表体行。"),
            citations=(spec("gnum: contiguous from 1"),), takes_inventories=True, test=has_items_without_gap,
        ),
        Rule(
            code="I104", scope=_INVENTORY, severity=_ERROR, columns=("item_no",),
            message=Text("The inventory has more than 100 items.", "清单表体超过100项。"),
            remedy=Text("Check whether two inventories carry one number.", "请检查是否有两份清单使用了同一编号。"),
            citations=(spec("InventoryList 1..100"),), takes_inventories=True, test=AtMostItems(ITEMS_PER_INVENTORY.value),
        ),
        Rule(
            code="I105", scope=_INVENTORY, severity=_ERROR, columns=("net_weight_kg",), fixed=True,
            message=Text("The net weight is above the gross weight.", "净重大于毛重。"),
            remedy=Text("Check whether the two columns are swapped.", "请检查毛重与净重是否填反。"),
            citations=(spec("grossWeight, netWeight", Status.INFERENCE),), takes_inventories=True, test=has_net_within_gross,
        ),
        Rule(
            code="I106", scope=_INVENTORY, severity=_ERROR, columns=("package_count",),
            message=Text("The package count is below 1.", "件数小于1。"),
            remedy=Text("Give the number of packages of the released inventory.", "请填写海关放行清单上的件数。"),
            citations=(spec("packNo"),), takes_inventories=True, test=has_a_package,
        ),
        Rule(
            code="I201", scope=_INVENTORY, severity=_WARNING, columns=other_header_columns(dictionary),
            message=Text("The lines of this inventory differ in a header value that is not needed for the merge.",
                         "同一清单各行的表头数据不一致（该项不影响归并）。"),
            remedy=Text("Check the export; the value of each line is kept as it is.", "请检查导出表；各行按原值保留。"),
            citations=(spec("InventoryHead: one an inventory"),), takes_inventories=True, test=has_one_other_value,
        ),
        Rule(
            code="I202", scope=_INVENTORY, severity=_WARNING, columns=("cleared_at",),
            message=Text("The lines of this inventory give different times of clearance (status 899); the latest counts.",
                         "同一清单各行的结关时间（状态899）不一致，以最晚者为准。"),
            remedy=Text("Check the time against customs' receipt: it decides the month.", "请与海关回执核对结关时间：它决定申报月份。"),
            citations=(ours("the latest time counts, as with receipts", Status.INFERENCE),), takes_inventories=True, test=has_one_clearing_time,
        ),
        Rule(
            code="B102", scope=Scope.BATCH, severity=_ERROR, columns=("inventory_no",), fixed=True,
            message=Text("The inventory stands in the input more than once, with different content.", "同一清单在输入中多次出现且内容不同。"),
            remedy=Text("Keep the export that holds what customs released and leave the other out.",
                        "请保留与海关放行内容一致的导出表，去掉另一份。"),
            citations=(spec("invtNo"),), takes_inventories=True, test=has_no_clashing_copies,
        ),
    )  # fmt: skip
