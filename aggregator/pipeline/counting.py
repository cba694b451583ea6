"""Findings counted by code, with the first of each; and those that are reported once a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from aggregator.domain.grouping import run_starts
from aggregator.model.outcome import EXAMPLES, Example, Outcome
from aggregator.schemas.arrays import Mask
from aggregator.schemas.rule import RuleBook

ONCE = pa.schema([("place", pa.int64()), ("code", pa.int16()), ("column", pa.int16()), ("value", pa.string())])
"""Findings of a chunk that are reported once a value, and which of its findings they are."""


class OncePerValue:
    """Knows which values were reported before, in the order of the input."""

    def __init__(self, rules: RuleBook) -> None:
        self._rules = rules
        self._seen: set[tuple[int, int, str]] = set()

    def filter(self, findings: pa.Table) -> pa.Table:
        """Without what was reported before."""
        suspects = reported_once(self._rules, findings)
        again = np.zeros(findings.num_rows, dtype=bool)
        again[suspects["place"].to_numpy()] = self.again(suspects)
        return findings.filter(pa.array(~again)) if again.any() else findings

    def again(self, findings: pa.Table) -> Mask:
        """Of findings (ONCE), those whose value was reported before."""
        result = np.zeros(findings.num_rows, dtype=bool)
        for place, row in enumerate(findings.select(["code", "column", "value"]).to_pylist()):
            key = (row["code"], row["column"], row["value"])
            result[place] = key in self._seen
            self._seen.add(key)
        return result


def joined(findings: Iterable[pa.Table], least: int) -> Iterator[pa.Table]:
    """The same, but small tables together, so many rows at least."""
    waiting, rows = list[pa.Table](), 0
    for table in findings:
        waiting.append(table)
        rows += table.num_rows
        if rows >= least:
            yield pa.concat_tables(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def reported_once(rules: RuleBook, findings: pa.Table) -> pa.Table:
    """Those of rules that report once a value (ONCE)."""
    places = np.flatnonzero(np.isin(findings["code"].to_numpy(), list(rules.once_per_value)))
    chosen = findings.select(["code", "column", "value"]).take(pa.array(places))
    return chosen.add_column(0, "place", pa.array(places)).cast(ONCE)


def counted(findings: Iterable[pa.Table], outcome: Outcome) -> Iterator[pa.Table]:
    """Pass findings on, counting them by code into the outcome, and keep the first of each."""
    outcome.findings, outcome.examples = {}, {}
    for table in findings:
        add_counts(outcome, *count_findings([table]))
        yield table


def count_findings(tables: Iterable[pa.Table]) -> tuple[dict[str, int], dict[str, list[Example]]]:
    """By code: how many there are, and the first ones."""
    counts, examples = dict[str, int](), dict[str, list[Example]]()
    for table in tables:
        found = _first_of_each_code(table)
        for code, count in value_counts(table["code"]):
            counts[code] = counts.get(code, 0) + count
            shown = examples.setdefault(code, [])
            shown += found[code][: EXAMPLES - len(shown)]
    return counts, examples


def add_counts(outcome: Outcome, counts: Mapping[str, int], examples: Mapping[str, Sequence[Example]]) -> None:
    for code, count in counts.items():
        outcome.findings[code] = outcome.findings.get(code, 0) + count
        shown = outcome.examples.setdefault(code, [])
        shown += examples[code][: EXAMPLES - len(shown)]


def _first_of_each_code(findings: pa.Table) -> dict[str, list[Example]]:
    """By code the first findings of a table: as many as are shown."""
    codes = findings["code"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    starts = run_starts(codes[order].astype(np.int64))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    rows = findings.select(["code", "source_file", "source_row", "column", "value", "inventory_no"]).take(pa.array(order[place < EXAMPLES])).to_pylist()
    found = dict[str, list[Example]]()
    for row in rows:
        found.setdefault(row["code"], []).append(Example(row["source_file"] or "", row["source_row"], row["column"] or "", row["value"] or "", row["inventory_no"] or ""))
    return found


def value_counts(values: pa.ChunkedArray) -> list[tuple[Any, int]]:
    of_value = values.combine_chunks().value_counts()
    return list(zip(of_value.field("values").to_pylist(), of_value.field("counts").to_pylist(), strict=True))
