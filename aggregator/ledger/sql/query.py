"""What is asked of the ledger. Nothing here writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.ledger.sql.connection import Connection
from aggregator.ledger.sql.orders import refused_orders
from aggregator.ledger.sql.record import HOME, MODE, OF_RUN_REF, RECEIVED
from aggregator.ledger.sql.words import LIVE, UNDOES
from aggregator.model.answers import Applied
from aggregator.model.names import path_of
from aggregator.model.place import Place
from aggregator.model.records import (
    FIRST_MODE,
    ApplicationStanding,
    Customs,
    Declared,
    Event,
    RecordedRows,
    Run,
    Size,
    Span,
    Tally,
    Undone,
)
from aggregator.model.remote import AnyPath, any_path_of
from aggregator.schemas.units import SEPARATOR

_AT_ONCE = 16_384


def setting(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def home_of(connection: Connection, ledger: Place) -> Path | None:
    """What folders of runs below it are relative to: the ledger's own folder, or that of the file it once was."""
    kept = setting(connection, HOME)
    if kept is not None:
        return path_of(kept)
    return ledger.resolve().parent if isinstance(ledger, Path) else None


def folder_of(home: Path | None, kept: str) -> AnyPath | None:
    """A folder of a run, as it is kept."""
    folder = any_path_of(kept) if kept else None
    return home / folder if home is not None and isinstance(folder, Path) else folder


def runs(connection: Connection, ledger: Place) -> list[Run]:
    """All runs in the order they were recorded in."""
    home = home_of(connection, ledger)
    names = "run_no, run_ref, period, state, folder, recorded_at, manifest_sha256, rejections_sha256"
    modes = {ref: json.loads(detail)["mode"] for ref, detail in connection.execute("SELECT subject, detail FROM event WHERE kind = ?", (MODE,))}
    return [
        Run(number, ref, period, state, folder_of(home, folder), at, manifest, rejections, modes.get(ref, FIRST_MODE))
        for number, ref, period, state, folder, at, manifest, rejections in connection.execute(f"SELECT {names} FROM run ORDER BY run_no")
    ]


def tally(connection: Connection, run_no: int) -> list[Tally]:
    query = "SELECT application_no, cleared_period, late, state, inventories FROM tally WHERE run_no = ? ORDER BY state"
    return [Tally(number, period, bool(late), state, count) for number, period, late, state, count in connection.execute(query, (run_no,))]


def applications(connection: Connection, run_no: int) -> list[ApplicationStanding]:
    rows = connection.execute(
        "SELECT application_ref, application.state, consignor_code, declarant_code, declaring_customs_code, premises_code, "
        "coalesce(sum(inventories), 0), reason FROM application LEFT JOIN tally USING (run_no, application_no) "
        "WHERE run_no = ? GROUP BY application.run_no, application.application_no ORDER BY application.application_no",
        (run_no,),
    )
    return [ApplicationStanding(*row) for row in rows]


def applied(connection: Connection) -> dict[str, Applied]:
    query = "SELECT cop_no, application_ref, consignor_code, run_no, parts FROM application JOIN sent USING (application_ref)"
    return {cop_no: Applied(*row) for cop_no, *row in connection.execute(query)}


def consignors(connection: Connection) -> frozenset[str]:
    return frozenset(code for (code,) in connection.execute("SELECT DISTINCT consignor_code FROM application"))


def was_received(connection: Connection, sha256: str) -> bool:
    return connection.execute("SELECT 1 FROM receipt WHERE sha256 = ?", (f"{RECEIVED}{sha256}",)).fetchone() is not None


def last_event(connection: Connection) -> Event:
    return Event(*connection.execute("SELECT event_no, hash FROM event ORDER BY event_no DESC LIMIT 1").fetchone())


def holds_event(connection: Connection, event: Event) -> bool:
    row = connection.execute("SELECT hash FROM event WHERE event_no = ?", (event.event_no,)).fetchone()
    return row is not None and bool(row[0] == event.hash)


def size(connection: Connection) -> Size:
    return Size(*(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("event", "inventory")))


def declarations_made(connection: Connection, run_ref: str) -> int:
    """How many declarations a run made."""
    row = connection.execute(f"SELECT count(*) FROM declaration WHERE {OF_RUN_REF}", {"run_ref": run_ref}).fetchone()
    return int(row[0])


