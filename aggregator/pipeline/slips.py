"""What only trade slips have when they are resolved: facts that packing needs, and the limits a slip may break by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import group_codes
from aggregator.domain.inventories import Grouped
from aggregator.domain.simplify import GOOD, Profile, simplify
from aggregator.domain.slips import apart, as_usd, most, priced_on, worths
from aggregator.model.findings import findings_of, no_findings
from aggregator.pipeline.shards import UNKNOWN
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.decimals import Units, unscaled
from aggregator.schemas.modes import Mode
from aggregator.schemas.modes.mode import Packing


def with_slip_facts(work: Work, grouped: Grouped) -> tuple[Grouped, dict[str, pa.Array]]:
    """What is wrong with slips that are too large alone; and of each line `by_itself`, `priced_on`, and where nothing says whether a
    flag applies."""
    lines = grouped.inventories.lines
    day = priced_on(lines, work.as_of)
    tariff = work.storage.read(work.shards.tariff.of("all")) if work.has_tariff else None
    facts = apart(lines, day, tariff)
    columns = {"by_itself": _zero_or_one(facts.by_itself), "priced_on": day}
    for name, values in columns.items():
        lines = lines.append_column(name, values)
    grouped = replace(grouped, inventories=replace(grouped.inventories, lines=lines))
    worth = worths(lines["total_price"].combine_chunks(), lines["currency_code"].combine_chunks(), day, work.exchange)
    return _too_large(work, grouped, worth), columns | {f"{UNKNOWN}{column}": pa.array(unknown) for column, unknown in facts.unknown.items()}


def profile_of(packing: Packing) -> Profile:
    return Profile(packing.threshold.value, packing.keep_top.value)


def goods_frame(goods: pa.Table, declaration: Ints, worth: Units) -> pd.DataFrame:
    """Goods as `simplify` takes them. In: GOOD as text, `by_itself` as 0 or 1."""
    text = {name: pc.fill_null(goods[name].cast(pa.string()), "").to_numpy(zero_copy_only=False) for name in GOOD[1:] if name in goods.column_names}
    blank = np.full(goods.num_rows, "", dtype=object)
    by_itself = pc.equal(goods["by_itself"].combine_chunks().cast(pa.string()), "1").to_numpy(zero_copy_only=False)
    return pd.DataFrame({"declaration": declaration, **{name: text.get(name, blank) for name in GOOD[1:]}, "worth": worth, "by_itself": by_itself})


def unknown_flags(mode: Mode, lines: pa.Table, listed: Mask) -> list[pa.Table]:
    """B211: commodity codes of which nothing says whether a flag applies, each once; of the lines that are listed."""
    found = [no_findings()]
    for column in (name.removeprefix(UNKNOWN) for name in lines.column_names if name.startswith(UNKNOWN)):
        places = np.flatnonzero(lines[f"{UNKNOWN}{column}"].combine_chunks().to_numpy(zero_copy_only=False) & listed)
        if not len(places):
            continue
        codes = lines["commodity_code"].combine_chunks().cast(pa.string()).take(pa.array(places))
        _, firsts = group_codes([codes], len(places))
        at = pa.array(places[firsts])
        numbers, items = (lines[name].combine_chunks().take(at) for name in ("inventory_no", "item_no"))
        found.append(findings_of(mode, "B211", column, places[firsts], codes.take(pa.array(firsts)), numbers, items))
    return found


def _zero_or_one(mask: Mask) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(mask.astype(np.int32)), pa.array(["0", "1"], pa.string()))


def _too_large(work: Work, grouped: Grouped, worth: Units) -> Grouped:
    """I109 and I110."""
    mode, inventories, packing = work.mode, grouped.inventories, packing_of(work.mode)
    if not len(inventories.starts):
        return grouped
    whole = np.add.reduceat(np.where(inventories.same_content, 0, worth), inventories.starts)
    over = np.flatnonzero(whole > most(int(packing.most_usd.value), work.exchange.scale))
    usd = unscaled(as_usd(whole[over], work.exchange.scale)).cast(pa.string()) if len(over) else pa.array([], pa.string())
    many = _over_items(mode, grouped, worth)
    bits, found = grouped.bits.copy(), [grouped.findings]
    items = pa.array([str(count) for count in many.values()], pa.string())
    for code, column, places, values in (("I109", "total_price", over, usd), ("I110", "item_no", np.array(list(many), dtype=np.int64), items)):
        bits[places] |= mode.rules.error_bit(code)
        numbers = grouped.numbers.take(pa.array(places))
        found.append(findings_of(mode, code, column, inventories.starts[places], values, numbers, pa.nulls(len(places), pa.string())))
    return replace(grouped, bits=bits, findings=pa.concat_tables(found))


def _over_items(mode: Mode, grouped: Grouped, worth: Units) -> dict[int, int]:
    """Sound slips that make too many items by themselves, and how many. Few have as many lines, and only those are looked at."""
    inventories, limit = grouped.inventories, mode.items_per_declaration.value
    long = (inventories.lengths > limit) & (grouped.bits == 0)
    if not long.any():
        return {}
    at = np.flatnonzero(long[inventories.inventory_of] & ~inventories.same_content)
    goods = inventories.lines.take(pa.array(at)).combine_chunks()
    made = simplify(goods_frame(goods, inventories.inventory_of[at], worth[at]), profile_of(packing_of(mode)))
    counts = made.items.groupby("declaration").size()
    over = counts[counts > limit]
    return dict(zip(over.index.tolist(), over.tolist(), strict=True))


def packing_of(mode: Mode) -> Packing:
    assert mode.packing is not None
    return mode.packing
