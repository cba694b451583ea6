"""Whether slips of a group fit into one declaration by the number of their items, counted as they are when simplified."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from aggregator.domain.simplify import APART, GOOD, KIND, UNITS, Profile

_MOST_REMEMBERED = 4096


class ItemCount:
    """`fits` is asked for many sets of slips that differ by one. Most are answered by a bound: goods that are joined by chapter
    are at most one item a chapter, all others at most one a good."""

    def __init__(self, goods: pd.DataFrame, profile: Profile, limit: int) -> None:
        """In: a row a good of a slip: `slip` (0, 1, …), GOOD without the declaration, `worth`, `by_itself`."""
        self._profile, self._limit = profile, limit
        good = goods.groupby(GOOD[1:], sort=True).ngroup()
        kind = goods.groupby(KIND[1:], sort=True).ngroup()
        chapter = goods["commodity_code"].str[:2]
        combination = goods.groupby([*APART, *UNITS], sort=True).ngroup()
        apart = goods["by_itself"].groupby(kind).transform("any") | (combination.groupby(chapter).transform("nunique") > 1)
        part = chapter.where(~apart, "+" + good.astype(str)).groupby(chapter.where(~apart, "+" + good.astype(str))).ngroup()
        self._room = limit - max(profile.threshold, profile.keep_top) * int(good.groupby(kind).nunique().max())
        self.always = bool(good.nunique() <= limit or part.nunique() <= self._room)
        self._rows: list[list[tuple[int, int, str, int, int, bool]]] = []
        self._goods: list[int] = []
        self._parts: list[int] = []
        self._sure: list[tuple[int, int, int]] = []
        self._known: dict[tuple[int, ...], tuple[int, int]] = {}
        if not self.always:
            self._rows = [[] for _ in range(int(goods["slip"].max()) + 1)]
            columns = zip(goods["slip"], good, kind, chapter, combination, goods["worth"], goods["by_itself"], strict=True)
            for slip, *row in columns:
                self._rows[slip].append(tuple(row))
            self._goods = _masks(goods["slip"], good, len(self._rows))
            self._parts = _masks(goods["slip"], part, len(self._rows))
            self._sure = [self._sure_of(rows) for rows in self._rows]

    def fits(self, slips: Sequence[int]) -> bool:
        if self.always:
            return True
        goods, parts = self._masks_of(slips)
        if goods.bit_count() <= self._limit or parts.bit_count() <= self._room:
            return True
        return self.count(slips) <= self._limit

    def hopeless(self, slips: Sequence[int]) -> bool:
        """Whether these slips are too many items whatever is added: a good that stands by itself stays so, and a chapter is at
        least one item."""
        if self.always:
            return False
        apart = chapters = with_apart = 0
        for slip in slips:
            apart, chapters, with_apart = (one | other for one, other in zip((apart, chapters, with_apart), self._sure[slip], strict=True))
        return apart.bit_count() + (chapters & ~with_apart).bit_count() > self._limit

    @staticmethod
    def _sure_of(rows: list[tuple[int, int, str, int, int, bool]]) -> tuple[int, int, int]:
        """Bits of the goods that stand by themselves, of all chapters, and of the chapters of such goods."""
        apart = chapters = with_apart = 0
        for good, _, chapter, _, _, by_itself in rows:
            chapters |= 1 << int(chapter)
            if by_itself:
                apart, with_apart = apart | 1 << good, with_apart | 1 << int(chapter)
        return apart, chapters, with_apart

    def _masks_of(self, slips: Sequence[int]) -> tuple[int, int]:
        former, last = tuple(slips[:-1]), slips[-1]
        known = self._known.get(former)
        if known is None:
            goods = parts = 0
            for slip in former:
                goods |= self._goods[slip]
                parts |= self._parts[slip]
            known = goods, parts
        both = known[0] | self._goods[last], known[1] | self._parts[last]
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[(*former, last)] = both
        return both

    def count(self, slips: Sequence[int]) -> int:
        """How many items `simplify` makes of these slips."""
        worth: dict[int, int] = {}
        apart: set[int] = set()
        goods: dict[int, tuple[int, str, int]] = {}
        own: dict[int, int] = {}
        for slip in slips:
            for good, kind, chapter, combination, amount, by_itself in self._rows[slip]:
                worth[kind] = worth.get(kind, 0) + amount
                own[good] = own.get(good, 0) + amount
                goods[good] = (kind, chapter, combination)
                if by_itself:
                    apart.add(kind)
        if len(worth) <= self._profile.threshold:
            return len(goods)
        ranked = sorted((kind for kind in worth if kind not in apart), key=lambda kind: (-worth[kind], kind))
        rank = {kind: place for place, kind in enumerate(ranked)}
        joined = [good for good, (kind, _, _) in goods.items() if rank.get(kind, -1) >= self._profile.keep_top]
        leaders: dict[str, int] = {}
        alike = 0
        for good in sorted(joined, key=lambda good: (rank[goods[good][0]], -own[good], good)):
            _, chapter, combination = goods[good]
            alike += leaders.setdefault(chapter, combination) == combination
        return len(goods) - alike + len(leaders)


def _masks(slip: pd.Series, place: pd.Series, count: int) -> list[int]:
    masks = [0] * count
    for each, bit in zip(slip, place, strict=True):
        masks[each] |= 1 << bit
    return masks
