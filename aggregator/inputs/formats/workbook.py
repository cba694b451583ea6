"""Read the sheets of a workbook (.xlsx, .xlsm, .xls) that hold inventories; cell types are kept until they are text (cells.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from aggregator.inputs.export import FILE_LINES, Export, FileFinding, Source, unusable
from aggregator.inputs.formats.merged_cells import MergedCells
from aggregator.inputs.formats.spool import SpoolWriter, reported_column
from aggregator.inputs.formats.workbook_cells import Book, Column, Sheet
from aggregator.inputs.formats.workbook_parts import Parts, parts_of, refuse_far
from aggregator.inputs.formats.workbook_size import refuse_bomb
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.unchanged import taken_of
from aggregator.inputs.tables.cells import column_texts, text_of
from aggregator.inputs.tables.headings import match_headings
from aggregator.inputs.tables.sheet import HEAD_ROWS, Head, find_head
from aggregator.model.errors import UnusableInput
from aggregator.schemas.field import Field

_ROWS_AT_ONCE = 20_000
_ZIP = b"PK"


def open_workbook(source: Source, how: Reading) -> list[Export]:
    """The sheets that the user named, or the only one that holds inventories. Raises what says what to do."""
    with source.path.open("rb") as file:
        zipped = file.read(2) == _ZIP
    size = refuse_bomb(source) if zipped else source.path.stat().st_size
    with Book(source, size) as book:
        return _opened(source, book, how, zipped=zipped)


def _opened(source: Source, book: Book, how: Reading, *, zipped: bool) -> list[Export]:
    names = [name for name in book.names if not how.sheets or name in how.sheets]
    looked_at, sheets = dict[str, Parts | None](), dict[str, Sheet]()
    for name in names:
        if zipped:
            refuse_far(source, name)
        read = book.begun(name)
        looked_at[name] = _parts(source, name) if zipped else Parts()
        sheets[name] = read()
    if not book.names:
        raise unusable("F108", source.name, "It has no sheets.", "其中没有工作表。")
    if not sheets:
        raise unusable("F110", source.name, f"Its sheets: {', '.join(book.names)}.", f"工作表：{'、'.join(book.names)}。")
    heads = {name: head for name, sheet in sheets.items() if (head := _head(source, sheet, how)) is not None}
    hidden = [name for name in book.hidden if name in heads]
    reported = [] if how.sheets else [FileFinding("F306", name) for name in hidden]
    exports = []
    for name in _chosen(source, book, heads, [] if how.sheets else hidden, how):
        parts = looked_at[name] or parts_of(source, name)
        head = _head(source, sheets[name], how, parts) or heads[name]
        head.must_be_on_top(source.name)
        exports.append(_spooled(source, "xlsx" if zipped else "xls", sheets[name], name, head, parts, reported, how))
    return exports


def _parts(source: Source, sheet: str) -> Parts | None:
    """None where they do not fit together, which is for the sheets that are read."""
    try:
        return parts_of(source, sheet)
    except UnusableInput:
        return None


def _chosen(source: Source, book: Book, heads: dict[str, Head], hidden: list[str], how: Reading) -> list[str]:
    if how.sheets and (without := [name for name in how.sheets if name in book.names and name not in heads]):
        raise unusable("F101", source.name, f"Sheet {without[0]}.", f"工作表 {without[0]}。")
    seen = [name for name in heads if name not in hidden]
    if how.sheets:
        return seen
    whole = [name for name in seen if _holds_lists(heads[name])]
    if not whole and seen:
        # Receipts, a tariff, inventories that need a mapping: the sheet of which most is known, and any that is just like it.
        best = max(seen, key=lambda name: len(heads[name].matched.places))
        whole = [name for name in seen if set(heads[name].matched.places) == set(heads[best].matched.places)]
    if len(whole) > 1:
        raise unusable("F111", source.name, f"They are: {', '.join(whole)}.", f"它们是：{'、'.join(whole)}。")
    if not seen:
        listed = ", ".join(book.names)
        only = f"The hidden sheet {hidden[0]} holds inventories: name it with --sheet." if hidden else f"Its sheets: {listed}."
        nur = f"隐藏的工作表 {hidden[0]} 含有清单：请用 --sheet 指定。" if hidden else f"工作表：{listed}。"
        raise unusable("F101", source.name, only, nur)
    return whole


def _holds_lists(head: Head) -> bool:
    """Item lines: a commodity code, and what inventory, order or message of ours it belongs to."""
    given = set(head.matched.places)
    return "commodity_code" in given and bool(given & {"inventory_no", "internal_no", "order_no"})


def _head(source: Source, sheet: Sheet, how: Reading, parts: Parts | None = None) -> Head | None:
    beside = [""] * _left(sheet)
    rows = [beside + [text_of(cell) for cell in row] for row in sheet.first_rows(HEAD_ROWS)]
    for row, place, text in _spoiled(parts, 0, len(rows)) if parts is not None else ():
        if place < len(rows[row]):
            rows[row][place] = text
    head = find_head(source.name, rows, how, max(how.least_known, 1))
    if head is None and not how.least_known:
        first = next((place for place, row in enumerate(rows) if any(row)), None)
        return None if first is None else Head(first, tuple(rows[first]), match_headings(how.dictionary, rows[first], how.columns))
    return head


def _left(sheet: Sheet) -> int:
    """Columns before the first that is not empty: the reader leaves them out."""
    return sheet.start[1] if sheet.start and sheet.width < sheet.total_width else 0


def _columns(sheet: Sheet, first: int, count: int) -> Iterator[tuple[int, list[Column]]]:
    """Rows from `first` on by column, many at a time, with their number; each from the first column. Below them blank ones, so that the
    sheet has `count`: the reader leaves out too what is nothing but formulas without a value."""
    for rows, columns in sheet.columns(first):
        yield rows, [*([""] * rows for _ in range(_left(sheet))), *columns]
        first += rows
    while first < count:
        rows = min(count - first, _ROWS_AT_ONCE)
        yield rows, [[""] * rows for _ in range(_left(sheet) + sheet.width)]
        first += rows


def _spoiled(parts: Parts, first: int, count: int) -> Iterator[tuple[int, int, str]]:
    """Row (from `first`), column and text of the cells in a stretch of rows."""
    for (row, place), text in parts.spoiled.items():
        if first < row <= first + count:
            yield row - 1 - first, place, text


def _texts(cells: Column, field: Field | None, repairs: Counter[str], parts: Parts) -> pa.Array:
    return pa.array(column_texts(cells, field, repairs, from_1904=parts.from_1904), pa.string()) if isinstance(cells, list) else cells


def _spooled(
    source: Source, kind: str, sheet: Sheet, name: str, head: Head, parts: Parts, reported: list[FileFinding], how: Reading
) -> Export:
    path, repairs = how.room.new_file(".arrow"), Counter[str](title_rows=head.row)
    columns = {place: column for column, place in head.matched.places.items()}
    width, first = len(head.headings), head.row + 1
    headers = {place for place, column in columns.items() if how.dictionary[column].header}
    merged = MergedCells(sheet.merged_cell_ranges, first, columns, headers)
    count = max([sheet.end[0] + 1 if sheet.end else 0, *(row for row, place in parts.spoiled if place in columns)])
    with SpoolWriter(path, width, how.chunk_bytes) as spool:
        for rows, cells in _columns(sheet, first, count):
            spoiled = [each for each in _spoiled(parts, first, rows) if each[1] < width]
            if spoiled or merged.any:
                cells = [each if isinstance(each, list) else each.to_pylist() for each in cells]
            for row, place, text in spoiled:
                cells[place][row] = text
            filled, unclear = merged.fill(cells, first, rows)
            repairs["merged_cells"] += filled
            texts = [_texts(cells[place], how.dictionary.by_column.get(columns.get(place, "")), repairs, parts) for place in range(width)]
            spool.add(texts, np.arange(first + 1, first + 1 + rows), reported=reported_column(unclear, rows) if unclear else None)
            first += rows
    hidden = [row for row in parts.hidden_rows if row > head.row + 1]
    more = [FileFinding("F307", f"{len(hidden)}", hidden[0])] if hidden else []
    return Export(
        name=f"{source.name} [{name}]" if len(how.sheets) > 1 else source.name,
        path=path,
        dictionary=how.dictionary,
        format=kind,
        encoding="",
        headings=head.headings,
        matched=head.matched,
        blocks=tuple(spool.blocks),
        taken=(taken_of(source),),
        head_values=head.values,
        reported=(*head.reported(head.row + 1), *reported, *more),
        repairs=tuple(repairs.items()),
        sheet=name,
        physical=((FILE_LINES, count), ("title_rows", head.row), ("headings", 1)),
    )

