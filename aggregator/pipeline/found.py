"""Findings about inventories: where they stand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.model.findings import FINDINGS, no_findings
from aggregator.schemas.arrays import Ints
from aggregator.schemas.field import Dictionary
from aggregator.schemas.modes import Mode
from aggregator.schemas.units import shown_numbers


def reported(mode: Mode, code: str, starts: Ints, numbers: pa.Array, found: pa.Table) -> pa.Table:
    """Findings of one code at the first lines (`starts`) of their inventories (`numbers`). In: inventory_no, item_no, column, value."""
    if code not in mode.rules:
        return no_findings()
    first_line = pa.array(starts).take(pc.index_in(found["inventory_no"].combine_chunks(), value_set=numbers))
    columns = pa.array([mode.dictionary.number[name] for name in found["column"].to_pylist()], pa.int16())
    code_index = pa.array(np.full(found.num_rows, mode.rules.index[code], dtype=np.int16))
    return pa.table([first_line, code_index, columns, found["value"], found["inventory_no"], found["item_no"]], schema=FINDINGS)


def placed(lines: pa.Table, found: list[pa.Table], dictionary: Dictionary) -> pa.Table:
    """Findings with the chunk and line of what they are about instead of its place among `lines`."""
    findings = pa.concat_tables([no_findings(), *found]).combine_chunks()
    shown = shown_numbers(findings["inventory_no"].combine_chunks(), dictionary)
    findings = findings.set_column(findings.column_names.index("inventory_no"), "inventory_no", shown)
    at = findings["line"].combine_chunks()
    chunk, line = (lines[name].combine_chunks().take(at) for name in ("chunk", "line"))
    return findings.set_column(0, "line", line).append_column("chunk", chunk)
