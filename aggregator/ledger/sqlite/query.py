"""What is asked of the ledger. Nothing here writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from aggregator.ledger.sqlite.record import OF_RUN_REF, RECEIVED
from aggregator.ledger.sqlite.refusals import explained
from aggregator.ledger.sqlite.tables import LIVE, UNDOES
from aggregator.model.answers import Applied
from aggregator.model.records import (
    ApplicationStanding,
    Customs,
    Declared,
    Event,
    RecordedRows,
    Run,
    Size,
    Tally,
    Undone,
)


def setting(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def runs(connection: sqlite3.Connection, ledger: Path) -> list[Run]:
    """All runs in the order they were recorded in."""
    home = ledger.resolve().parent
    names = "run_no, run_ref, period, state, folder, recorded_at, manifest_sha256, rejections_sha256"
    return [
        Run(number, ref, period, state, home / folder if folder else None, *rest)
        for number, ref, period, state, folder, *rest in connection.execute(f"SELECT {names} FROM run ORDER BY run_no")
    ]


def tally(connection: sqlite3.Connection, run_no: int) -> list[Tally]:
    query = "SELECT application_no, cleared_period, late, state, inventories FROM tally WHERE run_no = ? ORDER BY state"
    return [Tally(number, period, bool(late), state, count) for number, period, late, state, count in connection.execute(query, (run_no,))]


def applications(connection: sqlite3.Connection, run_no: int) -> list[ApplicationStanding]:
    rows = connection.execute(
        "SELECT application_ref, application.state, consignor_code, declarant_code, declaring_customs_code, premises_code, "
        "coalesce(sum(inventories), 0), reason FROM application LEFT JOIN tally USING (run_no, application_no) "
        "WHERE run_no = ? GROUP BY application_no ORDER BY application_no",
        (run_no,),
    )
    return [ApplicationStanding(*row) for row in rows]


def applied(connection: sqlite3.Connection) -> dict[str, Applied]:
    query = "SELECT cop_no, application_ref, consignor_code, run_no, parts FROM application JOIN sent USING (application_ref)"
    return {cop_no: Applied(*row) for cop_no, *row in connection.execute(query)}


def consignors(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(code for (code,) in connection.execute("SELECT DISTINCT consignor_code FROM application"))


def was_received(connection: sqlite3.Connection, sha256: str) -> bool:
    return connection.execute("SELECT 1 FROM receipt WHERE sha256 = ?", (f"{RECEIVED}{sha256}",)).fetchone() is not None


def last_event(connection: sqlite3.Connection) -> Event:
    return Event(*connection.execute("SELECT event_no, hash FROM event ORDER BY event_no DESC LIMIT 1").fetchone())


def holds_event(connection: sqlite3.Connection, event: Event) -> bool:
    row = connection.execute("SELECT hash FROM event WHERE event_no = ?", (event.event_no,)).fetchone()
    return row is not None and bool(row[0] == event.hash)


def size(connection: sqlite3.Connection) -> Size:
    return Size(*(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("event", "inventory")))


def declarations_made(connection: sqlite3.Connection, run_ref: str) -> int:
    """How many declarations a run made."""
    row = connection.execute(f"SELECT count(*) FROM declaration WHERE {OF_RUN_REF}", {"run_ref": run_ref}).fetchone()
    return int(row[0])


def inventory_numbers(connection: sqlite3.Connection, rows: RecordedRows) -> Iterator[str]:
    """Numbers of the inventories of a run, by application, in order."""
    query = "SELECT inventory_no FROM inventory WHERE inventory_id BETWEEN ? AND ? ORDER BY application_no, inventory_no"
    return (number for (number,) in connection.execute(query, (rows.first_id, rows.last_id)))


def declared(ledger: Path, numbers: pa.Array) -> dict[str, Declared]:
    """Those of the given inventories that the ledger has as declared."""
    with _wanted(ledger, numbers) as connection:
        return _declared(connection, ledger)


def declared_and_heard(ledger: Path, numbers: pa.Array) -> tuple[dict[str, Declared], Customs]:
    """Those of the given inventories that the ledger has as declared, and what customs' messages said of them."""
    with _wanted(ledger, numbers) as connection:
        results = connection.execute(
            "SELECT wanted.inventory_no, min(summary_seq_no) FROM wanted CROSS JOIN result_line USING (inventory_no) GROUP BY 1"
        ).fetchall()
        undone = connection.execute(
            f"SELECT wanted.inventory_no, message, status, at FROM wanted CROSS JOIN clearance USING (inventory_no) WHERE {UNDOES} ORDER BY 1, 2"
        ).fetchall()
        return _declared(connection, ledger), Customs(dict(results), {number: Undone(*said) for number, *said in undone})


def _declared(connection: sqlite3.Connection, ledger: Path) -> dict[str, Declared]:
    rows = connection.execute(
        "SELECT wanted.inventory_no, content, run_ref, folder, items, cancelled <> '' FROM wanted "
        f"CROSS JOIN inventory ON inventory.inventory_no = wanted.inventory_no AND inventory.{LIVE} JOIN run USING (run_no)"
    )
    home = ledger.resolve().parent
    return {
        number: Declared(content, ref, home / folder if folder else None, items, bool(told))
        for number, content, ref, folder, items, told in rows
    }


@contextmanager
def _wanted(ledger: Path, numbers: pa.Array) -> Iterator[sqlite3.Connection]:
    """With the table `wanted` of the numbers; empty where the ledger knows of no inventory at all."""
    place = f"{ledger.resolve().as_uri()}?mode=ro"
    with explained(ledger), closing(sqlite3.connect(place, uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("CREATE TEMP TABLE wanted (inventory_no TEXT PRIMARY KEY) WITHOUT ROWID")
        places = (f"inventory WHERE {LIVE}", "result_line", f"clearance WHERE {UNDOES}")
        if any(connection.execute(f"SELECT 1 FROM {place} LIMIT 1").fetchone() for place in places):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO wanted VALUES (?)", ((number,) for number in sorted(set(numbers.drop_null().to_pylist()))))
        yield connection


@dataclass(frozen=True)
class KnownInventories:
    """What a ledger knows of inventories, asked from any process."""

    ledger: Path

    def of(self, numbers: pa.Array) -> tuple[dict[str, Declared], Customs]:
        return declared_and_heard(self.ledger, numbers)
