"""Rejected lines as a workbook, to be corrected in a spreadsheet and run again: text cells under the input's own headings, the wrong
ones marked, and what is wrong with each line beside it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from aggregator.inputs.export import Export
from aggregator.inputs.tables.canonical import GUARDED
from aggregator.outputs.rejected import kept_positions
from aggregator.outputs.xlsx import ROWS_AT_ONCE, Sheet, Style, write_book
from aggregator.schemas.arrays import Ints
from aggregator.schemas.modes import Mode
from aggregator.schemas.returned import REJECT_CODES, REJECT_REASONS
from aggregator.schemas.text import Lang, Text

_COMMENTS = 1_000
"""Each is a drawing of its own, which spreadsheets are slow to open; the column beside has all."""
_TITLE = Text("Rejected lines", "拒绝的行")
_SOUND = Text(
    "Nothing is wrong with this line: it is rejected with the others of its inventory.", "本行无误：因同一清单的其他行有误而一并拒绝。"
)
_BETWEEN = Text(" | ", "｜")


def write_rejected_book(path: Path, file: Export, mode: Mode, pieces: Iterable[tuple[bytes, pa.Table]], lang: Lang, headings: Lang) -> None:
    """`pieces`: records of the rejected CSV file without its head, and what is wrong with them (MARKS). `headings`: of what stands beside."""
    positions = kept_positions(file)
    beside = (REJECT_REASONS.in_lang(headings), REJECT_CODES.in_lang(headings))
    names = [*(file.headings[place].strip() for place in positions), *beside]
    kept = {place: at for at, place in enumerate(positions)}
    columns = {mode.dictionary.number[column]: kept[place] for column, place in file.matched.places.items() if place in kept}
    book = _Book(names, columns, mode, file.dialect.delimiter if file.dialect else ",", lang)
    write_book(path, [Sheet(_TITLE.in_lang(headings), names, [Style.TEXT] * len(names), book.tables(pieces), book.marked, book.comments)])


@dataclass
class _Book:
    """`columns`: number of a column of the dictionary to its place in the sheet. `marked`, `comments`: see Sheet."""

    headings: list[str]
    columns: dict[int, int]
    mode: Mode
    delimiter: str
    lang: Lang
    marked: dict[int, Ints] = field(default_factory=dict)
    comments: dict[tuple[int, int], str] = field(default_factory=dict)

    def tables(self, pieces: Iterable[tuple[bytes, pa.Table]]) -> Iterator[pa.Table]:
        width, first = len(self.headings) - 2, 0
        for data, marks in pieces:
            cells, whole = _records(data, width, self.delimiter)
            self._mark(marks, first, whole)
            codes = cells.column(width)
            reasons = pa.chunked_array([self._reasons(marks, cells.num_rows)])
            columns = [*cells.columns[:width], reasons, codes]
            yield from _bounded(pa.table(columns, names=list(map(str, range(len(columns))))))
            first += cells.num_rows

    def _mark(self, marks: pa.Table, first: int, whole: Ints) -> None:
        """`whole`: records that are no rows of cells; they stand in their first cell."""
        lines, columns = marks["line"].to_numpy(), marks["column"].to_numpy()
        for number, place in {0: 0, **self.columns}.items():
            rows = whole if number == 0 else np.unique(lines[columns == number])
            if len(rows):
                self.marked[place] = np.union1d(self.marked.get(place, np.zeros(0, dtype=np.int64)), rows + first)
        comments = self.comments
        for mark in marks.slice(0, 2 * _COMMENTS).to_pylist() if len(comments) < _COMMENTS else ():
            if mark["column"] in self.columns:
                at = (first + mark["line"], self.columns[mark["column"]])
                if at in comments or len(comments) < _COMMENTS:
                    comments[at] = "\n".join(filter(None, (comments.get(at), self._text(mark["code"], 0))))

    def _reasons(self, marks: pa.Table, lines: int) -> pa.Array:
        """What is wrong with each line."""
        pairs = marks["code"].to_numpy().astype(np.int64) << 16 | marks["column"].to_numpy().astype(np.int64)
        different, of_mark = np.unique(pairs, return_inverse=True)
        texts = pa.array([self._text(int(pair) >> 16, int(pair) & 0xFFFF) for pair in different], pa.string())
        ends = np.searchsorted(marks["line"].to_numpy(), np.arange(lines + 1)).astype(np.int32)
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), texts.take(pa.array(of_mark))), _BETWEEN.in_lang(self.lang))
        return pc.if_else(pc.equal(joined, ""), _SOUND.in_lang(self.lang), joined)

    def _text(self, code: int, column: int) -> str:
        rule = self.mode.rules.rules[code]
        heading = self.headings[self.columns[column]] if column in self.columns else self.mode.dictionary.shown_names[column]
        return f"[{rule.code}] {heading}{': ' if heading else ''}{rule.said.in_lang(self.lang)}"


def _bounded(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, ROWS_AT_ONCE):
        yield table.slice(start, ROWS_AT_ONCE)


def _records(data: bytes, width: int, delimiter: str) -> tuple[pa.Table, Ints]:
    """Records as cells under `width` headings and their codes, and which of them are no rows of cells: those stand whole in their first
    cell, where nobody takes them for rows of other cells, and they are rejected again until they are corrected."""
    odd: dict[int, list[str]] = {}

    def note(row: Any) -> str:
        odd[row.number - 1] = next(csv.reader([row.text]))
        return "skip"

    names = [f"c{place}" for place in range(width + 1)]
    table = pa_csv.read_csv(
        pa.py_buffer(data),
        read_options=pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1024),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=note),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    if odd:
        table = _with_odd(table, odd, delimiter)
    for place, values in enumerate(table.columns):
        if pc.any(pc.starts_with(values, "'")).as_py():
            table = table.set_column(place, names[place], pc.replace_substring_regex(values, GUARDED, r"\1"))
    return table, np.array(sorted(odd), dtype=np.int64)


def _with_odd(table: pa.Table, odd: dict[int, list[str]], delimiter: str) -> pa.Table:
    places = np.array(sorted(odd))
    count = table.num_rows + len(odd)
    order = np.zeros(count, dtype=np.int64)
    is_odd = np.zeros(count, dtype=bool)
    is_odd[places] = True
    order[~is_odd] = np.arange(table.num_rows)
    order[is_odd] = table.num_rows + np.arange(len(odd))
    blank = [""] * len(odd)
    columns = [[_plain(delimiter.join(odd[place][:-1])) for place in places], *[blank] * (table.num_columns - 2), [odd[place][-1] for place in places]]
    return pa.concat_tables([table, pa.table([pa.array(column, pa.string()) for column in columns], names=table.column_names)]).combine_chunks().take(pa.array(order))


def _plain(cell: str) -> str:
    return re.sub(GUARDED, r"\1", cell)
