"""Pack whole units (trade slips) into the fewest declarations of limited value and item count.

Up to 20 units the fewest is proven by a search; beyond, the better of first-fit and best-fit decreasing is taken and the lower
bound reported. Values are whole numbers of one common smallest part: exact, whatever the rates. Units and declarations come in a
canonical order, so that the order of the input changes nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PROVEN_UP_TO = 20
"""Units of a group up to which the fewest declarations are searched for."""
_MOST_STEPS = 200_000
"""Steps of the search, a bound on its time; a search that is cut off proves nothing."""

Fits = Callable[[Sequence[int]], bool]


def never(units: Sequence[int]) -> bool:
    return False



@dataclass(frozen=True)
class Packing:
    """`declarations`: positions of the units in each, ascending; declarations in the order of their first unit. `lower_bound`:
    fewer cannot do. `proven`: no packing has fewer declarations."""

    declarations: tuple[tuple[int, ...], ...]
    lower_bound: int
    proven: bool


def pack(values: Sequence[int], limit: int, fits: Fits, hopeless: Fits = never) -> Packing:
    """In: the value of each unit, in the canonical order of the units, none above the limit; whether units (positions) fit into
    one declaration but for their value, which holds for each unit alone; whether they do not, whatever is added to them (what may
    not share a declaration now may share it with one more: goods that are joined by chapter are fewer items)."""
    if not values:
        return Packing((), 0, True)
    bound = lower_bound(values, limit)
    order = sorted(range(len(values)), key=lambda place: (-values[place], place))
    best = min((_first_fit(order, values, limit, fits), _best_fit(order, values, limit, fits)), key=len)
    proven = len(best) == bound
    if not proven and len(values) <= PROVEN_UP_TO:
        search = _Search(order, values, limit, fits, hopeless, bound, best)
        best, proven = search.run()
    declarations = sorted(tuple(sorted(each)) for each in best)
    return Packing(tuple(declarations), bound, proven)


def lower_bound(values: Sequence[int], limit: int) -> int:
    """Martello and Toth's second bound: never below the total divided by the limit, rounded up."""
    ascending = sorted(values)
    total = sum(ascending)
    best = -(-total // limit)
    for small in sorted({value for value in ascending if value * 2 <= limit} | {0}):
        large = len(ascending) - bisect_left(ascending, limit - small + 1)
        middle_from = bisect_left(ascending, limit // 2 + 1)
        middle = ascending[middle_from : len(ascending) - large]
        small_ones = ascending[bisect_left(ascending, small) : middle_from]
        room = len(middle) * limit - sum(middle)
        best = max(best, large + len(middle) + max(0, -(-(sum(small_ones) - room) // limit)))
    return best


def _first_fit(order: Sequence[int], values: Sequence[int], limit: int, fits: Fits) -> list[list[int]]:
    """First-fit decreasing; the first declaration with room is found in a tree of what is left."""
    size = 1
    while size < len(order):
        size *= 2
    left = [0] * (2 * size)
    bins: list[list[int]] = []

    def update(place: int, room: int) -> None:
        node = size + place
        left[node] = room
        while node > 1:
            node //= 2
            left[node] = max(left[2 * node], left[2 * node + 1])

    def first_with(room: int, begin: int) -> int:
        """The first declaration from `begin` on with so much room; -1 where there is none."""
        node, low, span = 1, 0, size
        stack = [(node, low, span)]
        while stack:
            node, low, span = stack.pop()
            if low + span <= begin or left[node] < room:
                continue
            if span == 1:
                return low
            half = span // 2
            stack += [(2 * node + 1, low + half, half), (2 * node, low, half)]
        return -1

    for unit in order:
        place = first_with(values[unit], 0) if values[unit] else (0 if bins else -1)
        while place >= 0 and place < len(bins) and not fits([*bins[place], unit]):
            place = first_with(values[unit], place + 1)
        if place < 0 or place >= len(bins):
            bins.append([unit])
            update(len(bins) - 1, limit - values[unit])
        else:
            bins[place].append(unit)
            update(place, left[size + place] - values[unit])
    return bins


def _best_fit(order: Sequence[int], values: Sequence[int], limit: int, fits: Fits) -> list[list[int]]:
    """Best-fit decreasing: the declaration that is left fullest."""
    bins: list[list[int]] = []
    rooms: list[tuple[int, int]] = []
    for unit in order:
        at = bisect_left(rooms, (values[unit], -1))
        while at < len(rooms) and not fits([*bins[rooms[at][1]], unit]):
            at += 1
        if at == len(rooms):
            bins.append([unit])
            insort(rooms, (limit - values[unit], len(bins) - 1))
        else:
            room, place = rooms.pop(at)
            bins[place].append(unit)
            insort(rooms, (room - values[unit], place))
    return bins


class _Search:
    """Depth first: each unit, by falling value, into each declaration that has room, then into a new one."""

    def __init__(
        self, order: Sequence[int], values: Sequence[int], limit: int, fits: Fits, hopeless: Fits, bound: int, best: list[list[int]]
    ) -> None:
        self._order, self._values, self._limit, self._fits, self._hopeless, self._bound = order, values, limit, fits, hopeless, bound
        self._best = best
        self._rest = [0] * (len(order) + 1)
        for place in range(len(order) - 1, -1, -1):
            self._rest[place] = self._rest[place + 1] + values[order[place]]
        self._steps = 0
        self._refused = False

    def run(self) -> tuple[list[list[int]], bool]:
        """The best packing, and whether nothing is better. Whether units fit is asked once all are placed."""
        self._place(0, [], [])
        return self._best, len(self._best) == self._bound or self._steps < _MOST_STEPS

    def _place(self, depth: int, bins: list[list[int]], rooms: list[int]) -> None:
        self._steps += 1
        if len(self._best) == self._bound or self._steps >= _MOST_STEPS:
            return
        if depth == len(self._order):
            if all(self._fits(each) for each in bins):
                self._best = [list(each) for each in bins]
            else:
                self._refused = True
            return
        missing = max(0, self._rest[depth] - sum(rooms))
        if len(bins) + -(-missing // self._limit) >= len(self._best):
            return
        unit = self._order[depth]
        value = self._values[unit]
        tried: set[int] = set()
        for place, room in enumerate(rooms):
            if value > room:
                continue
            if self._hopeless([*bins[place], unit]):
                self._refused = True
                continue
            if room in tried and not self._refused:
                # Declarations with the same room are alike.
                continue
            tried.add(room)
            bins[place].append(unit)
            rooms[place] -= value
            self._place(depth + 1, bins, rooms)
            rooms[place] += value
            bins[place].pop()
        if len(bins) + 1 < len(self._best):
            self._place(depth + 1, [*bins, [unit]], [*rooms, self._limit - value])
