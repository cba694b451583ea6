"""Elements of the messages of 9710, and where each comes from (see schemas/messages.py for the notation); and what the statuses that
customs answers with say of an order."""

from __future__ import annotations

from enum import StrEnum

from aggregator.schemas.codes import ORDER_B2B
from aggregator.schemas.messages import elements
from aggregator.schemas.modes.m9610.messages import INVENTORY_HEAD, INVENTORY_ITEM, Says, says
from aggregator.schemas.statuses import STATUS_RETURNED

# CEB-SPEC-202205, tables 8.1 and 8.2; the XSD of both editions.
ORDER_HEAD = elements(
    "guid:C36 appType:C1 appTime:C14 appStatus:C1 orderType:C1 orderNo:C..60 ebpCode:C..18|C..50 ebpName:C..100 ebcCode:C..18 "
    "ebcName:C..100 goodsValue:N19,5 freight:N19,5 currency:C3 note?:C..1000",
    {"orderType": (ORDER_B2B,)},
)
ORDER_ITEM = elements(
    "gnum:N5 itemNo:C..30 itemName:C..250 itemDescribe?:C..1000 barCode?:C..50 unit:C3 currency:C3 qty:N19,5 price:N19,5 totalPrice:N19,5 "
    "note?:C..1000"
)
LIST_HEAD, LIST_ITEM = INVENTORY_HEAD, INVENTORY_ITEM
MOST_ORDERS = 100
"""In one CEB303 or CEB603 message."""

_OURS = ("guid", "appType", "appTime", "appStatus")
"""Of the sending, not of the order."""
CONSTANTS = {"orderType": ORDER_B2B, "ieFlag": "E", "fFlag": "3", "iFlag": "3"}
"""That fFlag and iFlag are always 3 is said by the XSD of 202205 alone."""
BLANK_MEANS = {"barCode": "无", "freight_of_order": "0"}
"""What stands where there is none (table 2-38, barCode; table 8.1, freight): READ."""
COLUMN_OF_ORDER = {
    "orderNo": "order_no", "ebpCode": "platform_code", "ebpName": "platform_name", "ebcCode": "consignor_code", "ebcName": "consignor_name",
    "goodsValue": "goods_value", "freight": "freight", "currency": "currency_code",
}  # fmt: skip
COLUMN_OF_ORDER_ITEM = {
    "gnum": "item_no", "itemNo": "sku", "itemName": "enterprise_goods_name", "barCode": "barcode", "unit": "declared_unit_code",
    "currency": "currency_code", "qty": "declared_quantity", "price": "unit_price", "totalPrice": "total_price",
}  # fmt: skip
COLUMN_OF_LIST = {
    "customsCode": "declaring_customs_code", "ebpCode": "platform_code", "ebpName": "platform_name", "orderNo": "order_no",
    "logisticsCode": "logistics_company_code", "logisticsName": "logistics_company_name", "logisticsNo": "waybill_no", "copNo": "internal_no",
    "portCode": "exit_customs_code", "ieDate": "export_on", "statisticsFlag": "declaration_mode_code", "agentCode": "declarant_code",
    "agentName": "declarant_name", "ebcCode": "consignor_code", "ebcName": "consignor_name", "ownerCode": "producer_seller_code",
    "ownerName": "producer_seller_name", "tradeMode": "trade_mode_code", "trafMode": "transport_mode_code", "trafName": "transport_name",
    "voyageNo": "voyage_no", "billNo": "bill_no", "totalPackageNo": "master_package_no", "loctNo": "premises_code", "licenseNo": "licence_no",
    "country": "arrival_country_code", "POD": "destination_port_code", "freight": "freight", "fCurrency": "freight_currency_code",
    "insuredFee": "insurance", "iCurrency": "insurance_currency_code", "wrapType": "wrap_type_code", "packNo": "package_count",
    "grossWeight": "gross_weight_kg", "netWeight": "net_weight_kg",
}  # fmt: skip
COLUMN_OF_LIST_ITEM = {
    "gnum": "item_no", "itemNo": "sku", "itemName": "enterprise_goods_name", "gcode": "commodity_code", "gname": "goods_name",
    "gmodel": "goods_spec", "barCode": "barcode", "country": "destination_country_code", "currency": "currency_code",
    "qty": "declared_quantity", "qty1": "statutory_quantity", "qty2": "second_statutory_quantity", "unit": "declared_unit_code",
    "unit1": "statutory_unit_code", "unit2": "second_statutory_unit_code", "price": "unit_price", "totalPrice": "total_price",
}  # fmt: skip


class OrderState(StrEnum):
    """How far an order has come."""

    FILED = "filed"
    ACCEPTED = "accepted"
    LISTED = "listed"
    RELEASED = "released"
    CLEARED = "cleared"
    REFUSED = "refused"


_OF_ORDER = {"120": OrderState.ACCEPTED, "399": OrderState.ACCEPTED}
_OF_LIST = {"120": OrderState.LISTED, "399": OrderState.LISTED, "800": OrderState.RELEASED, "899": OrderState.CLEARED}


def order_state(order_status: str, list_status: str, held: str = "") -> OrderState:
    """What the latest deciding statuses of an order (CEB304) and of its list (CEB604) say of it, blank where none came; `held`: a refusal
    that says "we have it already", which undoes no other answer.

    The names of the statuses are READ (tables 2-42 and 8.1); that 120 and 399 accept, and 100 and negative numbers refuse, is INFERENCE.
    What customs has as a list outdoes what it says of the order."""
    if list_status:
        return _OF_LIST.get(list_status, OrderState.REFUSED)
    if order_status or held:
        return _OF_ORDER.get(order_status, OrderState.REFUSED)
    return OrderState.FILED


class Weight(StrEnum):
    """What a status of an order or its list does to the order's state."""

    DECIDES = "decides"
    HELD = "held"
    UNDERWAY = "underway"


def weight_of(status: str, info: str, *, of_list: bool) -> Weight:
    """1, 2, 3, 4, 300 and 500 are on the way, and so is what speaks of the other stage."""
    if says(status, info) is Says.HELD:
        return Weight.HELD
    if status in (_OF_LIST if of_list else _OF_ORDER) or status == STATUS_RETURNED or status.startswith("-"):
        return Weight.DECIDES
    return Weight.UNDERWAY
