"""Merge declared lines into items by header key and body key (归并), exactly, in two steps: partial sums of a set of
complete inventories, then the sum of the partial sums. Decimals, so that the cut changes nothing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import group_codes, sums_of_groups
from aggregator.model.settings import Flags
from aggregator.schemas.arrays import Ints, constant
from aggregator.schemas.codes import NO_PRODUCER_CODE
from aggregator.schemas.decimals import UNIT_PRICE_SCALE
from aggregator.schemas.modes import Mode

_FIRST = ("goods_name", "goods_spec", "consignor_name", "firm_name")


def columns_of_items(mode: Mode) -> tuple[str, ...]:
    """The columns of lines that partial items are made of, where a mode has them."""
    named = (*mode.key, *mode.dictionary.summed_items, *_FIRST, "producer_seller_name", "enterprise_goods_name")
    return tuple(dict.fromkeys(name for name in named if name in mode.dictionary))


def key_columns(lines: pa.Table, mode: Mode, flags: Flags) -> dict[str, pa.Array]:
    """The key of each line as canonical text, blank where a part does not count. Columns out: those of `mode.key`."""
    names = lines.column_names
    key = {
        column: lines[column].combine_chunks() if column in names else constant("", lines.num_rows)
        for column in mode.key
        if column != "item_name"
    }
    if "producer_seller_code" in key:
        if flags.summary_flag == 1:
            key["producer_seller_code"] = key["producer_seller_name"] = constant("", lines.num_rows)
        else:
            key["producer_seller_name"] = _only_where(_encoded(key["producer_seller_code"]), NO_PRODUCER_CODE, _encoded(key["producer_seller_name"]))
    if "item_name" in mode.key:
        key["item_name"] = item_name(lines) if flags.item_name_flag == 1 else constant("", lines.num_rows)
    return {column: key[column] for column in mode.key}


def item_name(lines: pa.Table) -> pa.Array:
    """The enterprise's goods name, the goods name where it is empty."""
    goods_name = _encoded(lines["goods_name"].combine_chunks())
    if "enterprise_goods_name" not in lines.column_names:
        return goods_name
    own = _encoded(lines["enterprise_goods_name"].combine_chunks())
    if not own.null_count:
        return own
    size = pa.scalar(len(own.dictionary), pa.int32())
    indices = pc.coalesce(own.indices, pc.add(goods_name.indices, size))
    # A name may be both.
    distinct = pa.concat_arrays([own.dictionary, goods_name.dictionary]).dictionary_encode()
    return pa.DictionaryArray.from_arrays(distinct.indices.take(indices), distinct.dictionary)


