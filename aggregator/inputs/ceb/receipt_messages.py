"""Read receipts from CEB604 and CEB606 messages: any number of receipts a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from aggregator.inputs.ceb.elements import Message, NotOnce, cells_of
from aggregator.inputs.export import Source
from aggregator.model.errors import UnusableInput

KINDS = {"CEB604Message": ("InventoryReturn", "CEB604"), "CEB606Message": ("InvtCancelReturn", "CEB606")}
ELEMENTS = ("invtNo", "returnStatus", "returnTime", "copNo", "ebcCode")
_AT_ONCE = 50_000


def receipts_of(source: Source, root: str) -> Iterator[tuple[pa.Table, list[int]]]:
    """Tables of text columns inventory_no, status_code, cleared_at, internal_no, consignor_code, message; and the line of each."""
    document, message = KINDS[root]
    found = _rows(Message(source), document)
    while piece := list(islice(found, _AT_ONCE)):
        columns = list(zip(*piece, strict=True))
        names = ["inventory_no", "status_code", "cleared_at", "internal_no", "consignor_code"]
        table = pa.table({name: pa.array(values, pa.string()) for name, values in zip(names, columns, strict=False)})
        yield table.append_column("message", pa.array([message] * len(piece), pa.string())), list(columns[-1])


def _rows(message: Message, document: str) -> Iterator[tuple[str | int | None, ...]]:
    for element in message.documents(document):
        try:
            cells = cells_of(element)
        except NotOnce as stop:
            where = f"{message.source.name}, line {element.sourceline}", f"{message.source.name} 第 {element.sourceline} 行"
            raise UnusableInput(
                f"{where[0]}: {stop.text.en} Which one counts would be a guess. Take the message as customs sent it.",
                f"{where[1]}：{stop.text.zh}无法判断以哪一个为准。请使用海关下发的原始报文。",
            ) from None
        yield (*(cells.get(name) or None for name in ELEMENTS), element.sourceline)
