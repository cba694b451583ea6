"""Quotes, delimiters and line ends where they do not belong: what cuts a text file wrongly into rows and cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle, product

from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.dialects import Dialect, Grid, Raw, written
from tests.pollution.pollution import Pollution, kind, text_only
from tests.pollution.truth import COLUMNS, PLACES, ROWS, Rows, rows_with

Change = Callable[[str], str]
_LINES = len(ROWS)
_SOME = ("inventory_no", "item_no", "order_no", "consignor_name", "premises_code", "gross_weight_kg", "status_code", "sku", "goods_name",
         "goods_spec", "declared_quantity", "second_statutory_quantity", "unit_price", "total_price")  # fmt: skip


def _turns(round_no: int) -> Iterator[tuple[str, int]]:
    turns = cycle(PLACES.items())
    for _ in range(round_no):
        next(turns)
    return turns


def _raw(line: int, column: str, change: Change) -> Callable[[Grid, Dialect], Grid]:
    """The cell as it stands in the file, changed there; a column that stands above the headings is left alone."""

    def put(grid: Grid, dialect: Dialect) -> Grid:
        if not grid.has(column):
            return grid
        return grid.put(line, column, Raw(change(written(grid.row(line)[grid.place(column)], dialect))))

    return put


def _truths(line: int, column: str, value: str) -> tuple[Rows, ...]:
    """In a name the mark may be meant."""
    return (ROWS, rows_with(line, **{column: value})) if M9610.dictionary.by_column[column].kind == "text" else (ROWS,)


@kind
def stray_quote(round_no: int) -> Iterator[Pollution]:
    ways: dict[str, Change] = {
        "before": lambda cell: f'"{cell}',
        "within": lambda cell: f'{cell[: len(cell) // 2]}"{cell[len(cell) // 2 :]}',
        "behind": lambda cell: f'{cell}"',
        "two-within": lambda cell: f'{cell[:1]}"{cell[1:-1]}"{cell[-1:]}',
        "space-before": lambda cell: f' "{cell}"',
        "space-behind": lambda cell: f'"{cell}" ',
        "escaped": lambda cell: f'{cell[:2]}\\"{cell[2:]}',
    }
    turns = _turns(round_no)
    for number, column in enumerate(COLUMNS):
        for step in range(3):
            way = list(ways)[(number * 3 + step + round_no) % len(ways)]
            called, line = next(turns)
            value = ROWS[line][column]
            truths = (*_truths(line, column, ways[way](value)), *_truths(line, column, f'{value[:2]}"{value[2:]}'))
            yield Pollution(f"{called}.{column}.{way}", grid=_raw(line, column, ways[way]), truths=(*truths, ROWS), fits=text_only)


@kind
def inch_mark(round_no: int) -> Iterator[Pollution]:
    turns = _turns(round_no)
    for column, (way, text) in product(("goods_spec", "goods_name", "enterprise_goods_name", "sku", "consignor_name"), (
        ("end", '屏幕5.5"'), ("start", '5"屏幕'), ("within", '蓝牙 5" 头戴式'), ("two", '5"x7" 相框'), ("whole", '"'), ("feet", "6'2\""), ("doubled", '5""屏幕'),
    )):  # fmt: skip
        called, line = next(turns)

        def put(grid: Grid, dialect: Dialect, line: int = line, column: str = column, text: str = text) -> Grid:
            return grid.put(line, column, Raw(f'"{text}"' if dialect.quote_all else text))

        meant = rows_with(line, **{column: text})
        yield Pollution(f"{called}.{column}.{way}", grid=put, truths=(ROWS, meant, rows_with(line, **{column: text.replace('""', '"')})), fits=text_only)


@kind
def ditto(round_no: int) -> Iterator[Pollution]:
    """The same as above: `"` in a cell, or in several below one another."""
    runs = ((1, 1), (6, 2), (10, 3), (1, _LINES - 1), (13, 4), (20, 2))
    for number, column in enumerate(COLUMNS):
        begin, count = runs[(number + round_no) % len(runs)]
        for mark in ('"', '""', "〃", '" "'):

            def put(grid: Grid, dialect: Dialect, lines: range = range(begin, begin + count), column: str = column, mark: str = mark) -> Grid:
                for line in lines if grid.has(column) else ():
                    grid = grid.put(line, column, Raw(mark))
                return grid

            says = {'"': "one", '""': "two", "〃": "sign", '" "': "spaced"}[mark]
            value = {'""': "", '" "': ""}.get(mark, mark)
            meant = [{**row, column: value} if begin <= place < begin + count else row for place, row in enumerate(ROWS)]
            truths = (ROWS, meant, ROWS) if M9610.dictionary.by_column[column].kind in ("text", "given") or (not value and not M9610.dictionary.by_column[column].required) else (ROWS,)
            yield Pollution(f"{begin}-{count}.{column}.{says}", grid=put, truths=truths, fits=text_only)


@kind
def pairs_of_quotes(round_no: int) -> Iterator[Pollution]:
    """Two quotes that lack their partners, and find one another over the rows between them."""
    ways: dict[str, Change] = {
        "opens": lambda cell: f'"{cell}', "closes": lambda cell: f'{cell}"', "within": lambda cell: f'{cell[:1]}"{cell[1:]}', "whole": lambda cell: '"',
    }  # fmt: skip
    spans = ((0, 0), (0, 1), (4, 6), (3, 4), (7, 8), (2, 12), (10, 21), (0, 21), (12, 13), (18, 20))
    columns = [(first, second) for first in _SOME for second in _SOME]
    for number, (first, second) in enumerate(columns):
        begin, end = spans[(number + round_no) % len(spans)]
        if begin == end and COLUMNS.index(first) >= COLUMNS.index(second):
            continue
        one, other = list(product(ways, ways))[(number * 5 + round_no) % 16]

        def put(grid: Grid, dialect: Dialect, begin: int = begin, end: int = end, first: str = first, second: str = second, one: str = one, other: str = other) -> Grid:
            return _raw(end, second, ways[other])(_raw(begin, first, ways[one])(grid, dialect), dialect)

        meant: Rows = [dict(row) for row in ROWS]
        for line, column, way in ((begin, first, one), (end, second, other)):
            if M9610.dictionary.by_column[column].kind == "text":
                meant[line][column] = ways[way](ROWS[line][column])
        yield Pollution(f"{begin}.{first}.{one}..{end}.{second}.{other}", grid=put, truths=(ROWS, meant, ROWS), fits=text_only)


@kind
def quote_lost(round_no: int) -> Iterator[Pollution]:
    """Of a quoted cell the first or the last quote."""
    turns = _turns(round_no)
    for column, (way, change) in product(COLUMNS, {"first": lambda cell: cell[1:], "last": lambda cell: cell[:-1]}.items()):
        called, line = next(turns)
        yield Pollution(f"{called}.{column}.{way}", grid=_raw(line, column, change), fits=lambda dialect: text_only(dialect) and dialect.quote_all)


@kind
def delimiter_in_cell(round_no: int) -> Iterator[Pollution]:
    turns = _turns(round_no)
    for number, column in enumerate(COLUMNS):
        for way in ("before", "within", "behind")[(number + round_no) % 3 :][:2]:
            called, line = next(turns)

            def put(grid: Grid, dialect: Dialect, line: int = line, column: str = column, way: str = way) -> Grid:
                mark = dialect.delimiter
                return _raw(line, column, {
                    "before": lambda cell: mark + cell, "within": lambda cell: cell[: len(cell) // 2] + mark + cell[len(cell) // 2 :], "behind": lambda cell: cell + mark,
                }[way])(grid, dialect)  # fmt: skip

            yield Pollution(f"{called}.{column}.{way}", grid=put, fits=lambda dialect: text_only(dialect) and not dialect.quote_all)


_LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r", "two": "\n\n"}


@kind
def line_end_in_cell(round_no: int) -> Iterator[Pollution]:
    """Unquoted: the row is broken in two."""
    turns = _turns(round_no)
    for number, column in enumerate(COLUMNS):
        for step, (where, cut) in enumerate({"before": 0.0, "within": 0.5, "behind": 1.0}.items()):
            way = list(_LINE_ENDS)[(number + step + round_no) % len(_LINE_ENDS)]
            called, line = next(turns)

            def change(cell: str, cut: float = cut, way: str = way) -> str:
                at = int(len(cell) * cut)
                return cell[:at] + _LINE_ENDS[way] + cell[at:]

            yield Pollution(f"{called}.{column}.{where}-{way}", grid=_raw(line, column, change), fits=lambda dialect: text_only(dialect) and not dialect.quote_all)


@kind
def line_end_in_quoted_cell(round_no: int) -> Iterator[Pollution]:
    """As CSV allows it: in a name it is part of the name."""
    turns = _turns(round_no)
    texts = {"lf": "第一行\n第二行", "crlf": "第一行\r\n第二行", "cr": "第一行\r第二行", "first": "\n第二行", "last": "第一行\n", "many": "一\n二\n三\n\n四"}
    for column in COLUMNS:
        for way, text in texts.items():
            is_name = M9610.dictionary.by_column[column].kind == "text"
            if not is_name and way not in ("lf", "last", "cr"):
                continue
            called, line = next(turns)
            new = text if is_name else f"{ROWS[line][column][:3]}{text[3:4]}{ROWS[line][column][3:]}" if way != "last" else f"{ROWS[line][column]}\n"
            meant = rows_with(line, **{column: new})
            truths = (ROWS, meant) if is_name else (ROWS, meant, ROWS) if M9610.dictionary.by_column[column].kind in ("given", "no") else (ROWS,)
            put: Callable[[Grid, Dialect], Grid] = lambda grid, _, line=line, column=column, new=new: grid.put(line, column, new) if grid.has(column) else grid  # noqa: E731
            yield Pollution(f"{called}.{column}.{way}", grid=put, truths=truths, fits=text_only)


@kind
def row_broken(round_no: int) -> Iterator[Pollution]:
    """At the border of two cells, with or without the delimiter."""
    turns = _turns(round_no)
    for number in range(0, len(COLUMNS), 2):
        for way in ("before", "behind", "instead"):
            called, line = next(turns)

            def change(records: list[str], first: int, dialect: Dialect, line: int = line, number: int = number + round_no % 2, way: str = way) -> list[str]:
                cells = records[first + line].split(dialect.delimiter)
                left, right = (dialect.delimiter.join(part) for part in (cells[: number + 1], cells[number + 1 :]))
                broken = {"before": [left, dialect.delimiter + right], "behind": [left + dialect.delimiter, right], "instead": [left, right]}[way]
                return [*records[: first + line], *broken, *records[first + line + 1 :]]

            yield Pollution(f"{called}.{number + round_no % 2}.{way}", records=change, fits=text_only)


@kind
def rows_joined(round_no: int) -> Iterator[Pollution]:
    for line in range(_LINES - 1):
        for way, mark in (("nothing", ""), ("delimiter", None), ("space", " "), ("quotes", '""')):

            def change(records: list[str], first: int, dialect: Dialect, line: int = line, mark: str | None = mark) -> list[str]:
                at = first + line
                joined = records[at] + (dialect.delimiter if mark is None else mark) + records[at + 1]
                return [*records[:at], joined, *records[at + 2 :]]

            if (line + round_no) % 2 or way == "nothing":
                yield Pollution(f"{line}.{way}", records=change, fits=text_only)


@kind
def row_of_another_dialect(round_no: int) -> Iterator[Pollution]:
    """One row cut by another delimiter, quoted otherwise, or quoted as a whole."""
    for line in range(round_no % 2, _LINES, 2):
        for way in ("delimiter", "whole-quoted", "single-quotes", "pipes", "spaces", "backslashes"):

            def change(records: list[str], first: int, dialect: Dialect, line: int = line, way: str = way) -> list[str]:
                at, mark = first + line, dialect.delimiter
                cells = records[at].split(mark)
                other = {
                    "delimiter": (";" if mark == "," else ",").join(cells), "pipes": "|".join(cells), "spaces": "  ".join(cells),
                    "whole-quoted": '"' + records[at].replace('"', '""') + '"', "single-quotes": mark.join(f"'{cell}'" for cell in cells),
                    "backslashes": f"\\{mark}".join(cells),
                }[way]  # fmt: skip
                return [*records[:at], other, *records[at + 1 :]]

            yield Pollution(f"{line}.{way}", records=change, fits=lambda dialect: text_only(dialect) and not dialect.quote_all)


@kind
def mixed_line_ends(round_no: int) -> Iterator[Pollution]:
    """Some rows end otherwise than the rest. Every line still ends, so all may be read."""
    for line in range(-1, _LINES):
        for way in ("\n", "\r\n", "\r"):

            def change(records: list[str], first: int, dialect: Dialect, line: int = line, way: str = way) -> list[str]:
                at = first + line
                return [*records[:at], records[at] + way + records[at + 1], *records[at + 2 :]] if at + 1 < len(records) else records

            called = {"\n": "lf", "\r\n": "crlf", "\r": "cr"}[way]
            if (line + round_no) % 3 == 0 or line < 2:
                yield Pollution(f"{line}.{called}", records=change, fits=lambda dialect, way=way: text_only(dialect) and dialect.line_end != way)
