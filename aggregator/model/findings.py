"""Findings: what is wrong with the data, as values.

In the stages a finding is a row of `FINDINGS`: numbers instead of texts, since there may be millions. Texts are joined by
code when findings are written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from aggregator.schemas.modes.m9610.fields import FIELDS
from aggregator.schemas.modes.m9610.rules import RULES, Severity

CODES: tuple[str, ...] = tuple(RULES)
CODE_INDEX: dict[str, int] = {code: index for index, code in enumerate(CODES)}
COLUMNS: tuple[str, ...] = ("", *(field.column for field in FIELDS))
COLUMN_INDEX: dict[str, int] = {column: index for index, column in enumerate(COLUMNS)}

ONCE_PER_VALUE: frozenset[int] = frozenset(CODE_INDEX[code] for code, rule in RULES.items() if rule.once_per_value)
TOLD_ALWAYS: frozenset[int] = frozenset(CODE_INDEX[code] for code, rule in RULES.items() if rule.told_always)

FINDINGS = pa.schema(
    [
        ("line", pa.int64()),  # position of the line in its chunk; -1 where a finding has no place in the input
        ("code", pa.int16()),
        ("column", pa.int16()),
        ("value", pa.string()),
        ("inventory_no", pa.string()),
        ("item_no", pa.string()),
    ]
)

ERROR_CODES: tuple[str, ...] = tuple(code for code, rule in RULES.items() if code[0] in "RIB" or code.startswith("F2"))
"""Codes that can reject an inventory (by default or by the config): each has a bit in a line's `error_bits`."""
BIT: dict[str, int] = {code: 1 << position for position, code in enumerate(ERROR_CODES)}
assert len(BIT) <= 63, "error bits no longer fit an int64"


def findings_of(
    code: str, column: str, line: Any, value: pa.Array, inventory_no: pa.Array, item_no: pa.Array
) -> pa.Table:
    """Rows of one code and column. `line`: integer positions; the others: string arrays of the same length."""
    count = len(line)
    return pa.table(
        [
            pa.array(np.asarray(line, dtype=np.int64)),
            pa.array(np.full(count, CODE_INDEX[code], dtype=np.int16)),
            pa.array(np.full(count, COLUMN_INDEX[column], dtype=np.int16)),
            value.cast(pa.string()),
            inventory_no.cast(pa.string()),
            item_no.cast(pa.string()),
        ],
        schema=FINDINGS,
    )


def no_findings() -> pa.Table:
    return FINDINGS.empty_table()


def error_bit(code: str, severity: dict[str, Severity]) -> int:
    return BIT[code] if severity[code] is Severity.ERROR else 0


def codes_of(bits: int) -> str:
    return " ".join(code for code, bit in BIT.items() if bits & bit)
