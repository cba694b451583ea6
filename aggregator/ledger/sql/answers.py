"""Fold what customs' messages say into the ledger, by business key: in whatever order they come, and however often, the ledger
ends with the same. Of what can change the latest customs time wins. Every function here belongs within one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.ledger.sql.connection import Connection
from aggregator.model.answers import ApplicationReceipt, Clearance, Result

_LATEST = "DO UPDATE SET {columns} WHERE (excluded.at, excluded.{tie}) > ({table}.at, {table}.{tie})"



def _greater(table: str, column: str) -> str:
    """Of a row that is there and one that comes the greater value."""
    return f"CASE WHEN excluded.{column} > {table}.{column} THEN excluded.{column} ELSE {table}.{column} END"


def fold_receipt(connection: Connection, application_ref: str, receipt: ApplicationReceipt) -> None:
    connection.execute(
        "INSERT INTO application_receipt VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (application_ref, part_no, status, at) "
        f"DO UPDATE SET sum_no = {_greater('application_receipt', 'sum_no')}, info = {_greater('application_receipt', 'info')}",
        (application_ref, receipt.part_no, receipt.status, receipt.at, receipt.sum_no, receipt.info),
    )


def fold_result(connection: Connection, result: Result) -> None:
    """What customs has in a result waits no longer, whoever asked for it."""
    rule = _LATEST.format(table="result", columns="value = excluded.value, at = excluded.at", tie="value")
    fields = ((result.summary_seq_no, name, value, result.at) for name, value in result.fields.items() if value)
    connection.merge("result", fields, f"ON CONFLICT (summary_seq_no, name) {rule}")
    if number := result.fields["declaration_no"]:
        connection.execute(
            "INSERT INTO result_number VALUES (?, ?, ?) ON CONFLICT (summary_seq_no, declaration_no) DO UPDATE "
            f"SET at = {_greater('result_number', 'at')}",
            (result.summary_seq_no, number, result.at),
        )
    if result.lines:
        connection.execute("INSERT INTO result_part VALUES (?, ?) ON CONFLICT DO NOTHING", (result.summary_seq_no, result.part_no))
    rule = _LATEST.format(
        table="result_line",
        columns="customs_item_no = excluded.customs_item_no, commodity_code = excluded.commodity_code, at = excluded.at",
        tie="customs_item_no",
    )
    lines = ((line.inventory_no, line.item_no, result.summary_seq_no, line.customs_item_no, line.commodity_code, result.at) for line in result.lines)
    connection.merge("result_line", lines, f"ON CONFLICT (inventory_no, item_no, summary_seq_no) {rule}")
    connection.wait_no_longer({line.inventory_no for line in result.lines})


def fold_clearances(connection: Connection, clearances: Iterable[Clearance]) -> None:
    rule = _LATEST.format(table="clearance", columns="status = excluded.status, at = excluded.at", tie="status")
    rows = ((each.inventory_no, each.message, each.status, each.at) for each in clearances)
    connection.merge("clearance", rows, f"ON CONFLICT (inventory_no, message) {rule}")
