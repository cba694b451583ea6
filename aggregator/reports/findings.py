"""Findings on the screen: one paragraph each, with file, row, column, value, what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from aggregator.model.disk import replacing
from aggregator.model.outcome import Outcome
from aggregator.outputs.tables import write_csv_to
from aggregator.reports.summary import Line, findings_by_code
from aggregator.schemas.column_names import SEVERITIES, called, column_name
from aggregator.schemas.text import Lang, Text, counted


def print_findings(
    tables: Iterator[pa.Table], path: Path | None, most: int, outcome: Outcome, lang: Lang, echo: Callable[[str], object], headings: Lang = "en"
) -> list[Line]:
    """Print the first findings, write all to `path` (under `headings`) if there is one. Out: the counts, to end with. Of the outcome's headings
    those stay that findings speak of."""
    left, spoken_of = most, set[tuple[str, str]]()

    def shown() -> Iterator[pa.Table]:
        nonlocal left
        for table in tables:
            for row in table.slice(0, left).to_pylist():
                echo(_paragraph(row, outcome, lang))
            left -= min(left, table.num_rows)
            spoken_of.update((row["source_file"], row["column"]) for row in table.group_by(["source_file", "column"]).aggregate([]).to_pylist())
            yield table

    if path is not None:
        schema = outcome.mode.outputs["findings"]
        with replacing(path) as file:
            write_csv_to(file, schema, shown(), [column_name(name, outcome.mode.dictionary, headings) for name in schema.names])
    else:
        for _ in shown():
            pass
    outcome.headings = {of: heading for of, heading in outcome.headings.items() if of in spoken_of}
    if not most:
        return []
    counts, total = outcome.counts, sum(outcome.findings.values())
    read = Text(
        f"{counted(counts['lines_read'], 'line', 'lines')} of {counted(counts['inventories_read'], 'inventory', 'inventories')} read: {counted(total, 'finding', 'findings')}.",
        f"读入 {counts['lines_read']:,} 行、{counts['inventories_read']:,} 份清单：发现 {total:,} 个问题。",
    )
    return [Line(read.in_lang(lang)), *(Line(note.in_lang(lang)) for note in outcome.notes), *findings_by_code(outcome, lang)]


def _paragraph(row: dict[str, Any], outcome: Outcome, lang: Lang) -> str:
    """The column with the user's own heading; in Chinese, where that is our name, with the trade's."""
    column = called(row["column"], outcome.mode.dictionary, lang, outcome.headings.get((row["source_file"], row["column"]), ""))
    place = f"{row['source_file']}:{row['source_row']}" if row["source_row"] is not None else row["source_file"] or "-"
    what = f" {column} \"{row['value']}\"" if column else (f" \"{row['value']}\"" if row["value"] else "")
    return f"{place}{what} [{row['code']} {SEVERITIES[row['severity']].in_lang(lang)}] {row['message']}"
