"""Read the tables of a run folder back, wherever it lies. Others may have written to it since: whatever is not as it was written is said,
with its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from aggregator.model.errors import CannotReadOrWrite, WrongUsage, cannot_be_read
from aggregator.model.remote import AnyPath
from aggregator.model.small import read_small
from aggregator.outputs.audit_map import read_audit_map
from aggregator.places.at import place_at
from aggregator.places.place import MANIFEST
from aggregator.schemas.column_names import own_names
from aggregator.schemas.modes import MODES, Mode, mode_of

_MOST_OF_A_MANIFEST = 64 << 20
_NEEDED = {
    "audit_map": ("inventory_no", "item_no", "declaration_ref", "declaration_item_no"), "findings": ("inventory_no", "code", "severity"),
    "excluded": ("inventory_no", "reason"), "declarations": ("declaration_ref",), "declaration_items": ("declaration_ref", "total_price"),
    "control_totals": ("column", "currency_or_unit", "read", "declared", "rejected", "excluded"),
}  # fmt: skip
"""What each row of a table has. Other columns came with time: runs of older versions lack them."""
_PLACE = ("declaration_ref", "declaration_item_no")
"""Blank, in modes that have lists, for what goes as one and not as a declaration."""


class RunTables:
    """A published run folder. `facts`: its manifest."""

    def __init__(self, folder: AnyPath) -> None:
        self.folder = folder
        self.facts = _manifest(folder)

    @property
    def run_ref(self) -> str:
        return str(self.facts["run_ref"])

    @property
    def period(self) -> str:
        return str(self.facts["period"])

    @property
    def counts(self) -> dict[str, int]:
        return {name: int(count) for name, count in self.facts.get("counts", {}).items()}

    @property
    def mode(self) -> Mode:
        return mode_of(self.facts.get("parameters", {}).get("mode", "9610"))

    def table(self, name: str, columns: tuple[str, ...] = ()) -> pa.Table:
        """A table of the run; of `columns` those that it has."""
        path = self.folder / f"{name}.{'parquet' if name == 'audit_map' else 'csv'}"
        with as_written(path), place_at(path).local(path) as file:
            return table_in(file, self.mode, name, columns)


def table_in(file: Path, mode: Mode, name: str, columns: Iterable[str] = (), filters: Any = None) -> pa.Table:
    """A table of a run, of the types it was written with; of `columns` those that it has. `filters`: which rows of an audit map. Raises what
    `as_written` says in words."""
    schema, asked = mode.outputs[name], list(columns or mode.outputs[name].names)

    def wanted(there: list[str]) -> list[str]:
        for each in _NEEDED[name]:
            if there.count(each) != 1:
                raise ValueError(f"{there.count(each)} columns are called '{each}'")
        return [each for each in asked if each in schema.names and there.count(each) == 1]

    if name == "audit_map":
        table = read_audit_map(file, wanted, filters)
    else:
        with _opened(file) as lines:
            there = _headings(lines, mode, name)
        table = pa_csv.read_csv(file, pa_csv.ReadOptions(column_names=there, skip_rows=1), convert_options=pa_csv.ConvertOptions(
            column_types={field.name: field.type for field in schema}, strings_can_be_null=False, quoted_strings_can_be_null=False,
        ), parse_options=pa_csv.ParseOptions(newlines_in_values=True)).select(wanted(there))  # fmt: skip
    table = table.cast(pa.schema([schema.field(each) for each in table.column_names]))
    table.validate(full=True)
    filled = [each for each in _NEEDED[name] if each in table.column_names and not (each in _PLACE and each in mode.outputs.nullable)]
    if name == "audit_map" and (blank := [each for each in filled if table[each].null_count]):
        raise ValueError(f"blanks in the column '{blank[0]}'")
    return table.combine_chunks()


@contextmanager
def as_written(path: AnyPath) -> Iterator[None]:
    """Raises what to say of a file that the disk does not give, or in which something else stands than was written."""
    try:
        yield
    except OSError as error:
        raise cannot_be_read(str(path), error) from None
    except (ValueError, NotImplementedError, pa.ArrowTypeError, csv.Error) as error:
        raise CannotReadOrWrite(f"{path} is not as it was written: {error}.", f"{path} 已不是写入时的内容：{error}。") from None


def rows_of(file: Path, mode: Mode, name: str) -> Iterator[dict[str, str]]:
    """Rows of an output that is CSV, under our names, in whatever language its headings are."""
    with _opened(file) as lines:
        yield from csv.DictReader(lines, _headings(lines, mode, name))


def _opened(file: Path) -> IO[str]:
    return file.open(encoding="utf-8-sig", newline="")


def _headings(lines: IO[str], mode: Mode, name: str) -> list[str]:
    return own_names(next(csv.reader(lines), []), mode.outputs[name].names, mode.dictionary)


def _manifest(folder: AnyPath) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        with place_at(path).local(path) as file:
            found = json.loads(read_small(file, _MOST_OF_A_MANIFEST))
    except (OSError, ValueError, RecursionError):
        found = None
    if not _is_manifest(found):
        raise WrongUsage(
            f"{folder} is no run folder: it has no readable {MANIFEST}. Name one like results/2026-10/202610-01.",
            f"{folder} 不是批次文件夹：没有可读取的 {MANIFEST}。请指定形如 results/2026-10/202610-01 的文件夹。",
        )
    return dict(found)


def _is_manifest(found: Any) -> bool:
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("run_ref", "period")):
        return False
    parameters, counts = found.get("parameters", {}), found.get("counts", {})
    if not isinstance(parameters, dict) or not isinstance(counts, dict) or not all(isinstance(count, int) for count in counts.values()):
        return False
    mode = parameters.get("mode", "9610")
    return isinstance(mode, str) and mode in MODES
