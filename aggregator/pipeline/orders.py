"""What only orders have when they are resolved: the route each takes, and what the messages of that route lack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.inventories import Grouped
from aggregator.domain.orders import chosen, facts_of_orders, value_in_message, yuan
from aggregator.domain.route import LIST, routes
from aggregator.domain.slips import priced_on
from aggregator.model.findings import findings_of, no_findings
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.messages import Element
from aggregator.schemas.modes import Mode
from aggregator.schemas.modes.m9710.messages import COLUMN_OF_LIST, COLUMN_OF_LIST_ITEM, LIST_HEAD, LIST_ITEM
from aggregator.schemas.modes.mode import Routing

_LACKS, _LONG_SKU, _LACKS_IN_ORDER, _TOO_MANY, _MODE_OF_LIST = "I112", "I113", "I114", "I111", "B215"
Found = tuple[str, str, Ints]
"""A rule, the column it is about, and the lines it names."""


def with_route(work: Work, grouped: Grouped) -> tuple[Grouped, dict[str, pa.Array]]:
    """What is wrong with sound orders by the route they take; and of each line `route`, `value_cny` and `reasons`."""
    inventories, routing = grouped.inventories, routing_of(work.mode)
    lines = inventories.lines
    day = priced_on(lines, work.as_of)
    tariff = work.storage.read(work.shards.tariff.of("all")) if work.has_tariff else None
    facts = facts_of_orders(inventories, day, work.exchange, tariff)
    route = routes(facts, limit_fen=int(routing.list_cny.value * 100), refund=work.company.refund is True, chosen=work.declare_all)
    texts = {"route": pa.array(route["route"].tolist(), pa.string()), "value_cny": yuan(facts["value_fen"].to_numpy()), "reasons": pa.array(route["reasons"].tolist(), pa.string())}
    of_line = pa.array(inventories.inventory_of)
    columns = {name: values.take(of_line).dictionary_encode() for name, values in texts.items()}
    for name, values in columns.items():
        lines = lines.append_column(name, values)
    grouped = replace(grouped, inventories=replace(inventories, lines=lines))
    return _judged(work, grouped, route["route"].to_numpy() == LIST), columns


def routing_of(mode: Mode) -> Routing:
    assert mode.routing is not None
    return mode.routing


def listed_modes(mode: Mode, lines: pa.Table, kept: Mask) -> pa.Table:
    """B215: the declaration modes of what goes as a list."""
    is_list = pc.equal(lines["route"].combine_chunks().cast(pa.string()), LIST).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(kept & is_list)
    modes = lines["declaration_mode_code"].combine_chunks().cast(pa.string()).take(pa.array(places)).dictionary_encode()
    firsts = np.unique(modes.indices.to_numpy(), return_index=True)[1] if len(places) else places
    return _findings(mode, _MODE_OF_LIST, "declaration_mode_code", lines, places[firsts])


def _judged(work: Work, grouped: Grouped, listed: Mask) -> Grouped:
    """I111 to I114, of orders that are sound but for these."""
    mode, inventories, sound = work.mode, grouped.inventories, grouped.bits == 0
    bits, tables = grouped.bits.copy(), [grouped.findings, no_findings()]
    for code, column, places in (
        *_too_many(mode, grouped, sound & ~listed), *_lacking_in_order(grouped, sound), *_lacking_in_list(work, grouped, sound & listed),
    ):  # fmt: skip
        if len(places):
            bits[np.unique(inventories.inventory_of[places])] |= mode.rules.error_bit(code)
            tables.append(_findings(mode, code, column, inventories.lines, places))
    return replace(grouped, bits=bits, findings=pa.concat_tables(tables))


def _too_many(mode: Mode, grouped: Grouped, declared: Mask) -> Iterator[Found]:
    inventories = grouped.inventories
    if len(inventories.starts):
        counts = np.add.reduceat(~inventories.same_content, inventories.starts, dtype=np.int64)
        yield _TOO_MANY, "item_no", inventories.starts[declared & (counts > mode.items_per_declaration.value)]


def _lacking_in_order(grouped: Grouped, sound: Mask) -> Iterator[Found]:
    inventories = grouped.inventories
    yield _LACKS_IN_ORDER, "platform_name", inventories.starts[sound & inventories.any(_blank(grouped, "platform_name"))]
    yield _LACKS_IN_ORDER, "sku", np.flatnonzero(chosen(inventories, sound) & _blank(grouped, "sku"))


def _lacking_in_list(work: Work, grouped: Grouped, listed: Mask) -> Iterator[Found]:
    """Fields that CEB603 requires, or takes in another form; heads at the first line of their order."""
    inventories, dictionary = grouped.inventories, work.mode.dictionary
    heads = inventories.starts[listed]
    items = np.flatnonzero(chosen(inventories, listed))
    for elements, column_of, places in ((LIST_HEAD, COLUMN_OF_LIST, heads), (LIST_ITEM, COLUMN_OF_LIST_ITEM, items)):
        for element in elements:
            column = column_of.get(element.name, "")
            if not column or column in ("platform_name", "barcode", "sku") or dictionary[column].required:
                continue
            yield _LACKS, column, places[_unfit(work, grouped, element, column, places)]
    most = routing_of(work.mode).sku_on_a_list.value
    if "sku" in inventories.lines.column_names:
        sku = inventories.lines["sku"].combine_chunks().take(pa.array(items))
        yield _LONG_SKU, "sku", items[pc.fill_null(pc.greater(pc.utf8_length(sku), most), False).to_numpy(zero_copy_only=False)]


def _unfit(work: Work, grouped: Grouped, element: Element, column: str, places: Ints) -> Mask:
    """Which lines lack what an element requires, or have it in a form it does not take."""
    values = value_in_message(grouped.inventories.lines.take(pa.array(places)), column, work.customs)
    missing = values.is_null().to_numpy(zero_copy_only=False) if element.required else np.zeros(len(places), dtype=bool)
    missing = missing.copy()
    missing[element.unsound(values)] = True
    return missing


def _blank(grouped: Grouped, column: str) -> Mask:
    lines = grouped.inventories.lines
    if column not in lines.column_names:
        return np.ones(lines.num_rows, dtype=bool)
    found: Mask = lines[column].combine_chunks().is_null().to_numpy(zero_copy_only=False)
    return found


def _findings(mode: Mode, code: str, column: str, lines: pa.Table, places: Ints) -> pa.Table:
    at = pa.array(places)
    values = lines[column].combine_chunks().cast(pa.string()).take(at) if column in lines.column_names else pa.nulls(len(places), pa.string())
    numbers, items = (lines[name].combine_chunks().take(at) for name in ("inventory_no", "item_no"))
    if mode.dictionary[column].header:
        items = pa.nulls(len(places), pa.string())
    return findings_of(mode, code, column, places, pc.fill_null(values, ""), numbers, items)
