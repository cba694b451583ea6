"""The truth: the lines of a sound export, of inventories under several header keys, cleared and not."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from aggregator.schemas import patterns as shapes
from aggregator.schemas.codes import code_list
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.modes.m9610.fields import Use
from aggregator.schemas.statuses import STATUS_CLEARED

Row = dict[str, str]
Rows = list[Row]

_SHENZHEN = {
    "declaring_customs_code": "5304", "exit_customs_code": "2248", "declarant_code": "4403180001", "declarant_name": "深圳通达报关行有限公司",
    "consignor_code": "91440300MA5F0A1B2N", "consignor_name": "深圳星河跨境电子商务有限公司", "producer_seller_code": "NO",
    "producer_seller_name": "义乌市晨光日用品厂", "transport_mode_code": "5", "voyage_no": "CZ3085", "bill_no": "784-12345675",
    "premises_code": "", "arrival_country_code": "502",
}  # fmt: skip
_GUANGZHOU = {**_SHENZHEN, "producer_seller_code": "91440101MA9XQ2L8HY", "producer_seller_name": "广州顺达服装有限公司", "premises_code": "530401A001"}
_HANGZHOU = {
    "declaring_customs_code": "2928", "exit_customs_code": "2244", "declarant_code": "3301980002", "declarant_name": "杭州海信报关有限公司",
    "consignor_code": "91330100MA27Y3K4XJ", "consignor_name": "杭州蓝帆网络科技有限公司", "producer_seller_code": "91330782MA2E5N6C1U",
    "producer_seller_name": "义乌市蓝天玩具有限公司", "transport_mode_code": "4", "voyage_no": "浙A12345", "bill_no": "HZ20261008001",
    "premises_code": "292801B002", "arrival_country_code": "110",
}  # fmt: skip
_TOYS = {**_SHENZHEN, "producer_seller_name": "汕头市澄海区乐童玩具厂"}
_SEA = {**_HANGZHOU, "consignor_code": "4403960Q7X", "consignor_name": "深圳前海远洋供应链有限公司", "transport_mode_code": "2", "arrival_country_code": "304"}

_SHIRT = {"commodity_code": "6109100010", "goods_name": "棉制T恤衫", "goods_spec": "棉制|针织|无牌", "unit": "011", "unit1": "011", "kg": "0.2", "price": "5.90"}
_SHOES = {"commodity_code": "6403990090", "goods_name": "皮革面休闲鞋", "goods_spec": "牛皮面|橡胶底|男式", "unit": "025", "unit1": "025", "kg": "0.85", "price": "32.50"}
_EARPHONES = {"commodity_code": "8518300000", "goods_name": "蓝牙耳机", "goods_spec": "头戴式|品牌:声悦|型号:A3", "unit": "007", "unit1": "007", "kg": "", "price": "12.99"}
_MASK = {"commodity_code": "0301110000", "goods_name": "观赏用淡水鱼", "goods_spec": "活体|锦鲤", "unit": "035", "unit1": "035", "kg": "", "price": "1250.00"}

_INVENTORIES: tuple[tuple[str, dict[str, str], str, str, tuple[tuple[dict[str, str], str], ...]], ...] = (
    ("53042026E000000101", _SHENZHEN, STATUS_CLEARED, "2026-10-08 09:15:30", ((_SHIRT, "2"), (_SHOES, "1"), (_EARPHONES, "3"))),
    ("53042026E000000102", _SHENZHEN, STATUS_CLEARED, "2026-10-08 09:16:02", ((_EARPHONES, "12"),)),
    ("53042026E000000103", _GUANGZHOU, STATUS_CLEARED, "2026-10-11 23:59:59", ((_SHIRT, "4"), (_SHOES, "2"), (_SHIRT, "6"), (_EARPHONES, "5"))),
    ("29282026E0000000201", _HANGZHOU, STATUS_CLEARED, "2026-10-12 00:00:00", ((_MASK, "2"), (_SHIRT, "30"))),
    ("53042026E000000104", _TOYS, STATUS_CLEARED, "2026-10-13 12:00:00", ((_SHOES, "3"),)),
    ("53042026E000000105", _SHENZHEN, "800", "", ((_SHIRT, "7"), (_EARPHONES, "2"))),
    ("29282026E00000000301", _SEA, STATUS_CLEARED, "2026-10-20 18:30:00", ((_SHOES, "8"), (_MASK, "4"))),
    ("53042026E000000106", _TOYS, "", "", ((_SHIRT, "9"),)),
    ("53042026E000000107", _GUANGZHOU, STATUS_CLEARED, "2026-10-21 08:00:01", ((_EARPHONES, "9"), (_SHIRT, "11"), (_SHOES, "4"))),
    ("53042026E000000108", _SHENZHEN, STATUS_CLEARED, "2026-11-02 10:00:00", ((_SHIRT, "10"),)),
    ("53042026E000000109", _SHENZHEN, STATUS_CLEARED, "2026-10-31 23:59:58", ((_SHIRT, "3"), (_SHOES, "5"))),
)  # fmt: skip

PLACES = {"first": 0, "single": 3, "middle": 5, "second": 14, "last": 21, "uncleared": 11}
"""Lines that differ in how they stand: first of the file, alone in its inventory, between others of its inventory, last of its
inventory but not of the file, last of the file, of an inventory that is not to be declared."""


def _lines() -> Rows:
    made: Rows = []
    for number, (inventory_no, header, status, cleared_at, items) in enumerate(_INVENTORIES, 1):
        for item_no, (good, quantity) in enumerate(items, 1):
            kilograms = Decimal(good["kg"] or 0) * int(quantity)
            goods_name = f"{good['goods_name']}（{number}款）"
            made.append({
                "inventory_no": inventory_no, "item_no": str(item_no), "order_no": f"DD2026100{number:02d}-TM", "waybill_no": f"LP00461{number:03d}77CN",
                "internal_no": f"QD20261000{number:02d}", "export_on": "20261006", "declaration_mode_code": "B", "trade_mode_code": "9610", **header,
                "freight": f"{number}.50", "freight_currency_code": "142", "wrap_type_code": "2", "package_count": str(len(items)),
                "gross_weight_kg": f"{number + 2}.750", "net_weight_kg": f"{number + 1}.500", "status_code": status, "cleared_at": cleared_at,
                "sku": f"SKU-{number:02d}{item_no}-A", "enterprise_goods_name": f"{goods_name} 现货", "barcode": f"69012345{number:02d}{item_no}00",
                "commodity_code": good["commodity_code"], "goods_name": goods_name, "goods_spec": good["goods_spec"],
                "destination_country_code": header["arrival_country_code"], "currency_code": "502",
                "declared_quantity": quantity, "declared_unit_code": good["unit"], "statutory_quantity": quantity, "statutory_unit_code": good["unit1"],
                "second_statutory_quantity": f"{kilograms}" if good["kg"] else "", "second_statutory_unit_code": "035" if good["kg"] else "",
                "unit_price": good["price"], "total_price": str(Decimal(good["price"]) * int(quantity)),
            })  # fmt: skip
    return made


ROWS = _lines()
COLUMNS = tuple(ROWS[0])


def rows_with(line: int, **cells: str) -> Rows:
    """The lines with other cells in one of them."""
    return [{**row, **cells} if place == line else row for place, row in enumerate(ROWS)]


def cleared_only(rows: Rows) -> Rows:
    return [row for row in rows if is_to_declare([row])]


def by_inventory(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[row["inventory_no"].strip()].append(row)
    return dict(found)


def is_to_declare(rows: Rows) -> bool:
    """Whether customs cleared the inventory of these lines in the period or in the one before, which is the ledger's first."""
    return any(row["status_code"].strip() == STATUS_CLEARED and row["cleared_at"].strip()[:7] in ("2026-10", "2026-09") for row in rows)


