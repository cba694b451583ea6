"""`make bench`: three years of a million inventories a month in the ledger; then the anti-join and the recording of one more."""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.ledger.sql.record import RunRecord, next_run_no, record_rows, record_run
from aggregator.ledger.sqlite.connection import SqliteConnection
from aggregator.ledger.sqlite.ledger import declared
from aggregator.ledger.sqlite.store import create_ledger, open_ledger, transaction
from aggregator.model.records import State

GOAL_SECONDS = 15.0
ROOM = Path("bench-data")
CUSTOMS = ("2244", "2928", "4621", "5304")
A_CHUNK = 50_000
"""Inventories a chunk of an export holds, about: each chunk asks the ledger by itself."""
NO_DECLARATIONS = pa.table(
    {"declaration_ref": pa.array([], pa.string()), "application_no": [], "item_count": [], "inventory_count": []}
)
ONE_APPLICATION = pa.table(
    {"application_no": [1], "declaring_customs_code": ["2244"], "declarant_code": ["4403180001"], "consignor_code": ["X"], "premises_code": [""]}
)


def numbers(first: int, count: int) -> pa.Array:
    """Four customs districts, each counting up."""
    serial = np.arange(first, first + count)
    district = pa.array(CUSTOMS).take(pa.array(serial % len(CUSTOMS)))
    digits = pc.utf8_lpad(pa.array(serial // len(CUSTOMS)).cast(pa.string()), 9, "0")
    return pc.binary_join_element_wise(district, "2026E", digits, "")


def month(first: int, count: int) -> Iterator[pa.Table]:
    """What a run gives the ledger, a chunk at a time."""
    draw = np.random.default_rng(first)
    for start in range(first, first + count, A_CHUNK):
        size = min(A_CHUNK, first + count - start)
        contents = draw.bytes(32 * size)
        places = draw.integers(1, 51, size=size)
        items = pc.binary_join_element_wise(pa.array(start // 900 + places).cast(pa.string()), pa.array(places).cast(pa.string()), "/")
        yield pa.table(
            {
                "inventory_no": numbers(start, size),
                "content": pa.array([contents[at : at + 32] for at in range(0, len(contents), 32)], pa.binary()),
                "cleared_period": pa.array(["202610"] * size, pa.string()),
                "late": pa.array(np.zeros(size, dtype=bool)),
                "application_no": pa.array(np.ones(size, dtype=np.int64)),
                "items": pc.binary_join_element_wise(items, items, " "),
            }
        )


def record_month(connection: SqliteConnection, tables: list[pa.Table], run_ref: str) -> None:
    with transaction(connection):
        run_no = next_run_no(connection)
        rows = record_rows(connection, run_no, State.APPLIED, tables)
        digest = hashlib.sha256(run_ref.encode()).hexdigest()
        run = RunRecord(run_no, run_ref, "202610", f"2026-10/{run_ref}", "2026-11-05T09:00:00+08:00", digest, digest)
        record_run(connection, run, rows, ONE_APPLICATION, NO_DECLARATIONS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--inventories", type=int, default=1_000_000)
    options = parser.parse_args()
    ROOM.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOM) as temporary:
        path = Path(temporary) / "ledger.sqlite"
        create_ledger(path, "2026-11-05T09:00:00+08:00")
        start = time.perf_counter()
        with open_ledger(path) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            for place in range(options.months):
                record_month(connection, list(month(place * options.inventories, options.inventories)), f"202610-{place + 1:02d}")
        print(
            f"ledger: {options.months} months of {options.inventories:,} inventories, {path.stat().st_size / 1e9:.1f} GB, "
            f"made in {time.perf_counter() - start:.0f} s",
            flush=True,
        )
        first = options.months * options.inventories
        tables = list(month(first, options.inventories))
        # The export overlaps the month before by a twentieth.
        asked = [numbers(at - options.inventories // 20, A_CHUNK) for at in range(first, first + options.inventories, A_CHUNK)]
        start = time.perf_counter()
        known = sum(len(declared(path, chunk)) for chunk in asked)
        joined = time.perf_counter() - start
        start = time.perf_counter()
        with open_ledger(path) as connection:
            record_month(connection, tables, f"202610-{options.months + 1:02d}")
        recorded = time.perf_counter() - start
        with closing(sqlite3.connect(path)) as connection:
            [held] = connection.execute("SELECT max(inventory_id) FROM inventory").fetchone()
        assert (known, held) == (options.inventories // 20, first + options.inventories)
        print(
            f"one more month: anti-join {joined:.1f} s, recorded {recorded:.1f} s, together {joined + recorded:.1f} s "
            f"(goal {GOAL_SECONDS:.0f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
