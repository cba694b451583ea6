"""The data dictionary: one line a field of the inventory (CEB603), in the order of the contract.

Kinds: text (a name), code (a value of a code list, a firm's or a commodity's), no (customs' inventory number), given (a number
that others gave), decimal (19 digits, 5 of them decimals), count (a whole number), time (China time). Of names and given
numbers only outer white space is taken off: letters stay as large and as wide as they were written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Literal

from aggregator.schemas.sources import Cite, spec

Kind = Literal["text", "code", "no", "given", "decimal", "count", "time"]


class Use(Enum):
    """What a field is for in the merge; decides which rules look at it."""

    IDENTITY = "identifies the line"
    HEADER_KEY = "stands in the header key"
    BODY_KEY = "stands in the body key"
    SUMMED = "is added up"
    FATE = "decides whether the inventory is declared"
    CONTENT = "is compared when an inventory turns up again"
    OTHER = "rides along"


@dataclass(frozen=True)
class Field:
    column: str
    element: str
    headings: tuple[str, ...]
    kind: Kind
    length: int
    header: bool
    required: bool
    use: Use
    codes: str = ""

    @property
    def cite(self) -> Cite:
        return spec(self.element)

    @property
    def content(self) -> bool:
        """Whether the value is part of an inventory's content (DESIGN: what makes two inventories the same)."""
        return self.use in (Use.IDENTITY, Use.HEADER_KEY, Use.BODY_KEY, Use.SUMMED, Use.CONTENT)


def _head(column: str, element: str, headings: str, kind: Kind, length: int, use: Use = Use.OTHER,
          codes: str = "", *, required: bool = False) -> Field:  # fmt: skip
    return Field(column, element, tuple(headings.split()), kind, length, True, required, use, codes)


def _item(column: str, element: str, headings: str, kind: Kind, length: int, use: Use = Use.OTHER,
          codes: str = "", *, required: bool = False) -> Field:  # fmt: skip
    return Field(column, element, tuple(headings.split()), kind, length, False, required, use, codes)


_ID, _HK, _BK, _SUM, _FATE, _CONTENT = (
    Use.IDENTITY,
    Use.HEADER_KEY,
    Use.BODY_KEY,
    Use.SUMMED,
    Use.FATE,
    Use.CONTENT,
)

