"""What the peers share: the question, the columns, the ledger they fill."""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from aggregator.ledger.sqlite.tables import make_tables

PERIOD, FIRST_PERIOD, RUN_REF = "202610", "202609", "202610-01"
ITEMS_PER_DECLARATION, ITEMS_PER_INVENTORY = 50, 100
HEADER_KEY = (
    "declaring_customs_code", "trade_mode_code", "consignor_code", "producer_seller_code", "producer_name", "transport_mode_code",
    "arrival_country_code", "exit_customs_code", "declarant_code", "premises_code",
)  # fmt: skip
"""`producer_name`: the producer's name where it has no code, else blank."""
BODY_KEY = (
    "commodity_code", "destination_country_code", "currency_code", "declared_unit_code", "statutory_unit_code",
    "second_statutory_unit_code", "item_name",
)  # fmt: skip
HEADS = (
    "declaring_customs_code", "exit_customs_code", "declaration_mode_code", "declarant_code", "declarant_name", "consignor_code",
    "consignor_name", "producer_seller_code", "producer_seller_name", "trade_mode_code", "transport_mode_code", "premises_code",
    "arrival_country_code", "destination_port_code", "wrap_type_code", "export_on", "voyage_no", "status_code",
)  # fmt: skip
"""Header columns of few distinct values."""
GOODS = (
    "commodity_code", "destination_country_code", "currency_code", "declared_unit_code", "statutory_unit_code",
    "second_statutory_unit_code", "enterprise_goods_name", "goods_name", "goods_spec",
)  # fmt: skip
IDENTIFIERS = ("order_no", "waybill_no", "internal_no")
SINGLE = ("inventory_no", *IDENTIFIERS, "bill_no", "master_package_no", "sku")
"""Columns of many distinct values."""
LINE_AMOUNTS = ("declared_quantity", "statutory_quantity", "second_statutory_quantity", "total_price")
UNIT_OF = {
    "declared_quantity": "declared_unit_code", "statutory_quantity": "statutory_unit_code",
    "second_statutory_quantity": "second_statutory_unit_code", "total_price": "currency_code",
}  # fmt: skip
APPLICATION_KEY = ("declaring_customs_code", "declarant_code", "consignor_code", "premises_code")



def rows_too_long(path: Path) -> list[int]:
    """Rows (0, 1, …) that end in a blank cell beyond the headings, which readers pass over. Of files without quoted line ends."""
    found, row, seen = [], -1, 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cells = data.readline().count(b",") + 1
        at = data.find(b",\n")
        while at >= 0:
            start = data.rfind(b"\n", 0, at) + 1
            row += sum(data[place : min(place + (1 << 24), start)].count(b"\n") for place in range(seen, start, 1 << 24))
            seen = start
            if data[start:at].count(b",") + 2 > cells:
                found.append(row)
            at = data.find(b",\n", at + 1)
    return found


Rows = Iterable[tuple[Any, ...]]


def fill_ledger(path: Path, inventories: Rows, waiting: Rows, declarations: Rows, applications: Rows) -> int:
    """One transaction, on the disk when it returns. Inventories: number, content, application, items, cleared period, late;
    waiting: number, cleared period, fate, reason; declarations: ref, application, items, inventories."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        make_tables(connection)
        connection.executemany(
            "INSERT INTO inventory (inventory_no, content, application_no, items, cleared_period, late, run_no, state) "
            "VALUES (?, ?, ?, ?, ?, ?, 1, 'applied')",
            inventories,
        )
        connection.executemany(f"INSERT INTO waiting VALUES (?, ?, '{PERIOD}', ?, ?, '{RUN_REF}')", waiting)
        connection.executemany(
            "INSERT INTO declaration (declaration_ref, run_no, application_no, item_count, inventory_count) VALUES (?, 1, ?, ?, ?)",
            declarations,
        )
        connection.executemany(
            f"INSERT INTO application VALUES (1, ?, '{RUN_REF}-A' || ?, ?, ?, ?, ?, 'applied', '', '')", applications
        )
        connection.execute(
            "INSERT INTO tally SELECT run_no, application_no, cleared_period, late, state, count(*) FROM inventory GROUP BY 1, 2, 3, 4, 5"
        )
        connection.execute(
            "INSERT INTO run SELECT 1, ?, ?, 'live', '', '', '', '', min(inventory_id), max(inventory_id), '' FROM inventory",
            (RUN_REF, PERIOD),
        )
        [count] = connection.execute("SELECT count(*) FROM inventory").fetchone()
        connection.execute("COMMIT")
    return int(count)
