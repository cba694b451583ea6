"""What customs answers, and what is known of it. Times are those of customs: 17 digits, China time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from aggregator.model.records import State


@dataclass(frozen=True)
class ApplicationReceipt:
    """A CEB702 for a part of an application: `cop_no` is the enterprise's number of the application."""

    cop_no: str
    consignor_code: str
    part_no: int
    status: str
    at: str
    sum_no: str
    info: str


@dataclass(frozen=True)
class ResultLine:
    """Which declaration item of customs (0: not said) a line of an inventory went into."""

    inventory_no: str
    item_no: int
    customs_item_no: int
    commodity_code: str


@dataclass(frozen=True)
class Result:
    """A CEB792: one declaration of customs, or a part of it. `fields`: what is given of it (see inputs/ceb/answers.py), by name;
    `part_no` of `fields["parts"]`; `lines` may be empty in later messages."""

    summary_seq_no: str
    at: str
    part_no: int
    fields: dict[str, str]
    lines: tuple[ResultLine, ...]


@dataclass(frozen=True)
class Clearance:
    """A CEB604 or CEB606. `inventory_no` is blank for one that comes before the number. `is_summarised`: it does not say that its
    inventory is of declaration mode A. `row`: the line it begins in; `order`: platform and number of its order, as the ledger
    knows orders."""

    inventory_no: str
    message: str
    status: str
    at: str
    is_summarised: bool = True
    consignor_code: str = ""
    internal_no: str = ""
    row: int = 0
    order: str = ""
    info: str = ""


@dataclass(frozen=True)
class OrderReceipt:
    """A CEB304: what customs says of an order. `order`: its platform and number, as the ledger knows it."""

    order: str
    status: str
    at: str
    info: str


class OrderMessage:
    """As which message the ledger keeps what was said of an order: `inventory_no` holds the order then. Of each the latest."""

    ORDER = "CEB304 order"
    LIST = "CEB604 order"
    HELD = "order held"
    """A refusal of either that says "we have it already"."""
    UNDERWAY = "order underway"
    NUMBER = "order list"
    """The number that customs gave its list, in place of a status."""
    RELEASED = "order released"
    """Refused and filed anew since, in the run that stands in place of a status: what came up to then counts for nothing in it."""
    ALL = (ORDER, LIST, HELD, UNDERWAY)


class OrderStanding(NamedTuple):
    """How many orders of a run have these latest statuses: of CEB304, of CEB604, and of a refusal that undoes nothing."""

    order_status: str
    list_status: str
    held: str
    orders: int


class Sent(NamedTuple):
    """An application as it was sent to customs: in how many parts, under which number of the enterprise."""

    application_ref: str
    parts: int
    cop_no: str


class Applied(NamedTuple):
    """What an application was sent as, by which answers to it are known."""

    application_ref: str
    consignor_code: str
    run_no: int
    parts: int


@dataclass(frozen=True)
class Change:
    """What became of an application: its state, whether that is another one than before, and how many of its inventories
    changed theirs."""

    application_ref: str
    state: State
    is_new: bool
    inventories: int


@dataclass(frozen=True)
class KnownResult:
    """What is known of a declaration of customs: its fields by name, the parts of it that came, how many lines they had, and
    every declaration number it was given, the earliest first."""

    fields: dict[str, str]
    parts: tuple[int, ...]
    lines: int
    declaration_nos: tuple[str, ...]
