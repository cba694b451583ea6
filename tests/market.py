"""One sound line of a trade slip, and runs of market procurement."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from aggregator.model.company import Company, Market
from aggregator.model.outcome import Outcome
from aggregator.schemas.modes import mode_of
from tests.conftest import Runner, csv_text

SOUND: dict[str, str] = {
    "trade_slip_no": "JY2026100001", "declaration_group_no": "ZX001", "merchant_no": "YW0001", "merchant_name": "义乌市晨光日用品商行",
    "buyer_name": "Omar Haddad", "buyer_country_code": "502", "buyer_id_no": "P1234567", "operator_code": "91330782MA2E5N6C1U",
    "operator_name": "义乌市远达进出口有限公司", "declaring_customs_code": "5304", "exit_customs_code": "2248", "export_on": "2026-10-15",
    "trade_mode_code": "1039", "transport_mode_code": "2", "arrival_country_code": "502", "package_count": "5",
    "gross_weight_kg": "55", "net_weight_kg": "50", "item_no": "1", "commodity_code": "9503008900", "goods_name": "塑料玩具",
    "goods_spec": "塑料|无牌", "destination_country_code": "502", "currency_code": "502", "declared_quantity": "100",
    "declared_unit_code": "011", "statutory_quantity": "50", "statutory_unit_code": "035", "second_statutory_quantity": "",
    "second_statutory_unit_code": "", "unit_price": "10.00", "total_price": "1000.00", "inspection_flag": "0", "duty_flag": "0",
    "licence_flag": "0",
}  # fmt: skip
"""A line that no rule has anything to say about."""

WITHOUT_NUMBERS = tuple(name for name in SOUND if name != "item_no")
RATES = (
    {"currency_code": "USD", "cny_per_unit": "7.15", "valid_from": "2026-10-01", "valid_to": "2026-10-31", "source": "test"},
    {"currency_code": "EUR", "cny_per_unit": "7.80", "valid_from": "2026-10-01", "valid_to": "2026-10-31", "source": "test"},
)


def slip_line(**cells: str) -> dict[str, str]:
    return {**SOUND, **cells}


def line_of(total: str, **cells: str) -> dict[str, str]:
    """One piece of that price."""
    return slip_line(total_price=total, unit_price=total, declared_quantity="1", **cells)


def run_market(runner: Runner, rows: Iterable[dict[str, str]] | Path, **changes: Any) -> Outcome:
    path = rows if isinstance(rows, Path) else runner.write(csv_text(rows), "slips.csv")
    settings: dict[str, Any] = {
        "mode": mode_of("1039"), "company": Company(registered_operator=True), "market": Market("义乌国际小商品城", date(2014, 11, 1)),
        "first_period": None, **changes,
    }  # fmt: skip
    return runner.run(path, **settings)


def packed(runner: Runner, outcome: Outcome) -> dict[str, set[str]]:
    """Declaration (its last digits) to the slips in it."""
    found: dict[str, set[str]] = {}
    for each in runner.results(outcome, "packing"):
        found.setdefault(each["declaration_ref"][-2:], set()).add(each["trade_slip_no"])
    return found


def total(rows: Iterable[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(each[column]) for each in rows), Decimal(0))
