"""What all that is known says of applications and their inventories: pure functions of facts, which are what customs' messages
say, what a person entered, and which runs declared what. Nothing here knows in what order the facts came.

An inventory that customs has in a result, that an accepted application carries, or of which a person said that customs has it,
is never free. Where facts contradict one another it is not free, and reconciliation tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from aggregator.model.records import State
from aggregator.schemas.modes.m9610.messages import Says, says

Ints = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

RANK: tuple[State, ...] = (State.VOIDED, State.REFUSED, State.APPLIED, State.ACCEPTED, State.MERGED, State.ENTERED)
"""States from those that free an inventory to the one that says most."""
VOIDED, REFUSED, APPLIED, ACCEPTED, MERGED, ENTERED = range(len(RANK))
MAY_BECOME: dict[State, tuple[State, ...]] = {
    State.APPLIED: (State.ACCEPTED, State.REFUSED),
    State.ACCEPTED: (State.MERGED, State.REFUSED),
    State.MERGED: (State.ENTERED,),
}
"""Which states a person may enter for an application as customs' answer, by the one it is in."""


@dataclass(frozen=True)
class Receipt:
    """A CEB702 for a part of an application, with its time (17 digits)."""

    part_no: int
    status: str
    at: str
    info: str

    @property
    def says(self) -> Says:
        return says(self.status, self.info)


@dataclass(frozen=True)
class Entry:
    """What a person entered as customs' answer. `after`: its time, or the latest time of what the ledger knew then of the
    application if that is later: what was known cannot undo what was entered knowing it."""

    state: State
    after: str
    reason: str


@dataclass(frozen=True)
class Application:
    """What is known of one application. `parts`: in how many it was sent, 0 where it was not sent by this tool; `entries` in the
    order they were made in; `base`: the state of inventories that belong to no application (0), declared elsewhere or by an early
    version."""

    application_ref: str
    parts: int = 0
    voided: bool = False
    receipts: tuple[Receipt, ...] = ()
    entries: tuple[Entry, ...] = ()
    base: State = State.APPLIED

    @property
    def refused_by_hand(self) -> str:
        """After which time something has to be said of it to count against a person's word; blank where there is none."""
        return self.entries[-1].after if self.entries and self.entries[-1].state is State.REFUSED else ""


def decisive(receipts: Iterable[Receipt]) -> dict[int, Receipt]:
    """Of each part the latest receipt that accepts or refuses it; of equal times one that accepts."""
    deciding = [each for each in receipts if each.says in (Says.ACCEPTED, Says.REFUSED)]
    deciding.sort(key=lambda each: (each.part_no, each.at, each.says is Says.ACCEPTED, each.status, each.info))
    return {part_no: list(of_part)[-1] for part_no, of_part in groupby(deciding, key=lambda each: each.part_no)}


def said(application: Application) -> tuple[State, str]:
    """What its receipts and a person say of an application, and why. Results are another matter: see `settled`."""
    latest = decisive(application.receipts)
    entry = application.entries[-1] if application.entries else None
    accepted = [each for each in latest.values() if each.says is Says.ACCEPTED and each.at > application.refused_by_hand]
    if entry is not None and entry.state is not State.REFUSED:
        # Only a person takes back what a person entered.
        return entry.state, entry.reason
    if accepted:
        return State.ACCEPTED, ""
    if entry is not None:
        return State.REFUSED, entry.reason
    if application.voided:
        return State.VOIDED, ""
    refused = [each for part_no, each in sorted(latest.items()) if part_no <= application.parts]
    if application.parts and len(refused) == application.parts:
        return State.REFUSED, refused[0].info or refused[0].status
    return application.base, ""


@dataclass(frozen=True)
class Rows:
    """Declared inventories, a row each time one was declared: its inventory (0, 1, …) and its application (in the order of the
    runs). `seen`, `numbered`, `at`: of each inventory whether it is in results, whether all these have their declaration number,
    and the latest time that was said."""

    inventory: Ints
    application: Ints
    seen: Mask
    numbered: Mask
    at: Ints


@dataclass(frozen=True)
class Settled:
    """The rank (see RANK) of each application and of each row."""

    applications: Ints
    rows: Ints


def settled(applications: Sequence[Application], rows: Rows) -> Settled:
    """Which application holds each inventory, and the state of both.

    An inventory is held by the latest application that is alive. One that nobody holds and that is in a result is held by the
    latest that asked for it, and brings the whole of that application back to life, unless a person refused it knowing better."""
    count, inventory, of = len(rows.seen), rows.inventory, rows.application
    own = np.array([RANK.index(said(each)[0]) for each in applications], dtype=np.int64)
    voided = np.array([each.voided for each in applications], dtype=bool)
    whole = np.array([bool(each.application_ref) for each in applications], dtype=bool)
    by_hand = np.array([int(each.refused_by_hand or 0) for each in applications], dtype=np.int64)
    alive = own >= APPLIED
    # An application that was taken back is thought of last.
    order = (np.arange(len(applications)) - len(applications) * voided)[of]
    asked_last = order == _latest(inventory, order, count)[inventory]
    unheld = rows.seen & ~(np.bincount(inventory[alive[of]], minlength=count) > 0)
    claims = asked_last & unheld[inventory]
    alive[of[claims & whole[of] & (rows.at[inventory] > by_hand[of])]] = True
    holder = _latest(inventory, np.where(alive[of], of, -1), count)[inventory]
    held = holder == of
    dead = np.where(voided, VOIDED, REFUSED)
    holds = np.bincount(of[held], minlength=len(applications)) > 0
    states = np.where(alive & holds, _by_results(own, whole, of[held], inventory[held], rows), dead)
    of_rows = np.where(held, states[of], dead[of])
    by_result = np.where(rows.numbered, ENTERED, MERGED)[inventory]
    return Settled(states, np.where(claims & (holder < 0), by_result, of_rows))


def _latest(inventory: Ints, values: Ints, count: int) -> Ints:
    """The greatest value of each inventory."""
    found = np.full(count, np.iinfo(np.int64).min)
    np.maximum.at(found, inventory, values)
    return found


def _by_results(own: Ints, whole: Mask, application: Ints, inventory: Ints, rows: Rows) -> Ints:
    """What applications say themselves, or what results say of the inventories they hold if that is further."""
    held, seen, numbered = (
        np.bincount(application[mask], minlength=len(own))
        for mask in (np.ones(len(inventory), dtype=bool), rows.seen[inventory], (rows.seen & rows.numbered)[inventory])
    )
    merged = np.where(numbered == held, ENTERED, MERGED)
    results = np.where(seen == 0, APPLIED, np.where(seen == held, merged, ACCEPTED))
    return np.where(whole, np.maximum(own, results), own)
