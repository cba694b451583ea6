"""Each inventory's fate: excluded over rejected over declared.

An exclusion holds only by sound values: what decides it must be known and the same on all lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.clearance import Clearing, Question, Received
from aggregator.model.records import Customs, Declared
from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.codes import DECLARATION_MODE_SIMPLIFIED, code_list
from aggregator.schemas.inventories import Inventories
from aggregator.schemas.modes import Mode
from aggregator.schemas.statuses import CANCELLATION, STATUS_RETURNED


class Verdict(IntEnum):
    """The fate of a line."""

    DECLARED = 0
    LATE = 1
    REJECTED = 2
    EXCLUDED = 3
    REPEAT = 4


def exclusions(
    mode: Mode, inventories: Inventories, bits: Ints, clearing: Clearing, question: Question | None, known: Mask
) -> tuple[Ints, Mask]:
    """Reason bits (RuleBook.reason_bit) of each inventory, and which inventories are late. `known`: declared before, same content."""
    count = len(inventories.starts)
    reasons, bit = np.zeros(count, dtype=np.int64), mode.rules.reason_bit
    modes = sorted(code_list("trade_mode").codes - {mode.code})
    reasons[_all_lines_say(mode, inventories, "trade_mode_code", modes)] |= bit["other_mode"]
    if "simplified" in bit:
        simplified = _all_lines_say(mode, inventories, "declaration_mode_code", [DECLARATION_MODE_SIMPLIFIED])
        reasons[simplified] |= bit["simplified"]
    reasons[known] |= bit["known"]
    if question is None or not mode.waits_for_clearing:
        return reasons, np.zeros(count, dtype=bool)
    reasons[clearing.cancelled] |= bit["cancelled"]
    reasons[clearing.not_cleared & ~known] |= bit["not_cleared"]
    period, dated = clearing.period, clearing.cleared & ~known
    reasons[dated & (period > question.period)] |= bit["later_period"]
    before = dated & (period < question.first_period)
    reasons[before] |= bit["before_ledger"]
    late = dated & (period < question.period) & ~before
    if not question.late:
        reasons[late] |= bit["late_held"]
    return reasons, late & (reasons == 0)


def _all_lines_say(mode: Mode, inventories: Inventories, column: str, values: list[str]) -> Mask:
    """Inventories whose lines all hold one of `values`, the same one; lines that could not be read do not count."""
    if column not in inventories.lines.column_names:
        return np.zeros(len(inventories.starts), dtype=bool)
    column_values = inventories.lines[column].combine_chunks()
    one_of = pc.is_in(column_values.dictionary, value_set=pa.array(values, pa.string())).take(column_values.indices)
    says = pc.fill_null(one_of, False).to_numpy(zero_copy_only=False)
    misread = inventories.lines["error_bits"].to_numpy() & mode.rules.misread_bits != 0
    if misread.any():
        return inventories.any(says) & ~inventories.any(~says & ~misread)
    result: Mask = ~inventories.any(~says) & ~inventories.differs(column)
    return result


def verdicts(inventories: Inventories, bits: Ints, reasons: Ints, late: Mask) -> tuple[Ints, Ints]:
    """Out: the verdict of each inventory, and of each line (a repeated line is one, whatever its inventory's fate)."""
    of_inventory = np.where(
        reasons != 0,
        Verdict.EXCLUDED,
        np.where(bits != 0, Verdict.REJECTED, np.where(late, Verdict.LATE, Verdict.DECLARED)),
    ).astype(np.int64)
    of_line = of_inventory[inventories.inventory_of]
    of_line[inventories.same_content & (of_line != Verdict.EXCLUDED)] = Verdict.REPEAT
    return of_inventory, of_line


def with_customs(
    in_ledger: dict[str, Declared], received: Received | None, customs: Customs, numbers: pa.Array
) -> tuple[dict[str, Declared], Received | None]:
    """What was received of customs before counts too: what it has in a result is as good as declared, what it cancelled or sent
    back is not declared, unless a receipt of now is later."""
    elsewhere = {number: Declared(None, seq_no, None, "", True) for number, seq_no in customs.results.items() if number not in in_ledger}
    if not customs.undone:
        return elsewhere | in_ledger, received
    blank = np.full(len(numbers), "", dtype="U17")
    status, status_at = (blank, blank) if received is None else (received.status.astype("U17"), received.status_at.astype("U17"))
    undone = [customs.undone.get(number) if number is not None else None for number in numbers.to_pylist()]
    cancelled = np.array([said is not None and said.message == CANCELLATION for said in undone], dtype=bool)
    at = np.array([said.at if said is not None and said.message != CANCELLATION else "" for said in undone], dtype="U17")
    status, status_at = np.where(at > status_at, STATUS_RETURNED, status), np.where(at > status_at, at, status_at)
    return elsewhere | in_ledger, Received(status, status_at, cancelled if received is None else received.cancelled | cancelled)


def known_before(
    contents: list[bytes | None], declared: Mapping[str, Declared], numbers: pa.Array
) -> tuple[list[Declared | None], Mask, Mask]:
    """What the ledger has of each inventory as declared, and which it has with the same content, and with another.

    What was declared elsewhere has no content here and counts as the same. Where the content of now cannot be known (its
    lines are faulty), it is neither.
    """
    records = [declared.get(number) if number is not None else None for number in numbers.to_pylist()] if declared else []
    records = records or [None] * len(contents)
    same, other = np.zeros(len(contents), dtype=bool), np.zeros(len(contents), dtype=bool)
    for place, recorded in enumerate(records) if declared else ():
        if recorded is not None:
            same[place] = recorded.content is None or recorded.content == contents[place]
            other[place] = not same[place] and contents[place] is not None
    return records, same, other
