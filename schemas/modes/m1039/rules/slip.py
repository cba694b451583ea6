"""Rules that look at all lines of one trade slip: it is declared whole or not at all."""

from __future__ import annotations

import numpy as np

from aggregator.schemas.arrays import Mask
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes.m1039.limits import HEADER_KEY, ITEMS_PER_DECLARATION, MOST_USD, RATE
from aggregator.schemas.modes.m9610.rules.inventory import (
    has_a_package,
    has_items_without_gap,
    has_net_within_gross,
    has_no_clashing_copies,
    has_no_clashing_items,
    has_one_value,
)
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

_SLIP, _ERROR, _WARNING = Scope.INVENTORY, Severity.ERROR, Severity.WARNING
_ONE = Cite("MARKET-PRACTICE", "a trade slip is one deal, and stands whole in one packing and one declaration", Status.INFERENCE)
_CLUSTER = Cite("GACC-2014-54", "goods are bought in the approved cluster", Status.READ_PARTIAL)


def has_a_merchant(inventories: Inventories, column: str) -> Mask:
    """A name or a number on every line."""
    given = np.zeros(inventories.lines.num_rows, dtype=bool)
    for name in ("merchant_name", "merchant_no"):
        if name in inventories.lines.column_names:
            given |= inventories.lines[name].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    return ~inventories.any(~given)


SLIP_RULES: tuple[Rule, ...] = (
    Rule(
        code="I101", scope=_SLIP, severity=_ERROR, columns=(*HEADER_KEY.value, "buyer_country_code", "trade_mode_code"), fixed=True,
        message=Text("The lines of this slip differ in something that one declaration holds one of.", "同一交易单各行中须一致的内容不一致（同一报关单只能有一个）。"),
        remedy=Text("Give every line of the slip the same value, or split the slip on the platform.", "请统一该交易单各行的该项内容，或在平台上拆分交易单。"),
        citations=(_ONE, HEADER_KEY.cite), takes_inventories=True, test=has_one_value,
    ),
    Rule(
        code="I102", scope=_SLIP, severity=_ERROR, columns=("item_no",), fixed=True,
        message=Text("An item number stands in this slip twice with different content.", "同一交易单中有相同商品序号但内容不同的行。"),
        remedy=Text("Keep the right line, number the lines anew, or leave the column out.", "请保留正确的行、重新编号，或不提供该列。"),
        citations=(_ONE,), takes_inventories=True, test=has_no_clashing_items,
    ),
    Rule(
        code="I103", scope=_SLIP, severity=_WARNING, columns=("item_no",), fixed=True,
        message=Text("The item numbers are not 1, 2, 3 … without a gap: a line may be missing.", "商品序号不是从1开始连续：可能缺少行。"),
        remedy=Text("Export the slip again with all its lines if one is missing.", "如有缺行，请重新导出该交易单的全部行。"),
        citations=(ours("item numbers of a slip are the user's own"),), takes_inventories=True, test=has_items_without_gap,
    ),
    Rule(
        code="I105", scope=_SLIP, severity=_ERROR, columns=("net_weight_kg",), fixed=True,
        message=Text("The net weight of a line is above its gross weight.", "行净重大于毛重。"),
        remedy=Text("Check whether the two columns are swapped.", "请检查毛重与净重是否填反。"),
        citations=(ours("net weight is never above gross weight", Status.INFERENCE),), takes_inventories=True, test=has_net_within_gross,
    ),
    Rule(
        code="I106", scope=_SLIP, severity=_ERROR, columns=("package_count",),
        message=Text("The package count of a line is below 1.", "行件数小于1。"),
        remedy=Text("Give the number of packages of the line.", "请填写该行的件数。"),
        citations=(ours("package count of a line", Status.INFERENCE),), takes_inventories=True, test=has_a_package,
    ),
    Rule(
        code="I107", scope=_SLIP, severity=_ERROR, columns=("currency_code",), fixed=True,
        message=Text("The slip has several currencies.", "同一交易单有多种币制。"),
        remedy=Text("One deal has one currency: split the slip on the platform, or correct the currency.", "一笔交易只有一种币制：请在平台上拆分交易单，或更正币制。"),
        citations=(_ONE,), takes_inventories=True, test=has_one_value,
    ),
    Rule(
        code="I108", scope=_SLIP, severity=_ERROR, columns=("merchant_name",),
        message=Text("A line has no merchant: nothing shows that the good was bought in the market.", "有行缺少商户：无法表明商品购自市场集聚区。"),
        remedy=Text("Put in the merchant's name or number.", "请填写商户名称或编号。"),
        citations=(_CLUSTER,), takes_inventories=True, test=has_a_merchant,
    ),
    Rule(
        code="I109", scope=_SLIP, severity=_ERROR, columns=("total_price",), fixed=True,
        message=Text("The slip alone is worth more than USD 150,000, the most of one declaration (USD, unrounded to 5 decimals).",
                     "该交易单货值超过单份报关单15万美元的限额（所示为折合美元，5位小数）。"),
        remedy=Text("Declare it under another trade mode; a slip is never split here.", "请以其他监管方式申报；本工具不拆分交易单。"),
        citations=(MOST_USD.cite, RATE),
    ),
    Rule(
        code="I110", scope=_SLIP, severity=_ERROR, columns=("item_no",), fixed=True,
        message=Text("The slip alone makes more than 50 items, even when simplified.", "该交易单即使简化申报，商品项仍超过50项。"),
        remedy=Text("Split the slip on the platform.", "请在平台上拆分交易单。"),
        citations=(ITEMS_PER_DECLARATION.cite,),
    ),
    Rule(
        code="B102", scope=Scope.BATCH, severity=_ERROR, columns=("inventory_no",), fixed=True,
        message=Text("The slip stands in the input more than once, with different content.", "同一交易单在输入中多次出现且内容不同。"),
        remedy=Text("Keep the right export and leave the other out.", "请保留正确的导出表，去掉另一份。"),
        citations=(_ONE,), takes_inventories=True, test=has_no_clashing_copies,
    ),
)  # fmt: skip
