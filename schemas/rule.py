"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from aggregator.schemas.sources import Cite
from aggregator.schemas.text import Text

SINCE_2019 = date(2019, 1, 1)


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

    `message` says what is wrong, `remedy` what to do. `test` is the vectorised test (true = sound); rules of scope file,
    exclusion, declaration and control are established where they arise and have none. Where a test `compares` columns it gets
all of them and the finding names the first of `columns`; otherwise it is called once for each of `columns`. `typed` rules look at parsed
    numbers, the others at text. A `fixed` error cannot be lowered to a warning: without it a line could not be
    identified, keyed or added. A warning about what is missing from a table of ours is told `once_per_value`, at the first
    line that has it: on every line it would drown the rest. A warning that is `told_always` is about what was declared before:
    it is listed whatever this run makes of the inventory.
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
    fixed: bool = False
    once_per_value: bool = False
    told_always: bool = False
    in_force_from: date = SINCE_2019
    in_force_to: date | None = None
