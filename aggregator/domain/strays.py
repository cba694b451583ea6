"""Stray lines: lines that do not say which inventory they belong to, and what may tie them to one.

Without such a line an inventory may look whole (its item numbers still are 1..n where the last line strays), so what is tied to
a stray is not declared. Pure functions of frames; ties.py reads what they look at.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import group_codes
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.inventories import IDENTIFIERS
from aggregator.schemas.modes import Mode
from aggregator.schemas.patterns import INVENTORY_NO, SCIENTIFIC

_PLAUSIBLE = "[0-9A-Z]*(?:[0-9][0-9A-Z]*){5}"
"""A number of another shape than customs': letters and digits, at least five of them digits."""


class Naming(IntEnum):
    """What stands as a line's inventory number."""

    NOTHING = 0
    """No number: blank, a remark, something illegible."""
    ODD = 1
    SHAPED = 2


class Kind(IntEnum):
    """What has a value that others have too: a stray line, or an inventory."""

    STRAY = 0
    ODD = 1
    INCOMPLETE = 2
    """Rejected because a line is missing."""
    SOUND = 3


SHARED = pa.schema(
    [("value", pa.string()), ("kind", pa.int8()), ("unit", pa.int32()), ("inventory_no", pa.string()), ("chunk", pa.int32()), ("line", pa.int64())]
)
"""Who has a value: kind (see Kind), the unit that resolves the inventory, its number (none for a stray), where it stands."""
TIED = pa.schema([("unit", pa.int32()), ("inventory_no", pa.string()), ("chunk", pa.int32()), ("line", pa.int64())])
"""Inventories that something is tied to; chunk and line are those of what is tied to them."""


def _match(values: pa.Array, pattern: str) -> Mask:
    found = pc.fill_null(pc.match_substring_regex(values, rf"\A(?:{pattern})\z"), False)
    return np.array(found.to_numpy(zero_copy_only=False), dtype=bool)


def naming(mode: Mode, numbers: pa.Array) -> Ints:
    """See Naming: what numbers are where their line can be read. In: dictionary encoded, null where there is none."""
    values = numbers.dictionary
    of_value = np.full(len(values) + 1, Naming.SHAPED, dtype=np.int8)
    of_value[-1] = Naming.NOTHING
    # Numbers that others give have no shape to tell them by.
    if mode.dictionary["inventory_no"].kind != "given":
        shaped = _match(values, INVENTORY_NO)
        rest = np.flatnonzero(~shaped)
        others = values.take(pa.array(rest))
        of_value[rest] = np.where(_match(others, _PLAUSIBLE) & ~_match(others, SCIENTIFIC), Naming.ODD, Naming.NOTHING)
    found: Ints = of_value[pc.fill_null(numbers.indices, len(values)).to_numpy()]
    return found


def naming_of(mode: Mode, table: pa.Table) -> Ints:
    """Of lines or of inventories. In: `naming` of the number alone, and the rules that are broken. What stands in lines that are no
    rows of cells counts only where it has customs' shape."""
    bits = table["error_bits" if "error_bits" in table.column_names else "bits"].to_numpy()
    named, misread = table["naming"].to_numpy(), bits & mode.rules.misread_bits != 0
    shapeless = named == Naming.ODD if mode.dictionary["inventory_no"].kind != "given" else True
    return np.where(misread & shapeless, Naming.NOTHING, named)


def meant(numbers: pa.Array) -> pa.Array:
    """The number of customs' shape that a number is but for characters that are no part of one; else null."""
    bare = pc.replace_substring_regex(numbers, "[^0-9A-Z]", "")
    return pc.if_else(pa.array(_match(bare, INVENTORY_NO)), bare, None)


def beside(
    strays: pa.Table, before: pa.Table, after: pa.Table, sound: Mask, claiming: Mask
) -> tuple[Mask, Mask]:
    """Which strays are tied to the inventory of the nearest line before and after that has one (null where none has).

    `sound`: nothing but the number is wrong with the stray. `claiming`: it is tied by an identifier. A sound stray is tied to
    what stands beside it where no identifier speaks for or against it, and its item number comes after those there: an
    inventory that lacks any line but its last has a gap. Of others nothing is trusted: they are tied to what stands before
    them, and to what follows unless that plainly begins there.
    """
    item, former, latter = (_items(each) for each in (strays, before, after))
    begins = (former > 1) & (latter == 1)
    tied = []
    for other, items in ((before, former), (after, latter)):
        there = np.asarray(other["inventory_no"].is_valid(), dtype=bool)
        follows = (item == 0) | (items == 0) | (item > items)
        tied.append(there & (~sound | (~claiming & ~_comparable(strays, other) & follows)))
    return tied[0], tied[1] & ~begins