# When lines are as sound as these: nobody could tell that they are not the truth.

_ONE_VALUE = [
    field.column for field in M9610.dictionary.fields
    if field.header and (field.use in (Use.HEADER_KEY, Use.SUMMED) or field.column == "declaration_mode_code")
    and field.column != "producer_seller_name"
]  # fmt: skip
_POSITIVE = ("declared_quantity", "statutory_quantity", "unit_price", "total_price", "gross_weight_kg")
_ERROR_VALUES = re.compile("#(N/A|REF!|VALUE!|NAME\\?|DIV/0!|NUM!|NULL!)|#+", re.IGNORECASE)
_TIME = re.compile("20[0-9]{2}-[01][0-9]-[0-3][0-9]( [0-2][0-9]:[0-5][0-9]:[0-5][0-9])?")
_COUNTS = {*M9610.dictionary.content, "inventory_no", "item_no", "order_no", "waybill_no", "declaration_mode_code", "status_code", "cleared_at"}
"""Columns that make a declaration what it is; what stands in others need not be sound."""
_FIRMS = {row[column] for row in ROWS for column in ("consignor_code", "producer_seller_code")}
_SHAPES = {
    "inventory_no": shapes.INVENTORY_NO, "commodity_code": shapes.COMMODITY_CHAPTER, "transport_mode_code": "[0-9A-Z]",
    "declaring_customs_code": "[0-9]{4}", "exit_customs_code": "[0-9]{4}", "export_on": "[0-9]{8}",
    "premises_code": "(?=.*[0-9])[0-9A-Z]{4,10}",
}  # fmt: skip


