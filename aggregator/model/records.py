"""What the ledger holds, as every room may speak of it.

Times of customs have 17 digits (China time); `at` of our own doing is ISO 8601; periods are yyyymm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import pyarrow as pa

from aggregator.model.remote import AnyPath

RUN_LIVE, RUN_VOIDED = "live", "voided"
FIRST_MODE = "9610"
"""The customs mode whose inventories a ledger has periods and deadlines for."""
DISMISSED = "dismissed"
"""The fate of what waited and of which a person said that it is never to be declared here."""
CLEARED_SINCE = "cleared"
"""The fate of what waited for customs to clear it, and was cleared since by a message that was received."""
CUSTOMS_REASON = "not_cleared"
CLOSED_REASONS = frozenset({"other_mode", "simplified", "cancelled", "before_ledger"})
"""Reasons for which this ledger will never have an inventory declared."""


class State(StrEnum):
    """How far an application has come, and with it a declared inventory. A refused or voided one is free to be declared again."""

    APPLIED = "applied"
    ACCEPTED = "accepted"
    MERGED = "merged"
    ENTERED = "entered"
    REFUSED = "refused"
    VOIDED = "voided"


LIVE_STATES = (State.APPLIED, State.ACCEPTED, State.MERGED, State.ENTERED)


def application_ref(run_ref: str, application_no: int) -> str:
    return f"{run_ref}-A{application_no:03d}"


# ------------------------------------------------------------------------------------------------------------------- runs


@dataclass(frozen=True)
class Run:
    """A recorded run. `folder`: where its files are; None for an import. `period` is blank for an import; `mode`: the customs mode."""

    run_no: int
    run_ref: str
    period: str
    state: str
    folder: AnyPath | None
    recorded_at: str
    manifest_sha256: str
    rejections_sha256: str
    mode: str = FIRST_MODE

    @property
    def live(self) -> bool:
        return self.state == RUN_LIVE


class Seen(NamedTuple):
    """An inventory that was seen and not declared: `reason` has codes of rules, or reasons; `seen_in`: the run, or the period of one that
    declared nothing."""

    inventory_no: str
    fate: str
    reason: str
    seen_period: str
    seen_in: str


@dataclass(frozen=True)
class RecordedRows:
    """The inventories of a run as they were recorded: their ids, one hash over them, and how many stand in which state, as a
    table: application_no, cleared_period, late, state, inventories_sum."""

    first_id: int
    last_id: int
    sha256: str
    tally: pa.Table


class Tally(NamedTuple):
    """How many inventories of an application of a run stand in one state."""

    application_no: int
    cleared_period: str
    late: bool
    state: str
    inventories: int


@dataclass(frozen=True)
class ApplicationStanding:
    """An application as it is shown: its key, its state and why, and how many inventories it asked for."""

    application_ref: str
    state: str
    consignor_code: str
    declarant_code: str
    declaring_customs_code: str
    premises_code: str
    inventories: int
    reason: str


@dataclass(frozen=True)
class Imported:
    """Inventories marked as declared elsewhere: under which run (blank where all were known), how many are new, how many known.
    `waiting`: those that a run saw and did not declare."""

    run_ref: str
    new: int
    known: int
    waiting: tuple[str, ...] = ()


class Event(NamedTuple):
    """An event of the chain, by its number and hash."""

    event_no: int
    hash: str


class Size(NamedTuple):
    events: int
    inventories: int


class ExportedTable(NamedTuple):
    """A table of the ledger for other programs: a name, its columns, and its rows in tables of a bounded size."""

    name: str
    schema: pa.Schema
    rows: Iterator[pa.Table]


# ------------------------------------------------------------------------------------------------------ what is known of inventories


@dataclass(frozen=True)
class Declared:
    """A declared inventory. `content` is None for one declared elsewhere; `folder`: of the run that declared it, None for an
    import; `items`: `declaration/item` of its lines, blank-separated, by item number; `cancelled`: a run has reported that
    customs has cancelled it since."""

    content: bytes | None
    run_ref: str
    folder: AnyPath | None
    items: str
    cancelled: bool

    @property
    def places(self) -> str:
        """Where it was declared, for people: `202610-01-000001/3`, declaration and item of its lines, each once."""
        items = (item.split("/") for item in dict.fromkeys(self.items.split()))
        return " ".join(f"{self.run_ref}-{int(declaration):06d}/{item_no}" for declaration, item_no in items) or self.run_ref


class Undone(NamedTuple):
    """What cancels an inventory or sends it back for good: the message, its status and its time (17 digits)."""

    message: str
    status: str
    at: str


class Customs(NamedTuple):
    """What customs' messages said of inventories, by number: the result that has it, and what undoes it. `refused`: orders that
    customs refused, and that are free to be filed anew."""

    results: dict[str, str]
    undone: dict[str, Undone]
    refused: frozenset[str] = frozenset()


Span = tuple[str, str]
"""Numbers of inventories from one to another, both included, by their bytes."""


class Known(Protocol):
    """What the ledger knows of inventories. Travels to workers that reach the ledger."""

    def of(self, numbers: pa.Array) -> tuple[dict[str, Declared], Customs]:
        """Those of the given inventories that are declared, and what customs' messages said of them."""
        ...

    def within(self, spans: Iterable[Span]) -> Iterator[tuple[dict[str, Declared], Customs]]:
        """The same of all inventories that it knows within spans that do not overlap; a bounded number at once."""
        ...


# -------------------------------------------------------------------------------------------------------------------- periods


@dataclass(frozen=True)
class Waiting:
    """Inventories not declared for one and the same reason. `open`: to be declared by the period's deadline."""

    fate: str
    reason: str
    inventories: int

    @property
    def closed(self) -> bool:
        return self.fate == DISMISSED or (self.fate == "excluded" and bool(CLOSED_REASONS & set(self.reason.split())))

    @property
    def open(self) -> bool:
        return not self.closed and not (self.fate == "excluded" and CUSTOMS_REASON in self.reason.split())


def kept_period(mode: str, period: str) -> str:
    """The period under which the ledger keeps a unit: those of another mode than the first are cleared in no month, have no deadline, and
    are not to be counted to the inventories of a month."""
    return period if mode == FIRST_MODE else f"{mode}:{period}"


@dataclass(frozen=True)
class Example:
    inventory_no: str
    fate: str
    reason: str
    seen_in: str


@dataclass(frozen=True)
class PeriodFacts:
    """What the ledger knows of a period. `states`: declared inventories cleared in it, by state; `cancelled`: how many of these
    customs has cancelled or sent back since. `cleared`: how many customs cleared in it, by the receipts that were received;
    `unseen`: those of them that are in no state here: never in an export, so far."""

    states: dict[str, int] = field(default_factory=dict)
    late: int = 0
    runs: list[str] = field(default_factory=list)
    declarations: int = 0
    cancelled: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    cleared: int = 0
    unseen: int = 0
    unseen_examples: list[str] = field(default_factory=list)

    @property
    def declared(self) -> int:
        return sum(self.states.get(state, 0) for state in LIVE_STATES)

    @property
    def undeclared(self) -> int:
        return sum(each.inventories for each in self.waiting if each.open) + self.unseen
