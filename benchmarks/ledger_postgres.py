"""`python -m benchmarks.ledger_postgres`: as ledger.py, in PostgreSQL: months of a million inventories in the ledger; then the
anti-join and the recording of one more.

Without --url a server of its own is started, with Debian's defaults but for its memory (`shared_buffers` a quarter of the machine's).
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time

import pyarrow as pa

from aggregator.ledger.at import ledger_at
from aggregator.ledger.ledger import Ledger
from aggregator.model.place import Database, place_of
from aggregator.model.records import RUN_LIVE, Run
from benchmarks.ledger import A_CHUNK, CUSTOMS, NO_DECLARATIONS, ONE_APPLICATION, month, numbers
from tests.postgres import Server

GOAL_SECONDS = 20.0
AT = "2026-11-05T09:00:00+08:00"


def record_month(ledger: Ledger, tables: list[pa.Table], run_ref: str) -> None:
    with ledger.transaction(AT):
        run_no = ledger.begin_run("202601")
        rows = ledger.record_declared(run_no, tables)
        digest = hashlib.sha256(run_ref.encode()).hexdigest()
        ledger.record_run(Run(run_no, run_ref, "202610", RUN_LIVE, None, AT, digest, digest), rows, ONE_APPLICATION, NO_DECLARATIONS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--inventories", type=int, default=1_000_000)
    parser.add_argument("--url", help="an empty schema of a server that runs; it is filled")
    options = parser.parse_args()
    server = None if options.url else Server(durable=True)
    try:
        place = place_of(options.url or server.url("bench"))  # type: ignore[union-attr]
        assert isinstance(place, Database)
        measure(place, options.months, options.inventories)
    finally:
        if server is not None:
            server.remove()
    return 0


def measure(place: Database, months: int, inventories: int) -> None:
    at = ledger_at(place)
    start = time.perf_counter()
    with at.locked(), at.opened(create=True, at=AT) as ledger:
        for which in range(months):
            record_month(ledger, list(month(which * inventories, inventories)), f"202610-{which + 1:02d}")
            print(f"  month {which + 1}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(f"ledger: {months} months of {inventories:,} inventories, {at.size() / 1e9:.1f} GB, made in {time.perf_counter() - start:.0f} s", flush=True)
    first = months * inventories
    tables = list(month(first, inventories))
    # The export overlaps the month before by a twentieth.
    asked = [numbers(at - inventories // 20, A_CHUNK) for at in range(first, first + inventories, A_CHUNK)]
    start = time.perf_counter()
    known = sum(len(at.known().of(chunk)[0]) for chunk in asked)
    joined = time.perf_counter() - start
    # For executors, which cannot ask it, it is asked once for all between the first and the last number of each customs office.
    spans = list(zip(asked[0][: len(CUSTOMS)].to_pylist(), asked[-1][-len(CUSTOMS) :].to_pylist(), strict=True))
    start = time.perf_counter()
    spanned_known = sum(len(declared) for declared, _ in at.known().within(spans))
    spanned = time.perf_counter() - start
    start = time.perf_counter()
    with at.locked(), at.opened() as ledger:
        record_month(ledger, tables, f"202610-{months + 1:02d}")
        held = ledger.size().inventories
    recorded = time.perf_counter() - start
    assert (known, spanned_known, held) == (inventories // 20, inventories // 20, first + inventories)
    print(
        f"one more month: anti-join {joined:.1f} s, recorded {recorded:.1f} s, together {joined + recorded:.1f} s (goal {GOAL_SECONDS:.0f}); "
        f"asked for executors {spanned:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
