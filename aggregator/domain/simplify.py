"""Simplified declaration (简化申报) of 1039: the most valuable kinds of goods one by one, the rest by tariff chapter.

A kind (品种) is a commodity code and a goods name. What the law says of all this was read in part only, on secondary pages; it is
a dated profile (schemas/modes/m1039/limits.py), and each of its points keeps its mark there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

KIND = ["declaration", "commodity_code", "goods_name"]
APART = ["destination_country_code", "currency_code"]
"""What is never added across, besides units."""
UNITS = ["statutory_unit_code", "second_statutory_unit_code"]
GOOD = [*KIND, *APART, "declared_unit_code", *UNITS]
"""What one item of its own holds one of."""


@dataclass(frozen=True)
class Profile:
    """`threshold`: kinds up to which nothing is simplified; `keep_top`: how many of the most valuable stand one by one."""

    threshold: int
    keep_top: int


@dataclass(frozen=True)
class Simplified:
    """`items`: a row an item in the order of the declaration: declaration, item_no (1, 2, …), commodity_code, goods_name, APART,
    declared_unit_code, UNITS, simplified (on chapter lines, also of one good), chapter (on those lines, else blank). `item_of`:
    for each line of the input its row in `items`. `unlike`: rows of `items` that stand by themselves because their unit differs
    from their chapter's."""

    items: pd.DataFrame
    item_of: np.ndarray
    unlike: np.ndarray


def simplify(lines: pd.DataFrame, profile: Profile) -> Simplified:
    """In: lines with GOOD as text (blank where missing), `declaration` as an integer, `worth` (whole numbers that compare across
    currencies) and `by_itself` (inspection or duty applies, or is not known). Out: see Simplified."""
    goods = lines.groupby(GOOD, sort=True, as_index=False).agg(worth=("worth", "sum"), by_itself=("by_itself", "any"))
    place = lines[GOOD].merge(goods[GOOD].reset_index(), on=GOOD, how="left")["index"].to_numpy()
    kinds = goods.groupby(KIND, sort=True, as_index=False).agg(worth=("worth", "sum"), by_itself=("by_itself", "any"))
    ranked = _ranked(kinds, profile)
    goods = goods.drop(columns=["worth", "by_itself"]).merge(ranked, on=KIND, how="left").assign(own=goods["worth"])
    goods = _by_chapter(goods)
    order = goods.sort_values(["declaration", "part", "rank", "chapter", "within", *GOOD[1:]], kind="stable")
    new = ~order.duplicated(["declaration", "part", "rank", "chapter", "line"]).to_numpy()
    item = np.cumsum(new) - 1
    firsts = order[new].reset_index(drop=True)
    item_of_good = np.empty(len(goods), dtype=np.int64)
    item_of_good[order.index.to_numpy()] = item
    is_chapter = (firsts["part"] == 3) & (firsts["line"] == "chapter")
    items = firsts[["declaration", "commodity_code", "goods_name", *APART, "declared_unit_code", *UNITS]].copy()
    # Declared quantity and unit of a chapter line are its statutory ones.
    items["declared_unit_code"] = items["declared_unit_code"].where(~is_chapter, items["statutory_unit_code"])
    items.insert(1, "item_no", items.groupby("declaration").cumcount() + 1)
    items["simplified"] = is_chapter.astype("int64")
    items["chapter"] = firsts["chapter"].where(is_chapter, "")
    unlike = np.flatnonzero((firsts["part"] == 3) & (firsts["line"] != "chapter"))
    return Simplified(items, item_of_good[place], unlike)


def _ranked(kinds: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Kinds with `part` (0: nothing is simplified, 1: by value, 2: by itself, 3: by chapter) and `rank` within it, from which the
    order of the items follows."""
    many = kinds.groupby("declaration")["worth"].transform("size") > profile.threshold
    plain = kinds[many & ~kinds["by_itself"]].assign(least=lambda frame: -frame["worth"])
    plain = plain.sort_values(["declaration", "least", "commodity_code", "goods_name"], kind="stable")
    place = plain.groupby("declaration").cumcount()
    kinds = kinds.assign(part=0, rank=0, chapter="", chapter_rank=0)
    kinds.loc[many & kinds["by_itself"], "part"] = 2
    kinds.loc[plain.index, "part"] = np.where(place < profile.keep_top, 1, 3)
    kinds.loc[plain.index, "rank"] = np.where(place < profile.keep_top, place, 0)
    kinds.loc[plain.index, "chapter_rank"] = place
    rest = kinds["part"] == 3
    kinds.loc[rest, "chapter"] = kinds.loc[rest, "commodity_code"].str[:2]
    return kinds.drop(columns=["worth", "by_itself"])


def _by_chapter(goods: pd.DataFrame) -> pd.DataFrame:
    """Goods with `line`, which item of its part a good goes into, and `within`, where that stands: the chapter's line first, under
    its most valuable kind; then goods whose unit, currency or destination is another, in key order."""
    goods = goods.assign(line="", within=0)
    own = goods["part"] != 3
    goods.loc[own, "line"] = _key(goods[own])
    rest = goods[~own].assign(least=lambda frame: -frame["own"])
    rest = rest.sort_values(["declaration", "chapter", "chapter_rank", "least", *GOOD[3:]], kind="stable")
    leader = rest.groupby(["declaration", "chapter"])[[*APART, *UNITS]].transform("first")
    alike = (rest[[*APART, *UNITS]] == leader).all(axis=1)
    within = np.where(alike, rest.groupby(["declaration", "chapter"]).cumcount(), len(goods))
    goods.loc[rest.index, "line"] = np.where(alike, "chapter", _key(rest))
    goods.loc[rest.index, "within"] = within
    return goods


def _key(goods: pd.DataFrame) -> pd.Series:
    key = goods[GOOD[1]]
    for column in GOOD[2:]:
        key = key + "\x1f" + goods[column]
    return key
