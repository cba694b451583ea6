"""Code lists: codes, ISO letters and names to the customs code. The tables lie in `codes/`, each with its provenance."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

NO_PRODUCER_CODE = "NO"
"""What stands in the producer_seller code of a firm not registered with customs (CEB-SPEC-202205, table 2-38, ownerCode)."""
UNIT_KILOGRAM = "035"
YES, NO = "1", "0"
FIRM, CONSUMER = "FIRM", "CONSUMER"
"""Kinds of buyer."""
ORDER_B2B = "B"
"""The order type of 9710."""
DECLARATION_MODE_SIMPLIFIED = "A"

FOLDER = Path(__file__).parent / "codes"


@dataclass(frozen=True)
class CodeList:
    """`codes`: the customs codes. `to_code`: every other accepted spelling (ISO letters, Chinese names) to its code."""

    name: str
    provenance: str
    codes: frozenset[str]
    to_code: dict[str, str] = field(hash=False)
    names: dict[str, tuple[str, str]] = field(hash=False)


@cache
def code_list(name: str) -> CodeList:
    """Load `codes/<name>.csv`; its first line is a comment that says where and when it was taken."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        provenance = file.readline().removeprefix("#").strip()
        rows = list(csv.DictReader(file))
    codes = frozenset(row["code"] for row in rows)
    to_code: dict[str, str] = {}
    for row in rows:
        spellings = [row["name_zh"], row["name_zh"].split("(")[0], row.get("also_zh") or "", row.get("alpha") or ""]
        for spelling in spellings:
            if spelling and spelling not in codes:
                to_code.setdefault(spelling.upper(), row["code"])
    names = {row["code"]: (row["name_zh"], row.get("name_en") or "") for row in rows}
    return CodeList(name, provenance, codes, to_code, names)


CODE_LISTS = (
    "buyer_kind",
    "country",
    "currency",
    "customs_district",
    "declaration_mode",
    "direction",
    "order_type",
    "receipt_status",
    "trade_mode",
    "transport_mode",
    "unit",
    "wrap_type",
    "yes_no",
)
