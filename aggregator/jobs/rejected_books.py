"""Workbooks of the rejected lines, as many as people can make use of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from aggregator.model.names import told
from aggregator.outputs.rejected_book import MOST_BOOKS, MOST_LINES, write_rejected_book
from aggregator.pipeline.emit import Rejected
from aggregator.pipeline.result import Result
from aggregator.schemas.text import Lang, Text


def write_rejected_books(result: Result, files: Mapping[Path, Sequence[Rejected]], lang: Lang, headings: Lang) -> list[Text]:
    """`files`: CSV files of rejected lines, each with the parts it is of. Out: what is to be said of those that get none:
    a workbook holds all of its file or is not written, for half of an inventory must not be taken for the whole."""
    left, books, without = MOST_LINES, 0, []
    for path, parts in files.items():
        lines = sum(part.lines for part in parts)
        if lines > left or books == MOST_BOOKS:
            without.append(told(path.name))
            continue
        left, books = left - lines, books + 1
        write_rejected_book(path.with_suffix(".xlsx"), result.work.files[parts[0].place], result.work.mode, _pieces(result, parts), lang, headings)
    return [_told_of(without)] if without else []


def _pieces(result: Result, parts: Sequence[Rejected]) -> Iterator[tuple[bytes, pa.Table]]:
    storage = result.work.storage
    return ((storage.read_bytes(part.name), storage.read(part.marks)) for part in parts)


def _told_of(names: list[str]) -> Text:
    listed = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return Text(
        f"Too many lines are rejected to be corrected by hand: workbooks are written for {MOST_LINES:,} lines and {MOST_BOOKS} inputs. "
        f"Without one: {listed}; their CSV files have all lines. Correct what findings.csv shows where the export comes from.",
        f"拒绝的行过多，不宜逐行手工修正：工作簿最多写入 {MOST_LINES:,} 行、{MOST_BOOKS} 个输入文件。"
        f"未生成工作簿：{listed}；其CSV文件含全部行。请按 findings.csv 在导出来源处修正。",
    )
