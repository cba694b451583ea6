"""What a customs mode is: a value that functions take. It names its fields, rules, keys, limits and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from aggregator.schemas.field import Dictionary
from aggregator.schemas.limit import Limit
from aggregator.schemas.lines import LineSchemas
from aggregator.schemas.outputs import OutputSchemas
from aggregator.schemas.rule import RuleBook, Severity


@dataclass(frozen=True, eq=False, repr=False)
class Mode:
    """`code`: the trade mode (监管方式). `header_key`, `body_key`: what items and declarations are merged by, in sort order;
    `application_key`: what one application to customs holds one of. `deadline_day`: the last
    day of the month after a period to declare it."""

    code: str
    dictionary: Dictionary
    rules: RuleBook
    header_key: Limit[tuple[str, ...]]
    body_key: Limit[tuple[str, ...]]
    application_key: Limit[tuple[str, ...]]
    items_per_declaration: Limit[int]
    deadline_day: Limit[int]
    outputs: OutputSchemas

    @property
    def key(self) -> tuple[str, ...]:
        """The merge key, header before body, in sort order."""
        return (*self.header_key.value, *self.body_key.value)

    @cached_property
    def lines(self) -> LineSchemas:
        return LineSchemas(self.dictionary, self.rules)

    def on(self, day: date, severity: Mapping[str, Severity]) -> Mode:
        """The mode as it is on a day: with the rules in force then, and the user's own severities."""
        return replace(self, rules=self.rules.in_force(day).with_severity(severity))

    def __repr__(self) -> str:
        return f"Mode({self.code})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "lines"}
