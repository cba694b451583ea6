"""Read customs' answers: CEB702 (receipts of applications), CEB792 (summary results), CEB604 and CEB606 (receipts of
inventories), CEB304 (receipts of orders), of both editions, any number of documents a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aggregator.inputs.ceb.elements import Message, NotOnce, cells_of, local_name
from aggregator.inputs.export import Source
from aggregator.model.answers import ApplicationReceipt, Clearance, OrderReceipt, Result, ResultLine
from aggregator.schemas.patterns import CHINA, is_time
from aggregator.schemas.statuses import BEFORE_THE_NUMBER
from aggregator.schemas.text import Text
from aggregator.schemas.units import SEPARATOR

DOCUMENTS = {
    "CEB702Message": "SummaryReturn", "CEB792Message": "SummaryResult", "CEB604Message": "InventoryReturn", "CEB606Message": "InvtCancelReturn",
    "CEB304Message": "OrderReturn",
}  # fmt: skip
ORDER_RECEIPTS = "CEB304Message"
_TIME = re.compile("[0-9]{14}(?:[0-9]{3})?")
_EARLIEST = "2000"
_STATUS = re.compile("-?[1-9][0-9]{0,9}")
_NUMBER = re.compile("[!-~]{1,40}")
"""Of an inventory, an application, a declaration: longer than any in the spec, and nothing that is no number."""
_ITEM = re.compile("[0-9]{1,5}")
_COUNT = re.compile("0{0,4}[1-9][0-9]{0,4}")
"""In how many parts something came: a result of a million inventories at 100 a message has ten thousand."""
_DECIMAL = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,5})?")
_FIELDS = {
    "sumNo": "sum_no", "customsCode": "customs_code", "ebcCode": "consignor_code", "decTmpNo": "temporary_no", "decPreNo": "pre_entry_no",
    "entryId": "declaration_no", "decState": "declaration_state", "grossWeight": "gross_weight_kg", "netWeight": "net_weight_kg",
    "msgCount": "parts",
}  # fmt: skip
"""Elements of a result's head to how the ledger calls them."""


@dataclass(frozen=True)
class Unreadable:
    """A document that cannot be used: where it begins, and why."""

    row: int
    why: Text


Document = ApplicationReceipt | Result | Clearance | OrderReceipt | Unreadable


def latest_time(now: datetime) -> str:
    """Up to when a message may have been made: clocks differ, but what is dated years ahead would outdo all that comes after."""
    return (now.astimezone(CHINA) + timedelta(days=366)).strftime("%Y%m%d%H%M%S999")


def documents_of(source: Source, root: str, latest: str) -> Iterator[Document]:
    """What a message holds, each document checked whole. `latest`: see `latest_time`. Raises UnusableInput where the file is no
    sound XML."""
    for element in Message(source).documents(DOCUMENTS[root]):
        try:
            if root == "CEB702Message":
                yield _receipt(cells_of(element), latest)
            elif root == "CEB792Message":
                yield _result(element, latest)
            elif root == ORDER_RECEIPTS:
                yield _order_receipt(cells_of(element), latest)
            else:
                yield _clearance(cells_of(element), root.removesuffix("Message"), element.sourceline, latest)
        except (_Unsound, NotOnce) as stop:
            yield Unreadable(element.sourceline, stop.text)


class _Unsound(Exception):  # noqa: N818 - not an error: the document is reported
    def __init__(self, name: str, value: str) -> None:
        super().__init__(name)
        shown = value[:60]
        self.text = Text(f"{name} '{shown}' is missing or unreadable.", f"{name}“{shown}”缺失或无法识别。")


def _given(cells: dict[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = cells.get(name, "")
    if not shape.fullmatch(value):
        raise _Unsound(name, value)
    return value


def _whole(cells: dict[str, str], name: str, shape: re.Pattern[str], absent: int) -> int:
    return int(_given(cells, name, shape)) if cells.get(name) else absent


def _time(cells: dict[str, str], name: str, latest: str) -> str:
    at = _given(cells, name, _TIME).ljust(17, "0")
    if not _EARLIEST <= at <= latest or not is_time(at):
        raise _Unsound(name, at)
    return at


def _receipt(cells: dict[str, str], latest: str) -> ApplicationReceipt:
    return ApplicationReceipt(
        _given(cells, "copNo", _NUMBER), cells.get("ebcCode", ""), _whole(cells, "msgSeqNo", _COUNT, 1), _given(cells, "returnStatus", _STATUS),
        _time(cells, "returnTime", latest), cells.get("sumNo", ""), cells.get("returnInfo", ""),
    )  # fmt: skip


def _result(element: Any, latest: str) -> Result:
    heads = [child for child in element if local_name(child) == "SummaryResultHead"]
    if len(heads) != 1:
        raise _Unsound("SummaryResultHead", f"× {len(heads)}")
    head = cells_of(heads[0])
    for name, shape in (("grossWeight", _DECIMAL), ("netWeight", _DECIMAL), ("entryId", _NUMBER)):
        if head.get(name):
            _given(head, name, shape)
    part_no, parts = _whole(head, "msgSeqNo", _COUNT, 1), _whole(head, "msgCount", _COUNT, 0)
    if parts and part_no > parts:
        raise _Unsound("msgSeqNo", f"{part_no}/{parts}")
    lines = tuple(_line(cells_of(child)) for child in element if local_name(child) == "SummaryResultList")
    fields = {ours: head.get(theirs, "") for theirs, ours in _FIELDS.items()}
    return Result(_given(head, "declSeqNo", _NUMBER), _time(head, "opDate", latest), part_no, fields, lines)


def _line(cells: dict[str, str]) -> ResultLine:
    number = _given(cells, "invtNo", _NUMBER).upper()
    return ResultLine(number, int(_given(cells, "gnum", _ITEM)), _whole(cells, "gseqno", _ITEM, 0), _given(cells, "gcode", _NUMBER))


def _clearance(cells: dict[str, str], message: str, row: int, latest: str) -> Clearance:
    status, at = _given(cells, "returnStatus", _STATUS), _time(cells, "returnTime", latest)
    number = _given(cells, "invtNo", _NUMBER).upper() if cells.get("invtNo") else ""
    if not number and status not in BEFORE_THE_NUMBER and not status.startswith("-"):
        raise _Unsound("invtNo", "")
    return Clearance(
        number, message, status, at, cells.get("statisticsFlag") != "A", cells.get("ebcCode", ""), cells.get("copNo", ""), row, _order(cells),
        cells.get("returnInfo", ""),
    )  # fmt: skip


def _order_receipt(cells: dict[str, str], latest: str) -> OrderReceipt:
    order = _order(cells)
    if not order:
        raise _Unsound("orderNo" if cells.get("ebpCode") else "ebpCode", "")
    return OrderReceipt(order, _given(cells, "returnStatus", _STATUS), _time(cells, "returnTime", latest), cells.get("returnInfo", ""))


def _order(cells: dict[str, str]) -> str:
    platform, number = cells.get("ebpCode", "").upper(), cells.get("orderNo", "")
    return f"{platform}{SEPARATOR}{number}" if platform and number else ""
