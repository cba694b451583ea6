"""Exports of imports: refused where all lines are; where some are, their rows are named."""

from __future__ import annotations

from collections.abc import Iterator

from aggregator.inputs.export import unusable
from aggregator.pipeline.ingest import ROWS_NAMED, Imports, Ingested
from aggregator.pipeline.work import Work
from aggregator.schemas.text import Text


def refuse_imports(work: Work, ingested: list[Ingested]) -> tuple[Text, ...]:
    """Raise UnusableInput for a file of nothing but import lines. Out: for each file that has some, which rows they are."""
    return tuple(note for place in range(len(work.files)) for note in _of_file(work, ingested, place))


def _of_file(work: Work, ingested: list[Ingested], place: int) -> Iterator[Text]:
    chunks = [chunk for chunk, (file, _) in zip(ingested, work.chunks, strict=True) if file == place]
    found = [chunk.imports for chunk in chunks if chunk.imports is not None]
    if not found:
        return
    name, count = work.files[place].name, sum(each.lines for each in found)
    rows = _rows(found, count)
    if count == sum(chunk.lines for chunk in chunks):
        raise unusable("F119", name, f"Rows {rows}: {found[0].known_by}.", f"第 {rows} 行：{found[0].known_by}。")
    yield Text(
        f"[R127] {name}: {count:,} lines of import inventories among exports, rows {rows}. They are rejected; imports have no summary declaration.",
        f"[R127] {name}：出口清单中混有 {count:,} 行进口清单（第 {rows} 行），已拒绝；进口不汇总申报。",
    )


def _rows(found: list[Imports], count: int) -> str:
    rows = [row for each in found for row in each.rows][:ROWS_NAMED]
    return ", ".join(map(str, rows)) + (" …" if count > len(rows) else "")
