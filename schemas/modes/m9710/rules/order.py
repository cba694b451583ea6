"""Rules that look at all items of one order: it is declared whole or not at all."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Mask
from aggregator.schemas.decimals import SCALE, Units, scaled
from aggregator.schemas.field import Dictionary, Use
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes.m9610.limits import HEADER_KEY as HEADER_KEY_OF_9610
from aggregator.schemas.modes.m9610.rules.inventory import (
    AtMostItems,
    has_a_package,
    has_items_without_gap,
    has_net_within_gross,
    has_no_clashing_copies,
    has_no_clashing_items,
    has_one_keyed_value,
    has_one_other_value,
    has_one_value,
)
from aggregator.schemas.modes.m9710.limits import ITEMS_PER_DECLARATION, ITEMS_PER_ORDER, LIST_CNY, SKU_ON_A_LIST
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Cite, Status, ours, spec
from aggregator.schemas.text import Text

_ORDER, _ERROR, _WARNING = Scope.INVENTORY, Severity.ERROR, Severity.WARNING
_HEAD = Cite("CEB-SPEC-202205", "OrderHead: one an order", Status.READ)
_LIST = Cite("CEB-SPEC-202205", "table 2-38, the field named in the finding", Status.READ)
_CENT = 10 ** (SCALE - 2)

KEYED = (*HEADER_KEY_OF_9610.value, "package_count", "gross_weight_kg", "net_weight_kg", "order_type_code", "buyer_kind", "buyer_name",
         "buyer_country_code", "export_on", "licence_no")  # fmt: skip
"""What the declaration, the inventory or the route takes from the head of the order."""


def has_a_buyer_kind(inventories: Inventories, column: str) -> Mask:
    if column not in inventories.lines.column_names:
        return np.zeros(len(inventories.starts), dtype=bool)
    return ~inventories.any(inventories.lines[column].combine_chunks().is_null().to_numpy(zero_copy_only=False))


def off_goods_value(inventories: Inventories) -> Units:
    """By how much the value of each order is off the sum of its items, in 0.00001; 0 where none is given."""
    lines = inventories.lines
    if "goods_value" not in lines.column_names or not len(inventories.starts):
        return np.zeros(len(inventories.starts), dtype=np.int64)
    total = np.where(inventories.same_content, 0, _units(lines["total_price"].combine_chunks()))
    given = lines["goods_value"].combine_chunks().take(pa.array(inventories.starts))
    off = np.abs(np.add.reduceat(total.astype(object), inventories.starts) - _units(given).astype(object))
    found: Units = np.where(given.is_valid().to_numpy(zero_copy_only=False), off, 0)
    return found


def _units(amounts: pa.Array) -> Units:
    return scaled(pc.fill_null(amounts, pa.scalar(Decimal(0), amounts.type)))


def has_goods_value_near_sum(inventories: Inventories, column: str) -> Mask:
    found: Mask = (off_goods_value(inventories) <= _CENT) | inventories.incomplete
    return found


def has_goods_value_of_sum(inventories: Inventories, column: str) -> Mask:
    off = off_goods_value(inventories)
    found: Mask = (off == 0) | (off > _CENT)
    return found


def order_rules(dictionary: Dictionary) -> tuple[Rule, ...]:
    """The rules on whole orders of a mode whose lines have these fields."""
    others = tuple(field.column for field in dictionary.fields if field.header and field.use in (Use.CONTENT, Use.OTHER) and field.column not in KEYED and field.carried)
    return (
        Rule(
            code="I101", scope=_ORDER, severity=_ERROR, columns=KEYED, fixed=True,
            message=Text("The lines of this order differ in a header value that one declaration or list holds once.", "同一订单各行的表头数据不一致（报关单或清单中该项只能有一个值）。"),
            remedy=Text("Give every line of the order the same value.", "请统一该订单各行的该项内容。"),
            citations=(_HEAD,), takes_inventories=True, test=has_one_keyed_value,
        ),
        Rule(
            code="I102", scope=_ORDER, severity=_ERROR, columns=("item_no",), fixed=True,
            message=Text("An item number stands in this order twice with different content.", "同一订单中有相同商品序号但内容不同的行。"),
            remedy=Text("Keep the right line and remove the other.", "请保留正确的行并删除另一行。"),
            citations=(spec("gnum"),), takes_inventories=True, test=has_no_clashing_items,
        ),
        Rule(
            code="I103", scope=_ORDER, severity=_ERROR, columns=("item_no",), fixed=True,
            message=Text("The item numbers are not 1, 2, 3 … without a gap: a line is missing.", "商品序号不是从1开始连续：缺少表体行。"),
            remedy=Text("Export the order again with all its lines.", "请重新导出该订单的全部表体行。"),
            citations=(Cite("CEB-SPEC-202205", "table 8.2, gnum: from 1 on, the same in order and inventory", Status.READ),), takes_inventories=True,
            test=has_items_without_gap,
        ),
        Rule(
            code="I104", scope=_ORDER, severity=_ERROR, columns=("item_no",), fixed=True,
            message=Text("The order has more than 100 items, the most of an order message.", "订单商品超过100项（订单报文上限）。"),
            remedy=Text("Split the order on the platform.", "请在平台上拆分订单。"),
            citations=(ITEMS_PER_ORDER.cite,), takes_inventories=True, test=AtMostItems(ITEMS_PER_ORDER.value),
        ),
        Rule(
            code="I105", scope=_ORDER, severity=_ERROR, columns=("net_weight_kg",), fixed=True,
            message=Text("The net weight is above the gross weight.", "净重大于毛重。"),
            remedy=Text("Check whether the two columns are swapped.", "请检查毛重与净重是否填反。"),
            citations=(spec("grossWeight, netWeight", Status.INFERENCE),), takes_inventories=True, test=has_net_within_gross,
        ),
        Rule(
            code="I106", scope=_ORDER, severity=_ERROR, columns=("package_count",),
            message=Text("The package count is below 1.", "件数小于1。"),
            remedy=Text("Give the number of packages of the order.", "请填写订单的件数。"),
            citations=(spec("packNo"),), takes_inventories=True, test=has_a_package,
        ),
        Rule(
            code="I107", scope=_ORDER, severity=_ERROR, columns=("currency_code",), fixed=True,
            message=Text("The order has several currencies.", "同一订单有多种币制。"),
            remedy=Text("An order has one currency: split it on the platform, or correct the currency.", "一份订单只有一种币制：请在平台上拆分，或更正币制。"),
            citations=(Cite("CEB-SPEC-202205", "table 8.1, currency", Status.READ),), takes_inventories=True, test=has_one_value,
        ),
        Rule(
            code="I108", scope=_ORDER, severity=_ERROR, columns=("goods_value",), fixed=True,
            message=Text("The value of the goods is not the sum of the items' totals.", "商品金额与各项总价之和不符。"),
            remedy=Text("Check the totals and whether an item is missing; freight is no part of the value.", "请核对各项总价及是否缺项；商品金额不含运杂费。"),
            citations=(Cite("CEB-SPEC-202205", "table 8.1, goodsValue: FOB, without freight", Status.INFERENCE),), takes_inventories=True,
            test=has_goods_value_near_sum,
        ),
        *_BY_ROUTE,
        Rule(
            code="I201", scope=_ORDER, severity=_WARNING, columns=others,
            message=Text("The lines of this order differ in a header value; the messages carry that of its first item.", "同一订单各行的表头数据不一致；报文采用首项的内容。"),
            remedy=Text("Give every line of the order the same value.", "请统一该订单各行的该项内容。"),
            citations=(_HEAD,), takes_inventories=True, test=has_one_other_value,
        ),
        Rule(
            code="I203", scope=_ORDER, severity=_WARNING, columns=("goods_value",),
            message=Text("The value of the goods is off the sum of the items' totals by up to 0.01.", "商品金额与各项总价之和相差不超过0.01。"),
            remedy=Text("Check the rounding; it is sent as it stands.", "请核对舍入；按原值发送。"),
            citations=(ours("tolerance: no text states one", Status.INFERENCE),), takes_inventories=True, test=has_goods_value_of_sum,
        ),
        Rule(
            code="I204", scope=_ORDER, severity=_WARNING, columns=("buyer_kind",),
            message=Text("Nothing says that the buyer is a firm: 9710 is from firm to firm.", "未说明买方是否为企业：9710仅适用于企业对企业。"),
            remedy=Text("Fill in buyer_kind (买家类型): firm or consumer.", "请填写买家类型（buyer_kind）：企业或个人。"),
            citations=(Cite("GACC-2020-75", "9710: business to business through a platform", Status.READ_PARTIAL),), takes_inventories=True,
            test=has_a_buyer_kind,
        ),
        Rule(
            code="B102", scope=Scope.BATCH, severity=_ERROR, columns=("order_no",), fixed=True,
            message=Text("The order stands in the input more than once, with different content.", "同一订单在输入中多次出现且内容不同。"),
            remedy=Text("Keep the right export and leave the other out.", "请保留正确的导出表，去掉另一份。"),
            citations=(Cite("CEB-SPEC-202205", "table 8.1, orderNo: unique on its platform", Status.READ),), takes_inventories=True, test=has_no_clashing_copies,
        ),
    )  # fmt: skip


_BY_ROUTE: tuple[Rule, ...] = (
    Rule(
        code="I111", scope=_ORDER, severity=_ERROR, columns=("item_no",), fixed=True,
        message=Text("The order has to be declared, and has more than 50 items.", "该订单须报关，但商品超过50项。"),
        remedy=Text("Split the order on the platform; nothing is merged here.", "请在平台上拆分订单；本工具不归并商品项。"),
        citations=(ITEMS_PER_DECLARATION.cite,),
    ),
    Rule(
        code="I112", scope=_ORDER, severity=_ERROR, fixed=True,
        columns=("platform_name", "waybill_no", "internal_no", "export_on", "declarant_code", "declarant_name", "logistics_company_code",
                 "logistics_company_name", "destination_port_code", "freight", "freight_currency_code", "insurance",
                 "insurance_currency_code", "wrap_type_code", "goods_spec"),
        message=Text("The order goes as a list, and lacks a field that the list (CEB603) requires, or has it in another form.",
                     "该订单走清单，但缺少清单报文（CEB603）的必填项，或其格式不符。"),
        remedy=Text("Fill the field in, or have the order declared (--route declaration).", "请补填该项，或改为报关（--route declaration）。"),
        citations=(_LIST,),
    ),
    Rule(
        code="I113", scope=_ORDER, severity=_ERROR, columns=("sku",), fixed=True,
        message=Text("The order goes as a list, which takes item numbers (货号) of 20 characters; an order takes 30.", "该订单走清单，清单的企业商品货号最长20位（订单为30位）。"),
        remedy=Text("Shorten the number in the shop's system, or have the order declared (--route declaration).", "请在业务系统中缩短货号，或改为报关（--route declaration）。"),
        citations=(SKU_ON_A_LIST.cite, LIST_CNY.cite),
    ),
    Rule(
        code="I114", scope=_ORDER, severity=_ERROR, columns=("platform_name", "sku"), fixed=True,
        message=Text("The order lacks a field that the order message (CEB303) requires: it cannot be filed.", "该订单缺少订单报文（CEB303）的必填项，无法申报。"),
        remedy=Text("Fill the field in.", "请补填该项。"),
        citations=(Cite("CEB-SPEC-202205", "tables 8.1 and 8.2, the field named in the finding", Status.READ),),
    ),
)  # fmt: skip
