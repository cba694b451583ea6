"""A case of pollution: what is done to the sound export on its way to bytes, and what is true afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tests.pollution.dialects import Dialect, Grid
from tests.pollution.truth import ROWS, Rows, as_sound

Fits = Callable[[Dialect], bool]


def _always(_: Dialect) -> bool:
    return True


def text_only(dialect: Dialect) -> bool:
    return dialect.format == "text"


def tables(dialect: Dialect) -> bool:
    return dialect.format in ("text", "workbook")


@dataclass(frozen=True)
class Pollution:
    """`place`: where. At most one of these changes is made before, and `data` after writing: `rows` of our columns, `grid` of
    cells, `records` of a text file. `truths`: what may be declared, and of the lines in `looks_like` what is sound. `fits`: which
    dialects it can be done in."""

    place: str
    rows: Callable[[Rows], Rows] | None = None
    grid: Callable[[Grid, Dialect], Grid] | None = None
    records: Callable[[list[str], int, Dialect], list[str]] | None = None
    data: Callable[[bytes, Dialect], bytes] | None = None
    book: Callable[[Grid], bytes] | None = None
    truths: tuple[Rows, ...] = (ROWS,)
    looks_like: tuple[Rows, ...] = ()
    fits: Fits = _always

    @property
    def allowed(self) -> tuple[Rows, ...]:
        """What may be declared; the last is what has to be accounted for."""
        return (*self.truths, *(as_sound(rows) for rows in self.looks_like))


def of_rows(place: str, rows: Rows, fits: Fits = _always, *also: Rows) -> Pollution:
    """Other lines; where they are as sound as the truth, they may be declared too, and so may the lines in `also`."""
    return Pollution(place, rows=lambda _: rows, looks_like=(*also, rows), fits=fits)


Kind = Callable[[int], Iterable[Pollution]]
"""Takes the number of the round: places rotate with it."""
KINDS: dict[str, Kind] = {}


def kind(make: Callable[[int], Iterator[Pollution]]) -> Kind:
    """Register a kind of pollution under its name, `trailing_zero` as `trailing-zero`."""
    register(make.__name__.replace("_", "-"), make)
    return make


def register(name: str, make: Kind) -> None:
    assert name not in KINDS, name
    KINDS[name] = make
