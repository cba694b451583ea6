"""Write item lines in the formats that exports come in, byte for byte the same each time."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from aggregator.schemas.messages import NAMESPACE, Element
from aggregator.schemas.modes.m9610.fields import DICTIONARY
from aggregator.schemas.modes.m9610.messages import INVENTORY_HEAD, INVENTORY_ITEM

Row = Mapping[str, str]
Headings = Mapping[str, str]
Cell = str | float | bool | datetime | None

EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - archives know no zone
_FILLED = {  # what a message must have and a flat table need not
    "guid": "00000000-0000-4000-8000-000000000000", "appType": "1", "appTime": "20261001080000", "appStatus": "2", "ieFlag": "E",
    "ebpCode": "4403960P01", "ebpName": "示例跨境平台", "logisticsCode": "4403960L01", "logisticsName": "示例国际物流", "ieDate": "20261015",
    "fFlag": "3", "iFlag": "3", "freight": "0", "fCurrency": "142", "insuredFee": "0", "iCurrency": "142", "POD": "1000", "wrapType": "2",
    "copNo": "QD000001", "orderNo": "DD000001", "logisticsNo": "LP000001", "agentCode": "4403180001", "agentName": "示例报关行",
    "itemNo": "SKU000001", "gmodel": "无牌", "barCode": "无",
}  # fmt: skip
_TRANSFER = "<ceb:BaseTransfer><ceb:copCode>4403180001</ceb:copCode><ceb:copName>示例报关行</ceb:copName><ceb:dxpMode>DXP</ceb:dxpMode><ceb:dxpId>DXPENT0000000001</ceb:dxpId></ceb:BaseTransfer>"  # fmt: skip


def table_of(rows: Sequence[Row], headings: Headings | None = None) -> list[list[str]]:
    """Headings and cells; headings by column, the column's own name where none is given."""
    columns = list(rows[0])
    return [[(headings or {}).get(column, column) for column in columns], *([row[column] for column in columns] for row in rows)]


def as_csv(table: Iterable[Sequence[str]], delimiter: str = ",", line_end: str = "\n", encoding: str = "utf-8") -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter=delimiter, lineterminator=line_end).writerows(table)
    return sink.getvalue().encode(encoding)


def as_workbook(sheets: Mapping[str, Iterable[Sequence[Cell]]], *, hidden: Iterable[str] = (), hidden_rows: Iterable[int] = (),
                merged: Iterable[tuple[int, int, int]] = ()) -> bytes:  # fmt: skip
    """Cells of their own types. `hidden_rows`: from 1; `merged`: (first row, last row, column) from 0, of the first sheet."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True})
    book.set_properties({"created": EPOCH})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for name, cells in sheets.items():
        sheet = book.add_worksheet(name)
        table = [list(row) for row in cells]
        for row, values in enumerate(table):
            for place, value in enumerate(values):
                if isinstance(value, str):
                    sheet.write_string(row, place, value)
                elif isinstance(value, datetime):
                    sheet.write_datetime(row, place, value, moment)
                elif value is not None:
                    sheet.write(row, place, value)
        if name in hidden:
            sheet.hide()
        if name == next(iter(sheets)):
            for row in hidden_rows:
                sheet.set_row(row - 1, None, None, {"hidden": True})
            for first, last, place in merged:
                sheet.merge_range(first, place, last, place, str(table[first][place]))
    book.close()
    return sink.getvalue()


def as_parquet(rows: Sequence[Row], headings: Headings | None = None) -> bytes:
    head, *cells = table_of(rows, headings)
    sink = pa.BufferOutputStream()
    columns = zip(*cells, strict=True) if cells else [()] * len(head)
    pq.write_table(pa.table([pa.array(list(column), pa.string()) for column in columns], names=head), sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def as_message(rows: Sequence[Row], *, filled: Mapping[str, str] | None = None) -> bytes:
    """A CEB603 message, lines of an inventory standing together."""
    inventories = [
        _inventory(list(lines), _FILLED | dict(filled or {})) for _, lines in groupby(rows, key=lambda row: row["inventory_no"])
    ]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ceb:CEB603Message guid="{_FILLED["guid"]}" version="1.0" xmlns:ceb="{NAMESPACE}">\n'
        + "\n".join(inventories)
        + f"\n{_TRANSFER}\n</ceb:CEB603Message>\n"
    ).encode()


def _inventory(lines: Sequence[Row], filled: Mapping[str, str]) -> str:
    items = "\n".join(f"<ceb:InventoryList>{_content(line, INVENTORY_ITEM, filled, header=False)}</ceb:InventoryList>" for line in lines)
    head = _content(lines[0], INVENTORY_HEAD, filled, header=True)
    return f"<ceb:Inventory>\n<ceb:InventoryHead>{head}</ceb:InventoryHead>\n{items}\n</ceb:Inventory>"


def _content(row: Row, elements: Sequence[Element], filled: Mapping[str, str], *, header: bool) -> str:
    columns = {field.element.removeprefix("list_"): field.column for field in DICTIONARY.fields if field.header is header}
    parts = []
    for element in elements:
        value = row.get(columns.get(element.name, ""), "") or (filled.get(element.name, "") if element.required else "")
        if value:
            parts.append(f"<ceb:{element.name}>{escape(value)}</ceb:{element.name}>")
    return "".join(parts)


def as_receipts(receipts: Iterable[tuple[str, str, str]], message: str = "CEB604") -> bytes:
    """Receipts of (inventory number, status, time of 17 digits) as a CEB604 or CEB606 message."""
    name = {"CEB604": "InventoryReturn", "CEB606": "InvtCancelReturn"}[message]
    documents = "\n".join(
        f"<ceb:{name}><ceb:guid>{_FILLED['guid']}</ceb:guid><ceb:copNo>QD000001</ceb:copNo><ceb:invtNo>{number}</ceb:invtNo>"
        f"<ceb:returnStatus>{status}</ceb:returnStatus><ceb:returnTime>{at}</ceb:returnTime><ceb:returnInfo>[Code:{status}]</ceb:returnInfo></ceb:{name}>"
        for number, status, at in receipts
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ceb:{message}Message guid="{_FILLED["guid"]}" version="1.0" xmlns:ceb="{NAMESPACE}">\n'
        f"{documents}\n</ceb:{message}Message>\n"
    ).encode()


def as_gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def as_zip(members: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH.timetuple()[:6]), data, zipfile.ZIP_DEFLATED)
    return sink.getvalue()