# One line a field, so that the table can be read down its columns.
# fmt: off
FIELDS: tuple[Field, ...] = (
    _head("inventory_no", "invtNo", "清单编号 清单号", "no", 20, _ID, required=True),
    _head("order_no", "orderNo", "订单编号 订单号 电商订单/海外仓订仓单编号 电商订单编号", "given", 60),
    _head("waybill_no", "logisticsNo", "物流运单号 运单号 物流单号 物流运单编号", "given", 32),
    _head("internal_no", "copNo", "企业内部编号 企业唯一编号", "given", 30),
    _head("pre_entry_no", "preNo", "预录入编号 电子口岸编号", "given", 18),
    _head("declaring_customs_code", "customsCode", "申报地海关代码 申报海关代码 申报地海关", "code", 4, _HK, "customs_district", required=True),
    _head("exit_customs_code", "portCode", "出口口岸代码 进出口地海关代码 出境关别 出口口岸", "code", 4, _HK, "customs_district", required=True),
    _head("export_on", "ieDate", "出口日期 进出口日期", "time", 19),
    _head("declaration_mode_code", "statisticsFlag", "申报业务类型 申报业务类型(A/B)", "code", 1, _FATE, "declaration_mode", required=True),
    _head("declarant_code", "agentCode", "申报企业代码 报关企业代码 申报单位代码", "code", 18, _HK),
    _head("declarant_name", "agentName", "申报企业名称 报关企业名称 申报单位名称", "text", 100),
    _head("platform_code", "ebpCode", "电商平台代码 电商平台海关编码", "code", 18),
    _head("platform_name", "ebpName", "电商平台名称 电商平台名称/海外仓名称", "text", 100),
    _head("consignor_code", "ebcCode", "收发货人代码 发货人代码 电商企业海关编码", "code", 18, _HK, required=True),
    _head("consignor_name", "ebcName", "收发货人名称 发货人名称 电商企业名称", "text", 100, required=True),
    _head("producer_seller_code", "ownerCode", "生产销售单位代码 生产销售企业代码 生产企业代码", "code", 18, _HK, required=True),
    _head("producer_seller_name", "ownerName", "生产销售单位名称 生产销售企业名称 生产企业名称", "text", 100, _HK, required=True),
    _head("logistics_company_code", "logisticsCode", "物流企业代码", "code", 18),
    _head("logistics_company_name", "logisticsName", "物流企业名称", "text", 100),
    _head("trade_mode_code", "tradeMode", "贸易方式 监管方式", "code", 4, _HK, "trade_mode", required=True),
    _head("transport_mode_code", "trafMode", "运输方式 运输方式代码", "code", 1, _HK, "transport_mode", required=True),
    _head("transport_name", "trafName", "运输工具名称 运输工具编号", "text", 100),
    _head("voyage_no", "voyageNo", "航班航次号 航班班次号", "given", 32),
    _head("bill_no", "billNo", "提运单号 提(运)单号", "given", 37),
    _head("master_package_no", "totalPackageNo", "总包号 大包号 大包裹号", "given", 37),
    _head("premises_code", "loctNo", "监管场所代码", "code", 10, _HK),
    _head("licence_no", "licenseNo", "许可证号", "given", 19),
    _head("arrival_country_code", "country", "运抵国(地区) 运抵国 运抵国(地区)代码", "code", 3, _HK, "country", required=True),
    _head("destination_port_code", "POD", "指运港代码 指运港", "code", 4),
    _head("freight", "freight", "运费", "decimal", 20),
    _head("freight_currency_code", "fCurrency", "运费币制", "code", 3, codes="currency"),
    _head("insurance", "insuredFee", "保费 保价费", "decimal", 20),
    _head("insurance_currency_code", "iCurrency", "保费币制", "code", 3, codes="currency"),
    _head("wrap_type_code", "wrapType", "包装种类代码 包装种类", "code", 1, codes="wrap_type"),
    _head("package_count", "packNo", "件数", "count", 9, _SUM, required=True),
    _head("gross_weight_kg", "grossWeight", "毛重(公斤) 订单毛重 毛重", "decimal", 20, _SUM, required=True),
    _head("net_weight_kg", "netWeight", "净重(公斤) 净重", "decimal", 20, _SUM, required=True),
    _head("status_code", "returnStatus", "回执状态 清单状态", "code", 10, _FATE, "receipt_status"),
    _head("cleared_at", "returnTime", "结关时间 回执时间", "time", 35, _FATE),
    _item("item_no", "gnum", "商品序号 商品项号", "count", 5, _ID, required=True),
    _item("sku", "itemNo", "企业商品货号 企业商品编号", "given", 20),
    _item("enterprise_goods_name", "itemName", "企业商品品名 企业商品名称", "text", 250, _BK),
    _item("commodity_code", "gcode", "商品编码 海关编码 海关商品编码", "code", 10, _BK, required=True),
    _item("goods_name", "gname", "商品名称", "text", 250, _CONTENT, required=True),
    _item("goods_spec", "gmodel", "商品规格型号 规格型号 申报要素", "text", 250, _CONTENT),
    _item("barcode", "barCode", "条码 条形码", "given", 50),
    _item("destination_country_code", "list_country", "目的国(地区) 目的国 最终目的国(地区)代码 最终目的国(地区) 目的国(地区)代码", "code", 3, _BK, "country", required=True),
    _item("currency_code", "currency", "币制 商品币制", "code", 3, _BK, "currency", required=True),
    _item("declared_quantity", "qty", "数量 申报数量", "decimal", 20, _SUM, required=True),
    _item("declared_unit_code", "unit", "计量单位 申报计量单位 数量单位", "code", 3, _BK, "unit", required=True),
    _item("statutory_quantity", "qty1", "法定数量", "decimal", 20, _SUM, required=True),
    _item("statutory_unit_code", "unit1", "法定计量单位", "code", 3, _BK, "unit", required=True),
    _item("second_statutory_quantity", "qty2", "第二数量 第二法定数量", "decimal", 20, _SUM),
    _item("second_statutory_unit_code", "unit2", "第二计量单位 第二法定计量单位", "code", 3, _BK, "unit"),
    _item("unit_price", "price", "单价 申报单价", "decimal", 20, _CONTENT, required=True),
    _item("total_price", "totalPrice", "总价", "decimal", 20, _SUM, required=True),
)
# fmt: on

FIELD: dict[str, Field] = {field.column: field for field in FIELDS}

KNOWN_UNUSED: tuple[str, ...] = (
    # Headings of real exports that say nothing we need; anything else unknown is reported.
    *["reject_codes", "序号", "备注", "note", "list_note", "进出口标记", "进出口标志", "账册编号", "申报日期", "区内企业代码", "区内企业名称", "运费标志", "保费标志"],
    *["账册备案料号", "客户代码", "净重(单个商品净重kg)", "guid", "appType", "appTime", "appStatus", "ieFlag", "fFlag", "iFlag", "iacCode", "iacName"],
    *["emsNo", "itemRecordNo", "批次号", "提交时间", "小包数量", "商品金额", "主要货物信息", "收货人名称", "赠品", "平台"],
)

STATUS_COLUMNS = ("status_code", "cleared_at")


@cache
def columns_of(*kinds: Kind) -> tuple[str, ...]:
    return tuple(field.column for field in FIELDS if field.kind in kinds)


REQUIRED_COLUMNS: tuple[str, ...] = tuple(field.column for field in FIELDS if field.required)
CONTENT_COLUMNS: tuple[str, ...] = tuple(
    field.column
    for field in FIELDS
    if field.content and field.column != "inventory_no" and field.column != "item_no"
)
DECIMAL_COLUMNS: tuple[str, ...] = columns_of("decimal")
COUNT_COLUMNS: tuple[str, ...] = columns_of("count")

SUMMED_ITEM_COLUMNS: dict[str, str] = {
    "declared_quantity": "declared_unit_code",
    "statutory_quantity": "statutory_unit_code",
    "second_statutory_quantity": "second_statutory_unit_code",
    "total_price": "currency_code",
}
"""Item columns that are added up, each with the column that holds its unit or currency: never added across these."""

SUMMED_HEADER_COLUMNS: dict[str, str] = {"package_count": "", "gross_weight_kg": "kg", "net_weight_kg": "kg"}
"""Header columns that are added up, once per inventory, each with its unit."""

IDENTIFIERS = ("order_no", "waybill_no", "internal_no")
"""Numbers that one inventory has and no other: who shares one may be part of the same."""
