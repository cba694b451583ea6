"""Fold what customs' messages say into the ledger, by business key: in whatever order they come, and however often, the ledger
ends with the same. Of what can change the latest customs time wins. Every function here belongs within one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

_LATEST = "DO UPDATE SET {columns} WHERE (excluded.at, excluded.{tie}) > (at, {tie})"


@dataclass(frozen=True)
class ApplicationReceipt:
    """A CEB702 for a part of an application: `cop_no` is the enterprise's number of the application."""

    cop_no: str
    consignor_code: str
    part_no: int
    status: str
    at: str
    sum_no: str
    info: str


@dataclass(frozen=True)
class ResultLine:
    """Which declaration item of customs (0: not said) a line of an inventory went into."""

    inventory_no: str
    item_no: int
    customs_item_no: int
    commodity_code: str


@dataclass(frozen=True)
class Result:
    """A CEB792: one declaration of customs, or a part of it. `fields`: what is given of it (see read/answers.py), by name;
    `part_no` of `fields["parts"]`; `lines` may be empty in later messages."""

    summary_seq_no: str
    at: str
    part_no: int
    fields: dict[str, str]
    lines: tuple[ResultLine, ...]


def fold_receipt(connection: sqlite3.Connection, application_ref: str, receipt: ApplicationReceipt) -> None:
    connection.execute(
        "INSERT INTO application_receipt VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (application_ref, part_no, status, at) "
        "DO UPDATE SET sum_no = max(sum_no, excluded.sum_no), info = max(info, excluded.info)",
        (application_ref, receipt.part_no, receipt.status, receipt.at, receipt.sum_no, receipt.info),
    )


def fold_result(connection: sqlite3.Connection, result: Result) -> None:
    """What customs has in a result waits no longer, whoever asked for it."""
    rule = _LATEST.format(columns="value = excluded.value, at = excluded.at", tie="value")
    connection.executemany(
        f"INSERT INTO result VALUES (?, ?, ?, ?) ON CONFLICT (summary_seq_no, name) {rule}",
        ((result.summary_seq_no, name, value, result.at) for name, value in result.fields.items() if value),
    )
    if number := result.fields["declaration_no"]:
        connection.execute(
            "INSERT INTO result_number VALUES (?, ?, ?) ON CONFLICT (summary_seq_no, declaration_no) DO UPDATE SET at = max(at, excluded.at)",
            (result.summary_seq_no, number, result.at),
        )
    if result.lines:
        connection.execute("INSERT OR IGNORE INTO result_part VALUES (?, ?)", (result.summary_seq_no, result.part_no))
    rule = _LATEST.format(
        columns="customs_item_no = excluded.customs_item_no, commodity_code = excluded.commodity_code, at = excluded.at",
        tie="customs_item_no",
    )
    connection.executemany(
        f"INSERT INTO result_line VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (inventory_no, item_no, summary_seq_no) {rule}",
        ((line.inventory_no, line.item_no, result.summary_seq_no, line.customs_item_no, line.commodity_code, result.at) for line in result.lines),
    )
    connection.executemany("DELETE FROM waiting WHERE inventory_no = ? AND fate <> 'dismissed'", ({(line.inventory_no,) for line in result.lines}))


def fold_clearances(connection: sqlite3.Connection, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """Rows: inventory_no, message (CEB604, CEB606), status, at."""
    rule = _LATEST.format(columns="status = excluded.status, at = excluded.at", tie="status")
    connection.executemany(f"INSERT INTO clearance VALUES (?, ?, ?, ?) ON CONFLICT (inventory_no, message) {rule}", rows)
