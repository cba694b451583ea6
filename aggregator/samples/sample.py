"""Synthetic exports of any size, seeded: the same seed gives the same bytes. Every firm and number is invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.model.disk import replacing
from aggregator.model.period import Period
from aggregator.samples.faults import Faulty, csv_of, with_faults
from aggregator.samples.texts import digits, encoded, hundredths, picked, repeated, thousandths
from aggregator.schemas.modes.m9610.fields import DICTIONARY

CHUNK = 100_000
ClearedBy = Literal["status", "receipts", "assume"]

_CONSIGNORS = (
    ("91440300MA5F0A1B2N", "深圳星河跨境电子商务有限公司", "2244"),
    ("91330100MA27Y3K4XJ", "杭州蓝帆网络科技有限公司", "2928"),
    ("4403960Q7X", "深圳前海远洋供应链有限公司", "5304"),
)
_PRODUCERS = (
    ("91440101MA9XQ2L8HY", "广州顺达服装有限公司"),
    ("91330782MA2E5N6C1U", "义乌市晨光日用品厂"),
    ("NO", "汕头市澄海区乐童玩具厂"),
    ("NO", "东莞市虎门锦绣制衣厂"),
)
_DECLARANTS = (("4403180001", "深圳通达报关行有限公司"), ("3301980002", "杭州海信报关有限公司"))
_DESTINATIONS = (  # country, currency
    ("502", "502"), ("303", "303"), ("304", "300"), ("305", "300"), ("116", "116"), ("601", "601"),
    ("501", "501"), ("132", "132"), ("344", "502"), ("307", "300"), ("312", "300"), ("143", "502"),
)  # fmt: skip
_PRODUCTS = (  # commodity, goods name, declared unit, statutory unit, second unit, kg each, price
    ("6109100010", "棉制T恤衫", "011", "011", "035", 180, 599), ("6204430090", "合成纤维制连衣裙", "011", "011", "035", 320, 1899),
    ("6403990090", "皮革面休闲鞋", "025", "025", "035", 850, 3250), ("4202220000", "塑料面手提包", "007", "007", "035", 540, 1475),
    ("8518300000", "蓝牙耳机", "007", "007", "", 95, 1299), ("8504401400", "手机充电器", "007", "007", "", 110, 420),
    ("9503008900", "塑料拼装玩具", "011", "035", "", 260, 880), ("3926909090", "塑料手机壳", "007", "035", "", 45, 199),
    ("7117190000", "仿首饰项链", "011", "035", "", 30, 350), ("6302219000", "棉制印花床单", "011", "011", "035", 1200, 2199),
    ("9405420000", "LED台灯", "001", "001", "035", 730, 1650), ("8215990000", "不锈钢餐具", "006", "035", "", 410, 975),
    ("3304990099", "护肤面膜", "006", "035", "", 150, 640), ("6505009900", "针织帽", "020", "035", "", 85, 310),
    ("9004100000", "太阳镜", "026", "026", "", 60, 720), ("6307900090", "清洁用布", "006", "035", "", 210, 260),
    ("8212100000", "手动剃须刀", "008", "008", "", 70, 430), ("9603210000", "牙刷", "008", "008", "", 25, 120),
    ("4820100000", "笔记本", "011", "035", "", 280, 230), ("7323930000", "不锈钢保温杯", "007", "035", "", 390, 1050),
)  # fmt: skip
_VARIANTS = ("基础款", "升级款", "礼盒装", "夏季款", "加大码", "儿童款")
_PORTS = {"502": "3001", "303": "2501", "304": "2110", "305": "2207"}

_LEFT_OUT = {
    "pre_entry_no", "platform_code", "platform_name", "logistics_company_code", "logistics_company_name", "transport_name",
    "licence_no", "freight", "freight_currency_code", "insurance", "insurance_currency_code", "barcode",
    "direction_code", "import_on", "entry_customs_code", "import_inventory_no", "duty_flag",
}  # fmt: skip
_HEADERS = tuple(column for column in DICTIONARY.columns if column not in _LEFT_OUT)


@dataclass(frozen=True)
class Sample:
    lines: int
    seed: int = 1
    faults: float = 0.0
    period: Period = field(default_factory=lambda: Period(2026, 10))
    cleared_by: ClearedBy = "status"
    headings: Literal["own", "zh"] = "own"
    encoding: str = "utf-8"
    first_serial: int = 1


def columns_of(sample: Sample) -> tuple[str, ...]:
    dropped = () if sample.cleared_by == "status" else ("status_code", "cleared_at")
    return tuple(column for column in _HEADERS if column not in dropped)


def write_sample(sample: Sample, out: Path) -> list[Path]:
    """Write `inventories.csv` and, where receipts say what is cleared, `receipts.csv`. Memory stays with one chunk."""
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / "inventories.csv"]
    names = [DICTIONARY[column].headings[0] if sample.headings == "zh" else column for column in columns_of(sample)]
    with replacing(paths[0]) as file, ExitStack() as stack:
        file.write((",".join(names) + "\n").encode(sample.encoding))
        receipts = out / "receipts.csv"
        if sample.cleared_by == "receipts":
            paths.append(receipts)
            sink = stack.enter_context(replacing(receipts))
            sink.write(b"message,inventory_no,status_code,cleared_at\n")
        for faulty in sample_chunks(sample):
            lines = faulty.lines
            file.write(encoded(csv_of(lines.select(list(columns_of(sample)))), sample.encoding))
            file.write(encoded(faulty.odd_rows, sample.encoding))
            if sample.cleared_by == "receipts":
                sink.write(csv_of(_receipts(lines)))
    return paths


def _receipts(lines: pa.Table) -> pa.Table:
    """One CEB604 an inventory, from its first line; a cancellation (CEB606) for one in two hundred."""
    numbers = lines["inventory_no"].combine_chunks()
    first = np.append(True, pc.not_equal(numbers.slice(1), numbers.slice(0, len(numbers) - 1)).to_numpy(zero_copy_only=False))
    heads = lines.filter(pa.array(first)).select(["inventory_no", "status_code", "cleared_at"]).combine_chunks()
    at = pc.replace_substring_regex(heads["cleared_at"], "[^0-9]", "")
    at = pc.if_else(pc.equal(at, ""), "20261001000000", at)
    status = pc.if_else(pc.equal(heads["status_code"], ""), "120", heads["status_code"])
    lists = pa.table({"message": pa.array(["CEB604"] * heads.num_rows), "n": heads["inventory_no"], "s": status, "t": at})
    some = pa.array(np.arange(heads.num_rows) % 200 == 199)
    cancelled = lists.filter(some)
    cancelled = cancelled.set_column(0, "message", pa.array(["CEB606"] * cancelled.num_rows, pa.string()))
    cancelled = cancelled.set_column(2, "s", pa.array(["399"] * cancelled.num_rows, pa.string()))
    return pa.concat_tables([lists, cancelled])


def sample_chunks(sample: Sample) -> Iterator[Faulty]:
    for number, start in enumerate(range(0, sample.lines, CHUNK)):
        random = np.random.default_rng([sample.seed, number])
        lines = _sound_lines(sample, random, min(CHUNK, sample.lines - start), first_serial=sample.first_serial + start)
        if sample.faults:
            yield with_faults(lines, columns_of(sample), sample.faults, random)
        else:
            yield Faulty(lines, b"", ())


def _sound_lines(sample: Sample, random: np.random.Generator, count: int, first_serial: int) -> pa.Table:
    sizes = random.choice([1, 2, 3, 4, 5], size=count, p=[0.35, 0.25, 0.2, 0.1, 0.1])
    ends = np.cumsum(sizes)
    inventories = int(np.searchsorted(ends, count)) + 1
    sizes = sizes[:inventories]
    sizes[-1] -= int(sizes.sum()) - count
    of_line = np.repeat(np.arange(inventories), sizes)
    item_no = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    consignor = random.choice(len(_CONSIGNORS), size=inventories, p=[0.7, 0.2, 0.1])
    producer = (consignor + random.choice(2, size=inventories, p=[0.7, 0.3])) % len(_PRODUCERS)
    destination = random.choice(len(_DESTINATIONS), size=inventories, p=_long_tail(len(_DESTINATIONS), 1.7))
    product, variant = random.choice(len(_PRODUCTS), size=count, p=_long_tail(len(_PRODUCTS))), random.integers(len(_VARIANTS), size=count)
    quantity = random.choice([1, 2, 3, 5, 10], size=count, p=[0.6, 0.2, 0.1, 0.06, 0.04])
    grams = np.array([row[5] for row in _PRODUCTS])[product]
    cents = np.maximum(np.array([row[6] for row in _PRODUCTS])[product] + random.integers(-30, 60, size=count), 1)
    line_grams = grams * quantity
    net = np.add.reduceat(line_grams, np.cumsum(sizes) - sizes)
    gross = net + random.integers(20, 200, size=inventories)
    serial = first_serial + np.arange(inventories)
    declaring = picked([row[2] for row in _CONSIGNORS], consignor)
    year = repeated(str(sample.period.year), inventories)
    number = pc.binary_join_element_wise(declaring, year, "E", digits(serial, 9), "")
    status, cleared_at = _clearing(sample, random, inventories)
    header = {
        "inventory_no": number,
        "order_no": pc.binary_join_element_wise("DD", year, digits(serial, 10), ""),
        "waybill_no": pc.binary_join_element_wise("LP", digits(serial, 12), ""),
        "internal_no": pc.binary_join_element_wise("QD", digits(serial, 12), ""),
        "declaring_customs_code": declaring,
        "exit_customs_code": picked(["2248", "5304"], random.random(inventories) < 0.2),
        "export_on": repeated(f"{sample.period.key}15", inventories),
        "declaration_mode_code": picked(["B", "A"], random.random(inventories) < 0.01),
        "declarant_code": picked([row[0] for row in _DECLARANTS], consignor % 2),
        "declarant_name": picked([row[1] for row in _DECLARANTS], consignor % 2),
        "consignor_code": picked([row[0] for row in _CONSIGNORS], consignor),
        "consignor_name": picked([row[1] for row in _CONSIGNORS], consignor),
        "producer_seller_code": picked([row[0] for row in _PRODUCERS], producer),
        "producer_seller_name": picked([row[1] for row in _PRODUCERS], producer),
        "trade_mode_code": picked(["9610", "9710"], random.random(inventories) < 0.003),
        "transport_mode_code": picked(["5", "4"], random.random(inventories) < 0.1),
        "voyage_no": repeated("3085", inventories),
        "bill_no": repeated("78412345675", inventories),
        "master_package_no": picked([f"PKG{n:05d}" for n in range(50)], random.integers(50, size=inventories)),
        "premises_code": picked(["", "530401"], consignor == 0),
        "arrival_country_code": picked([row[0] for row in _DESTINATIONS], destination),
        "destination_port_code": picked([_PORTS.get(row[0], "1000") for row in _DESTINATIONS], destination),
        "wrap_type_code": repeated("2", inventories),
        "package_count": repeated("1", inventories),
        "gross_weight_kg": thousandths(gross),
        "net_weight_kg": thousandths(net),
        "status_code": status,
        "cleared_at": cleared_at,
    }
    second = np.array([row[4] != "" for row in _PRODUCTS])[product]
    weight = thousandths(line_grams)
    names = [f"{row[1]}{variant_name}" for row in _PRODUCTS for variant_name in _VARIANTS]
    by_weight = np.array([row[3] == "035" for row in _PRODUCTS])[product]
    item = {
        "item_no": pa.array(item_no).cast(pa.string()),
        "sku": pc.binary_join_element_wise("SKU", digits(product * 10 + variant, 6), ""),
        "enterprise_goods_name": picked(names, product * len(_VARIANTS) + variant),
        "commodity_code": picked([row[0] for row in _PRODUCTS], product),
        "goods_name": picked([row[1] for row in _PRODUCTS], product),
        "goods_spec": picked([f"{row[1]}|无牌|货号{n:03d}" for n, row in enumerate(_PRODUCTS)], product),
        "destination_country_code": header["arrival_country_code"].take(pa.array(of_line)),
        "currency_code": picked([row[1] for row in _DESTINATIONS], destination[of_line]),
        "declared_quantity": pa.array(quantity).cast(pa.string()),
        "declared_unit_code": picked([row[2] for row in _PRODUCTS], product),
        "statutory_quantity": pc.if_else(pa.array(by_weight), weight, pa.array(quantity).cast(pa.string())),
        "statutory_unit_code": picked([row[3] for row in _PRODUCTS], product),
        "second_statutory_quantity": pc.if_else(pa.array(second), weight, ""),
        "second_statutory_unit_code": picked([row[4] for row in _PRODUCTS], product),
        "unit_price": hundredths(cents),
        "total_price": hundredths(cents * quantity),
    }
    spread = pa.array(of_line)
    return pa.table({name: item[name] if name in item else header[name].take(spread) for name in _HEADERS})


def _clearing(sample: Sample, random: np.random.Generator, count: int) -> tuple[pa.Array, pa.Array]:
    """Status and time: most cleared in the period, some earlier (late), some later, some not yet."""
    draw = random.random(count)
    start = np.datetime64(f"{sample.period}-01", "s")
    seconds = int((np.datetime64(sample.period.next_month, "s") - start) / np.timedelta64(1, "s"))
    moment = start + random.integers(0, seconds, size=count).astype("timedelta64[s]")
    moment = np.where(draw < 0.01, moment - np.timedelta64(timedelta(days=31)), moment)
    moment = np.where((draw >= 0.01) & (draw < 0.02), moment + np.timedelta64(timedelta(days=31)), moment)
    text = pc.strftime(pa.array(moment.astype("datetime64[s]")), "%Y-%m-%d %H:%M:%S")
    status = np.where((draw >= 0.02) & (draw < 0.03), "800", np.where((draw >= 0.03) & (draw < 0.035), "", "899"))
    return pa.array(status, pa.string()), pc.if_else(pc.equal(pa.array(status, pa.string()), ""), "", text)


def _long_tail(count: int, steepness: float = 1.0) -> Any:
    shares = np.arange(1, count + 1) ** -steepness
    return shares / shares.sum()
