"""Write orders as CEB303 messages, and those that go as lists as CEB603 messages: a hundred of them a message.

Signing is the sending client's work, for the key never leaves its token: the Signature element is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import run_starts
from aggregator.domain.merge import number_ranks
from aggregator.domain.orders import value_in_message
from aggregator.model.errors import UnusableInput
from aggregator.outputs.ceb701 import DECLARED, NEW, Sending, lacking, unfit
from aggregator.schemas.arrays import Ints
from aggregator.schemas.messages import NAMESPACE, NOT_IN_XML, Element
from aggregator.schemas.modes.m9610.messages import BASE_TRANSFER
from aggregator.schemas.modes.m9710 import messages as spec

ORDERS, LISTS = "orders", "inventories"
_AT_ONCE = 40
"""Messages that are made together."""


@dataclass(frozen=True)
class Kind:
    """A kind of message: its elements, and the column each comes from. `letter`: what its files are told by."""

    folder: str
    root: str
    document: str
    head: tuple[Element, ...]
    item: tuple[Element, ...]
    column_of_head: Mapping[str, str]
    column_of_item: Mapping[str, str]
    letter: str


ORDER = Kind(ORDERS, "CEB303Message", "Order", spec.ORDER_HEAD, spec.ORDER_ITEM, spec.COLUMN_OF_ORDER, spec.COLUMN_OF_ORDER_ITEM, "O")
LIST = Kind(LISTS, "CEB603Message", "Inventory", spec.LIST_HEAD, spec.LIST_ITEM, spec.COLUMN_OF_LIST, spec.COLUMN_OF_LIST_ITEM, "L")


def write_messages(stage: Path, sending: Sending, lines: Iterable[pa.Table]) -> int:
    """In: the audit map of a run, in pieces. All orders go as CEB303, those without a declaration as CEB603 too. Out: how many
    messages."""
    table = pa.concat_tables(lines).combine_chunks()
    ranks = [number_ranks(table[name].combine_chunks()) for name in ("platform_code", "inventory_no")]
    table = table.take(pa.array(np.lexsort((table["item_no"].to_numpy(), ranks[1], ranks[0])))).combine_chunks()
    listed = table.filter(table["declaration_ref"].is_null()).combine_chunks()
    return sum(_write_kind(stage, sending, kind, each) for kind, each in ((ORDER, table), (LIST, listed)))


def _write_kind(stage: Path, sending: Sending, kind: Kind, lines: pa.Table) -> int:
    """In: lines by order."""
    starts = _starts(lines)
    step, count = spec.MOST_ORDERS * _AT_ONCE, 0
    for first in range(0, len(starts), step):
        (stage / kind.folder).mkdir(exist_ok=True)
        end = int(starts[first + step]) if first + step < len(starts) else lines.num_rows
        documents = _documents(sending, kind, lines.slice(int(starts[first]), end - int(starts[first])).combine_chunks())
        for body in _in_messages(documents).to_pylist():
            count += 1
            path = stage / kind.folder / f"{sending.run_ref}-{kind.letter}{count:04d}.xml"
            path.write_text(_message(sending, kind, count, body), encoding="utf-8", newline="\n")
    return count


def _in_messages(documents: pa.Array) -> pa.Array:
    ends = np.append(np.arange(0, len(documents), spec.MOST_ORDERS), len(documents)).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), documents), "")


def _starts(lines: pa.Table) -> Ints:
    """The first line of each order."""
    key = pc.binary_join_element_wise(lines["platform_code"].cast(pa.string()), lines["inventory_no"].cast(pa.string()), "\n")
    return run_starts(key.combine_chunks().dictionary_encode().indices.to_numpy())


def _message(sending: Sending, kind: Kind, place: int, body: str) -> str:
    transfer = sending.transfer
    inner = "".join(f"<ceb:{element.name}>{escape(transfer[element.name])}</ceb:{element.name}>" for element in BASE_TRANSFER if element.name in transfer)
    guid = sending.guid(f"message/{kind.letter}/{place}")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ceb:{kind.root} xmlns:ceb="{NAMESPACE}" guid="{guid}" version="1.0">'
        f"{body}<ceb:BaseTransfer>{inner}</ceb:BaseTransfer></ceb:{kind.root}>\n"
    )


def _documents(sending: Sending, kind: Kind, lines: pa.Table) -> pa.Array:
    """The lines of complete orders as elements, an order each."""
    starts = _starts(lines)
    heads = lines.take(pa.array(starts)).combine_chunks()
    own = _own_values(sending, kind, heads)
    if kind is ORDER:
        own["goods_value"] = _goods_values(lines, starts, heads)
        own["freight"] = pc.fill_null(value_in_message(heads, "freight", None), spec.BLANK_MEANS["freight_of_order"])
    head = _element(sending, f"{kind.document}Head", kind.head, kind.column_of_head, heads, own)
    name, barcode = value_in_message(lines, "enterprise_goods_name", None), value_in_message(lines, "barcode", None)
    names = {"enterprise_goods_name": pc.coalesce(name, value_in_message(lines, "goods_name", None))}
    if kind is LIST:
        names["barcode"] = pc.fill_null(barcode, spec.BLANK_MEANS["barCode"])
    items = _element(sending, f"{kind.document}List", kind.item, kind.column_of_item, lines, names)
    offsets = pa.array(np.append(starts, lines.num_rows).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, items), "")
    return pc.binary_join_element_wise(f"<ceb:{kind.document}>", head, joined, f"</ceb:{kind.document}>", "")


def _own_values(sending: Sending, kind: Kind, heads: pa.Table) -> dict[str, pa.Array]:
    """What no column holds, by the name of its element."""
    count = heads.num_rows
    keys = zip(heads["platform_code"].to_pylist(), heads["inventory_no"].to_pylist(), strict=True)
    values = {"appType": NEW, "appTime": sending.recorded_at.strftime("%Y%m%d%H%M%S"), "appStatus": DECLARED, **spec.CONSTANTS}
    own = {name: pa.array([value] * count, pa.string()) for name, value in values.items()}
    own["guid"] = pa.array(sending.guids(f"{kind.letter}/{platform}/{number}" for platform, number in keys), pa.string())
    return own


def _goods_values(lines: pa.Table, starts: Ints, heads: pa.Table) -> pa.Array:
    """As given; else the sum of the items."""
    order = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, lines.num_rows)))
    summed = pa.table({"order": order, "total": lines["total_price"]}).group_by("order", use_threads=False).aggregate([("total", "sum")]).sort_by("order")
    totals = value_in_message(pa.table({"total": summed["total_sum"]}), "total", None)
    return pc.coalesce(value_in_message(heads, "goods_value", None), totals)


def _element(
    sending: Sending, name: str, elements: tuple[Element, ...], column_of: Mapping[str, str], lines: pa.Table, own: Mapping[str, pa.Array]
) -> pa.Array:
    """An element of each line, its children in the order of the spec; each is checked first: what customs would refuse is not written."""
    parts: list[pa.Array | str] = [f"<ceb:{name}>"]
    for element in elements:
        column = column_of.get(element.name, "")
        values = own.get(column) if column in own else own.get(element.name) if not column else value_in_message(lines, column, sending.customs)
        if values is None:
            continue
        begin, end = f"<ceb:{element.name}>", f"</ceb:{element.name}>"
        values = _sound(name, element, values)
        # All is joined once at the end; only what some lines lack is joined by itself.
        parts += [pc.fill_null(pc.binary_join_element_wise(begin, values, end, ""), "")] if values.null_count else [begin, values, end]
    return pc.binary_join_element_wise(*parts, f"</ceb:{name}>", "")


def _sound(name: str, element: Element, values: pa.Array) -> pa.Array:
    """The values escaped, null where there are none. Each different one is looked at once."""
    encoded = pc.if_else(pc.equal(values, ""), None, values).dictionary_encode()
    if element.required and encoded.null_count:
        raise lacking(name, element)
    _must_fit(name, element, encoded.dictionary)
    return _escaped(encoded.dictionary).take(encoded.indices)


def _must_fit(name: str, element: Element, values: pa.Array) -> None:
    for place in element.unsound(values):
        raise unfit(name, element, values[place].as_py())
    if pc.any(pc.match_substring_regex(values, NOT_IN_XML.pattern)).as_py():
        raise UnusableInput(
            f"{name} holds a character that no message can carry ({element.name}). Correct it in the export and run again.",
            f"{name} 的 {element.name} 含有报文无法携带的字符。请在导出数据中修正后重新运行。",
        )


def _escaped(values: pa.Array) -> pa.Array:
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        if pc.any(pc.match_substring(values, sign)).as_py():
            values = pc.replace_substring(values, sign, name)
    return values
