"""The data dictionary of 9710: one line a field of an order item. An order goes to customs as CEB303, and as an inventory (CEB603)
where it takes the list route; types are those of these messages.

An order stands where an inventory stands in 9610. Its number is unique on its platform only, so `inventory_no` holds both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aggregator.schemas.field import Dictionary, Field, Use, header, item
from aggregator.schemas.modes.m9610.fields import DICTIONARY as INVENTORY

_HK, _CONTENT = Use.HEADER_KEY, Use.CONTENT


def _as_in_9610(column: str, headings: str = "", **changes: Any) -> Field:
    """The field of that name of the inventory; `headings`: further ones. What a message tells of an order is its content."""
    field = INVENTORY[column]
    use = _CONTENT if field.use is Use.OTHER else field.use
    return replace(field, **{"headings": (*field.headings, *headings.split()), "use": use, **changes})


# One line a field, so that the table can be read down its columns.
# fmt: off
FIELDS: tuple[Field, ...] = (
    _as_in_9610("platform_code", required=True, use=_HK),
    _as_in_9610("platform_name"),
    _as_in_9610("order_no", required=True, use=Use.IDENTITY),
    header("order_type_code", "orderType", "订单类型", "code", 1, _CONTENT, "order_type"),
    header("goods_value", "goodsValue", "商品金额 商品总价", "decimal", 20, _CONTENT),
    header("buyer_kind", "", "买家类型 买方类型", "code", 8, _CONTENT, "buyer_kind"),
    header("buyer_name", "", "境外采购企业 境外采购企业名称", "text", 250, _HK),
    header("buyer_country_code", "", "买家国别 买方国别", "code", 3, _HK, "country"),
    _as_in_9610("waybill_no"),
    _as_in_9610("internal_no"),
    _as_in_9610("pre_entry_no", use=Use.OTHER),
    _as_in_9610("declaring_customs_code"),
    _as_in_9610("exit_customs_code"),
    _as_in_9610("export_on"),
    _as_in_9610("declaration_mode_code", use=_CONTENT),
    _as_in_9610("declarant_code"),
    _as_in_9610("declarant_name"),
    _as_in_9610("consignor_code"),
    _as_in_9610("consignor_name"),
    _as_in_9610("producer_seller_code"),
    _as_in_9610("producer_seller_name"),
    _as_in_9610("logistics_company_code"),
    _as_in_9610("logistics_company_name"),
    _as_in_9610("trade_mode_code"),
    _as_in_9610("transport_mode_code"),
    _as_in_9610("transport_name"),
    _as_in_9610("voyage_no"),
    _as_in_9610("bill_no"),
    _as_in_9610("master_package_no"),
    _as_in_9610("premises_code"),
    _as_in_9610("licence_no", use=_HK),
    _as_in_9610("arrival_country_code"),
    _as_in_9610("destination_port_code"),
    _as_in_9610("freight", "运杂费"),
    _as_in_9610("freight_currency_code"),
    _as_in_9610("insurance"),
    _as_in_9610("insurance_currency_code"),
    _as_in_9610("wrap_type_code"),
    _as_in_9610("package_count"),
    _as_in_9610("gross_weight_kg"),
    _as_in_9610("net_weight_kg"),
    INVENTORY["direction_code"],
    INVENTORY["import_on"],
    INVENTORY["entry_customs_code"],
    INVENTORY["import_inventory_no"],
    _as_in_9610("item_no"),
    _as_in_9610("sku", length=30, carried=True),
    _as_in_9610("enterprise_goods_name", use=_CONTENT),
    _as_in_9610("commodity_code"),
    _as_in_9610("goods_name"),
    _as_in_9610("goods_spec"),
    _as_in_9610("barcode", carried=True),
    _as_in_9610("destination_country_code"),
    _as_in_9610("currency_code"),
    _as_in_9610("declared_quantity"),
    _as_in_9610("declared_unit_code"),
    _as_in_9610("statutory_quantity"),
    _as_in_9610("statutory_unit_code"),
    _as_in_9610("second_statutory_quantity"),
    _as_in_9610("second_statutory_unit_code"),
    _as_in_9610("unit_price"),
    _as_in_9610("total_price"),
    item("inspection_flag", "", "涉检 是否涉检", "code", 1, _CONTENT, "yes_no"),
    item("duty_flag", "", "涉税 是否涉税", "code", 1, _CONTENT, "yes_no"),
    replace(header("inventory_no", "", "", "given", 79, Use.IDENTITY), called="order_no"),
)
# fmt: on

_OF_OTHERS = ("status_code", "cleared_at", "returnStatus", "returnTime", "inventory_no", "invtNo", "清单编号", "清单号", "回执状态", "清单状态", "回执时间", "结关时间")
"""What an order is told of by customs: asked of its receipts, not of the export."""
_UNUSED_HEADINGS = (*(heading for heading in INVENTORY.unused_headings if heading != "商品金额"), *_OF_OTHERS, "随附单据", "付款方式", "买家邮箱")

DICTIONARY = Dictionary(FIELDS, _UNUSED_HEADINGS, unit=("platform_code", "order_no"))
