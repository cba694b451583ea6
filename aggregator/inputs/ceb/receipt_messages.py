"""Receipts of inventories (CEB604, CEB606) as tables: any number of receipts a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from aggregator.inputs.ceb.answers import Unreadable, documents_of
from aggregator.inputs.export import Source
from aggregator.model.answers import Clearance
from aggregator.model.errors import UnusableInput

KINDS = ("CEB604Message", "CEB606Message")
_FIELDS = {
    "inventory_no": "inventory_no", "status_code": "status", "cleared_at": "at", "internal_no": "internal_no", "consignor_code": "consignor_code",
    "message": "message",
}  # fmt: skip
"""Columns to how a receipt calls them."""
_AT_ONCE = 50_000


def receipts_of(source: Source, root: str, latest: str) -> Iterator[tuple[pa.Table, list[int]]]:
    """Tables of text columns (those of _FIELDS), and the line of each row. `latest`: see `answers.latest_time`.

    Raises UnusableInput where a receipt cannot be read: which state counts would be a guess."""
    found = _clearances(source, root, latest)
    while piece := list(islice(found, _AT_ONCE)):
        columns = {name: pa.array([getattr(each, field) or None for each in piece], pa.string()) for name, field in _FIELDS.items()}
        yield pa.table(columns), [each.row for each in piece]


def _clearances(source: Source, root: str, latest: str) -> Iterator[Clearance]:
    for document in documents_of(source, root, latest):
        if isinstance(document, Clearance):
            yield document
        elif isinstance(document, Unreadable):
            raise UnusableInput(
                f"{source.name}, line {document.row}: {document.why.en} Which state counts would be a guess. Take the message as customs sent it.",
                f"{source.name} 第 {document.row} 行：{document.why.zh}无法判断以哪一状态为准。请使用海关下发的原始报文。",
            )
