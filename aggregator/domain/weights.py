"""Weights and packages of inventories on their declarations.

An inventory whose lines all go into one declaration gives its weights there. Where its lines are spread, net weight and
tare (gross - net) are apportioned to the lines by the largest remainder at 0.00001 kg, so that the sums stay exact.
No rule for this was found in the law: it is ours [INFERENCE].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import run_starts
from aggregator.schemas.arrays import Ints
from aggregator.schemas.codes import UNIT_KILOGRAM
from aggregator.schemas.decimals import Units, roomy, scaled, unscaled


@dataclass(frozen=True)
class Shares:
    """`by_declaration`: declaration, package_count, gross_weight_kg, net_weight_kg, inventory_count of these inventories.
    `spread`: inventory_no, declaration, gross_weight_kg, net_weight_kg of those in several declarations."""

    by_declaration: pa.Table
    spread: pa.Table


def share_weights(lines: pa.Table, declaration: Ints) -> Shares:
    """In: declared lines of complete inventories with an `inventory` number (0, 1, …, lines of one standing together) and
    the declaration of each line. Header values are the same on all lines of an inventory."""
    inventory = lines["inventory"].to_numpy()
    by_item = inventory.astype(np.int64) * 1_000_000 + lines["item_no"].to_numpy()
    if np.any(np.diff(by_item) < 0):
        order = np.argsort(by_item, kind="stable")
        lines, declaration, inventory = lines.take(pa.array(order)).combine_chunks(), declaration[order], inventory[order]
    first = np.flatnonzero(np.diff(inventory, prepend=-1))
    lengths = np.diff(np.append(first, len(inventory)))
    lowest, highest = np.minimum.reduceat(declaration, first), np.maximum.reduceat(declaration, first)
    is_spread = lowest != highest
    gross, net = (scaled(lines[name].combine_chunks().take(pa.array(first))) for name in ("gross_weight_kg", "net_weight_kg"))
    packages = lines["package_count"].to_numpy()[first].astype(np.int64)
    whole = np.flatnonzero(~is_spread)
    on_lines = np.flatnonzero(np.repeat(is_spread, lengths))
    spread = _apportioned(lines, on_lines, inventory, declaration, gross, net) if len(on_lines) else _NO_SPREAD
    of_share = np.concatenate([lowest[whole], spread.declaration])
    each, (gross_of, net_of, inventories) = _summed(
        of_share, np.concatenate([gross[whole], spread.gross]), np.concatenate([net[whole], spread.net]), np.ones(len(of_share), dtype=np.int64)
    )
    packages_of = np.zeros(len(each), dtype=np.int64)
    np.add.at(packages_of, np.searchsorted(each, declaration[first]), packages)
    numbers = lines["inventory_no"].combine_chunks().take(pa.array(first))
    by_declaration = [pa.array(each), pa.array(packages_of), unscaled(gross_of), unscaled(net_of), pa.array(inventories)]
    shares = [numbers.take(pa.array(spread.place)), pa.array(spread.declaration), unscaled(spread.gross), unscaled(spread.net)]
    return Shares(
        pa.table(by_declaration, ["declaration", "package_count", "gross_weight_kg", "net_weight_kg", "inventory_count"]),
        pa.table(shares, ["inventory_no", "declaration", "gross_weight_kg", "net_weight_kg"]),
    )


def sum_weights(lines: pa.Table, declaration: Ints) -> pa.Table:
    """As `by_declaration` of Shares, where weights and packages are those of the line. In: declared lines of complete units, none
    of which is spread, and the declaration of each line."""
    amounts = {name: lines[name].cast(pa.decimal128(38, 5)) for name in ("gross_weight_kg", "net_weight_kg")}
    table = pa.table({"declaration": declaration, "package_count": lines["package_count"].cast(pa.int64()), **amounts, "inventory_no": lines["inventory_no"]})
    summed = table.group_by("declaration", use_threads=False).aggregate(
        [("package_count", "sum"), ("gross_weight_kg", "sum"), ("net_weight_kg", "sum"), ("inventory_no", "count_distinct")]
    )
    return summed.select([*(f"{name}_sum" if name != "declaration" else name for name in ("declaration", "package_count", *amounts)), "inventory_no_count_distinct"]).rename_columns(
        ["declaration", "package_count", "gross_weight_kg", "net_weight_kg", "inventory_count"]
    )


class _Spread(NamedTuple):
    """Weights by inventory (its place among all) and declaration."""

    place: Ints
    declaration: Ints
    gross: Units
    net: Units


_NO_SPREAD = _Spread(*(np.zeros(0, dtype=np.int64) for _ in range(4)))


def _summed(group: Ints, *amounts: Units) -> tuple[Ints, list[Units]]:
    """Each group once, ascending, and the exact sums of its amounts: as int64 where they must fit, as Python integers otherwise."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    starts = run_starts(ordered)
    return ordered[starts], [np.add.reduceat(roomy(each[order]), starts) if len(starts) else each for each in amounts]


