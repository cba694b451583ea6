"""A dated parameter with its citation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from aggregator.schemas.sources import Cite

T = TypeVar("T")


@dataclass(frozen=True)
class Limit(Generic[T]):
    value: T
    cite: Cite
    in_force_from: date
