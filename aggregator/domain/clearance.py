"""Whether and when each inventory was cleared (结关), by its lines, by receipts, by the user's word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.inventories import IDENTIFIERS, Inventories
from aggregator.schemas.modes import Mode
from aggregator.schemas.patterns import clearing_digits
from aggregator.schemas.statuses import STATUS_CLEARED, STATUS_RETURNED

NOT_KNOWN = "00000000000000000"
_FINAL_REFUSALS = ("4", STATUS_RETURNED)


@dataclass(frozen=True)
class Question:
    """What a run asks of an inventory. Periods as yyyymm; `first_period` blank: the ledger has no beginning."""

    period: str
    first_period: str
    late: bool
    assume_cleared: bool


@dataclass(frozen=True)
class Received:
    """What receipts say of inventories, one value each. `status`: latest CEB604 status, blank where there is none;
    `status_at`: its time (17 digits); `cancelled`: a cancellation (CEB606) was accepted."""

    status: np.ndarray[Any, Any]
    status_at: np.ndarray[Any, Any]
    cancelled: Mask


@dataclass(frozen=True)
class Clearing:
    """`cleared_at`: 17 digits or NOT_KNOWN; the masks say what is known of each inventory. `cancelled`: customs has cancelled
    it or sent it back for good. `refused`: by its lines, customs did not take it, and no receipt says otherwise."""

    cleared: Mask
    not_cleared: Mask
    cancelled: Mask
    refused: Mask
    cleared_at: np.ndarray[Any, Any]

    @property
    def period(self) -> np.ndarray[Any, Any]:
        return self.cleared_at.astype("U6")


def _sent_back(inventories: Inventories) -> Mask:
    """Inventories that customs has sent back (status 100), by their lines. Exports of several weeks may give other states of
    the same inventory too: one that is dated later counts; else status 100 does, for after it an inventory does not go on."""
    names, nothing = inventories.lines.column_names, np.zeros(len(inventories.starts), dtype=bool)
    if "status_code" not in names:
        return nothing
    status = inventories.lines["status_code"].combine_chunks()
    if STATUS_RETURNED not in status.dictionary.to_pylist():
        return nothing
    values = pc.fill_null(status.cast(pa.string()), "").to_numpy(zero_copy_only=False)
    returned, other = values == STATUS_RETURNED, (values != STATUS_RETURNED) & (values != "")
    found: Mask = inventories.any(returned)
    if "cleared_at" not in names or not (found & inventories.any(other)).any():
        return found
    digits = clearing_digits(inventories.lines["cleared_at"].combine_chunks())
    times = pc.cast(pc.fill_null(digits, NOT_KNOWN), pa.int64()).to_numpy()
    since = np.maximum.reduceat(np.where(returned, times, 0), inventories.starts)[inventories.inventory_of]
    return found & ~inventories.any(other & (since > 0) & (times > since))


def _says_nothing(inventories: Inventories) -> Mask:
    """Lines that give neither a number of their inventory nor a status: that of a cleared inventory may be meant."""
    lines, said = inventories.lines, np.zeros(inventories.lines.num_rows, dtype=bool)
    numbers = lines["inventory_no"]
    if "status_code" not in lines.column_names or not numbers.null_count:
        return np.zeros(len(inventories.starts), dtype=bool)
    for name in ("inventory_no", "status_code", *IDENTIFIERS):
        if name in lines.column_names:
            said |= lines[name].combine_chunks().is_valid().to_numpy(zero_copy_only=False)
    return ~inventories.any(said)


def clearing_of(
    mode: Mode, inventories: Inventories, bits: Ints, received: Received | None, question: Question | None
) -> Clearing:
    """Whether and when each inventory was cleared: by its lines, by receipts (which win), by the user's word."""
    count = len(inventories.starts)
    names = inventories.lines.column_names
    cleared, unsound = np.zeros(count, dtype=bool), bits & (mode.rules.error_bit("R117") | mode.rules.error_bit("R118")) != 0
    cleared_at = np.full(count, NOT_KNOWN)
    refused = np.zeros(count, dtype=bool)
    if "cleared_digits" in names:
        digits = inventories.lines["cleared_digits"].combine_chunks()
        given = digits.is_valid().to_numpy(zero_copy_only=False)
        cleared = inventories.any(given)
        values = pc.cast(pc.fill_null(digits, NOT_KNOWN), pa.int64()).to_numpy()
        latest = np.maximum.reduceat(values, inventories.starts) if count else values
        cleared_at = np.char.zfill(latest.astype("U17"), 17) if count else cleared_at
    if "status_code" in names:
        status = inventories.lines["status_code"].combine_chunks()
        refusal = pc.or_(
            pc.is_in(status.dictionary, value_set=pa.array(_FINAL_REFUSALS)), pc.starts_with(status.dictionary, "-")
        ).take(status.indices)
        refused = inventories.any(pc.fill_null(refusal, False).to_numpy(zero_copy_only=False)) & ~cleared
    readable = inventories.any(inventories.lines["error_bits"].to_numpy() & mode.rules.misread_bits == 0)
    cancelled = _sent_back(inventories) & ~cleared
    if received is not None:
        answered = received.status != ""
        cleared = np.where(answered, received.status == STATUS_CLEARED, cleared)
        cleared_at = np.where(answered, np.where(received.status == STATUS_CLEARED, received.status_at, NOT_KNOWN), cleared_at)
        cancelled = received.cancelled | np.where(answered, received.status == STATUS_RETURNED, cancelled)
        refused &= ~answered
        unsound &= ~answered
    not_cleared = ~cleared & ~unsound & readable & ~_says_nothing(inventories)
    if question is not None and question.assume_cleared:
        # A refusal is an answer of customs that the user's word does not undo; a time of clearance is kept.
        assumed = not_cleared & ~refused & ~cancelled
        cleared |= assumed
        not_cleared &= ~assumed
        cleared_at = np.where(assumed, question.period.ljust(17, "0"), cleared_at)
    return Clearing(cleared & ~cancelled, not_cleared & ~cancelled, cancelled, refused, cleared_at)
