"""Read the tables of a run folder back, wherever it lies."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from aggregator.model.errors import CannotReadOrWrite, WrongUsage, cannot_be_read
from aggregator.model.remote import AnyPath
from aggregator.places.at import place_at
from aggregator.places.place import MANIFEST
from aggregator.schemas.column_names import own_names
from aggregator.schemas.modes import MODES, Mode, mode_of


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
    def mode(self) -> Mode:
        return mode_of(self.facts.get("parameters", {}).get("mode", "9610"))

    def table(self, name: str, columns: tuple[str, ...] | None = None) -> pa.Table:
        """A table of the run; of `columns` those that it has."""
        path = self.folder / f"{name}.{'parquet' if name == 'audit_map' else 'csv'}"
        try:
            with place_at(path).local(path) as file:
                return self._read(file, name, columns)
        except OSError as error:
            raise cannot_be_read(str(path), error) from None
        except pa.ArrowInvalid as error:
            raise CannotReadOrWrite(f"{path} is not as it was written: {error}.", f"{path} 已不是写入时的内容：{error}。") from None

    def _read(self, file: Path, name: str, columns: tuple[str, ...] | None) -> pa.Table:
        schema = self.mode.outputs[name]
        if name == "audit_map":
            there = pq.read_schema(file).names
            return pq.read_table(file, columns=[each for each in columns or schema.names if each in there]).combine_chunks()
        with _opened(file) as lines:
            headings = _headings(lines, self.mode, name)
        table = pa_csv.read_csv(file, pa_csv.ReadOptions(column_names=headings, skip_rows=1), convert_options=pa_csv.ConvertOptions(
            column_types={field.name: field.type for field in schema}, strings_can_be_null=False, quoted_strings_can_be_null=False,
        ), parse_options=pa_csv.ParseOptions(newlines_in_values=True))  # fmt: skip
        return table.select([each for each in columns or schema.names if each in table.column_names]).combine_chunks()


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
            found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or "run_ref" not in found or found.get("parameters", {}).get("mode", "9610") not in MODES:
        raise WrongUsage(
            f"{folder} is no run folder: it has no readable {MANIFEST}. Name one like results/2026-10/202610-01.",
            f"{folder} 不是批次文件夹：没有可读取的 {MANIFEST}。请指定形如 results/2026-10/202610-01 的文件夹。",
        )
    return found