def _apportioned(
    lines: pa.Table, on_lines: Ints, inventory: Ints, declaration: Ints, gross: Units, net: Units
) -> _Spread:
    """Of the inventories that are spread."""
    place_of_line = np.cumsum(np.diff(inventory, prepend=-1) != 0) - 1
    place = place_of_line[on_lines]
    start = np.flatnonzero(np.diff(place, prepend=-1))
    lengths = np.diff(np.append(start, len(place)))
    key = _apportioning_key(lines.take(pa.array(on_lines)).combine_chunks(), start, lengths)
    places = place[start]
    net_of_line = largest_remainder(net[places], key, start, lengths)
    tare_of_line = largest_remainder(gross[places] - net[places], key, start, lengths)
    room = int(declaration.max()) + 1
    each, (gross_of, net_of) = _summed(place * room + declaration[on_lines], net_of_line + tare_of_line, net_of_line)
    return _Spread(each // room, each % room, gross_of, net_of)


def _apportioning_key(lines: pa.Table, start: Ints, lengths: Ints) -> Units:
    """Statutory quantity where all lines have statutory unit 035 (kg), else total price where they share a currency,
    else 1."""

    def all_of(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.repeat(np.logical_and.reduceat(mask, start), lengths)

    in_kg = pc.equal(lines["statutory_unit_code"].combine_chunks().cast(pa.string()), UNIT_KILOGRAM)
    currency = lines["currency_code"].combine_chunks().cast(pa.string())
    first_currency = currency.take(pa.array(np.repeat(start, lengths)))
    one_currency = pc.equal(currency, first_currency)
    by_weight = all_of(in_kg.to_numpy(zero_copy_only=False))
    by_price = all_of(one_currency.to_numpy(zero_copy_only=False))
    quantity = scaled(lines["statutory_quantity"].combine_chunks())
    price = scaled(lines["total_price"].combine_chunks())
    return np.where(by_weight, quantity, np.where(by_price, price, np.ones(len(price), dtype=np.int64)))


def _largest_first(group: Ints, remainder: Ints, place: Ints, longest: int) -> Ints:
    """Rows by group, and in it from the largest remainder down, ties by place. In: the place of each row in its group, of so many at the most."""
    most = int(remainder.max())
    if (int(group[-1]) + 1) * (most + 1) * longest < 1 << 62:
        # One number says it all: to sort by one takes a fifth of the time.
        return np.argsort((group * (most + 1) + (most - remainder)) * longest + place)
    return np.lexsort((-remainder, group))


def largest_remainder(amounts: Units, key: Units, start: Ints, lengths: Ints) -> Units:
    """Apportion each amount to the rows of its group by `key` (above 0), so that the parts add up to it exactly.

    What the rounding down leaves over goes, one unit each, to the largest remainders; ties to the earlier row.
    """
    if len(key) == 0:
        return key
    biggest = int(np.max(amounts)) * int(np.max(key))
    if biggest >= 1 << 62 or int(np.max(key)) * int(np.max(lengths)) >= 1 << 62:
        amounts, key = amounts.astype(object), key.astype(object)
    whole = np.repeat(np.add.reduceat(key, start), lengths)
    product = np.repeat(amounts, lengths) * key
    parts = product // whole
    remainder = product - parts * whole
    left = amounts - np.add.reduceat(parts, start)
    group = np.repeat(np.arange(len(start)), lengths)
    if remainder.dtype == object:
        # Remainders of different wholes need no common scale: they are compared within their group only.
        remainder = pd.factorize(remainder, sort=True)[0]
    rank = np.arange(len(key)) - np.repeat(start, lengths)
    order = _largest_first(group, remainder.astype(np.int64), rank, int(np.max(lengths)))
    extra = np.zeros(len(key), dtype=np.int64)
    extra[order] = rank < np.repeat(left, lengths)
    apportioned: Units = parts + extra
    return apportioned
