"""An independent computation of what a run must declare: plain Python, Decimal objects, one line after another."""

from __future__ import annotations

import math
from collections import defaultdict
from decimal import Decimal
from typing import Any

Row = dict[str, str]

HEADER = ("declaring_customs_code", "trade_mode_code", "consignor_code", "producer_seller_code", "producer_seller_name",
          "transport_mode_code", "arrival_country_code", "exit_customs_code", "declarant_code", "premises_code")  # fmt: skip
BODY = ("commodity_code", "destination_country_code", "currency_code", "declared_unit_code", "statutory_unit_code",
        "second_statutory_unit_code")  # fmt: skip
SUMMED = ("declared_quantity", "statutory_quantity", "second_statutory_quantity", "total_price")


def header_key(row: Row, summary_flag: int) -> tuple[str, ...]:
    cells = {name: row.get(name, "") for name in HEADER}
    if summary_flag == 1:
        cells["producer_seller_code"] = cells["producer_seller_name"] = ""
    elif cells["producer_seller_code"] != "NO":
        cells["producer_seller_name"] = ""
    return tuple(cells[name] for name in HEADER)


def body_key(row: Row, item_name_flag: int) -> tuple[str, ...]:
    name = (row.get("enterprise_goods_name") or row["goods_name"]) if item_name_flag == 1 else ""
    return (*(row.get(name, "") for name in BODY), name)


def unique_lines(rows: list[Row]) -> list[Row]:
    seen: dict[tuple[str, str], Row] = {}
    for row in rows:
        seen.setdefault((row["inventory_no"], row["item_no"]), row)
    return list(seen.values())


def merged(rows: list[Row], summary_flag: int = 2, item_name_flag: int = 1) -> dict[tuple[Any, ...], dict[str, Decimal]]:
    """Sums by (header key, body key) of the declared lines."""
    sums: dict[tuple[Any, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in unique_lines(rows):
        group = sums[(header_key(row, summary_flag), body_key(row, item_name_flag))]
        for name in SUMMED:
            if row.get(name):
                group[name] += Decimal(row[name])
        group["lines"] += 1
    return sums


def declarations_of(groups: dict[tuple[Any, ...], Any]) -> dict[tuple[str, ...], int]:
    """How many declarations each header key needs."""
    items: dict[tuple[str, ...], int] = defaultdict(int)
    for header, _ in groups:
        items[header] += 1
    return {header: math.ceil(count / 50) for header, count in items.items()}


def weights(rows: list[Row]) -> tuple[Decimal, Decimal, int]:
    """Gross, net and packages over all inventories: header values count once."""
    heads = {row["inventory_no"]: row for row in rows}
    gross = sum((Decimal(row["gross_weight_kg"]) for row in heads.values()), Decimal(0))
    net = sum((Decimal(row["net_weight_kg"]) for row in heads.values()), Decimal(0))
    return gross, net, sum(int(row["package_count"]) for row in heads.values())
