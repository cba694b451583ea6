"""Synthetic exports of trade slips (1039), seeded. Every firm, merchant, buyer and number is invented."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.samples.sample import CHUNK, Sample
from aggregator.samples.texts import broken, hundredths, picked, repeated, thousandths, write_chunks
from aggregator.schemas.modes.m1039.fields import DICTIONARY

_OPERATORS = (("91330782MA2E5N6C1U", "义乌市远达进出口有限公司"), ("3318961CXP", "义乌市华茂国际贸易有限公司"))
_BUYERS = (("Omar Haddad", "P1234567", "116"), ("Amina Yusuf", "A0098812", "502"), ("Carlos Pérez", "G55501234", "601"), ("Nguyen Van Minh", "C7781234", "502"))
_MERCHANTS = tuple((f"YW{number:04d}", f"义乌市{name}商行") for number, name in enumerate(("晨光日用品", "宏达五金", "佳艺饰品", "乐童玩具", "锦绣纺织", "恒兴文具"), 1))
_GOODS = (  # commodity, name, declared unit, statutory unit, kg each, cents each, pieces a carton, inspection
    ("9503008900", "塑料玩具", "011", "035", 0.26, 420, 96, "0"), ("7013370000", "玻璃杯", "007", "035", 0.31, 65, 72, "0"),
    ("7323930000", "不锈钢酒壶", "007", "035", 0.42, 310, 60, "0"), ("3924900000", "塑料夹子", "006", "035", 0.04, 18, 600, "0"),
    ("8423100000", "电子秤", "001", "001", 1.20, 690, 20, "0"), ("6303920090", "化纤门帘", "011", "035", 0.55, 240, 48, "0"),
    ("7323930000", "铁勺子", "007", "035", 0.05, 22, 480, "0"), ("8302500000", "铁制挂钩", "007", "035", 0.06, 15, 500, "0"),
    ("7326201000", "铁丝筐", "007", "035", 0.48, 120, 40, "0"), ("7117190000", "仿首饰项链", "011", "035", 0.03, 85, 600, "0"),
    ("6307900090", "清洁用布", "006", "035", 0.21, 55, 120, "0"), ("4820100000", "笔记本", "011", "035", 0.28, 60, 100, "0"),
    ("9603210000", "牙刷", "008", "008", 0.02, 20, 720, "0"), ("6505009900", "针织帽", "020", "035", 0.09, 90, 200, "0"),
    ("8215990000", "不锈钢餐具", "006", "035", 0.41, 180, 72, "0"), ("3304990099", "护肤面膜", "006", "035", 0.15, 130, 100, "1"),
)  # fmt: skip
_LEFT_OUT = {"transport_name", "voyage_no", "bill_no", "destination_port_code", "wrap_type_code", "second_statutory_quantity", "second_statutory_unit_code"}
COLUMNS = tuple(column for column in DICTIONARY.columns if column not in _LEFT_OUT)

FAULTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("R101", {"buyer_name": ""}), ("R103", {"declared_quantity": "+1200"}), ("R107", {"commodity_code": "950300890"}), ("R141", {"licence_flag": "1"}),
    ("R143", {"export_on": "31/10/2026"}), ("I105", {"net_weight_kg": "99999"}), ("I106", {"package_count": "0"}), ("I108", {"merchant_no": "", "merchant_name": ""}),
    ("R241", {"buyer_id_no": ""}), ("X101", {"trade_mode_code": "0110"}), ("R121", {"inventory_no": "2.02610E+12"}), ("B211", {"inspection_flag": ""}),
)  # fmt: skip
"""Rule code to what breaks it, on the lines of a slip."""


def write_slips(sample: Sample, out: Path) -> list[Path]:
    """Write `slips.csv`. Memory stays with one chunk."""
    path = out / "slips.csv"
    write_chunks(path, DICTIONARY, COLUMNS, _chunks(sample), headings=sample.headings, encoding=sample.encoding)
    return [path]


def _chunks(sample: Sample) -> Iterator[pa.Table]:
    for number, start in enumerate(range(0, sample.lines, CHUNK)):
        random = np.random.default_rng([sample.seed, number, 1039])
        lines, slip = _sound_lines(sample, random, min(CHUNK, sample.lines - start), sample.first_serial + start)
        yield broken(lines, slip, sample.faults, FAULTS, random) if sample.faults else lines


def _sound_lines(sample: Sample, random: np.random.Generator, count: int, first_serial: int) -> tuple[pa.Table, Any]:
    sizes = random.integers(1, 9, size=count)
    slips = int(np.searchsorted(np.cumsum(sizes), count)) + 1
    sizes = sizes[:slips]
    sizes[-1] -= int(sizes.sum()) - count
    slip = np.repeat(np.arange(slips), sizes)
    # A container holds the slips of one buyer: some twenty of them.
    group = (first_serial + np.arange(slips)) // 20
    operator, buyer = (group % len(_OPERATORS))[slip], (group % len(_BUYERS))[slip]
    good, merchant = random.integers(len(_GOODS), size=count), random.integers(len(_MERCHANTS), size=slips)[slip]
    cartons = random.integers(1, 40, size=count)
    pieces = cartons * np.array([row[6] for row in _GOODS])[good]
    cents = np.maximum(np.array([row[5] for row in _GOODS])[good] + random.integers(-5, 20, size=count), 1)
    grams = (pieces * np.array([row[4] for row in _GOODS])[good] * 1000).astype(np.int64)
    by_weight = np.array([row[3] == "035" for row in _GOODS])[good]
    year, month = sample.period.year, sample.period.key
    number = picked([f"JY{year}{first_serial + place:08d}" for place in range(slips)], slip)
    days = random.integers(1, 29, size=slips)[slip]
    columns = {
        "inventory_no": number,
        "declaration_group_no": picked([f"ZX{each:06d}" for each in group], slip),
        "merchant_no": picked([row[0] for row in _MERCHANTS], merchant),
        "merchant_name": picked([row[1] for row in _MERCHANTS], merchant),
        "buyer_name": picked([row[0] for row in _BUYERS], buyer),
        "buyer_country_code": picked([row[2] for row in _BUYERS], buyer),
        "buyer_id_no": picked([row[1] for row in _BUYERS], buyer),
        "consignor_code": picked([row[0] for row in _OPERATORS], operator),
        "consignor_name": picked([row[1] for row in _OPERATORS], operator),
        "declaring_customs_code": repeated("5304", count),
        "exit_customs_code": repeated("2248", count),
        "export_on": picked([f"{month[:4]}-{month[4:]}-{day:02d}" for day in range(1, 29)], days - 1),
        "trade_mode_code": repeated("1039", count),
        "transport_mode_code": repeated("2", count),
        "arrival_country_code": picked([row[2] for row in _BUYERS], buyer),
        "package_count": pa.array(cartons).cast(pa.string()),
        "gross_weight_kg": thousandths(grams + cartons * 800),
        "net_weight_kg": thousandths(grams),
        "item_no": pa.array(np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1).cast(pa.string()),
        "commodity_code": picked([row[0] for row in _GOODS], good),
        "goods_name": picked([row[1] for row in _GOODS], good),
        "goods_spec": picked([f"{row[1]}|无牌" for row in _GOODS], good),
        "destination_country_code": picked([row[2] for row in _BUYERS], buyer),
        "currency_code": repeated("502", count),
        "declared_quantity": pa.array(pieces).cast(pa.string()),
        "declared_unit_code": picked([row[2] for row in _GOODS], good),
        "statutory_quantity": pc.if_else(pa.array(by_weight), thousandths(grams), pa.array(pieces).cast(pa.string())),
        "statutory_unit_code": picked([row[3] for row in _GOODS], good),
        "unit_price": hundredths(cents),
        "total_price": hundredths(cents * pieces),
        "inspection_flag": picked([row[7] for row in _GOODS], good),
        "duty_flag": repeated("0", count),
        "licence_flag": repeated("0", count),
    }
    return pa.table({name: columns[name] for name in COLUMNS}), slip
