"""Traced lines on stdout, as CSV or JSON lines."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.sources.files import standard_input
from aggregator.inputs.tables.canonical import folded
from aggregator.jobs.trace import TRACE
from aggregator.model.errors import UnusableInput, cannot_be_read
from aggregator.model.small import MOST_LINES, read_small
from aggregator.outputs.tables import csv_bytes
from aggregator.schemas.shown import HIDDEN, shown

_NUMBERED = ("inventory_no", "order_no", "waybill_no", "declaration_ref", "summary_seq_no", "declaration_no", "refund_key", "list_no")


def numbers_in(path: Path) -> set[str]:
    """The numbers of a file, one a line; - is standard input."""
    try:
        data = standard_input().read(MOST_LINES + 1) if str(path) == "-" else read_small(path, MOST_LINES, pipes=True)
        if len(data) > MOST_LINES:
            raise OSError(errno.EFBIG, f"more than {MOST_LINES:,} bytes came")
        return {line.strip() for line in data.decode("utf-8-sig").splitlines() if line.strip()}
    except UnicodeDecodeError:
        raise UnusableInput(f"{path}: the numbers are not UTF-8. Save it again as UTF-8.", f"{path}：编号文件不是UTF-8编码。请另存为UTF-8。") from None
    except OSError as error:
        raise cannot_be_read(str(path), error) from None


class Printer(Protocol):
    """What prints; see cli."""

    def print_json(self, value: Any) -> None: ...

    def print_bytes(self, table: bytes) -> None: ...


def print_trace(tables: Iterable[pa.Table], wanted: set[str], to: Printer, *, as_json: bool) -> list[str]:
    """Prints what was found; the numbers that stand for nothing, in order."""
    found = set[str]()
    numbers = sorted(wanted)
    asked = folded(pa.array(numbers, pa.string()))
    if as_json:
        rows = []
        for table in tables:
            found |= _named(table, asked)
            rows += table.to_pylist()
        to.print_json({"schema_version": 1, "lines": rows})
    else:
        to.print_bytes(csv_bytes(TRACE.empty_table(), header=True))
        for table in tables:
            found |= _named(table, asked)
            to.print_bytes(csv_bytes(_shown(table), header=False))
    return [number for number, sought in zip(numbers, asked.to_pylist(), strict=True) if sought not in found]


def _shown(table: pa.Table) -> pa.Table:
    """With what stands in a cell and is no plain text made visible: this goes to a terminal."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and pc.any(pc.match_substring_regex(table[field.name], f"[{HIDDEN}]")).as_py():
            cells = [None if cell is None else shown(cell) for cell in table[field.name].to_pylist()]
            table = table.set_column(place, field.name, pa.array(cells, pa.string()))
    return table


def _named(table: pa.Table, asked: pa.Array) -> set[str]:
    """Which of the numbers asked for the lines carry, without regard to case and width."""
    columns = [folded(table[name].combine_chunks()) for name in _NUMBERED]
    for one, other in (("declaration_ref", "declaration_item_no"), ("platform_code", "order_no")):
        columns.append(folded(pc.binary_join_element_wise(table[one].combine_chunks(), table[other].combine_chunks(), "/")))
    return {value for column in columns for value in column.filter(pc.is_in(column, asked)).unique().to_pylist()}
