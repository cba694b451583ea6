"""Write the files of a run folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa

from aggregator.domain.split import declaration_refs
from aggregator.model.names import path_of, told
from aggregator.model.outcome import Outcome
from aggregator.model.settings import RunSettings
from aggregator.outputs.manifest import own_headings
from aggregator.outputs.parquet_parts import join_parquet
from aggregator.outputs.rejected import rejected_head, rejected_names
from aggregator.outputs.report.page import RunFolder, page
from aggregator.outputs.tables import csv_head, write_csv, write_parquet
from aggregator.pipeline.books import MOST_BOOKS, MOST_LINES, rejected_by_file
from aggregator.pipeline.counting import counted
from aggregator.pipeline.result import Result
from aggregator.pipeline.result_tables import sharings, weight_shares
from aggregator.pipeline.written import Writing
from aggregator.places.place import MANIFEST
from aggregator.schemas.column_names import column_name
from aggregator.schemas.text import Text


def writing_of(settings: RunSettings) -> Writing:
    """What workers write: all whose rows are as many as those of the input."""
    parquet = ("audit_map", "excluded") if "parquet" in settings.formats else ("audit_map",)
    csv = ("excluded", "findings", "weight_shares", *(("audit_map",) if "csv" in settings.formats else ()))
    return Writing(parquet, csv, settings.lang, settings.sheet_headings)


def write_outputs(settings: RunSettings, result: Result, run_ref: str, stage: Path, outcome: Outcome) -> None:
    """Write every table, counting the findings into the outcome, and the rejected lines of each input."""
    mode, storage = result.work.mode, result.work.storage
    refs = declaration_refs(run_ref, result.split.declarations)

    makers: dict[str, Callable[[], Iterator[pa.Table]]] = {
        "declarations": lambda: iter([result.declarations]),
        "declaration_items": lambda: iter([result.declaration_items]),
        "audit_map": lambda: result.pieces("audit_map"),
        "weight_shares": lambda: (weight_shares(mode, storage, sharing, refs) for sharing in sharings(storage, result.spread)),
        "findings": lambda: counted(result.findings(settings.lang), outcome),
        "excluded": lambda: result.pieces("excluded"),
        "control_totals": lambda: iter([result.totals]),
    }
    for name in mode.outputs.tables:
        if name not in makers:
            makers[name] = partial(_whole, result, name)

    for name, make in makers.items():
        if name == "audit_map" or "parquet" in settings.formats:
            _write_parquet(stage / f"{name}.parquet", name, result, make)
        if name != "audit_map" or "csv" in settings.formats:
            headings = [column_name(each, mode.dictionary, settings.csv_headings) for each in mode.outputs[name].names]
            rows = _rows_of_csv(result, name, settings, outcome)
            _write_csv(stage / f"{name}.csv", mode.outputs[name], headings, make, rows)
    if "xlsx" in settings.formats or settings.audit_map_xlsx:
        from aggregator.outputs.run_book import write_run_book

        sheets = {name: make for name, make in makers.items() if name != "audit_map" or settings.audit_map_xlsx}
        write_run_book(stage / f"{run_ref}.xlsx", mode, sheets, settings.sheet_headings)
    outcome.notes += _write_rejected(result, stage / "rejected", settings)


def _write_parquet(path: Path, name: str, result: Result, make: Callable[[], Iterator[pa.Table]]) -> None:
    if parts := result.written.parquet.get(name):
        join_parquet(path, map(result.work.storage.read_bytes, parts))
    else:
        write_parquet(path, result.work.mode.outputs[name], make())


def _write_csv(path: Path, schema: pa.Schema, headings: list[str], make: Callable[[], Iterator[pa.Table]], rows: Iterator[bytes] | None) -> None:
    """`rows`: as workers have written them, where they have."""
    if rows is None:
        write_csv(path, schema, make(), headings)
        return
    with path.open("wb") as file:
        file.write(csv_head(schema, headings))
        file.writelines(rows)


def _rows_of_csv(result: Result, name: str, settings: RunSettings, outcome: Outcome) -> Iterator[bytes] | None:
    written = result.written
    if name == "findings" and written.told is not None:
        return result.findings_as_csv(written.told, settings.lang, outcome)
    return map(result.work.storage.read_bytes, written.csv[name]) if name in written.csv else None


def write_report(settings: RunSettings, result: Result, run_ref: str, stage: Path, outcome: Outcome, now: datetime) -> None:
    """report.html, once all files that it tells of are written."""
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    rejected: dict[str, list[tuple[str, str]]] = {}
    for file, name in zip(result.work.files, rejected_names(result.work.files), strict=True):
        stem = stage / "rejected" / path_of(name)
        theirs = [_told(path, stage) for path in (stem.with_suffix(".xlsx"), stem) if path.is_file()]
        if theirs:
            rejected[file.name] = theirs
    beside = [_told(path, stage) for path in files if path.parent == stage]
    folders = Counter(path.relative_to(stage).parts[0] for path in files if path.parent != stage)
    beside += [(f"{name}/ ({count:,})", f"{quote(name)}/") for name, count in folders.items()]
    named = {each.file for examples in outcome.examples.values() for each in examples}
    headings = {file.name: own_headings(file) for file in result.work.files if file.name in named}
    folder = RunFolder([*beside, (MANIFEST, MANIFEST)], rejected, headings)
    made = page(outcome, run_ref, result.declarations, result.declaration_items, folder, now, settings.lang)
    (stage / "report.html").write_text(made, encoding="utf-8")


def _told(path: Path, stage: Path) -> tuple[str, str]:
    """How a file of the run folder is called, and its address from the report."""
    inside = path.relative_to(stage)
    return told(inside), quote(os.fsencode(inside))


def _whole(result: Result, name: str) -> Iterator[pa.Table]:
    return iter([result.tables.get(name, result.work.mode.outputs[name].empty_table())])


def _write_rejected(result: Result, folder: Path, settings: RunSettings) -> list[Text]:
    """The rejected lines of each input, and what is to be said of them."""
    names, storage = rejected_names(result.work.files), result.work.storage
    for place, parts in rejected_by_file(result.emitted).items():
        folder.mkdir(exist_ok=True)
        path = folder / path_of(names[place])
        with path.open("wb") as sink:
            sink.write(rejected_head(result.work.files[place], settings.csv_headings))
            sink.writelines(storage.read_bytes(part.name) for part in parts)
        if place in result.written.books:
            path.with_suffix(".xlsx").write_bytes(storage.read_bytes(result.written.books[place]))
    without = [names[place] for place in result.written.without_book]
    return [_without_books(without)] if without else []


def _without_books(names: list[str]) -> Text:
    listed = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return Text(
        f"Too many lines are rejected to be corrected by hand: workbooks are written for {MOST_LINES:,} lines and {MOST_BOOKS} inputs. "
        f"Without one: {listed}; their CSV files have all lines. Correct what findings.csv shows where the export comes from.",
        f"拒绝的行过多，不宜逐行手工修正：工作簿最多写入 {MOST_LINES:,} 行、{MOST_BOOKS} 个输入文件。"
        f"未生成工作簿：{listed}；其CSV文件含全部行。请按 findings.csv 在导出来源处修正。",
    )
