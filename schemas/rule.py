"""What a rule is, and the rule book of a mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from aggregator.schemas.sources import Cite
from aggregator.schemas.text import Text

SINCE_2019 = date(2019, 1, 1)
_ORDER = "FRIBXDC"
"""The first letters of codes, in the order of the book."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Scope(StrEnum):
    """What a rule looks at. The first letter of a code is its scope, never its severity; codes are never reused."""

    FILE = "file"
    ROW = "row"
    INVENTORY = "inventory"
    BATCH = "batch"
    EXCLUSION = "exclusion"
    DECLARATION = "declaration"
    CONTROL = "control"


@dataclass(frozen=True)
class Rule:
    """One rule of the book.

    `message` says what is wrong, `remedy` what to do. `test` is the vectorised test (true = sound); rules that are established
    where they arise (by a reader, or as an exclusion) have none. Where a test `compares` columns it gets
    all of them and the finding names the first of `columns`; otherwise it is called once for each of `columns`. `typed` rules look at parsed
    numbers, the others at text. `by_column`: what the test says of a value depends on the other values of its column. A `fixed` error cannot be lowered to a warning: without it a line could not be
    identified, keyed or added. A warning about what is missing from a table of ours is reported `once_per_value`, at the first
    line that has it: on every line it would drown the rest. A warning that is `always_reported` is about what was declared before:
    it is listed whatever this run makes of the inventory. `takes_inventories`: the test takes complete inventories, and one of
    `columns`. `needs_tariff`: it runs only where the user gives a tariff table; `needs_rates`: exchange rates, and it only ever warns. `about_firms`: it is about firms or a whole
    run, and rejects nothing, whatever its severity. `reason`: of an exclusion, as users read it.
    """

    code: str
    scope: Scope
    severity: Severity
    columns: tuple[str, ...]
    message: Text
    remedy: Text
    citations: tuple[Cite, ...]
    test: Callable[..., Any] | None = None
    compares: tuple[str, ...] = ()
    typed: bool = False
    by_column: bool = False
    fixed: bool = False
    once_per_value: bool = False
    always_reported: bool = False
    takes_inventories: bool = False
    needs_tariff: bool = False
    needs_rates: bool = False
    about_firms: bool = False
    reason: str = ""
    in_force_from: date = SINCE_2019
    in_force_to: date | None = None

    @property
    def said(self) -> Text:
        """What is wrong, and what to do."""
        return Text(f"{self.message.en} {self.remedy.en}".strip(), f"{self.message.zh}{self.remedy.zh}")

    def in_force(self, day: date) -> bool:
        return self.in_force_from <= day and (self.in_force_to is None or day <= self.in_force_to)

    def sound(self, *arguments: Any) -> Any:
        """What the rule's own test says of its arguments."""
        if self.test is None:
            raise TypeError(f"{self.code} has no test")
        return self.test(*arguments)


@dataclass(frozen=True, eq=False)
class RuleBook:
    """All rules of a mode, in the order of the book."""

    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, *rules: Rule) -> RuleBook:
        return cls(tuple(sorted(rules, key=lambda rule: (_ORDER.index(rule.code[0]), rule.code))))

    @cached_property
    def by_code(self) -> dict[str, Rule]:
        return {rule.code: rule for rule in self.rules}

    def __getitem__(self, code: str) -> Rule:
        return self.by_code[code]

    def __contains__(self, code: object) -> bool:
        return code in self.by_code

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.by_code)

    @cached_property
    def index(self) -> dict[str, int]:
        """Code to its number: a finding holds numbers, for there may be millions."""
        return {code: place for place, code in enumerate(self.codes)}

    @cached_property
    def bit(self) -> dict[str, int]:
        """Codes that can reject an inventory (by default or by the config), each with its bit in a line's `error_bits`."""
        rejecting = [code for code, rule in self.by_code.items() if (code[0] in "RIB" and not (rule.needs_rates or rule.about_firms)) or code.startswith("F2")]
        if len(rejecting) > 63:
            raise ValueError("error bits no longer fit an int64")
        return {code: 1 << place for place, code in enumerate(rejecting)}

    @cached_property
    def misread_bits(self) -> int:
        """Bits of a line that could not be read as a row of cells."""
        return sum(bit for code, bit in self.bit.items() if code.startswith("F2"))

    @cached_property
    def exclusions(self) -> dict[str, Rule]:
        """Reason to its rule."""
        return {rule.reason: rule for rule in self.rules if rule.scope is Scope.EXCLUSION}

    @cached_property
    def reason_bit(self) -> dict[str, int]:
        return {reason: 1 << place for place, reason in enumerate(self.exclusions)}

    def of_scope(self, scope: Scope) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.scope is scope)

    def in_force(self, day: date) -> RuleBook:
        return RuleBook(tuple(rule for rule in self.rules if rule.in_force(day)))

    def with_severity(self, overrides: Mapping[str, Severity]) -> RuleBook:
        """The book with the user's own severities."""
        return RuleBook(tuple(replace(rule, severity=overrides.get(rule.code, rule.severity)) for rule in self.rules))

    def error_bit(self, code: str) -> int:
        """The bit of a rule that is an error; 0 where it only warns or is not in force."""
        return self.bit[code] if code in self and self[code].severity is Severity.ERROR else 0

    def codes_of(self, bits: int) -> str:
        return " ".join(code for code, bit in self.bit.items() if bits & bit)

    def reasons_of(self, bits: int) -> str:
        return " ".join(reason for reason, bit in self.reason_bit.items() if bits & bit)

    def numbers_of(self, chosen: Callable[[Rule], bool]) -> frozenset[int]:
        return frozenset(self.index[rule.code] for rule in self.rules if chosen(rule))

    @cached_property
    def once_per_value(self) -> frozenset[int]:
        return self.numbers_of(lambda rule: rule.once_per_value)

    @cached_property
    def rejecting(self) -> frozenset[int]:
        """Those that are errors."""
        return self.numbers_of(lambda rule: rule.severity is Severity.ERROR)

    @cached_property
    def always_reported(self) -> frozenset[int]:
        return self.numbers_of(lambda rule: rule.always_reported)