def _only_where(codes: pa.DictionaryArray, code: str, texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """The texts of the rows that have the code, blank on the others; null where the code is."""
    has_code = pc.equal(codes.dictionary, code).take(codes.indices)
    blank = pa.scalar(len(texts.dictionary), pa.int32())
    return pa.DictionaryArray.from_arrays(pc.if_else(has_code, texts.indices, blank), pa.concat_arrays([texts.dictionary, pa.array([""])]))


def _encoded(values: pa.Array) -> pa.DictionaryArray:
    return values if pa.types.is_dictionary(values.type) else values.cast(pa.string()).dictionary_encode()


def _plain(values: pa.Array) -> pa.Array:
    return values.cast(pa.string())


def partial_items(lines: pa.Table, mode: Mode, flags: Flags) -> tuple[pa.Table, Ints]:
    """In: declared lines of complete inventories, with `number_rank`, the rank of their inventory number among them.

    Out: one row a key (the key, the sums, inventory_item_count, the first line's inventory_no, item_no and names), and for each
    line the row of its key.
    """
    if mode.routing is not None:
        return _own_items(lines, mode, flags)
    key = key_columns(lines, mode, flags)
    groups, firsts = group_codes(list(key.values()), lines.num_rows)
    place = pa.array(_first_lines(lines, groups, len(firsts)))
    at = pa.array(firsts)
    columns = {column: pc.fill_null(_plain(values.take(at)), "") for column, values in key.items()}
    columns |= {column: sums_of_groups(_summable(lines, column), groups, len(firsts)) for column in mode.dictionary.summed_items}
    columns["inventory_item_count"] = pa.array(np.bincount(groups, minlength=len(firsts)))
    columns["first_inventory_no"] = lines["inventory_no"].combine_chunks().take(place)
    columns["first_item_no"] = lines["item_no"].combine_chunks().take(place)
    for column in _FIRST:
        source = "producer_seller_name" if column == "firm_name" else column
        given = source in lines.column_names
        columns[column] = pc.fill_null(_plain(lines[source].combine_chunks().take(place)), "") if given else pc.cast(
            pa.array([""] * len(place)), pa.string()
        )
    return pa.table(columns), groups


def _own_items(lines: pa.Table, mode: Mode, flags: Flags) -> tuple[pa.Table, Ints]:
    """The same where nothing is merged: each line is its own item."""
    count = lines.num_rows
    columns = {column: pc.fill_null(_plain(values), "") for column, values in key_columns(lines, mode, flags).items()}
    columns |= {column: _summable(lines, column).cast(pa.decimal128(38, 5)) for column in mode.dictionary.summed_items}
    columns["inventory_item_count"] = pa.array(np.ones(count, dtype=np.int64))
    columns |= {"first_inventory_no": lines["inventory_no"].combine_chunks(), "first_item_no": lines["item_no"].combine_chunks()}
    for column in _FIRST:
        source = "producer_seller_name" if column == "firm_name" else column
        given = lines[source].combine_chunks() if source in lines.column_names else pa.nulls(count, pa.string())
        columns[column] = pc.fill_null(_plain(given), "")
    return pa.table(columns), np.arange(count)


def _summable(lines: pa.Table, column: str) -> pa.Array:
    if column in lines.column_names:
        return lines[column].combine_chunks()
    return pa.nulls(lines.num_rows, pa.decimal128(19, 5))


def _first_lines(lines: pa.Table, groups: Ints, count: int) -> Ints:
    """For each group the line that comes first by (inventory number, item number)."""
    rank = lines["number_rank"].to_numpy().astype(np.int64) * 1_000_000 + lines["item_no"].to_numpy().astype(np.int64)
    lowest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(lowest, groups, rank)
    found = np.flatnonzero(rank == lowest[groups])[::-1]
    first = np.empty(count, dtype=np.int64)
    first[groups[found]] = found
    return first


def combine_partials(partials: pa.Table, mode: Mode) -> tuple[pa.Table, Ints]:
    """Sum partial rows of equal keys. Out: one row a key, in the order of the key by code point, and for each partial row the
    row of its key. Sums stay exact: 14 digits before the point leave room for 10^19 lines."""
    summed_columns = (*mode.dictionary.summed_items, "inventory_item_count")
    groups, firsts = group_codes([partials[column].combine_chunks() for column in mode.key], partials.num_rows)
    count = len(firsts)
    table = partials.select(summed_columns).append_column("group", pa.array(groups))
    aggregates = [(column, "sum") for column in summed_columns]
    summed = table.group_by("group", use_threads=False).aggregate(aggregates).sort_by("group")
    rank = number_ranks(partials["first_inventory_no"].combine_chunks())
    order = np.lexsort((partials["first_item_no"].to_numpy(), rank, groups))
    first_rows = partials.take(pa.array(order[np.searchsorted(groups[order], np.arange(count))])).combine_chunks()
    for column in summed_columns:
        place = first_rows.column_names.index(column)
        first_rows = first_rows.set_column(place, column, summed[f"{column}_sum"])
    sorted_by_key = pc.sort_indices(first_rows, sort_keys=[(column, "ascending") for column in mode.key]).to_numpy()
    place_of_group = np.empty(count, dtype=np.int64)
    place_of_group[sorted_by_key] = np.arange(count)
    return first_rows.take(pa.array(sorted_by_key)).combine_chunks(), place_of_group[groups]


def number_ranks(numbers: pa.Array) -> Ints:
    """The rank of each number by code point: as UTF-8 bytes they sort so."""
    if not len(numbers):
        return np.zeros(0, dtype=np.int64)
    texts = numbers.cast(pa.binary()).to_numpy(zero_copy_only=False).astype("S")
    return np.unique(texts, return_inverse=True)[1].astype(np.int64)


_UNIT = pa.scalar(Decimal(1).scaleb(-UNIT_PRICE_SCALE), pa.decimal256(5, UNIT_PRICE_SCALE))
_NOTHING = pa.scalar(Decimal(0), pa.decimal256(5, UNIT_PRICE_SCALE))


def unit_prices(total: pa.Array, quantity: pa.Array) -> pa.Array:
    """Total ÷ quantity, half-even to 4 decimals. Information only: the total rules."""
    quantity = quantity.cast(pa.decimal256(25, 5))
    total, unit = total.cast(pa.decimal256(50, 9)), pc.multiply(quantity, _UNIT)
    low = _cut_off(total, quantity, unit)
    left = pc.subtract(total, pc.multiply(low, quantity))
    doubled = pc.add(left, left)
    up = pc.or_(pc.greater(doubled, unit), pc.and_(pc.equal(doubled, unit), _is_odd(low)))
    return pc.add(low, pc.if_else(up, _UNIT, _NOTHING)).cast(pa.decimal128(38, UNIT_PRICE_SCALE))


def _cut_off(total: pa.Array, quantity: pa.Array, unit: pa.Array) -> pa.Array:
    """Total ÷ quantity with its first 4 decimals.

    Arrow divides decimals by large ones wrongly where a digit has to be taken back, and so does its rounding: 268435455.99997
    becomes 268435455.9998 (pyarrow 26). What is left of the total shows it, and Python divides those few.
    """
    low = pc.divide(total.cast(pa.decimal256(50, 20)), quantity).cast(pa.decimal256(40, UNIT_PRICE_SCALE), safe=False)
    left = pc.subtract(total, pc.multiply(low, quantity))
    wrong = pc.or_(pc.less(left, _NOTHING), pc.greater_equal(left, unit))
    if not pc.any(wrong).as_py():
        return low
    few = zip(total.filter(wrong).to_pylist(), quantity.filter(wrong).to_pylist(), strict=True)
    exact = [Decimal(int(Fraction(whole) / Fraction(part) * 10**UNIT_PRICE_SCALE)).scaleb(-UNIT_PRICE_SCALE) for whole, part in few]
    return pc.replace_with_mask(low, wrong, pa.array(exact, low.type))


def _is_odd(prices: pa.Array) -> pa.Array:
    """By the last decimal."""
    return pc.match_substring_regex(prices.cast(pa.string()), "[13579]$")
