"""What a run tells of its packing: which slip went where, how good each group's packing is, and what each chapter's line holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import group_codes
from aggregator.domain.slips import as_usd
from aggregator.domain.split import Split
from aggregator.model.findings import findings_of
from aggregator.outputs.checked import checked
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints
from aggregator.schemas.decimals import unscaled

if TYPE_CHECKING:
    from aggregator.pipeline.packing import Packed

_OF_GOODS = ("total_price", "declared_quantity", "package_count", "gross_weight_kg", "net_weight_kg")


def tables_of_packing(work: Work, packed: Packed, items: pa.Table, split: Split, item_of_row: Ints, refs: pa.Array) -> dict[str, pa.Table]:
    """By name, in the order of their first columns."""
    slips = packed.slips
    packing = pa.table(
        {
            "declaration_ref": refs.take(pa.array(packed.declaration_of_slip)),
            "trade_slip_no": slips["inventory_no"],
            "total_usd": unscaled(as_usd(packed.slip_worth, work.exchange.scale)),
        }
    ).take(pa.array(np.lexsort((np.arange(slips.num_rows), packed.declaration_of_slip))))
    heads = slips.take(pa.array(packed.starts))
    groups = {work.mode.dictionary[name].shown: heads[name] for name in work.mode.header_key.value}
    groups |= {
        "slips": pa.array(np.diff(np.append(packed.starts, slips.num_rows))),
        "declarations": pa.array([len(each.declarations) for each in packed.packings]),
        "lower_bound": pa.array([each.lower_bound for each in packed.packings]),
        "proven": pa.array([int(each.proven) for each in packed.packings]),
    }
    made = {"packing": packing, "packing_groups": pa.table(groups), "simplified_goods": _simplified_goods(packed, items, split, item_of_row, refs)}
    return {name: checked(work.mode, name, table) for name, table in made.items()}


def _simplified_goods(packed: Packed, items: pa.Table, split: Split, item_of_row: Ints, refs: pa.Array) -> pa.Table:
    rows = np.flatnonzero(items["simplified"].to_numpy()[item_of_row])
    goods = packed.goods.take(pa.array(rows)).combine_chunks()
    item = item_of_row[rows]
    key = ["commodity_code", "goods_name", "currency_code", "declared_unit_code"]
    group, firsts = group_codes([pa.array(item), *(goods[name].combine_chunks() for name in key)], len(rows))
    summed = pa.table({"group": group, **{name: goods[name] for name in _OF_GOODS}}).group_by("group", use_threads=False)
    summed = summed.aggregate([(name, "sum") for name in _OF_GOODS]).sort_by("group")
    at, of_item = pa.array(firsts), item[firsts]
    columns = {"item": pa.array(of_item), "declaration_ref": refs.take(pa.array(split.declaration[of_item])), "declaration_item_no": pa.array(split.item_no[of_item])}
    columns |= {name: goods[name].combine_chunks().take(at) for name in key}
    columns |= {name: summed[f"{name}_sum"].combine_chunks() for name in _OF_GOODS}
    listed = pa.table(columns).sort_by([("item", "ascending"), *((name, "ascending") for name in key)])
    order = ["declaration_ref", "declaration_item_no", *key[:2], "total_price", "currency_code", "declared_quantity", "declared_unit_code", *_OF_GOODS[2:]]
    return listed.select(order)


def findings_of_packing(work: Work, packed: Packed, items: pa.Table, split: Split, unlike: Ints, refs: pa.Array) -> pa.Table:
    """B212: goods beside their chapter's line. B214: groups whose packing may not be the best."""
    odd = items.take(pa.array(unlike)).combine_chunks()
    place = pc.binary_join_element_wise(refs.take(pa.array(split.declaration[unlike])), pa.array(split.item_no[unlike]).cast(pa.string()), "/")
    shown = pc.binary_join_element_wise(
        place, pc.binary_join_element_wise(odd["commodity_code"].combine_chunks(), odd["statutory_unit_code"].combine_chunks(), " "), ": "
    )
    open_groups = [place for place, each in enumerate(packed.packings) if not each.proven]
    heads = packed.slips.take(pa.array(packed.starts[open_groups], pa.int64())).select(work.mode.header_key.value).to_pylist()
    bounds = [(len(packed.packings[place].declarations), packed.packings[place].lower_bound) for place in open_groups]
    texts = [f"{' '.join(filter(None, head.values()))}: {made}, {bound}" for head, (made, bound) in zip(heads, bounds, strict=True)]
    return pa.concat_tables(
        [_placeless(work, "B212", "statutory_unit_code", shown), _placeless(work, "B214", "declaration_group_no", pa.array(texts, pa.string()))]
    )


def _placeless(work: Work, code: str, column: str, values: pa.Array) -> pa.Table:
    blank = pa.nulls(len(values), pa.string())
    return findings_of(work.mode, code, column, np.full(len(values), -1), values, blank, blank)
