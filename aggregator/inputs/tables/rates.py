"""Read the table of exchange rates: a file of any format that exports come in, or `[[rates]]` of the config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.rate_findings import RateFinding, WrittenRate, doubts, overlaps, parsed
from aggregator.domain.rates import Rates, wrong_rates
from aggregator.inputs.export import Export, Taken
from aggregator.inputs.open import open_exports, read_chunk
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import temporary_room
from aggregator.inputs.sources.unpack import sources_of
from aggregator.inputs.tables.canonical import canonical_column
from aggregator.model.errors import ChangedInput, NoInput, StopRun, WrongConfiguration
from aggregator.model.settings import RateSettings
from aggregator.schemas.rates import RATE_FIELDS, RATE_RULES
from aggregator.schemas.text import Text

_CHUNK_BYTES = 1 << 20


def read_rates(settings: RateSettings) -> tuple[Rates, tuple[Taken, ...]]:
    """The table that a run uses, and the files it was read from. Raises WrongConfiguration for a table that cannot be used whole."""
    written, taken = written_rates(settings)
    rates, wrong = parsed(written)
    for finding in (*wrong, *overlaps(rates)):
        raise _unusable(finding)
    return Rates(tuple(rates)), taken


def doubts_about(rates: Rates) -> list[Text]:
    """What is doubtful of a table that is used as it stands."""
    return [_doubt(finding) for finding in doubts(rates.rates)]


def _doubt(finding: RateFinding) -> Text:
    rule = RATE_RULES[finding.code]
    where = f"[{finding.code}] {finding.place} {finding.currency} \"{finding.value}\""
    return Text(f"{where}: {rule.said.en}", f"{where}：{rule.said.zh}")


def written_rates(settings: RateSettings) -> tuple[list[WrittenRate], tuple[Taken, ...]]:
    """The rows as they are written. Raises WrongConfiguration where there is no table in them."""
    if settings.file is not None:
        return _of_file(settings.file)
    rows = [{name: str(row.get(name, "")) for name in RATE_FIELDS.columns} for row in settings.rows]
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in RATE_FIELDS.columns})
    return list(_rows(table, [f"[[rates]] {place}" for place in range(1, len(rows) + 1)])), ()


def _of_file(path: Path) -> tuple[list[WrittenRate], tuple[Taken, ...]]:
    try:
        with temporary_room() as room:
            exports = tuple(open_exports(sources_of([path], room), Reading(room, RATE_FIELDS, (), _CHUNK_BYTES)))
            rows = [row for file in exports for row in _of_export(file)]
    except (ChangedInput, NoInput, WrongConfiguration):
        raise
    except StopRun as stop:
        raise WrongConfiguration(f"The table of rates: {stop.text.en}", f"汇率表：{stop.text.zh}") from None
    return rows, tuple(each for file in exports for each in file.taken)


def _of_export(file: Export) -> Iterator[WrittenRate]:
    missing = [f"{column} ({' / '.join(RATE_FIELDS[column].headings)})" for column in RATE_FIELDS.required if column not in file.columns]
    if missing:
        raise WrongConfiguration(
            f"The table of rates {file.name} lacks {', '.join(missing)}. It needs a currency, CNY for one unit of it, and the first and last day of each rate.",
            f"汇率表 {file.name} 缺少 {'、'.join(missing)}。须有币制、1个单位折合的人民币，以及每条汇率的起止日期。",
        )
    for block in file.blocks:
        chunk = read_chunk(file, block)
        for place in sorted(chunk.wrong):
            raise wrong_rates(f"{file.name}, row {chunk.rows[place]} is no row of cells", f"{file.name} 第 {chunk.rows[place]} 行不是完整的数据行")
        yield from _rows(chunk.lines, [f"{file.name}:{row}" for row in chunk.rows])


def _rows(lines: pa.Table, places: list[str]) -> Iterator[WrittenRate]:
    columns = [
        pc.fill_null(canonical_column(lines[name].combine_chunks(), RATE_FIELDS[name]).cast(pa.string()), "").to_pylist()
        if name in lines.column_names
        else [""] * lines.num_rows
        for name in RATE_FIELDS.columns
    ]
    for place, *cells in zip(places, *columns, strict=True):
        yield WrittenRate(place, *cells)


def _unusable(finding: RateFinding) -> WrongConfiguration:
    rule = RATE_RULES[finding.code]
    where = f"{finding.place} {finding.currency} \"{finding.value}\""
    return wrong_rates(f"[{finding.code}] {where}: {rule.message.en.rstrip('.')}", f"[{finding.code}] {where}：{rule.message.zh.rstrip('。')}")
