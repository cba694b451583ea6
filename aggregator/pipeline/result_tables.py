"""The result tables of a run, from what the stages left: assembled, ordered, checked."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.merge import unit_prices
from aggregator.domain.split import Split
from aggregator.domain.totals import count_total, totals_of, units_of
from aggregator.engines.engine import Shard, Storage
from aggregator.model.errors import OurFault
from aggregator.outputs.checked import checked
from aggregator.schemas.field import Dictionary
from aggregator.schemas.modes import Mode
from aggregator.schemas.outputs import AMOUNT
from aggregator.schemas.text import Lang

_SHARES_AT_ONCE, _SAMPLED = 100_000, 1000


def declaration_items(mode: Mode, items: pa.Table, split: Split, refs: pa.Array, *, named_by_key: bool) -> pa.Table:
    """In: merged items in the order of the key. With item name flag 1 an item is called what stands in its key."""
    second = items["second_statutory_quantity"].combine_chunks()
    columns = {
        "declaration_ref": refs.take(pa.array(split.declaration)),
        "declaration_item_no": pa.array(split.item_no),
        "goods_name": items["item_name" if named_by_key and "item_name" in items.column_names else "goods_name"],
        "second_statutory_quantity": second,
        "unit_price": unit_prices(items["total_price"].combine_chunks(), items["declared_quantity"].combine_chunks()),
    }
    names = mode.outputs["declaration_items"].names
    return pa.table({name: columns.get(name, items[name] if name in items.column_names else None) for name in names})


def declarations(mode: Mode, items: pa.Table, split: Split, refs: pa.Array, by_declaration: pa.Table) -> pa.Table:
    """In: merged items, and weights and counts by declaration (see Shares), several rows for one declaration."""
    count = split.declarations
    first_item = np.flatnonzero(np.diff(split.declaration, prepend=-1))
    heads = items.take(pa.array(first_item)).combine_chunks()
    firm = _first_inventory_of_header(items, split).take(pa.array(split.header[first_item])).combine_chunks()
    amounts = ("package_count", "gross_weight_kg", "net_weight_kg", "inventory_count")
    summed = by_declaration.group_by("declaration", use_threads=False).aggregate([(name, "sum") for name in amounts])
    summed = summed.sort_by("declaration")
    if summed.num_rows != count:
        raise OurFault(f"{count} declarations, {summed.num_rows} with weights", f"报关单 {count} 份，有重量的 {summed.num_rows} 份")
    lines = pa.table({"declaration": split.declaration, "n": items["inventory_item_count"].combine_chunks()})
    lines = lines.group_by("declaration", use_threads=False).aggregate([("n", "sum")]).sort_by("declaration")
    columns = {name: heads[name] for name in mode.outputs["declarations"].names if name in heads.column_names}
    columns |= {name: summed[f"{name}_sum"] for name in amounts}
    columns |= {
        "declaration_ref": refs,
        "consignor_name": firm["consignor_name"],
        "producer_seller_name": pc.if_else(
            pc.equal(heads["producer_seller_code"], ""), heads["producer_seller_name"], firm["firm_name"]
        ),
        "item_count": pa.array(np.bincount(split.declaration, minlength=count)),
        "inventory_item_count": lines["n_sum"],
    }
    names = mode.outputs["declarations"].names
    return pa.table({name: columns[name] for name in names})


def _first_inventory_of_header(items: pa.Table, split: Split) -> pa.Table:
    """For each header key the merged item that holds the line of its first inventory by number."""
    order = pc.sort_indices(
        items.append_column("header", pa.array(split.header)),
        sort_keys=[("header", "ascending"), ("first_inventory_no", "ascending"), ("first_item_no", "ascending")],
    ).to_numpy()
    firsts = order[np.flatnonzero(np.diff(split.header[order], prepend=-1))]
    return items.take(pa.array(firsts)).combine_chunks()


class Sharing(NamedTuple):
    """Shares of the inventories from one number (included) to another (not included), and the shards that have any."""

    low: str | None
    high: str | None
    shards: tuple[Shard, ...]


def sharings(storage: Storage, shards: Iterable[Shard]) -> Iterator[Sharing]:
    """Shards, each sorted by inventory number, cut by these numbers: a bounded number of shares each."""
    given, samples, rows = list[tuple[Shard, str, str]](), [pa.array([], pa.string())], 0
    for shard in shards:
        numbers = storage.read(shard, ["inventory_no"])["inventory_no"].combine_chunks()
        if len(numbers):
            given.append((shard, numbers[0].as_py(), numbers[-1].as_py()))
            samples.append(numbers.take(pa.array(np.arange(0, len(numbers), _SAMPLED))))
            rows += len(numbers)
    sample = pa.concat_arrays(samples)
    ordered = sample.take(pc.sort_indices(sample))
    parts = rows // _SHARES_AT_ONCE + 1
    cuts = [ordered[len(ordered) * part // parts].as_py() for part in range(1, parts)]
    for low, high in zip([None, *cuts], [*cuts, None], strict=True):
        wanted = tuple(shard for shard, first, last in given if (high is None or first < high) and (low is None or last >= low))
        if wanted:
            yield Sharing(low, high, wanted)


def weight_shares(mode: Mode, storage: Storage, sharing: Sharing, refs: pa.Array) -> pa.Table:
    """Shares of spread inventories, sorted by inventory number."""
    tables = [_between(storage.read(shard), sharing.low, sharing.high) for shard in sharing.shards]
    table = pa.concat_tables(tables).sort_by([("inventory_no", "ascending"), ("declaration", "ascending")])
    columns = {
        "inventory_no": table["inventory_no"],
        "declaration_ref": refs.take(table["declaration"].combine_chunks()),
        "gross_weight_kg": table["gross_weight_kg"],
        "net_weight_kg": table["net_weight_kg"],
    }
    return checked(mode, "weight_shares", pa.table(columns))


def _between(table: pa.Table, low: str | None, high: str | None) -> pa.Table:
    """The rows, sorted by number, from one number (included) to another (not included)."""
    numbers = table["inventory_no"].combine_chunks()
    begin, end = (bisect_left(range(len(numbers)), each, key=lambda place: numbers[place].as_py()) if each is not None else None for each in (low, high))
    # A copy: the shard is not to stay mapped for a few rows.
    return table.take(pa.array(np.arange(begin or 0, len(numbers) if end is None else end)))


def declared_totals(dictionary: Dictionary, items: pa.Table, made: pa.Table, simplified: pa.Table | None = None) -> pa.Table:
    """Totals of what is declared, summed from the declarations themselves (columns of audit.TOTALS). `simplified`: what went into
    the chapter lines, of which the items do not say the declared quantities."""
    parts = []
    for column, unit in dictionary.summed_items.items():
        sources = [items]
        if simplified is not None and column == "declared_quantity":
            sources = [items.filter(pc.equal(items["simplified"], 0)), simplified]
        table = pa.concat_tables([pa.table({"value": source[column].cast(AMOUNT), "unit": units_of(source, unit, dictionary).cast(pa.string())}) for source in sources])
        summed = table.group_by("unit", use_threads=False).aggregate([("value", "sum")])
        given = summed.filter(summed["value_sum"].is_valid()).combine_chunks()
        parts.append(totals_of(column, pc.fill_null(given["unit"].combine_chunks(), ""), "declared", given["value_sum"].combine_chunks()))
    for column, unit in dictionary.summed_headers.items():
        total = pa.array([pc.sum(made[column]).as_py() or 0]).cast(AMOUNT)
        parts.append(totals_of(column, [unit], "declared", total))
    lines = pc.sum(made["inventory_item_count"]).as_py() or 0
    return pa.concat_tables([*parts, count_total("lines", "declared", lines)])


def findings_rows(mode: Mode, pieces: Iterable[pa.Table], lang: Lang) -> Iterator[pa.Table]:
    """Join texts to findings by code. In: code, column (numbers), inventory_no, item_no, value, source_file, source_row."""
    rules = tuple(mode.rules)
    texts = {
        "code": pa.array(mode.rules.codes, pa.string()),
        "severity": pa.array([str(rule.severity) for rule in rules], pa.string()),
        "scope": pa.array([str(rule.scope) for rule in rules], pa.string()),
        "message": pa.array([rule.said.in_lang(lang) for rule in rules], pa.string()),
    }
    columns = pa.array(mode.dictionary.shown_names, pa.string())
    for piece in pieces:
        code = piece["code"].combine_chunks()
        made = {name: values.take(code) for name, values in texts.items()}
        made["column"] = columns.take(piece["column"].combine_chunks())
        names = mode.outputs["findings"].names
        table = pa.table({name: made[name] if name in made else piece[name] for name in names})
        value = pc.fill_null(table["value"], "")
        yield checked(mode, "findings", table.set_column(names.index("value"), "value", value))
