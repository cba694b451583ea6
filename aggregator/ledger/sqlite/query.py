"""What is asked of the ledger. Nothing here writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from aggregator.ledger.sqlite.record import OF_RUN_REF, RUN_LIVE, Rows
from aggregator.ledger.sqlite.refusals import explained
from aggregator.ledger.sqlite.tables import DEAD, LIVE, UNDOES


@dataclass(frozen=True)
class Run:
    """A recorded run. `folder`: where its files are; None for an import. `period`: yyyymm, blank for an import."""

    run_no: int
    run_ref: str
    period: str
    state: str
    folder: Path | None
    recorded_at: str
    manifest_sha256: str
    rejections_sha256: str

    @property
    def live(self) -> bool:
        return self.state == RUN_LIVE


class Declared(NamedTuple):
    """A declared inventory. `content` is None for one declared elsewhere; `items`: see tables.py; `cancelled`: told before
    that customs has cancelled it."""

    content: bytes | None
    run_ref: str
    folder: str
    items: str
    cancelled: bool

    @property
    def places(self) -> str:
        """Where it was declared, for people: `202610-01-000001/3`, declaration and item of its lines, each once."""
        items = (item.split("/") for item in dict.fromkeys(self.items.split()))
        return " ".join(f"{self.run_ref}-{int(declaration):06d}/{item_no}" for declaration, item_no in items) or self.run_ref


class Undone(NamedTuple):
    """What cancels an inventory or sends it back for good: the message, its status and its time (17 digits)."""

    message: str
    status: str
    at: str


class Customs(NamedTuple):
    """What customs' messages said of inventories, by number: the result that has it, and what undoes it."""

    results: dict[str, str]
    undone: dict[str, Undone]


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


def runs_of_result(connection: sqlite3.Connection, results: Iterable[str]) -> set[int]:
    """Runs that declared anything that is in one of these results of customs."""
    found: set[int] = set()
    for seq_no in results:
        for which in (LIVE, DEAD):
            query = f"SELECT DISTINCT run_no FROM result_line l CROSS JOIN inventory i ON i.inventory_no = l.inventory_no AND i.{which} WHERE summary_seq_no = ?"
            found |= {run_no for (run_no,) in connection.execute(query, (seq_no,))}
    return found


def declarations_of(connection: sqlite3.Connection, run_ref: str) -> int:
    """How many declarations a run made."""
    row = connection.execute(f"SELECT count(*) FROM declaration WHERE {OF_RUN_REF}", {"run_ref": run_ref}).fetchone()
    return int(row[0])


def inventory_numbers(connection: sqlite3.Connection, rows: Rows) -> Iterator[str]:
    """Numbers of the inventories of a run, by application, in order."""
    query = "SELECT inventory_no FROM inventory WHERE inventory_id BETWEEN ? AND ? ORDER BY application_no, inventory_no"
    return (number for (number,) in connection.execute(query, (rows.first_id, rows.last_id)))


def declared(ledger: Path, numbers: pa.Array) -> dict[str, Declared]:
    """Those of the given inventories that the ledger has as declared."""
    with _wanted(ledger, numbers) as connection:
        return _declared(connection)


def declared_and_heard(ledger: Path, numbers: pa.Array) -> tuple[dict[str, Declared], Customs]:
    """Those of the given inventories that the ledger has as declared, and what customs' messages said of them."""
    with _wanted(ledger, numbers) as connection:
        results = connection.execute(
            "SELECT wanted.inventory_no, min(summary_seq_no) FROM wanted CROSS JOIN result_line USING (inventory_no) GROUP BY 1"
        ).fetchall()
        undone = connection.execute(
            f"SELECT wanted.inventory_no, message, status, at FROM wanted CROSS JOIN clearance USING (inventory_no) WHERE {UNDOES} ORDER BY 1, 2"
        ).fetchall()
        return _declared(connection), Customs(dict(results), {number: Undone(*said) for number, *said in undone})


def _declared(connection: sqlite3.Connection) -> dict[str, Declared]:
    rows = connection.execute(
        "SELECT wanted.inventory_no, content, run_ref, folder, items, cancelled <> '' FROM wanted "
        f"CROSS JOIN inventory ON inventory.inventory_no = wanted.inventory_no AND inventory.{LIVE} JOIN run USING (run_no)"
    )
    return {number: Declared(content, ref, folder, items, bool(told)) for number, content, ref, folder, items, told in rows}


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
