"""Synthetic exports of business-to-business orders (9710), seeded. Every firm, platform, buyer and number is invented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.samples.sample import CHUNK, Sample
from aggregator.samples.texts import broken, hundredths, picked, repeated, thousandths, write_chunks
from aggregator.schemas.modes.m9710.fields import DICTIONARY

_PLATFORMS = (("4403960P01", "星河国际站"), ("3301960P02", "西湖跨境通"), ("无", "Harbor Wholesale"))
_CONSIGNORS = (("91440300MA5F0A1B2N", "深圳星河跨境电子商务有限公司"), ("4403960Q7X", "深圳海纳贸易有限公司"))
_PRODUCERS = (("NO", "义乌市晨光日用品厂"), ("NO", "东莞市佳艺电子厂"), ("3318961CXP", "义乌市华茂国际贸易有限公司"))
_BUYERS = (("Northwind Traders Inc.", "502", "USA"), ("Contoso Handels GmbH", "304", "DEU"), ("Fabrikam Ltd.", "303", "GBR"), ("Tailspin KK", "116", "JPN"))
_GOODS = (  # commodity, enterprise's name, name, spec, declared unit, statutory unit, grams each, cents each, pieces a package, inspection
    ("6109100010", "夏季棉T恤", "棉制T恤衫", "棉制|无牌", "011", "011", 180, 310, 100, "0"), ("8518300000", "蓝牙耳机", "无线耳机", "无线|无牌", "001", "001", 60, 890, 80, "0"),
    ("4202220000", "帆布手提包", "手提包", "棉制面|无牌", "001", "001", 420, 560, 40, "0"), ("9503008900", "积木玩具", "塑料玩具", "塑料|无牌", "011", "035", 350, 620, 48, "0"),
    ("7117190000", "项链", "仿首饰", "贱金属|无牌", "001", "035", 25, 145, 400, "0"), ("3924100000", "保温饭盒", "塑料餐具", "塑料|无牌", "001", "035", 300, 270, 60, "0"),
    ("9405420090", "LED台灯", "台灯", "LED|无牌", "001", "035", 640, 1150, 24, "0"), ("3304990099", "护肤面膜", "护肤品", "面膜|无牌", "006", "035", 150, 410, 120, "1"),
)  # fmt: skip
_LEFT_OUT = {"direction_code", "import_on", "entry_customs_code", "import_inventory_no", "inventory_no", "pre_entry_no", "master_package_no", "premises_code",
             "second_statutory_quantity", "second_statutory_unit_code", "transport_name", "voyage_no"}  # fmt: skip
COLUMNS = tuple(column for column in DICTIONARY.columns if column not in _LEFT_OUT)

FAULTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("R103", {"declared_quantity": "+1200"}), ("R107", {"commodity_code": "610910001"}), ("R115", {"trade_mode_code": "9701"}), ("R143", {"export_on": "31/10/2026"}),
    ("R144", {"order_type_code": "E"}), ("R145", {"buyer_kind": "个人"}), ("I105", {"net_weight_kg": "99999"}), ("I106", {"package_count": "0"}),
    ("I108", {"goods_value": "1.00"}), ("I112", {"destination_port_code": ""}), ("I114", {"sku": ""}), ("I204", {"buyer_kind": ""}), ("X101", {"trade_mode_code": "0110"}),
    ("unknown_inspection", {"inspection_flag": ""}), ("licence", {"licence_no": "26-JY-000123"}), ("R121", {"order_no": "2.02610E+12"}),
)  # fmt: skip
"""Rule code, or reason of a route, to what brings it about, on the lines of an order."""


def write_orders(sample: Sample, out: Path) -> list[Path]:
    """Write `orders.csv`. Memory stays with one chunk."""
    path = out / "orders.csv"
    write_chunks(path, DICTIONARY, COLUMNS, _chunks(sample), headings=sample.headings, encoding=sample.encoding)
    return [path]


def _chunks(sample: Sample) -> Iterator[pa.Table]:
    for number, start in enumerate(range(0, sample.lines, CHUNK)):
        random = np.random.default_rng([sample.seed, number, 9710])
        lines, order = _sound_lines(sample, random, min(CHUNK, sample.lines - start), sample.first_serial + start)
        yield broken(lines, order, sample.faults, FAULTS, random) if sample.faults else lines


def _sound_lines(sample: Sample, random: np.random.Generator, count: int, first_serial: int) -> tuple[pa.Table, Any]:
    sizes = random.integers(1, 6, size=count)
    orders = int(np.searchsorted(np.cumsum(sizes), count)) + 1
    sizes = sizes[:orders]
    sizes[-1] -= int(sizes.sum()) - count
    order = np.repeat(np.arange(orders), sizes)
    starts = np.cumsum(sizes) - sizes
    platform, consignor, producer, buyer = (random.integers(len(rows), size=orders)[order] for rows in (_PLATFORMS, _CONSIGNORS, _PRODUCERS, _BUYERS))
    good, packages = random.integers(len(_GOODS), size=count), random.integers(1, 4, size=count)
    pieces = np.maximum(packages * np.array([row[8] for row in _GOODS])[good] // random.integers(1, 9, size=orders)[order], 1)
    cents = np.maximum(np.array([row[7] for row in _GOODS])[good] + random.integers(-9, 30, size=count), 1)
    grams = pieces * np.array([row[6] for row in _GOODS])[good]
    totals, whole_grams = np.add.reduceat(cents * pieces, starts), np.add.reduceat(grams, starts)
    cartons = np.add.reduceat(packages, starts)
    by_weight = np.array([row[5] == "035" for row in _GOODS])[good]
    year, month, serials = sample.period.year, sample.period.key, first_serial + np.arange(orders)
    days = random.integers(1, 29, size=orders)[order]
    columns = {
        "platform_code": picked([row[0] for row in _PLATFORMS], platform), "platform_name": picked([row[1] for row in _PLATFORMS], platform),
        "order_no": picked([f"B2B-{year}-{serial:08d}" for serial in serials], order), "order_type_code": repeated("B", count),
        "goods_value": hundredths(totals).take(pa.array(order)), "buyer_kind": repeated("企业", count),
        "buyer_name": picked([row[0] for row in _BUYERS], buyer), "buyer_country_code": picked([row[1] for row in _BUYERS], buyer),
        "waybill_no": picked([f"LP{year}{serial:09d}" for serial in serials], order), "internal_no": picked([f"IN{year}{serial:09d}" for serial in serials], order),
        "declaring_customs_code": repeated("5304", count), "exit_customs_code": repeated("2248", count),
        "export_on": picked([f"{month[:4]}-{month[4:]}-{day:02d}" for day in range(1, 29)], days - 1), "declaration_mode_code": repeated("B", count),
        "declarant_code": repeated("4403180001", count), "declarant_name": repeated("深圳通达报关行有限公司", count),
        "consignor_code": picked([row[0] for row in _CONSIGNORS], consignor), "consignor_name": picked([row[1] for row in _CONSIGNORS], consignor),
        "producer_seller_code": picked([row[0] for row in _PRODUCERS], producer), "producer_seller_name": picked([row[1] for row in _PRODUCERS], producer),
        "logistics_company_code": repeated("4403180002", count), "logistics_company_name": repeated("深圳快达物流有限公司", count),
        "trade_mode_code": repeated("9710", count), "transport_mode_code": repeated("5", count),
        "bill_no": picked([f"784{month}{day:02d}" for day in range(1, 29)], days - 1), "licence_no": pa.nulls(count, pa.string()),
        "arrival_country_code": picked([row[1] for row in _BUYERS], buyer), "destination_port_code": picked([row[2] for row in _BUYERS], buyer),
        "freight": hundredths(cartons * 1250).take(pa.array(order)), "freight_currency_code": repeated("502", count),
        "insurance": repeated("0", count), "insurance_currency_code": repeated("502", count), "wrap_type_code": repeated("2", count),
        "package_count": pa.array(cartons).cast(pa.string()).take(pa.array(order)),
        "gross_weight_kg": thousandths(whole_grams + cartons * 700).take(pa.array(order)), "net_weight_kg": thousandths(whole_grams).take(pa.array(order)),
        "item_no": pa.array(np.arange(count) - np.repeat(starts, sizes) + 1).cast(pa.string()),
        "sku": picked([f"SKU-{row[0][:6]}" for row in _GOODS], good), "enterprise_goods_name": picked([row[1] for row in _GOODS], good),
        "commodity_code": picked([row[0] for row in _GOODS], good), "goods_name": picked([row[2] for row in _GOODS], good),
        "goods_spec": picked([row[3] for row in _GOODS], good), "barcode": pa.nulls(count, pa.string()),
        "destination_country_code": picked([row[1] for row in _BUYERS], buyer), "currency_code": repeated("502", count),
        "declared_quantity": pa.array(pieces).cast(pa.string()), "declared_unit_code": picked([row[4] for row in _GOODS], good),
        "statutory_quantity": pc.if_else(pa.array(by_weight), thousandths(grams), pa.array(pieces).cast(pa.string())),
        "statutory_unit_code": picked([row[5] for row in _GOODS], good), "unit_price": hundredths(cents), "total_price": hundredths(cents * pieces),
        "inspection_flag": picked([row[9] for row in _GOODS], good), "duty_flag": repeated("0", count),
    }  # fmt: skip
    return pa.table({name: columns[name] for name in COLUMNS}), order
