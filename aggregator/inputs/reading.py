"""How inputs are to be read: what the user says of them, and where copies may be made."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.inputs.sources.room import Room
from aggregator.schemas.field import Dictionary


@dataclass(frozen=True)
class Reading:
    """`dictionary`: of the mode. `columns`: (column, heading) of the config; `sheet`: names of the sheets to read of workbooks, blank for the one that
    holds inventories; `least_known`: how many headings have to be known (0: whatever stands there is taken for headings)."""

    room: Room
    dictionary: Dictionary
    columns: tuple[tuple[str, str], ...] = ()
    chunk_bytes: int = 24 << 20
    sheets: tuple[str, ...] = ()
    least_known: int = 2
