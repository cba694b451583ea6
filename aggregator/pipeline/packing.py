"""The barrier of a mode that packs: trade slips whole into the fewest declarations, and the goods of each simplified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import group_codes, run_starts
from aggregator.domain.merge import number_ranks
from aggregator.domain.pack import Packing, pack
from aggregator.domain.simplify import APART, GOOD, KIND, UNITS, Simplified, simplify
from aggregator.domain.slip_items import ItemCount, goods_of
from aggregator.domain.slips import most, worths
from aggregator.domain.split import Split, declaration_refs
from aggregator.pipeline.emit import Numbering
from aggregator.pipeline.packing_tables import findings_of_packing, tables_of_packing
from aggregator.pipeline.placed import Placed, leave_items, leave_split, nothing_placed
from aggregator.pipeline.settle import Settled
from aggregator.pipeline.slips import goods_frame, packing_of, profile_of
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints
from aggregator.schemas.decimals import Units

_NO_VALUES = ("declarant_code", "premises_code", "producer_seller_code", "producer_seller_name")
"""Columns of a declaration that this mode has nothing for."""


@dataclass(frozen=True)
class Packed:
    """`goods`: a row a good of a slip, with its `worth`. Slips stand in canonical order, by group and number; `slip_of_row`: of each
    row; `first_row`: a row of each slip; `starts`: the first slip of each group; `packings`: of each group; `declaration_of_slip`."""

    goods: pa.Table
    worth: Units
    slip_of_row: Ints
    first_row: Ints
    starts: Ints
    packings: list[Packing]
    declaration_of_slip: Ints

    @property
    def slips(self) -> pa.Table:
        return self.goods.take(pa.array(self.first_row)).combine_chunks()

    @property
    def slip_worth(self) -> Units:
        return _sums(self.worth, self.slip_of_row)


def pack_slips(work: Work, settled: list[Settled], run_ref: str) -> Placed:
    """Partial rows are goods of a slip. Where each went is left for emit."""
    partials = [work.storage.read(work.shards.partials.of(unit.unit)) for unit in settled]
    sizes = [table.num_rows for table in partials]
    if not sum(sizes):
        return nothing_placed(work, settled, run_ref)
    packed = _packed(work, pa.concat_tables(partials).combine_chunks())
    declaration = packed.declaration_of_slip[packed.slip_of_row]
    made, item_of_row = _simplified(work, packed, declaration)
    split = _split(packed, made)
    items = _items(work, packed, made, item_of_row)
    leave_items(work, settled, sizes, item_of_row)
    leave_split(work, split)
    refs = declaration_refs(run_ref, split.declarations)
    tables = tables_of_packing(work, packed, items, split, item_of_row, refs)
    found = findings_of_packing(work, packed, items, split, made.unlike, refs)
    return Placed(items, split, Numbering(run_ref, split.declarations), tables, found)


def _packed(work: Work, goods: pa.Table) -> Packed:
    key = work.mode.header_key.value
    amounts, currency, day = (goods[name].combine_chunks() for name in ("total_price", "currency_code", "priced_on"))
    worth = worths(amounts, currency, day, work.exchange)
    slip, first_row = group_codes([goods["inventory_no"].combine_chunks()], goods.num_rows)
    heads = goods.select([*key, "inventory_no"]).take(pa.array(first_row)).combine_chunks()
    group, firsts = group_codes([heads[name].combine_chunks() for name in key], heads.num_rows)
    order = pc.sort_indices(heads.take(pa.array(firsts)), sort_keys=[(name, "ascending") for name in key]).to_numpy()
    group = _inverse(order)[group]
    canonical = np.lexsort((number_ranks(heads["inventory_no"].combine_chunks()), group))
    slip, first_row, group = _inverse(canonical)[slip], first_row[canonical], group[canonical]
    starts = run_starts(group)
    packings = list(_packings(work, goods, worth, slip, starts))
    return Packed(goods, worth, slip, first_row, starts, packings, _declarations(packings, starts, len(first_row)))


def _packings(work: Work, goods: pa.Table, worth: Units, slip: Ints, starts: Ints) -> Iterator[Packing]:
    """Of each group, in their order."""
    limits = packing_of(work.mode)
    limit = most(int(limits.most_usd.value), work.exchange.scale)
    of_slip, coded = _sums(worth, slip), goods_of(goods, worth)
    ends = np.append(starts[1:], len(of_slip))
    rows = np.argsort(slip, kind="stable")
    row_starts = np.append(run_starts(slip[rows]), len(rows))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if end - start == 1:
            yield Packing(((0,),), 1, True)
            continue
        of_group = rows[row_starts[start] : row_starts[end]]
        items = ItemCount(slip[of_group] - start, coded.at(of_group), profile_of(limits), work.mode.items_per_declaration.value)
        yield pack(of_slip[start:end].tolist(), limit, items.fits, items.hopeless)


def _declarations(packings: list[Packing], starts: Ints, slips: int) -> Ints:
    """The declaration (0, 1, …) of each slip."""
    declaration_of_slip, declarations = np.empty(slips, dtype=np.int64), 0
    for start, packing in zip(starts.tolist(), packings, strict=True):
        for place, members in enumerate(packing.declarations, declarations):
            declaration_of_slip[[start + member for member in members]] = place
        declarations += len(packing.declarations)
    return declaration_of_slip


def _simplified(work: Work, packed: Packed, declaration: Ints) -> tuple[Simplified, Ints]:
    """The items, and that of each row. Goods are added up by declaration first: there are fewer of them."""
    goods = packed.goods
    names = [*GOOD[1:], "by_itself"]
    columns = [pa.array(declaration), *(goods[name].combine_chunks() for name in names)]
    group, firsts = group_codes(columns, goods.num_rows)
    some = goods.select(names).take(pa.array(firsts)).combine_chunks()
    made = simplify(goods_frame(some, declaration[firsts], _sums(packed.worth, group)), profile_of(packing_of(work.mode)))
    return made, made.item_of[group]


def _split(packed: Packed, made: Simplified) -> Split:
    declaration, item_no = (made.items[name].to_numpy(dtype=np.int64) for name in ("declaration", "item_no"))
    counts = [len(packing.declarations) for packing in packed.packings]
    return Split(np.repeat(np.arange(len(counts)), counts)[declaration], declaration, item_no)


def _items(work: Work, packed: Packed, made: Simplified, item_of_row: Ints) -> pa.Table:
    """Items in their order: the header key, what `simplify` says, the sums, and what the first line of the item's own kind says."""
    goods, count = packed.goods, len(made.items)
    names = {name: pa.array(made.items[name].tolist(), pa.string()) for name in [*KIND[1:], *APART, "declared_unit_code", *UNITS, "chapter"]}
    at = pa.array(item_of_row)
    own = pc.and_(*(pc.equal(goods[name].combine_chunks(), names[name].take(at)) for name in KIND[1:]))
    rows = np.flatnonzero(own.to_numpy(zero_copy_only=False))
    rows = rows[np.lexsort((goods["first_item_no"].to_numpy()[rows], packed.slip_of_row[rows], item_of_row[rows]))]
    leading = goods.take(pa.array(rows[run_starts(item_of_row[rows])])).combine_chunks()
    first_slips = _first_slips(packed)[made.items["declaration"].to_numpy(dtype=np.int64)]
    heads = packed.slips.take(pa.array(first_slips)).combine_chunks()
    sums = (*work.mode.dictionary.summed_items, "inventory_item_count")
    summed = pa.table({"item": item_of_row, **{name: goods[name] for name in sums}}).group_by("item", use_threads=False)
    summed = summed.aggregate([(name, "sum") for name in sums]).sort_by("item")
    blank = pa.array([""] * count, pa.string())
    columns = {name: heads[name] for name in (*work.mode.header_key.value, "consignor_name", "firm_name", "first_inventory_no", "first_item_no")}
    columns |= {**names, **dict.fromkeys(_NO_VALUES, blank), "goods_spec": leading["goods_spec"]}
    columns |= {name: summed[f"{name}_sum"] for name in sums}
    columns |= {"trade_mode_code": pa.array([work.mode.code] * count, pa.string()), "simplified": pa.array(made.items["simplified"].to_numpy(dtype=np.int64))}
    columns["remark"] = pc.utf8_rtrim_whitespace(pc.binary_join_element_wise(heads["buyer_name"], heads["buyer_id_no"], " "))
    # A doubled declared quantity would be a lie: that of a chapter's line is its statutory one.
    columns["declared_quantity"] = pc.if_else(pc.equal(columns["simplified"], 1), columns["statutory_quantity"], columns["declared_quantity"])
    return pa.table(columns).combine_chunks()


def _first_slips(packed: Packed) -> Ints:
    """The first slip of each declaration."""
    _, firsts = np.unique(packed.declaration_of_slip, return_index=True)
    return firsts


def _sums(values: Units, group: Ints) -> Units:
    """Exact sums by group (0, 1, …; every one has rows)."""
    order = np.argsort(group, kind="stable")
    result: Units = np.add.reduceat(values[order], run_starts(group[order]))
    return result


def _inverse(order: Ints) -> Ints:
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return places
