"""What customs' answers are compared by: results, their lines, and who holds what is in them. Nothing here writes to the ledger."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from aggregator.ledger.ledger import CUSTOMS_LINES, TRACED_LINES
from aggregator.ledger.sql.connection import Answer, Connection, fetched
from aggregator.ledger.sql.record import OF_RUN
from aggregator.ledger.sql.words import DEAD, LIVE
from aggregator.model.answers import KnownResult
from aggregator.model.records import DISMISSED, RUN_LIVE, Seen

_LINES = "SELECT l.inventory_no, l.item_no, l.summary_seq_no, l.customs_item_no, l.commodity_code FROM result_line l "
_IN_RESULTS = "EXISTS (SELECT 1 FROM result_line l WHERE l.inventory_no = i.inventory_no)"
_STRAY = (
    f"NOT EXISTS (SELECT 1 FROM inventory i WHERE i.inventory_no = l.inventory_no AND i.{LIVE}) "
    f"AND NOT EXISTS (SELECT 1 FROM waiting w WHERE w.inventory_no = l.inventory_no AND w.fate = '{DISMISSED}') "
    "AND NOT EXISTS (SELECT 1 FROM result r WHERE r.summary_seq_no = l.summary_seq_no AND r.name = 'consignor_code' "
    "AND r.value NOT IN (SELECT consignor_code FROM application))"
)


def is_answered(connection: Connection, run_no: int) -> bool:
    query = (
        "SELECT EXISTS (SELECT 1 FROM application JOIN application_receipt USING (application_ref) WHERE run_no = :run_no) OR "
        f"EXISTS (SELECT 1 FROM inventory i WHERE {OF_RUN} AND {LIVE} AND {_IN_RESULTS})"
    )
    return bool(connection.execute(query, {"run_no": run_no}).fetchone()[0])


def runs_of_results(connection: Connection, results: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for seq_no in results:
        for which in (LIVE, DEAD):
            query = f"SELECT DISTINCT run_no FROM result_line l CROSS JOIN inventory i ON i.inventory_no = l.inventory_no AND i.{which} WHERE summary_seq_no = ?"
            found |= {run_no for (run_no,) in connection.execute(query, (seq_no,))}
    return found


def customs_lines(connection: Connection, run_no: int) -> pa.Table:
    query = f"{_LINES} JOIN inventory i ON i.inventory_no = l.inventory_no WHERE {OF_RUN} AND {LIVE} ORDER BY 1, 2, 3"
    return _table(connection.execute(query, {"run_no": run_no}), CUSTOMS_LINES)


def stray_lines(connection: Connection) -> pa.Table:
    return _table(connection.execute(f"{_LINES} WHERE {_STRAY} ORDER BY 1, 2, 3"), CUSTOMS_LINES)


def _table(answer: Answer, schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *fetched(answer, schema)]).combine_chunks()


def declarations_begun(connection: Connection, run_no: int) -> list[str]:
    query = f"SELECT DISTINCT application_no FROM inventory i WHERE {OF_RUN} AND {LIVE} AND {_IN_RESULTS}"
    begun = {number for (number,) in connection.execute(query, {"run_no": run_no})}
    declarations = connection.execute("SELECT declaration_ref, application_no FROM declaration WHERE run_no = ?", (run_no,))
    return sorted(ref for ref, number in declarations if number in begun)


def not_held(connection: Connection, run_no: int) -> list[str]:
    query = f"SELECT inventory_no FROM inventory WHERE {OF_RUN} AND {DEAD}"
    return [number for (number,) in connection.execute(query, {"run_no": run_no})]


def results(connection: Connection, numbers: Iterable[str]) -> dict[str, KnownResult]:
    fields: dict[str, dict[str, str]] = {number: {} for number in numbers}
    for seq_no, name, value in connection.execute("SELECT summary_seq_no, name, value FROM result ORDER BY 1, 2"):
        if seq_no in fields:
            fields[seq_no][name] = value
    return {seq_no: _known(connection, seq_no, told) for seq_no, told in fields.items()}


def _known(connection: Connection, summary_seq_no: str, fields: dict[str, str]) -> KnownResult:
    parts, [lines], numbers = (
        [value for (value,) in connection.execute(f"{query} = ?{order}", (summary_seq_no,))]
        for query, order in (
            ("SELECT part_no FROM result_part WHERE summary_seq_no", " ORDER BY 1"),
            ("SELECT count(*) FROM result_line WHERE summary_seq_no", ""),
            ("SELECT declaration_no FROM result_number WHERE summary_seq_no", " ORDER BY at, declaration_no"),
        )
    )
    return KnownResult(fields, tuple(parts), lines, tuple(numbers))


def runs_holding(connection: Connection, summary_seq_no: str) -> list[str]:
    query = (
        f"SELECT DISTINCT run_ref FROM result_line l CROSS JOIN inventory i ON i.inventory_no = l.inventory_no AND i.{LIVE} "
        "JOIN run USING (run_no) WHERE summary_seq_no = ? ORDER BY 1"
    )
    return [ref for (ref,) in connection.execute(query, (summary_seq_no,))]


def results_numbered(connection: Connection, declaration_no: str) -> list[str]:
    query = "SELECT summary_seq_no FROM result WHERE name = 'declaration_no' AND value = ? ORDER BY 1"
    return [seq_no for (seq_no,) in connection.execute(query, (declaration_no,))]


# ------------------------------------------------------------------------------------------------------------------ trace


def inventories_in_results(connection: Connection, numbers: set[str]) -> set[str]:
    query = "SELECT summary_seq_no, value FROM result WHERE name = 'declaration_no'"
    found = {seq_no for seq_no, declaration_no in connection.execute(query) if numbers & {seq_no, declaration_no}}
    found |= numbers & {row[0] for row in connection.execute("SELECT DISTINCT summary_seq_no FROM result_line")}
    query = "SELECT DISTINCT inventory_no FROM result_line WHERE summary_seq_no = ?"
    return {number for seq_no in found for (number,) in connection.execute(query, (seq_no,))}


def latest_runs(connection: Connection, numbers: Iterable[str]) -> dict[str, int]:
    held = f"SELECT run_no FROM inventory WHERE inventory_no = ? AND {LIVE}"
    last = (
        f"SELECT max(run_no) FROM inventory JOIN run USING (run_no) WHERE inventory_no = ? AND inventory.{DEAD} "
        f"AND run.state = '{RUN_LIVE}'"
    )
    found = {}
    for number in numbers:
        row = connection.execute(held, (number,)).fetchone() or connection.execute(last, (number,)).fetchone()
        if row[0] is not None:
            found[number] = int(row[0])
    return found


def seen(connection: Connection, numbers: Iterable[str], by_own_number: bool) -> list[Seen]:
    found = []
    for number in numbers:
        of_platform = "%/" + "".join(f"!{each}" if each in "!%_" else each for each in number) if by_own_number else number
        where = "inventory_no = ? OR inventory_no LIKE ? ESCAPE '!'" if by_own_number else "inventory_no = ?"
        values = (number, of_platform) if by_own_number else (number,)
        found += [Seen(*row) for row in connection.execute(f"SELECT inventory_no, fate, reason, seen_period, seen_in FROM waiting WHERE {where} ORDER BY inventory_no", values)]
    return found


def traced_lines(connection: Connection, numbers: Iterable[str]) -> pa.Table:
    with connection.wanted(sorted(set(numbers))) as wanted:
        answer = connection.execute(
            "SELECT l.inventory_no, CAST(l.item_no AS TEXT), l.summary_seq_no, CASE l.customs_item_no WHEN 0 THEN '' ELSE CAST(l.customs_item_no AS TEXT) END, "
            f"coalesce(r.value, '') FROM {wanted} CROSS JOIN result_line l ON l.inventory_no = wanted.inventory_no "
            "LEFT JOIN result r ON r.summary_seq_no = l.summary_seq_no AND r.name = 'declaration_no' ORDER BY 1, 2"
        )
        return _table(answer, TRACED_LINES)
