"""Values that a spreadsheet spoiled, told once for each column of a file, and not as often as there are cells of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from aggregator.pipeline.work import Work, part_of
from aggregator.schemas.modes import Mode
from aggregator.schemas.ruined import is_ruined
from aggregator.schemas.text import Text, counted

FROM_CELLS = 3
"""Fewer are read one by one."""
_COLUMNS_TOLD = 10


class Ruined(NamedTuple):
    """Of a column of a part of a chunk: the place of its file, how many cells, the row and value of the first, and how many findings of
    which rules are about them."""

    place: int
    column: int
    cells: int
    row: int
    value: str
    findings: tuple[tuple[int, int], ...]


def ruined_in(work: Work, chunk: int, reported: pa.Table, lines: pa.Table) -> Iterator[Ruined]:
    line, column, code = (reported[name].to_numpy() for name in ("line", "column", "code"))
    part = part_of(lines)[line]
    for number in np.unique(column[column > 0]).tolist():
        at = np.flatnonzero(column == number)
        encoded = reported["value"].combine_chunks().take(pa.array(at)).fill_null("").dictionary_encode()
        mask = is_ruined(encoded.dictionary, work.mode.dictionary.fields[number - 1]).to_numpy(zero_copy_only=False)
        bad = at[mask[encoded.indices.to_numpy()]] if mask.any() else at[:0]
        for which in np.unique(part[bad]).tolist():
            own = bad[part[bad] == which]
            codes = np.unique(code[own], return_counts=True)
            findings = tuple(zip(codes[0].tolist(), codes[1].tolist(), strict=True))
            first = int(own[0])
            row = lines["source_row"][int(line[first])].as_py()
            yield Ruined(work.chunks[chunk][which].place, number, len(np.unique(line[own])), row, reported["value"][first].as_py() or "", findings)


def told_of(found: Iterable[Ruined], mode: Mode, names: Sequence[str]) -> tuple[list[Text], dict[str, int]]:
    """What is to be said of them, and how many findings of each rule that explains. `names`: of the files."""
    together: dict[tuple[int, int], list[Ruined]] = {}
    for each in found:
        together.setdefault((each.place, each.column), []).append(each)
    texts: list[Text] = []
    explained: dict[str, int] = {}
    for (place, column), parts in together.items():
        cells, first = sum(part.cells for part in parts), parts[0]
        if cells < FROM_CELLS:
            continue
        for code, count in (each for part in parts for each in part.findings):
            name = mode.rules.codes[code]
            explained[name] = explained.get(name, 0) + count
        field = mode.dictionary.fields[column - 1]
        heading = field.headings[0] if field.headings else field.shown
        texts.append(Text(
            f"{names[place]}: a spreadsheet has probably changed {counted(cells, 'cell', 'cells')} of {field.shown} (the first in row {first.row}: {first.value}). What stood there cannot be known from them: "
            "export the file again and do not open the CSV in a spreadsheet, or import it with this column as text; correct rejected lines in their workbook.",
            f"{names[place]}：“{heading}”列有 {cells:,} 个单元格疑似被表格软件改动（首个在第 {first.row} 行：{first.value}），无法由其得知原值："
            "请重新导出，不要用表格软件直接打开CSV，或导入时将该列设为文本；被拒绝的行请在其工作簿中修正。",
        ))  # fmt: skip
    if len(texts) > _COLUMNS_TOLD:
        more = len(texts) - _COLUMNS_TOLD
        texts[_COLUMNS_TOLD:] = [Text(f"… and so in {counted(more, 'more column', 'more columns')}.", f"……另有 {more} 列如此。")]
    return texts, explained
