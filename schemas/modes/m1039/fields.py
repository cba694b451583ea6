"""The data dictionary of 1039: one line a field of a trade-slip line (市场采购贸易交易单).

No text gives types for these fields: they are those of the inventory (CEB603) where it has the field, else ours [INFERENCE]. A trade
slip stands where an inventory stands in 9610; weights and packages are those of the line.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aggregator.schemas.field import Dictionary, Field, Use, header, item
from aggregator.schemas.modes.m9610.fields import DICTIONARY as INVENTORY
from aggregator.schemas.returned import RETURNED_HEADINGS

_HK, _CONTENT, _SUM, _FATE = Use.HEADER_KEY, Use.CONTENT, Use.SUMMED, Use.FATE


def _as_in_9610(column: str, headings: str = "", **changes: Any) -> Field:
    """The field of that name of the inventory; `headings`: further ones."""
    field = INVENTORY[column]
    return replace(field, headings=(*field.headings, *headings.split()), **changes)


# One line a field, so that the table can be read down its columns.
# fmt: off
FIELDS: tuple[Field, ...] = (
    replace(header("inventory_no", "", "交易单号 市场采购号", "given", 60, Use.IDENTITY, required=True), called="trade_slip_no"),
    header("declaration_group_no", "", "装箱单号", "given", 60, _HK),
    item("merchant_no", "", "商户编号 商户代码", "given", 60, _CONTENT),
    item("merchant_name", "", "商户 商户名称 供货商 所属商户", "text", 100, _CONTENT),
    header("buyer_name", "", "采购商 采购商名称", "text", 100, _HK, required=True),
    header("buyer_country_code", "", "采购商国别 采购商国家", "code", 3, _CONTENT, "country"),
    header("buyer_id_no", "", "证件号 证件号码 采购商证件号 护照号 护照", "given", 60, _HK),
    replace(header("consignor_code", "", "经营单位代码 经营单位编码", "code", 18, _HK, required=True), called="operator_code"),
    replace(header("consignor_name", "", "经营单位 经营单位名称", "text", 100, required=True), called="operator_name"),
    _as_in_9610("declaring_customs_code"),
    _as_in_9610("exit_customs_code"),
    _as_in_9610("export_on"),
    _as_in_9610("trade_mode_code", required=False, use=_FATE),
    _as_in_9610("transport_mode_code"),
    _as_in_9610("transport_name"),
    _as_in_9610("voyage_no"),
    _as_in_9610("bill_no"),
    _as_in_9610("arrival_country_code"),
    _as_in_9610("destination_port_code"),
    _as_in_9610("wrap_type_code", "包装单位", header=False),
    _as_in_9610("package_count", "包装数量 箱数", header=False),
    _as_in_9610("gross_weight_kg", header=False),
    _as_in_9610("net_weight_kg", header=False),
    _as_in_9610("item_no", required=False),
    _as_in_9610("commodity_code", "商品HS编码", use=_CONTENT),
    _as_in_9610("goods_name"),
    _as_in_9610("goods_spec"),
    _as_in_9610("destination_country_code", use=_CONTENT),
    _as_in_9610("currency_code", "币种", use=_CONTENT),
    _as_in_9610("declared_quantity", "交易数量 总数量"),
    _as_in_9610("declared_unit_code", "单位", use=_CONTENT),
    _as_in_9610("statutory_quantity"),
    _as_in_9610("statutory_unit_code", use=_CONTENT),
    _as_in_9610("second_statutory_quantity"),
    _as_in_9610("second_statutory_unit_code", use=_CONTENT),
    _as_in_9610("unit_price"),
    _as_in_9610("total_price", "货值 金额"),
    item("inspection_flag", "", "涉检", "code", 1, _CONTENT, "yes_no"),
    item("duty_flag", "", "涉税", "code", 1, _CONTENT, "yes_no"),
    item("licence_flag", "", "涉证", "code", 1, _CONTENT, "yes_no"),
)
# fmt: on

_UNUSED_HEADINGS = (*RETURNED_HEADINGS, "序号", "备注", "note", "货号", "货号/唛头", "唛头", "品牌", "生产厂商", "下单日期", "交货地址", "每箱数量", "电话")

DICTIONARY = Dictionary(FIELDS, _UNUSED_HEADINGS)
