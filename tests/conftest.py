"""Shared pieces: one sound export to break in many ways, and a run of the line without a command line."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import pytest
from hypothesis import HealthCheck, settings

from aggregator.inputs.export import Export, Source
from aggregator.inputs.open import open_exports
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import Room
from aggregator.jobs.run import check, run
from aggregator.model.options import Options
from aggregator.model.outcome import Outcome
from aggregator.model.period import Period
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.patterns import CHINA
from tests.buckets import s3_server, s3_shared, storage

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
settings.register_profile("long", settings.get_profile("project"), max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))
# Waiting for the disk proves nothing here: what a crash leaves is tried in processes of their own (tests/faults).
os.fsync = lambda handle: None

def pytest_unconfigure() -> None:
    """Also at the end of a worker of xdist, which ends without Python's own ceremonies."""
    if (postgres := sys.modules.get("tests.postgres")) is not None:
        postgres.stop()


NOW = datetime(2026, 11, 5, 9, 0, 0, tzinfo=CHINA)
PERIOD = Period(2026, 10)

SOUND: dict[str, str] = {
    "inventory_no": "22442026E000000001",
    "item_no": "1",
    "order_no": "DD1",
    "waybill_no": "LP1",
    "declaring_customs_code": "2244",
    "exit_customs_code": "2248",
    "declaration_mode_code": "B",
    "declarant_code": "4403180001",
    "consignor_code": "91440300MA5F0A1B2N",
    "consignor_name": "深圳星河跨境电子商务有限公司",
    "producer_seller_code": "NO",
    "producer_seller_name": "义乌市晨光日用品厂",
    "trade_mode_code": "9610",
    "transport_mode_code": "5",
    "voyage_no": "3085",
    "arrival_country_code": "502",
    "freight": "1.00",
    "freight_currency_code": "502",
    "package_count": "1",
    "gross_weight_kg": "1.500",
    "net_weight_kg": "1.200",
    "status_code": "899",
    "cleared_at": "2026-10-15 10:00:00",
    "enterprise_goods_name": "夏季棉T恤",
    "commodity_code": "6109100010",
    "goods_name": "棉制T恤衫",
    "goods_spec": "棉制|无牌",
    "destination_country_code": "502",
    "currency_code": "502",
    "declared_quantity": "2",
    "declared_unit_code": "011",
    "statutory_quantity": "2",
    "statutory_unit_code": "011",
    "second_statutory_quantity": "1.200",
    "second_statutory_unit_code": "035",
    "unit_price": "5.00",
    "total_price": "10.00",
}
"""A row that no rule has anything to say about."""


def row(**cells: str) -> dict[str, str]:
    return {**SOUND, **cells}


def csv_text(rows: Iterable[dict[str, str]], headings: dict[str, str] | None = None, **options: Any) -> str:
    rows = list(rows)
    columns = list(rows[0]) if rows else list(SOUND)
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator=options.pop("lineterminator", "\n"), **options)
    writer.writerow([(headings or {}).get(column, column) for column in columns])
    writer.writerows([[cells[column] for column in columns] for cells in rows])
    return sink.getvalue()


def read_rows(path: Path) -> list[dict[str, str]]:
    """A result CSV as dictionaries."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def opened(path: Path, chunk_bytes: int = 1 << 20) -> Export:
    """A file, opened by itself; what it was rewritten to stays for as long as the tests run."""
    [export] = open_exports([Source(path, str(path), str(path))], Reading(Room(), M9610.dictionary, (), chunk_bytes))
    return export


def parameters(*inputs: Path, out: Path, **changes: Any) -> Options:
    base = Options(inputs=inputs, period=PERIOD, first_period=Period(2026, 9), out=out, workers=1)
    return replace(base, **changes)


def findings_by_code(path: Path, **changes: Any) -> dict[str, list[dict[str, Any]]]:
    """What `check` finds in a file."""
    _, tables = check(parameters(path, out=path.parent, **changes).for_check(), NOW.date())
    found: dict[str, list[dict[str, Any]]] = {}
    for table in tables:
        for finding in table.to_pylist():
            found.setdefault(finding["code"], []).append(finding)
    return found


class Runner:
    """Writes rows to files and runs the line over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"

    def write(self, rows: Iterable[dict[str, str]] | str | bytes, name: str = "export.csv") -> Path:
        path = self.folder / name
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        else:
            path.write_text(rows if isinstance(rows, str) else csv_text(rows), encoding="utf-8", newline="")
        return path

    def run(self, *inputs: Path, **changes: Any) -> Outcome:
        out = changes.pop("out", self.out)
        return run(parameters(*inputs, out=out, **changes).for_run(NOW.date()), NOW)

    def run_rows(self, rows: Iterable[dict[str, str]] | str | bytes, **changes: Any) -> Outcome:
        return self.run(self.write(rows), **changes)

    def results(self, outcome: Outcome, name: str) -> list[dict[str, str]]:
        return read_rows(Path(outcome.folder) / f"{name}.csv")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture
def in_new_folder(tmp_path: Path) -> Callable[[str], Runner]:
    def make(name: str) -> Runner:
        folder = tmp_path / name
        folder.mkdir()
        return Runner(folder)

    return make


__all__ = ["NOW", "PERIOD", "SOUND", "Runner", "csv_text", "findings_by_code", "opened", "pa_csv", "parameters", "read_rows", "row", "s3_server", "s3_shared", "storage"]
