"""Exports of imports: refused where all lines are; where some are, their rows are named."""

from __future__ import annotations

from collections.abc import Iterator

from aggregator.inputs.export import unusable
from aggregator.pipeline.ingest import ROWS_NAMED, Imports, IngestedPart
from aggregator.pipeline.work import Work
from aggregator.schemas.text import Text, counted


def refuse_imports(work: Work, by_file: list[list[IngestedPart]]) -> tuple[Text, ...]:
    """Raise UnusableInput for a file of nothing but import lines. In: what the parts of each file say. Out: for each file that has some, which rows they are."""
    return tuple(note for file, parts in zip(work.files, by_file, strict=True) for note in _of_file(file.name, parts))


def _of_file(name: str, parts: list[IngestedPart]) -> Iterator[Text]:
    found = [part.imports for part in parts if part.imports is not None]
    if not found:
        return
    count = sum(each.lines for each in found)
    rows = _rows(found, count)
    if count == sum(part.lines for part in parts):
        raise unusable("F119", name, f"Rows {rows}: {found[0].known_by}.", f"第 {rows} 行：{found[0].known_by}。")
    yield Text(
        f"[R127] {name}: {counted(count, 'line of an import inventory', 'lines of import inventories')} among exports, {'row' if count == 1 else 'rows'} {rows}. {'It is' if count == 1 else 'They are'} rejected; imports have no summary declaration.",
        f"[R127] {name}：出口清单中混有 {count:,} 行进口清单（第 {rows} 行），已拒绝；进口不汇总申报。",
    )


def _rows(found: list[Imports], count: int) -> str:
    rows = [row for each in found for row in each.rows][:ROWS_NAMED]
    return ", ".join(map(str, rows)) + (" …" if count > len(rows) else "")