def sound(rows: Iterable[Row]) -> bool:
    """Whether these lines are of a sound export, so that they are the truth as far as anybody can tell."""
    return all(_is_sound_inventory(lines) for lines in by_inventory(list(rows)).values())


def as_sound(rows: Rows) -> Rows:
    """What may be declared of changed lines: all, where they are sound; of lines that stand where they stood, those inventories
    that are sound, and the others as they were; else nothing but the truth. Codes in the form that they are declared in."""
    made = [{column: _folded(value) if M9610.dictionary.by_column[column].kind in ("code", "no") else value for column, value in row.items()} for row in rows]
    if [row["inventory_no"] for row in made] != [row["inventory_no"] for row in ROWS]:
        return made if sound(made) else ROWS
    good = {number for number, lines in by_inventory(made).items() if _is_sound_inventory(lines)}
    return [new if new["inventory_no"] in good else old for new, old in zip(made, ROWS, strict=True)]


def _folded(value: str) -> str:
    return "".join(chr(ord(each) - 0xFEE0) if "！" <= each <= "～" else each for each in value.strip()).upper()


def _is_sound_inventory(lines: Rows) -> bool:
    return all(is_sound(column, value) for row in lines for column, value in row.items() if column in _COUNTS) and _is_whole(lines)


def is_sound(column: str, given: str) -> bool:
    field, value = M9610.dictionary.by_column[column], given.strip()
    if not value:
        return not field.required
    if len(value) > field.length or any(unicodedata.category(each) in ("Cc", "Co", "Cn", "Cs") for each in (value.replace("\n", "") if field.kind == "text" else value)):
        return False
    if field.kind == "text":
        return not _ERROR_VALUES.fullmatch(value) and "\ufffd" not in value and "??" not in value
    if any(unicodedata.category(each) == "Cf" for each in value) or re.fullmatch(shapes.SCIENTIFIC, value) or _ERROR_VALUES.fullmatch(value):
        return False
    if field.kind == "decimal":
        return bool(re.fullmatch(shapes.DECIMAL, value)) and (column not in _POSITIVE or Decimal(value) > 0)
    if field.kind == "count":
        return bool(re.fullmatch(f"[0-9]{{1,{field.length}}}", value)) and int(value) > 0
    if column == "cleared_at":
        return bool(_TIME.fullmatch(value))
    if column in ("consignor_code", "producer_seller_code", "declarant_code"):
        return value in _FIRMS or bool(re.fullmatch("[0-9A-Z]{10}", value))
    if column in _SHAPES:
        return bool(re.fullmatch(_SHAPES[column], value))
    return value in code_list(field.codes).codes if field.codes else True


def _is_whole(lines: Rows) -> bool:
    items = sorted(int(row["item_no"]) for row in lines)
    return (
        items == list(range(1, len(lines) + 1))
        and all(len({row[column].strip() for row in lines}) == 1 for column in _ONE_VALUE)
        and (lines[0]["producer_seller_code"] != "NO" or len({row["producer_seller_name"].strip() for row in lines}) == 1)
        and all(Decimal(row["net_weight_kg"]) <= Decimal(row["gross_weight_kg"]) for row in lines)
        and all(abs(Decimal(row["declared_quantity"]) * Decimal(row["unit_price"]) - Decimal(row["total_price"])) <= Decimal("0.01") for row in lines)
        and all(bool(row["second_statutory_quantity"].strip()) == bool(row["second_statutory_unit_code"].strip()) for row in lines)
        and all(row["cleared_at"].strip() or row["status_code"].strip() != STATUS_CLEARED for row in lines)
    )