def inventory_numbers(connection: Connection, rows: RecordedRows) -> Iterator[str]:
    """Numbers of the inventories of a run, by application, in order."""
    query = "SELECT inventory_no FROM inventory WHERE inventory_id BETWEEN ? AND ? ORDER BY application_no, inventory_no"
    return (number for (number,) in connection.stream(query, (rows.first_id, rows.last_id)))


def declared(connection: Connection, ledger: Place, numbers: pa.Array) -> dict[str, Declared]:
    """Those of the given inventories that the ledger has as declared."""
    with _asked(connection, numbers) as wanted:
        return _declared(connection, ledger, wanted)


def waiting(connection: Connection, numbers: pa.Array) -> tuple[str, ...]:
    """Those of the given inventories that a run saw and did not declare, with its reason."""
    with _asked(connection, numbers) as wanted:
        rows = connection.execute(f"SELECT wanted.inventory_no, reason FROM {wanted} JOIN waiting USING (inventory_no) ORDER BY 1").fetchall()
    return tuple(f"{number} ({reason})" for number, reason in rows)


def declared_and_heard(connection: Connection, ledger: Place, numbers: pa.Array) -> tuple[dict[str, Declared], Customs]:
    """Those of the given inventories that the ledger has as declared, and what customs' messages said of them."""
    with _asked(connection, numbers) as wanted:
        results = connection.execute(
            f"SELECT wanted.inventory_no, min(summary_seq_no) FROM {wanted} CROSS JOIN result_line USING (inventory_no) GROUP BY 1"
        ).fetchall()
        undone = connection.execute(
            f"SELECT wanted.inventory_no, message, status, at FROM {wanted} CROSS JOIN clearance USING (inventory_no) WHERE {UNDOES} ORDER BY 1, 2"
        ).fetchall()
        refused = refused_orders(connection, wanted) if pc.any(pc.match_substring(numbers, SEPARATOR)).as_py() else frozenset()
        return _declared(connection, ledger, wanted), Customs(dict(results), {number: Undone(*said) for number, *said in undone}, refused)


def all_within(connection: Connection, ledger: Place, spans: Iterable[Span]) -> Iterator[tuple[dict[str, Declared], Customs]]:
    """The same of all that the ledger knows within spans of numbers."""
    for low, high in spans:
        since, last = ">=", low
        while numbers := _next_known(connection, since, last, high):
            yield declared_and_heard(connection, ledger, pa.array(numbers, pa.string()))
            since, last = ">", numbers[-1]


def _next_known(connection: Connection, since: str, last: str, high: str) -> list[str]:
    """The first so many numbers of a span that the ledger knows anything of, each once."""
    parts = [
        f"SELECT * FROM (SELECT DISTINCT inventory_no FROM {place} inventory_no {since} ? AND inventory_no <= ? ORDER BY inventory_no LIMIT {_AT_ONCE}) AS {name}"
        for name, place in (("held", f"inventory WHERE {LIVE} AND"), ("merged", "result_line WHERE"), ("undone", f"clearance WHERE {UNDOES} AND"))
    ]
    rows = connection.execute(f"{' UNION '.join(parts)} ORDER BY 1 LIMIT {_AT_ONCE}", (last, high) * len(parts))
    return [number for (number,) in rows]


def _declared(connection: Connection, ledger: Place, wanted: str) -> dict[str, Declared]:
    rows = connection.execute(
        f"SELECT wanted.inventory_no, content, run_ref, folder, items, cancelled <> '' FROM {wanted} "
        f"CROSS JOIN inventory ON inventory.inventory_no = wanted.inventory_no AND inventory.{LIVE} JOIN run USING (run_no)"
    )
    # Runs are few, and a path takes longer than the row.
    folder_at = cache(partial(folder_of, home_of(connection, ledger)))
    return {
        number: Declared(content, ref, folder_at(folder), items, bool(told))
        for number, content, ref, folder, items, told in rows
    }


def _asked(connection: Connection, numbers: pa.Array) -> AbstractContextManager[str]:
    """None of them where the ledger knows of no inventory at all."""
    places = (f"inventory WHERE {LIVE}", "result_line", f"clearance WHERE {UNDOES}")
    known = any(connection.execute(f"SELECT 1 FROM {place} LIMIT 1").fetchone() for place in places)
    return connection.wanted(sorted(set(numbers.drop_null().to_pylist())) if known else [])
