"""The rules on single values, in plain Python: the peers apply them to distinct values, or to the few that look odd."""

from __future__ import annotations

import re
from functools import cache

from aggregator.schemas.codes import code_list
from aggregator.schemas.garbled import is_certainly_garbled, is_doubtful
from aggregator.schemas.invisible import made_visible

CODE_LISTS = {
    "destination_country_code": ("country", "R109"), "arrival_country_code": ("country", "R109"),
    "currency_code": ("currency", "R110"), "declared_unit_code": ("unit", "R111"), "statutory_unit_code": ("unit", "R111"),
    "second_statutory_unit_code": ("unit", "R111"), "trade_mode_code": ("trade_mode", "R115"),
    "declaration_mode_code": ("declaration_mode", "R116"),
}  # fmt: skip
LENGTHS = {
    "inventory_no": 20, "order_no": 60, "waybill_no": 32, "internal_no": 30, "voyage_no": 32, "bill_no": 37, "master_package_no": 37,
    "sku": 20, "barcode": 50, "destination_port_code": 4, "declarant_name": 100, "consignor_name": 100, "producer_seller_name": 100,
    "enterprise_goods_name": 250, "goods_name": 250, "goods_spec": 250,
}  # fmt: skip
REQUIRED = {
    "inventory_no", "item_no", "declaring_customs_code", "exit_customs_code", "declaration_mode_code", "consignor_code",
    "consignor_name", "producer_seller_code", "producer_seller_name", "trade_mode_code", "transport_mode_code",
    "arrival_country_code", "package_count", "gross_weight_kg", "net_weight_kg", "commodity_code", "goods_name",
    "destination_country_code", "currency_code", "declared_quantity", "declared_unit_code", "statutory_quantity",
    "statutory_unit_code", "unit_price", "total_price",
}  # fmt: skip
POSITIVE = ("declared_quantity", "statutory_quantity", "unit_price", "total_price", "gross_weight_kg")
DECIMALS = (*POSITIVE, "net_weight_kg", "second_statutory_quantity")
COUNTS = {"item_no": 5, "package_count": 9}
_NAMES = {"declarant_name", "consignor_name", "producer_seller_name", "enterprise_goods_name", "goods_name", "goods_spec"}
_GIVEN = {"order_no", "waybill_no", "internal_no", "voyage_no", "bill_no", "master_package_no", "sku", "barcode"}
_FIRMS = {"declarant_code", "consignor_code", "producer_seller_code"}
_UNUSED_CODES = {"destination_port_code", "wrap_type_code", "export_on"}
_SHAPES = {"transport_mode_code": ("[0-9A-Z]", "R112"), "declaring_customs_code": ("[0-9]{4}", "R113"), "exit_customs_code": ("[0-9]{4}", "R113")}
_TABLES = {"transport_mode_code": ("transport_mode", "R202"), "declaring_customs_code": ("customs_district", "R203"), "exit_customs_code": ("customs_district", "R203")}
_SCIENTIFIC = re.compile(r"[0-9]+\.[0-9]+E\+?[0-9]{1,3}|[0-9]+E\+[0-9]{1,3}", re.IGNORECASE)
_SPREADSHEET = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|#{2,})", re.IGNORECASE)
_PLAIN = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,5})?")
_USUAL_NUMBER = re.compile("[0-9]{8}E[0-9]{9,11}")
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


@cache
def faults(column: str, value: str) -> tuple[str, ...]:
    """Codes of the row rules that a value breaks, errors (R1..) and warnings (R2..)."""
    if value == "":
        return ("R101",) if column in REQUIRED else ()
    if _SPREADSHEET.fullmatch(value):
        return ("R123",)
    if column in DECIMALS or column in COUNTS:
        return tuple(_of_number(column, value))
    found = ["R102"] if len(value) > LENGTHS.get(column, len(value)) else []
    if column in _NAMES:
        return (*found, *(["R126"] if is_certainly_garbled(value) else ["R208"] if is_doubtful(value) else []))
    if made_visible(value) != value:
        return (*found, "R207" if column in _GIVEN | _UNUSED_CODES else "R122")
    if column in _GIVEN:
        return (*found, *(["R206"] if _SCIENTIFIC.fullmatch(value) else []))
    return (*found, *_of_code(column, value))


def _of_number(column: str, value: str) -> list[str]:
    if column in COUNTS:
        return [] if value.isascii() and value.isdigit() and len(value) <= COUNTS[column] else ["R104"]
    if value.startswith("-") and _PLAIN.fullmatch(value[1:]):
        return ["R105" if column in POSITIVE else "R106"]
    if not _PLAIN.fullmatch(value):
        return ["R103"]
    return ["R105"] if column in POSITIVE and not value.strip("0.") else ["R204"] if column == "net_weight_kg" and not value.strip("0.") else []


def _of_code(column: str, value: str) -> list[str]:
    if column in CODE_LISTS:
        name, code = CODE_LISTS[column]
        return [] if value in code_list(name).codes else [code]
    if column in _SHAPES:
        shape, code = _SHAPES[column]
        if not re.fullmatch(shape, value):
            return [code]
        name, code = _TABLES[column]
        return [] if value in code_list(name).codes else [code]
    if column in _FIRMS:
        return [] if is_firm(value) or (column == "producer_seller_code" and value == "NO") else ["R114"]
    if column == "commodity_code":
        if not re.fullmatch("[0-9]{10}", value):
            return ["R107"]
        return [] if "01" <= value[:2] <= "98" and value[:2] != "77" else ["R108"]
    if column == "status_code":
        return [] if value in code_list("receipt_status").codes or re.fullmatch("-[0-9]{1,9}", value) else ["R117"]
    if column == "premises_code":
        return [] if re.fullmatch("[0-9A-Z]{4,10}", value) and not value.isalpha() else ["R125"]
    return _of_inventory_no(value) if column == "inventory_no" else []


def _of_inventory_no(value: str) -> list[str]:
    if _SCIENTIFIC.fullmatch(value):
        return ["R121"]
    if not re.fullmatch("[0-9A-Z]*[0-9][0-9A-Z]*", value):
        return ["R124"]
    return [] if _USUAL_NUMBER.fullmatch(value) else ["R201"]


def is_firm(value: str) -> bool:
    if re.fullmatch("[0-9A-Z]{10}", value):
        return True
    if not re.fullmatch(f"[{_USCC}]{{18}}", value):
        return False
    total = sum(weight * _USCC.index(letter) for weight, letter in zip(_WEIGHTS, value, strict=False))
    return _USCC.index(value[17]) == (31 - total % 31) % 31


def is_stray(number: str) -> bool:
    """Whether a line does not say which inventory it belongs to: blank, illegible, or fewer than five digits."""
    return not re.fullmatch("[0-9A-Z]*(?:[0-9][0-9A-Z]*){5}", number) or _SCIENTIFIC.fullmatch(number) is not None


def is_error(code: str) -> bool:
    return code[1] == "1" or code.startswith("F")


def is_decimal(value: str) -> bool:
    return _PLAIN.fullmatch(value.removeprefix("-")) is not None