def _items(lines: pa.Table) -> Ints:
    return np.asarray(pc.fill_null(lines["item_no"], 0).to_numpy(), dtype=np.int64)


def _comparable(lines: pa.Table, others: pa.Table) -> Mask:
    """Where some identifier is given on both sides: it differs, or an identifier would tie them."""
    result = np.zeros(lines.num_rows, dtype=bool)
    for name in IDENTIFIERS:
        result |= np.asarray(pc.and_(lines[name].is_valid(), others[name].is_valid()), dtype=bool)
    return result


def tied_by_value(shared: pa.Table) -> pa.Table:
    """In: SHARED. Out: TIED: inventories that share a value with a stray, with an incomplete inventory, or (one with an odd
    number and one with a number of customs' shape) with one another."""
    frame = shared.to_pandas().sort_values(["value", "chunk", "line"], kind="stable")
    kind = frame["kind"]
    of_value = {each: (kind == each).groupby(frame["value"]).transform("any") for each in Kind}
    shaped = of_value[Kind.INCOMPLETE] | of_value[Kind.SOUND]
    doubtful = frame[kind != Kind.SOUND].groupby("value")[["chunk", "line"]].first()
    tied = of_value[Kind.STRAY] | (of_value[Kind.INCOMPLETE] & (kind != Kind.INCOMPLETE)) | (of_value[Kind.ODD] & shaped & (kind != Kind.INCOMPLETE))
    frame = frame[tied & (kind != Kind.STRAY)].drop(columns=["chunk", "line"])
    if not len(frame):
        return TIED.empty_table()
    frame = frame.join(doubtful, on="value")
    return pa.Table.from_pandas(frame[TIED.names], schema=TIED, preserve_index=False)


def first_of_each(tied: pa.Table) -> pa.Table:
    """Of several ties of an inventory the first in input order."""
    ordered = tied.take(pa.array(np.lexsort((tied["line"].to_numpy(), tied["chunk"].to_numpy())))).combine_chunks()
    _, firsts = group_codes([ordered[name].combine_chunks() for name in ("unit", "inventory_no")], ordered.num_rows)
    return ordered.take(pa.array(firsts)).combine_chunks()


def is_cut_off(one: str, other: str) -> bool:
    """Whether one number is the other with its beginning or end, or one character, or what is no part of a number, missing."""
    short, long = sorted((one, other), key=len)
    if len(short) == len(long):
        return False
    if short and (long.startswith(short) or long.endswith(short)):
        return True
    missing = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    bare = "".join(letter for letter in long if letter.isalnum())
    return bare == short or long[:missing] + long[missing + 1 :] == short


def cut_off_pairs(lines: pa.Table, wanted: pa.Array, telling: Callable[[pa.Array], pa.Array]) -> pd.DataFrame:
    """Lines that stand side by side where one number is the other's cut off, one of the two is wanted or only one has customs'
    shape, and no sound identifiers tell them apart: place of the first of the two, once for each pair of numbers. In: lines
    that have a number (null beyond the ends of a file), with `error_bits`; `telling` makes null the identifiers that do not tell one
    inventory from others."""
    numbers = lines["inventory_no"].combine_chunks()
    former, latter = numbers.slice(0, max(len(lines) - 1, 0)), numbers.slice(1)
    places = np.flatnonzero(pc.fill_null(pc.not_equal(former, latter), False).to_numpy(zero_copy_only=False))
    sides = [side.take(pa.array(places)) for side in (former, latter)]
    is_wanted = np.logical_or(*(pc.is_in(side, value_set=wanted).to_numpy(zero_copy_only=False) for side in sides))
    shaped = [_match(side, INVENTORY_NO) for side in sides]
    places = places[is_wanted | (shaped[0] != shaped[1])]
    faulty = pc.fill_null(lines["error_bits"], 0).to_numpy() != 0
    first, second = (lines.take(pa.array(at)).combine_chunks() for at in (places, places + 1))
    told = [pa.table({name: telling(side[name].combine_chunks()) for name in IDENTIFIERS}) for side in (first, second)]
    places = places[~(_comparable(*told) & ~faulty[places] & ~faulty[places + 1])]
    frame = pd.DataFrame({"place": places, "former": former.take(pa.array(places)).to_pylist(), "latter": latter.take(pa.array(places)).to_pylist()})
    frame = frame.drop_duplicates(["former", "latter"])
    pairs = zip(frame["former"], frame["latter"], strict=True)
    return frame[np.array([is_cut_off(one, other) for one, other in pairs], dtype=bool)]
