"""Charts as numbers: where bars and ticks stand. Templates draw them, in pixels of a drawing that is `WIDTH` wide."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import floor, log10
from unicodedata import east_asian_width

from aggregator.schemas.text import Text

WIDTH = 360
_TOP, _PLOT, _FOOT = 12, 132, 30
"""Of a chart of columns: what stands above, how high the columns can be, what stands below."""
_LEFT, _RIGHT = 44, 8
_ROW, _BAR, _FOOT_OF_BARS = 32, 10, 22
_TICKS = 4
_NAMED = 8
"""How many names fit below columns."""
_LETTERS = 46
"""How much of a name fits on a line; a Chinese character takes two."""


@dataclass(frozen=True)
class Value:
    """One thing counted. `href`: where on the page it is told more of; `kind`: a class of its bar."""

    name: Text
    amount: int | Decimal
    href: str = ""
    kind: str = "bar"


@dataclass(frozen=True)
class Mark:
    """A bar. `x`, `y`, `width`, `height`: where it stands; `middle`: of it; `label`: what fits beside it, None where nothing does."""

    value: Value
    x: float
    y: float
    width: float
    height: float
    label: Text | None

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def told(self) -> str:
        return f"{self.value.amount:,}"


@dataclass(frozen=True)
class Tick:
    at: float
    label: Text


@dataclass(frozen=True)
class Chart:
    """`unit`: what is counted. `columns` stand upright, others lie. `base`: where they begin."""

    unit: Text
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    height: float
    base: float
    upright: bool

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def left(self) -> int:
        return _LEFT

    @property
    def right(self) -> int:
        return WIDTH - _RIGHT


def columns(values: Sequence[Value], unit: Text, named: Collection[str] | None = None) -> Chart:
    """An upright bar for each value, from left to right. `named`: which are named below, in English; else as many as there is room for."""
    every = len(values) // _NAMED + 1
    shown = {each.name.en for place, each in enumerate(values) if place % every == 0} if named is None else named
    ticks = _ticks(max((each.amount for each in values), default=0))
    most, base = ticks[-1], _TOP + _PLOT
    step = (WIDTH - _LEFT - _RIGHT) / max(len(values), 1)
    marks = []
    for place, each in enumerate(values):
        height = _part(each.amount, most) * _PLOT
        marks.append(Mark(each, _round(_LEFT + place * step + step * 0.1), _round(base - height), _round(step * 0.8), _round(height), each.name if each.name.en in shown else None))
    drawn = tuple(Tick(_round(base - _part(tick, most) * _PLOT), short(tick)) for tick in ticks)
    return Chart(unit, tuple(marks), drawn, base + _FOOT, base, True)


def bars(values: Sequence[Value], unit: Text) -> Chart:
    """A lying bar for each value, one below the other, each under its name."""
    ticks = _ticks(max((each.amount for each in values), default=0))
    most, length = ticks[-1], WIDTH - 2 * _RIGHT
    marks = [
        Mark(each, _RIGHT, place * _ROW + 18, _round(_part(each.amount, most) * length), _BAR, Text(fitting(each.name.en), fitting(each.name.zh)))
        for place, each in enumerate(values)
    ]
    base = len(values) * _ROW + 4
    drawn = tuple(Tick(_round(_RIGHT + _part(tick, most) * length), short(tick)) for tick in ticks)
    return Chart(unit, tuple(marks), drawn, base + _FOOT_OF_BARS, base, False)


def short(amount: int | Decimal) -> Text:
    """A round number in few letters."""
    return Text(_in_units(amount, ((10**9, "bn"), (10**6, "m"), (10**3, "k"))), _in_units(amount, ((10**8, "亿"), (10**4, "万"))))


def fitting(text: str) -> str:
    """As much of a name as fits on a line."""
    width = 0
    for place, letter in enumerate(text):
        width += 2 if east_asian_width(letter) in "WF" else 1
        if width > _LETTERS:
            return f"{text[: place - 1]}…"
    return text


def _in_units(amount: int | Decimal, units: tuple[tuple[int, str], ...]) -> str:
    for size, name in units:
        if amount >= size:
            return f"{(Decimal(amount) / size).normalize():f}{name}"
    return f"{Decimal(amount).normalize():,f}"


def _ticks(most: int | Decimal) -> list[int]:
    """From 0 to at least `most`, in steps of 1, 2 or 5 times a power of ten."""
    least = max(float(most), 1) / _TICKS
    power = 10 ** max(floor(log10(least)), 0)
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= least)
    count = -(-int(most) // step) if int(most) == most else int(most) // step + 1
    return [place * step for place in range(max(int(count), 1) + 1)]


def _part(amount: int | Decimal, most: int) -> float:
    """How much of the room a bar takes; what there is can be seen."""
    return max(float(Decimal(amount) / most), 0.004) if amount else 0.0


def _round(number: float) -> float:
    return round(number, 1)
