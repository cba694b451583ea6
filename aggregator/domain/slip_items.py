"""Whether slips of a group fit into one declaration by the number of their items, counted as they are when simplified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import ranked_codes
from aggregator.domain.simplify import APART, GOOD, KIND, UNITS, Profile
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.decimals import Units

_MOST_REMEMBERED = 4096


@dataclass(frozen=True)
class Goods:
    """Goods of slips as numbers that stand in the order of what they stand for: of the good, its kind, its chapter, and what is never
    added across."""

    good: Ints
    kind: Ints
    chapter: Ints
    combination: Ints
    worth: Units
    by_itself: Mask

    def at(self, places: Ints) -> Goods:
        return Goods(*(getattr(self, name)[places] for name in ("good", "kind", "chapter", "combination", "worth", "by_itself")))


def goods_of(table: pa.Table, worth: Units) -> Goods:
    """In: GOOD without the declaration as text, `by_itself` as 0 or 1."""
    good, kind, combination = (ranked_codes(table.select(names)) for names in (GOOD[1:], KIND[1:], [*APART, *UNITS]))
    chapter = pc.utf8_slice_codeunits(table["commodity_code"].combine_chunks().cast(pa.string()), 0, 2).cast(pa.int64()).to_numpy()
    by_itself = pc.equal(table["by_itself"].combine_chunks(), "1").to_numpy(zero_copy_only=False)
    return Goods(good, kind, chapter, combination, worth, by_itself)


class ItemCount:
    """`fits` is asked for many sets of slips that differ by one. Most are answered by a bound: goods that are joined by chapter
    are at most one item a chapter, all others at most one a good."""

    def __init__(self, slip: Ints, goods: Goods, profile: Profile, limit: int) -> None:
        """`slip`: of each good (0, 1, …)."""
        self._profile, self._limit = profile, limit
        distinct, good = np.unique(goods.good, return_inverse=True)
        pairs = np.unique(np.column_stack([goods.chapter, goods.combination]), axis=0)
        mixed = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
        apart = np.isin(goods.kind, goods.kind[goods.by_itself]) | np.isin(goods.chapter, mixed)
        parts, part = np.unique(np.where(apart, good, -1 - goods.chapter), return_inverse=True)
        of_kind = np.unique(np.column_stack([goods.kind, good]), axis=0)[:, 0]
        self._room = limit - max(profile.threshold, profile.keep_top) * int(np.unique(of_kind, return_counts=True)[1].max())
        self.always = len(distinct) <= limit or len(parts) <= self._room
        self._rows: list[list[tuple[int, int, int, int, int, bool]]] = []
        self._known: dict[tuple[int, ...], tuple[int, int]] = {}
        if not self.always:
            count = int(slip.max()) + 1
            self._rows = [[] for _ in range(count)]
            columns = (good, goods.kind, goods.chapter, goods.combination, goods.worth, goods.by_itself)
            for each, *row in zip(slip.tolist(), *(column.tolist() for column in columns), strict=True):
                self._rows[each].append(tuple(row))
            self._goods, self._parts = _masks(slip, good, count), _masks(slip, part, count)
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
    def _sure_of(rows: list[tuple[int, int, int, int, int, bool]]) -> tuple[int, int, int]:
        """Bits of the goods that stand by themselves, of all chapters, and of the chapters of such goods."""
        apart = chapters = with_apart = 0
        for good, _, chapter, _, _, by_itself in rows:
            chapters |= 1 << chapter
            if by_itself:
                apart, with_apart = apart | 1 << good, with_apart | 1 << chapter
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
        goods: dict[int, tuple[int, int, int]] = {}
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
        leaders: dict[int, int] = {}
        alike = 0
        for good in sorted(joined, key=lambda good: (rank[goods[good][0]], -own[good], good)):
            _, chapter, combination = goods[good]
            alike += leaders.setdefault(chapter, combination) == combination
        return len(goods) - alike + len(leaders)


def _masks(slip: Ints, place: Ints, count: int) -> list[int]:
    masks = [0] * count
    for each, bit in zip(slip.tolist(), place.tolist(), strict=True):
        masks[each] |= 1 << bit
    return masks
