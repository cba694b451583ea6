"""Read customs' answers: CEB702 (receipts of applications), CEB792 (summary results), CEB604 and CEB606 (receipts of
inventories), of both editions, any number of documents a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aggregator.ledger.answers import ApplicationReceipt, Result, ResultLine
from aggregator.read.elements import Message, local_name
from aggregator.read.export import Source

DOCUMENTS = {
    "CEB702Message": "SummaryReturn", "CEB792Message": "SummaryResult", "CEB604Message": "InventoryReturn", "CEB606Message": "InvtCancelReturn",
}  # fmt: skip
_TIME = re.compile("[0-9]{14}(?:[0-9]{3})?")
_STATUS = re.compile("-?[0-9]{1,10}")
_WHOLE = re.compile("[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,5})?")
_FIELDS = {
    "sumNo": "sum_no", "customsCode": "customs_code", "ebcCode": "consignor_code", "decTmpNo": "temporary_no", "decPreNo": "pre_entry_no",
    "entryId": "declaration_no", "decState": "declaration_state", "grossWeight": "gross_weight_kg", "netWeight": "net_weight_kg",
    "msgCount": "parts",
}  # fmt: skip
"""Elements of a result's head to how the ledger calls them."""


@dataclass(frozen=True)
class Clearance:
    """A CEB604 or CEB606. `inventory_no` is blank for one that comes before the number, or of a list that is not summarised."""

    inventory_no: str
    message: str
    status: str
    at: str


@dataclass(frozen=True)
class Unreadable:
    """A document that cannot be used: where it begins, and why."""

    row: int
    why: str


Document = ApplicationReceipt | Result | Clearance | Unreadable


def documents_of(source: Source, root: str) -> Iterator[Document]:
    """What a message holds. Raises UnusableInput where the file is no sound XML."""
    for element in Message(source).documents(DOCUMENTS[root]):
        try:
            if root == "CEB702Message":
                yield _receipt(_cells(element))
            elif root == "CEB792Message":
                yield _result(element)
            else:
                yield _clearance(_cells(element), root.removesuffix("Message"))
        except _Missing as missing:
            yield Unreadable(element.sourceline, str(missing))


class _Missing(Exception):  # noqa: N818 - not an error: the document is told of
    pass


def _cells(element: Any) -> dict[str, str]:
    return {local_name(child): (child.text or "").strip() for child in element}


def _given(cells: dict[str, str], name: str, shape: re.Pattern[str] | None = None) -> str:
    value = cells.get(name, "")
    if not value or (shape is not None and not shape.fullmatch(value)):
        raise _Missing(f"{name} '{value}'")
    return value


def _time(cells: dict[str, str], name: str) -> str:
    return _given(cells, name, _TIME).ljust(17, "0")


def _receipt(cells: dict[str, str]) -> ApplicationReceipt:
    part = cells.get("msgSeqNo") or "1"
    if not _WHOLE.fullmatch(part):
        raise _Missing(f"msgSeqNo '{part}'")
    return ApplicationReceipt(
        _given(cells, "copNo"), cells.get("ebcCode", ""), int(part), _given(cells, "returnStatus", _STATUS), _time(cells, "returnTime"),
        cells.get("sumNo", ""), cells.get("returnInfo", ""),
    )  # fmt: skip


def _result(element: Any) -> Result:
    heads = [child for child in element if local_name(child) == "SummaryResultHead"]
    if len(heads) != 1:
        raise _Missing(f"SummaryResultHead × {len(heads)}")
    head = _cells(heads[0])
    for name, shape in (("grossWeight", _DECIMAL), ("netWeight", _DECIMAL), ("msgCount", _WHOLE), ("msgSeqNo", _WHOLE)):
        if head.get(name) and not shape.fullmatch(head[name]):
            raise _Missing(f"{name} '{head[name]}'")
    lines = tuple(_line(_cells(child)) for child in element if local_name(child) == "SummaryResultList")
    fields = {ours: head.get(theirs, "") for theirs, ours in _FIELDS.items()}
    return Result(_given(head, "declSeqNo"), _time(head, "opDate"), int(head.get("msgSeqNo") or "1"), fields, lines)


def _line(cells: dict[str, str]) -> ResultLine:
    item = cells.get("gseqno", "") or "0"
    if not _WHOLE.fullmatch(item):
        raise _Missing(f"gseqno '{item}'")
    return ResultLine(_given(cells, "invtNo").upper(), int(_given(cells, "gnum", _WHOLE)), int(item), _given(cells, "gcode"))


def _clearance(cells: dict[str, str], message: str) -> Clearance:
    number = "" if cells.get("statisticsFlag") == "A" else cells.get("invtNo", "").upper()
    return Clearance(number, message, _given(cells, "returnStatus", _STATUS), _time(cells, "returnTime"))
