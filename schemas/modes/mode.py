"""What a customs mode is: a value that functions take. It names its fields, rules, keys, limits and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from aggregator.schemas.field import Dictionary
from aggregator.schemas.limit import Limit
from aggregator.schemas.lines import LineSchemas
from aggregator.schemas.outputs import OutputSchemas
from aggregator.schemas.rule import RuleBook, Severity
from aggregator.schemas.text import Text


class Procedure(StrEnum):
    """What becomes of the sound units of a mode: the step of the line in which modes differ."""

    MERGE = "merge"
    """All lines are merged by a key, and the items cut into declarations."""
    PACK = "pack"
    """Units are packed whole into declarations of limited value, and the goods of each simplified."""
    ROUTE = "route"
    """Each unit is declared by itself, or listed."""


@dataclass(frozen=True)
class Packing:
    """`most_usd`: what a declaration may be worth; `threshold`: kinds of goods up to which nothing is simplified; `keep_top`: how
    many of the most valuable stand one by one."""

    most_usd: Limit[Decimal]
    threshold: Limit[int]
    keep_top: Limit[int]


@dataclass(frozen=True)
class Routing:
    """`list_cny`: what a list may be worth, inclusive, rounded to the cent; `attached_category`: of the document that a declaration names its
    order by; `sku_on_a_list`: characters of an item number there."""

    list_cny: Limit[Decimal]
    attached_category: Limit[str]
    sku_on_a_list: Limit[int]


@dataclass(frozen=True)
class Wording:
    """What users read of a mode: its name, what a report is headed by, what its declarations are good for, and what its units are
    called (one and many)."""

    title: Text
    heading: Text
    standing: Text
    unit: Text
    units: Text


SUMMARY = Wording(
    Text("cross-border e-commerce retail export", "跨境电商零售出口"), Text("Summary declarations", "汇总申报"),
    Text(
        "A forecast and a check: customs builds the declarations from its own copy of the inventories.",
        "本结果为预测与核对：报关单由海关依据其清单数据生成。",
    ),
    Text("inventory", "清单"), Text("inventories", "清单"),
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Mode:
    """`code`: the trade mode (监管方式). `header_key`, `body_key`: what items and declarations are merged by, in sort order;
    `application_key`: what one application to customs holds one of. `deadline_day`: the last
    day of the month after a period to declare it, None where a mode has no such day. `packing`: of a mode that packs; `routing`: of one that
    chooses a route for each unit."""

    code: str
    dictionary: Dictionary
    rules: RuleBook
    header_key: Limit[tuple[str, ...]]
    body_key: Limit[tuple[str, ...]]
    application_key: Limit[tuple[str, ...]]
    items_per_declaration: Limit[int]
    deadline_day: Limit[int] | None
    outputs: OutputSchemas
    procedure: Procedure = Procedure.MERGE
    packing: Packing | None = None
    routing: Routing | None = None
    wording: Wording = SUMMARY

    @property
    def waits_for_clearing(self) -> bool:
        """Whether units are declared only once customs has cleared them, with the month it did."""
        return bool(self.dictionary.status_columns)

    @property
    def prices_units(self) -> bool:
        """Whether exchange rates decide what becomes of a unit."""
        return self.packing is not None or self.routing is not None

    @property
    def numbers_items(self) -> bool:
        """Whether lines may come without item numbers, and are numbered here."""
        return not self.dictionary["item_no"].required

    @property
    def key(self) -> tuple[str, ...]:
        """The merge key, header before body, in sort order."""
        return (*self.header_key.value, *self.body_key.value)

    @cached_property
    def lines(self) -> LineSchemas:
        return LineSchemas(self.dictionary, self.rules)

    def on(self, day: date, severity: Mapping[str, Severity]) -> Mode:
        """The mode as it is on a day: with the rules in force then, and the user's own severities."""
        rules = self.rules.in_force(day)
        key = (tuple(rule.code for rule in rules.rules), tuple(sorted(severity.items())))
        if key not in self._on:
            # A mode of its own for each day would make its schemas anew each time.
            self._on[key] = replace(self, rules=rules.with_severity(severity))
        return self._on[key]

    @cached_property
    def _on(self) -> dict[tuple[tuple[str, ...], tuple[tuple[str, Severity], ...]], Mode]:
        return {}

    def __repr__(self) -> str:
        return f"Mode({self.code})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("lines", "_on")}
