"""One sound item of an order, and runs of business-to-business export."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aggregator.model.customs import Customs
from aggregator.model.outcome import Outcome
from aggregator.schemas.modes import mode_of
from tests.conftest import Runner, csv_text
from tests.market import RATES

PLATFORM = "4403960P01"
SOUND: dict[str, str] = {
    "platform_code": PLATFORM, "platform_name": "星河国际站", "order_no": "B2B-2026-0001", "order_type_code": "B", "goods_value": "500.00",
    "buyer_kind": "企业", "buyer_name": "Northwind Traders Inc.", "buyer_country_code": "502", "waybill_no": "LP900000001", "internal_no": "IN0001",
    "declaring_customs_code": "2244", "exit_customs_code": "2248", "export_on": "2026-10-15", "declaration_mode_code": "B",
    "declarant_code": "4403180001", "declarant_name": "深圳通达报关行有限公司", "consignor_code": "91440300MA5F0A1B2N",
    "consignor_name": "深圳星河跨境电子商务有限公司", "producer_seller_code": "NO", "producer_seller_name": "义乌市晨光日用品厂",
    "logistics_company_code": "4403180002", "logistics_company_name": "深圳快达物流有限公司", "trade_mode_code": "9710", "transport_mode_code": "5",
    "transport_name": "CZ3085", "voyage_no": "3085", "bill_no": "78412345675", "licence_no": "", "arrival_country_code": "502",
    "destination_port_code": "USA", "freight": "20.00", "freight_currency_code": "502", "insurance": "1.00", "insurance_currency_code": "502",
    "wrap_type_code": "2", "package_count": "2", "gross_weight_kg": "12.500", "net_weight_kg": "11.000", "item_no": "1", "sku": "TS-001",
    "enterprise_goods_name": "夏季棉T恤", "commodity_code": "6109100010", "goods_name": "棉制T恤衫", "goods_spec": "棉制|无牌", "barcode": "",
    "destination_country_code": "502", "currency_code": "502", "declared_quantity": "100", "declared_unit_code": "011",
    "statutory_quantity": "100", "statutory_unit_code": "011", "second_statutory_quantity": "11", "second_statutory_unit_code": "035",
    "unit_price": "5.00", "total_price": "500.00", "inspection_flag": "0", "duty_flag": "0",
}  # fmt: skip
"""A line that no rule has anything to say about."""

CUSTOMS = Customs("4403180001", "深圳通达报关行有限公司", "DXPENT0000012345", "4403180001", "深圳通达报关行有限公司")


def order_line(**cells: str) -> dict[str, str]:
    return {**SOUND, **cells}


def priced(total: str, **cells: str) -> dict[str, str]:
    """One piece of that price."""
    return order_line(total_price=total, unit_price=total, declared_quantity="1", goods_value="", **cells)


def run_orders(runner: Runner, rows: Iterable[dict[str, str]] | Path, **changes: Any) -> Outcome:
    path = rows if isinstance(rows, Path) else runner.write(csv_text(rows), "orders.csv")
    settings: dict[str, Any] = {"mode": mode_of("9710"), "rate_rows": RATES, "first_period": None, **changes}
    return runner.run(path, **settings)


def routed(runner: Runner, outcome: Outcome) -> dict[str, tuple[str, str, str]]:
    """Order number to route, value and reasons."""
    return {each["order_no"]: (each["route"], each["value_cny"], each["reasons"]) for each in runner.results(outcome, "routes")}
