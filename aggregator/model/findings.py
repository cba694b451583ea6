"""Findings: what is wrong with the data, as values.

While lines are worked on, a finding is a row of `FINDINGS`: numbers instead of texts, since there may be millions. Texts are
joined by code when findings are written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from aggregator.schemas.modes import Mode

FINDINGS = pa.schema(
    [
        ("line", pa.int64()),  # position of the line in its chunk; -1 where a finding has no place in the input
        ("code", pa.int16()),  # RuleBook.index
        ("column", pa.int16()),  # Dictionary.number
        ("value", pa.string()),
        ("inventory_no", pa.string()),
        ("item_no", pa.string()),
    ]
)

MARKS = pa.schema([FINDINGS.field(name) for name in ("line", "code", "column")])
"""What is wrong with rejected lines; `line` counts these."""


def findings_of(
    mode: Mode, code: str, column: str, line: Any, value: pa.Array, inventory_no: pa.Array, item_no: pa.Array
) -> pa.Table:
    """Rows of one code and column; none where the rule is not in force. `line`: integer positions; the others: string arrays
    of the same length."""
    if code not in mode.rules:
        return no_findings()
    count = len(line)
    return pa.table(
        [
            pa.array(np.asarray(line, dtype=np.int64)),
            pa.array(np.full(count, mode.rules.index[code], dtype=np.int16)),
            pa.array(np.full(count, mode.dictionary.number[column], dtype=np.int16)),
            value.cast(pa.string()),
            inventory_no.cast(pa.string()),
            item_no.cast(pa.string()),
        ],
        schema=FINDINGS,
    )


def no_findings() -> pa.Table:
    return FINDINGS.empty_table()
