"""What was done to the ledger, each event chained to the one before by its hash: an event changed, removed or put in by
hand breaks the chain. The rows that a run declared are held by one hash in its event. The same for every kind of ledger."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa
import pyarrow.compute as pc

DIGESTED = ("inventory_no", "content", "cleared_period", "late", "application_no", "items")
"""What of an inventory never changes once it is declared."""


def event_hash(previous: str, at: str, kind: str, subject: str, detail: str) -> str:
    return hashlib.sha256(json.dumps([previous, at, kind, subject, detail]).encode()).hexdigest()


class RowDigest:
    """SHA-256 over the DIGESTED columns of inventories in the order they were recorded in."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add(self, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        parts = [
            pc.fill_null(rows[name].combine_chunks().cast(pa.binary()), b"")
            if name == "content"
            else rows[name].combine_chunks().cast(pa.int64() if name == "late" else rows[name].type).cast(pa.string()).cast(pa.binary())
            for name in DIGESTED
        ]
        joined = pc.binary_join_element_wise(*parts, b"\x1f")
        whole = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(joined)], pa.int32()), joined), b"\x1e")
        self._sha.update(whole[0].as_buffer())
        self._sha.update(b"\x1e")

    def hexdigest(self) -> str:
        return self._sha.hexdigest()


class TableDigest:
    """SHA-256 over all rows of a table in their order, however they are cut into parts."""

    def __init__(self) -> None:
        self._sha, self._rows = hashlib.sha256(), 0

    def add(self, rows: pa.Table) -> None:
        for batch in rows.to_batches(max_chunksize=16_384):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                self._sha.update(ascii(row).encode())
        self._rows += rows.num_rows

    def __str__(self) -> str:
        return f"{self._rows}:{self._sha.hexdigest()}"
