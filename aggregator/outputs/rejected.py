"""Rejected lines as they were read, under their input's own headings, to be corrected and run again."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from aggregator.inputs.export import Block, Cut, Export
from aggregator.inputs.formats.csv import PARSE_AT_ONCE, raw_records
from aggregator.inputs.formats.records import NEWLINE, QUOTE, RETURN, cells_of, places_of
from aggregator.inputs.formats.spool import spooled_cells
from aggregator.inputs.tables.headings import normalised
from aggregator.outputs.tables import FIRST_OF_GUARDED, csv_bytes, guarded_cell
from aggregator.schemas.returned import REJECT_CODES, RETURNED_HEADINGS
from aggregator.schemas.text import Lang

_STEM = 60
"""Characters; a file name has at most 255 bytes."""


def kept_positions(file: Export) -> list[int]:
    """Columns of the input but for what an earlier run wrote beside them."""
    return [place for place, heading in enumerate(file.headings) if normalised(heading) not in RETURNED_HEADINGS]


def rejected_head(file: Export, headings: Lang = "en") -> bytes:
    return b"\xef\xbb\xbf" + _row([*(file.headings[place] for place in kept_positions(file)), REJECT_CODES.in_lang(headings)])


def rejected_records(file: Export, block: Block, rows: Any, codes: list[str], cut: Cut | None = None) -> bytes:
    """Records of a CSV file as rows with their codes; `cut`: see raw_records. A record that is no row of cells keeps its number of cells (one more,
    for the codes), so that it is found again and not taken for a sound row of other cells."""
    raw, spoiled = raw_records(file, block, rows, with_pieces=any("F206" in each for each in codes), cut=cut)
    as_it_stands = _put_in_quotes(raw, file)
    others, good = dict[int, bytes](), list[tuple[bytes, str]]()
    for place, (record, code, is_spoiled, quoted) in enumerate(zip(raw, codes, spoiled.tolist(), as_it_stands, strict=True)):
        cells = [record.decode()] if is_spoiled else _cells_of_odd_record(record, code, file)
        if cells is not None:
            others[place] = _row([*cells, code])
        elif quoted is not None:
            others[place] = b'%b,"%b"\n' % (quoted, code.encode())
        else:
            good.append((record, code))
    return _put_among(_good_rows(file, good), len(good), others)


def _put_in_quotes(records: list[bytes], file: Export) -> list[bytes | None]:
    """Records with each cell in quotes, as a writer of tables puts them; None for those in which there is more to do: quotes, line ends, cells that a
    spreadsheet would run, columns that are left out. To parse a record and write it again takes four times as long."""
    assert file.dialect is not None
    if len(kept_positions(file)) < len(file.headings):
        return [None] * len(records)
    delimiter = file.dialect.delimiter.encode()
    text = b"\n".join([b"", *records, b""])
    data, begins = np.frombuffer(text, dtype=np.uint8), np.cumsum([1, *(len(record) + 1 for record in records)])
    cells = np.flatnonzero((data == delimiter[0]) | (data == NEWLINE))[:-1] + 1
    first = data[cells]
    guarded = cells[FIRST_OF_GUARDED[first] & (first != NEWLINE) & (first != delimiter[0])]
    odd = np.zeros(len(records), dtype=bool)
    for places in (guarded, places_of(data, QUOTE), places_of(data, RETURN)):
        odd[np.searchsorted(begins, places, side="right") - 1] = True
    between = b'","'
    return [None if is_odd else b'"%b"' % record.replace(delimiter, between) for record, is_odd in zip(records, odd.tolist(), strict=True)]


def _put_among(rows: bytes, count: int, others: dict[int, bytes]) -> bytes:
    """So many rows as text, and others at their places among them (ascending)."""
    if not others:
        return rows
    data = np.frombuffer(rows, dtype=np.uint8)
    ends = places_of(data, NEWLINE)
    if len(ends) != count:
        # The others stand in cells.
        ends = ends[np.searchsorted(places_of(data, QUOTE), ends) % 2 == 0]
    parts, begin = list[bytes](), 0
    for before, (place, other) in enumerate(others.items()):
        end = int(ends[place - before - 1]) + 1 if place > before else 0
        parts += [rows[begin:end], other]
        begin = end
    return b"".join([*parts, rows[begin:]])


def rejected_spooled(file: Export, block: Block, places: Any, codes: list[str]) -> bytes:
    """Lines of a spool as rows with their codes."""
    return _rows_of(file, spooled_cells(file, block, places), codes)


def _cells_of_odd_record(record: bytes, code: str, file: Export) -> list[str] | None:
    """The cells of a record that has another number of cells; None for a sound one."""
    if "F20" not in code:
        return None
    assert file.dialect is not None
    cells = cells_of(record.decode(), file.dialect.delimiter)
    return None if len(cells) == len(file.headings) else cells


def _good_rows(file: Export, rows: list[tuple[bytes, str]]) -> bytes:
    if not rows:
        return b""
    assert file.dialect is not None
    names = [f"c{place}" for place in range(len(file.headings))]
    body = b"\n".join(record for record, _ in rows) + b"\n"
    table = pa_csv.read_csv(
        pa.py_buffer(body),
        read_options=pa_csv.ReadOptions(column_names=names, use_threads=False, block_size=PARSE_AT_ONCE),
        parse_options=pa_csv.ParseOptions(delimiter=file.dialect.delimiter, newlines_in_values=b'"' in body, ignore_empty_lines=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    return _rows_of(file, table, [code for _, code in rows])


def _rows_of(file: Export, cells: pa.Table, codes: list[str]) -> bytes:
    kept = cells.select([f"c{place}" for place in kept_positions(file)])
    return csv_bytes(kept.append_column(REJECT_CODES.en, pa.array(codes, pa.string())), header=False)


def _row(cells: list[str]) -> bytes:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(
        [guarded_cell(cell) for cell in cells]
    )
    return sink.getvalue().encode()


def rejected_names(files: tuple[Export, ...]) -> list[str]:
    """A file name for each input; inputs of equal names are told apart by a number."""
    taken: dict[str, None] = {}
    next_number = Counter[str]()
    for file in files:
        stem, name = _stem(file.name), ""
        while not name or name in taken:
            next_number[stem] += 1
            number = next_number[stem]
            name = f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv"
        taken[name] = None
    return list(taken)


def _stem(name: str) -> str:
    """Of an input's name what may be a file's name: standard input has none, a member of an archive may have any."""
    stem = "".join(letter if letter.isprintable() else "_" for letter in Path(name).stem)[:_STEM]
    return stem if stem.strip("-.") else "input"
