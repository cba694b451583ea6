"""What a run or a check came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from aggregator.model.errors import Exit
from aggregator.schemas.modes import Mode
from aggregator.schemas.text import Text

EXAMPLES = 5
"""How many findings of a rule are kept to be shown."""


@dataclass(frozen=True)
class Example:
    """A finding as it is shown: where it stands and what stands there. `row` is None for what is about no row."""

    file: str
    row: int | None
    column: str
    value: str
    inventory_no: str


@dataclass(frozen=True)
class Figure:
    """What is declared of one day (yyyymmdd, 0 where it is not known), country or exit customs, in one currency."""

    value: str
    currency_code: str
    inventories: int
    amount: Decimal


@dataclass
class Outcome:
    """What a run came to; what `--json` prints. `simplified`: of rules on declaration mode A how many inventories each names, and the first;
    `routes`: how many orders have each reason for their route; `explained`: how many findings of each rule a note speaks of. For the report: `examples`, the first findings of each rule; `figures`, by
    column (see figures.py). `headings`: by file and column, the heading it has there."""

    mode: Mode
    exit_code: Exit = Exit.DONE
    period: str = ""
    run_ref: str = ""
    folder: str = ""
    published: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    totals: list[dict[str, str]] = field(default_factory=list)
    ledger_created: bool = False
    deadline: str = ""
    working_days_left: int | None = None
    undeclared: int = 0
    notes: list[Text] = field(default_factory=list)
    not_run: tuple[str, ...] = ()
    repairs: dict[str, int] = field(default_factory=dict)
    messages: int | None = None
    simplified: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    routes: dict[str, int] = field(default_factory=dict)
    explained: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    headings: dict[tuple[str, str], str] = field(default_factory=dict)
