"""Headings that are misspelt, blank, doubled, moved, repeated; and what stands above and between tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.dialects import Cell, Dialect, Grid, columns_in, grid_of
from tests.pollution.pollution import Pollution, kind, of_rows, tables
from tests.pollution.truth import COLUMNS, ROWS, Row, Rows, by_inventory

_WIDE = len(COLUMNS)
_NUMBERS = list(by_inventory(ROWS))


def _heading(column: str, change: Callable[[str], Cell]) -> Callable[[Grid, Dialect], Grid]:
    """The heading of a column written otherwise; one that stands above the headings is left alone."""

    def put(grid: Grid, _: Dialect) -> Grid:
        return grid.put(-1, column, change(grid.row(-1)[grid.place(column)])) if grid.has(column) else grid

    return put


@kind
def heading_misspelt(round_no: int) -> Iterator[Pollution]:
    ways: dict[str, Callable[[str], str]] = {
        "letter": lambda name: f"{name}x", "cut": lambda name: name[:-1], "required": lambda name: f"{name}(必填)", "star": lambda name: f"*{name}", "unit": lambda name: f"{name}/KG",
        "colon": lambda name: f"{name}：", "spread": lambda name: f"{name[:2]} {name[2:]}", "zero-width": lambda name: f"{name[:2]}\u200b{name[2:]}", "mark": lambda name: f"\ufeff{name}",
        "line-end": lambda name: f"{name[:2]}\n{name[2:]}", "soft-hyphen": lambda name: f"{name}\u00ad", "full-width": lambda name: "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in name),
        "upper": str.upper, "number": lambda name: f"1.{name}", "quoted": lambda name: f"“{name}”", "replaced": lambda name: f"{name[:1]}\ufffd{name[2:]}", "apostrophe": lambda name: f"'{name}",
        "nothing": lambda _: "Unnamed: 7", "column": lambda _: "列1", "traditional": lambda name: name.replace("号", "號").replace("单", "單").replace("关", "關"),
    }  # fmt: skip
    turns = cycle(ways.items())
    for _ in range(round_no * 7):
        next(turns)
    for column in COLUMNS:
        for _ in range(5):
            way, change = next(turns)
            yield Pollution(f"{column}.{way}", grid=_heading(column, change), fits=tables)


@kind
def heading_blank(round_no: int) -> Iterator[Pollution]:
    for number, column in enumerate(COLUMNS):
        for text in ("", " ", "\u3000", "\u200b", "\ufeff", "\n")[(number + round_no) % 3 :][:3]:
            yield Pollution(f"{column}.{'-'.join(f'u{ord(each):04x}' for each in text) or 'empty'}", grid=_heading(column, lambda _, text=text: text), fits=tables)
    pairs = ((first, second) for place, first in enumerate(COLUMNS) for second in COLUMNS[place + 1 :: 9])
    for first, second in list(pairs)[round_no::4]:
        yield Pollution(f"{first}-{second}", grid=lambda grid, dialect, first=first, second=second: _heading(second, lambda _: "")(_heading(first, lambda _: "")(grid, dialect), dialect), fits=tables)


@kind
def headings_alike(round_no: int) -> Iterator[Pollution]:
    """Two headings for one column: the second stands over another column, or over one more."""
    for number, column in enumerate(COLUMNS):
        other = COLUMNS[(number + 5 + round_no * 3) % _WIDE]

        def over_another(grid: Grid, _: Dialect, column: str = column, other: str = other) -> Grid:
            return grid.put(-1, other, grid.row(-1)[grid.place(column)]) if grid.has(column) and grid.has(other) else grid

        yield Pollution(f"{column}.over-{other}", grid=over_another, fits=tables)
        for way in ("same", "blank", "other"):

            def one_more(grid: Grid, _: Dialect, column: str = column, way: str = way) -> Grid:
                if not grid.has(column):
                    return grid
                at = grid.place(column)
                cells = [list(row) for row in grid.cells]
                for line in range(-1, grid.lines):
                    row = cells[grid.first + line]
                    row.append(row[at] if line < 0 or way == "same" else "" if way == "blank" else "7")
                return grid.with_cells(cells)

            yield Pollution(f"{column}.{way}", grid=one_more, fits=tables)


@kind
def heading_lost(round_no: int) -> Iterator[Pollution]:
    """A heading dropped, or one too many: headings and values no longer stand below one another."""
    for number in range(_WIDE):
        yield Pollution(f"{number}.dropped", grid=lambda grid, _, n=number: grid.with_rows(-1, [[*grid.row(-1)[:n], *grid.row(-1)[n + 1 :]]]), fits=tables)
        yield Pollution(f"{number}.dropped-and-padded", grid=lambda grid, _, n=number: grid.with_rows(-1, [[*grid.row(-1)[:n], *grid.row(-1)[n + 1 :], ""]]), fits=tables)
        yield Pollution(f"{number}.inserted", grid=lambda grid, _, n=number: grid.with_rows(-1, [[*grid.row(-1)[:n], "库位", *grid.row(-1)[n:]]]), fits=tables)
        yield Pollution(f"{number}.inserted-and-cut", grid=lambda grid, _, n=number: grid.with_rows(-1, [[*grid.row(-1)[:n], "库位", *grid.row(-1)[n:-1]]]), fits=tables)
    yield Pollution("all", grid=lambda grid, _: grid.with_rows(-1, []), fits=tables)
    yield Pollution("to-the-end", grid=lambda grid, _: grid.with_cells([*grid.cells[: grid.head], *grid.cells[grid.first :], grid.cells[grid.head]]), fits=tables)


@kind
def headings_swapped(round_no: int) -> Iterator[Pollution]:
    for distance in (1, 2 + round_no, 9 + round_no):
        for first, second in zip(COLUMNS, COLUMNS[distance:], strict=False):
            rows = [{**row, first: row[second], second: row[first]} for row in ROWS]
            yield of_rows(f"{first}-{second}", rows, tables)


_SHAPES: dict[str, Callable[[str], str]] = {
    "sound": str, "full-width": lambda value: "".join(chr(ord(each) + 0xFEE0) for each in value), "lower": str.lower, "long": lambda value: f"{value}01", "short": lambda value: value[:-3],
    "blank": lambda _: "", "word": lambda _: "QD-1", "zero-width": lambda value: f"{value}\u200b", "apostrophe": lambda value: f"'{value}", "formula": lambda value: f'="{value}"', "spread": lambda value: f"{value[:8]} {value[8:]}",
    "scientific": lambda _: "2.24E+16", "with-note": lambda value: f"{value}（已放行）",
}  # fmt: skip


@kind
def lines_above_the_headings(round_no: int) -> Iterator[Pollution]:
    """Sorted by hand: some lines stand above. Their inventory numbers look this way or that."""
    for step, (way, change) in enumerate(_SHAPES.items()):
        for count in (1, 3, 4, 8, 13, 22):
            rows = [{**row, "inventory_no": change(row["inventory_no"])} if place < count else row for place, row in enumerate(ROWS)]

            def put(grid: Grid, dialect: Dialect, count: int = count, rows: Rows = rows) -> Grid:
                made = grid_of(rows, dialect)
                cells = [*made.cells[: made.head], *made.cells[made.first : made.first + count], made.cells[made.head], *made.cells[made.first + count :]]
                return made.with_cells(cells)

            if (count + step + round_no) % 2 or count < 4:
                yield Pollution(f"{count}.{way}", grid=put, fits=tables)


def _tables(parts: Sequence[tuple[Rows, Sequence[str] | None, str]], between: Sequence[Sequence[Cell]] = (), *, headed: bool = True) -> Callable[[Grid, Dialect], Grid]:
    """Tables below one another: each of some lines, in an order of columns (or as the dialect has it), with headings in a language."""

    def put(grid: Grid, dialect: Dialect) -> Grid:
        cells: list[list[Cell]] = [list(row) for row in grid.cells[: grid.head]]
        for number, (rows, order, language) in enumerate(parts):
            columns = [column for column in (order or columns_in(dialect.order)) if column not in M9610.dictionary.by_column or grid.has(column)]
            head = [heading_in(dialect, column, language) for column in columns]
            body = [[row.get(column, "") for column in columns] for row in rows]
            cells += [*(list(row) for row in between if number), *([head] if headed or not number else []), *body]
        return grid.with_cells(cells)

    return put


def heading_in(dialect: Dialect, column: str, language: str) -> str:
    if column not in M9610.dictionary.by_column:
        return column
    field = M9610.dictionary.by_column[column]
    return {"same": dialect.heading(column), "own": column, "chinese": field.headings[-1], "official": field.element}[language]


def _orders(round_no: int) -> dict[str, list[str] | None]:
    at = COLUMNS.index("declaring_customs_code")
    districts = [*COLUMNS[:at], COLUMNS[at + 1], COLUMNS[at], *COLUMNS[at + 2 :]]
    numbers = ["inventory_no", "item_no", "waybill_no", "order_no", *COLUMNS[4:]]
    units = list(COLUMNS)
    one, other = units.index("declared_quantity"), units.index("statutory_quantity")
    units[one], units[other] = units[other], units[one]
    return {
        "same": None, "reversed": list(COLUMNS[::-1]), "sorted": sorted(COLUMNS), "districts": districts, "numbers": numbers, "quantities": units,
        "turned": [*COLUMNS[5 + round_no :], *COLUMNS[: 5 + round_no]], "goods-first": list(columns_in("goods-first")),
        "without-optional": [column for column in COLUMNS if column not in ("voyage_no", "bill_no", "sku", "barcode", "freight")], "with-more": [*COLUMNS, "库位"],
        "without-premises": [column for column in COLUMNS if column != "premises_code"], "padded": [*COLUMNS, "", ""],
    }  # fmt: skip


def _with_and_without(order: list[str] | None, begin: int, end: int) -> tuple[Rows, ...]:
    """A table without premises code says nothing of it."""
    if order is None or "premises_code" in order:
        return (ROWS,)
    without = [{**row, "premises_code": ""} if begin <= place < end else row for place, row in enumerate(ROWS)]
    return (ROWS, without, ROWS)


@kind
def headings_again(round_no: int) -> Iterator[Pollution]:
    """Two exports pasted one below the other, each with its headings."""
    betweens: dict[str, list[list[Cell]]] = {"nothing": [], "blank": [[]], "title": [["第二批"]], "total": [["合计", "", ""]], "blank-title-blank": [[], ["2026年10月 第二批"], []]}
    for order_name, order in _orders(round_no).items():
        for number, (between, rows) in enumerate(betweens.items()):
            line = (8, 3, 13, 21, 5)[(number + round_no) % 5]
            for language in ("same", "chinese", "own", "official")[(number + len(order_name)) % 3 :][:2]:
                parts = [(ROWS[:line], None, "same"), (ROWS[line:], order, language)]
                yield Pollution(f"{line}.{order_name}.{between}.{language}", grid=_tables(parts, rows), truths=_with_and_without(order, line, len(ROWS)), fits=tables)
    for order_name, order in _orders(round_no).items():
        first, second = [(ROWS[:8], order, "same"), (ROWS[8:], None, "same")], [(ROWS[:6], None, "same"), (ROWS[6:13], order, "same"), (ROWS[13:], None, "same")]
        yield Pollution(f"first.{order_name}", grid=_tables(first), truths=_with_and_without(order, 0, 8), fits=tables)
        yield Pollution(f"three.{order_name}", grid=_tables(second), truths=_with_and_without(order, 6, 13), fits=tables)
    for each in (1, 2, 5):
        parts = [(ROWS[at : at + each], None, "same") for at in range(0, len(ROWS), each)]
        yield Pollution(f"every.{each}", grid=_tables(parts), fits=tables)


@kind
def headings_twofold(round_no: int) -> Iterator[Pollution]:
    """A second row of headings below, or a row of groups above, as templates have them."""
    for below in ("own", "chinese", "official"):
        yield Pollution(f"below.{below}", grid=lambda grid, dialect, below=below: grid.with_rows(
            0, [[heading_in(dialect, column, below) if column else "" for column in grid.columns]], instead=0), fits=tables)  # fmt: skip
    groups: list[list[Cell]] = [["表头", *[""] * 33, "表体", *[""] * 10], ["表头"], ["必填", *["选填"] * 44], [str(number) for number in range(1, 46)], ["字符型", *["C20"] * 44]]
    for number, group in enumerate(groups):
        yield Pollution(f"above.{number}", grid=lambda grid, _, group=group: grid.with_rows(-1, [group], instead=0), fits=tables)
        yield Pollution(f"below.{number}", grid=lambda grid, _, group=group: grid.with_rows(0, [group], instead=0), fits=tables)


_SECTIONED = {
    "transport_mode_code": ("5", "4", "航空运输", "公路运输"), "premises_code": ("530401A001", "530401A009", "530401A001", "530401A009"), "exit_customs_code": ("2248", "2244", "2248", "2244"),
    "arrival_country_code": ("502", "303", "美国", "英国"), "declarant_code": ("4403180001", "3301980002", "4403180001", "3301980002"), "trade_mode_code": ("9610", "0110", "9610", "0110"),
    "declaring_customs_code": ("5304", "2928", "5304", "2928"), "bill_no": ("784-1", "784-2", "784-1", "784-2"), "status_code": ("899", "800", "899", "800"),
}  # fmt: skip


@kind
def sections(round_no: int) -> Iterator[Pollution]:
    """Each table with a header value of its own above it, below its headings or below it."""
    for number, (column, (one, two, one_name, two_name)) in enumerate(_SECTIONED.items()):
        for line in ((8, 10)[round_no % 2], 13):
            rows: Rows = [{**row, column: one if place < line else two} for place, row in enumerate(ROWS)]
            if column == "status_code":
                rows = [{**row, "cleared_at": "2026-10-09 10:00:00" if row["status_code"] == "899" else ""} for row in rows]
            for step, way in enumerate(("above-both", "above-second", "below-headings", "below-table", "no-second-headings", "in-one-cell", "in-the-middle", "label-in-third", "same-row")):
                put = _sectioned(rows, line, column, (one_name, two_name) if (number + step + round_no) % 2 else (one, two), way)
                without = [{**row, column: ""} if place < line else row for place, row in enumerate(rows)]
                truths = (rows, without, rows) if way == "above-second" and not M9610.dictionary.by_column[column].required else (rows,)
                yield Pollution(f"{column}.{line}.{way}", grid=put, truths=truths, fits=lambda dialect: tables(dialect) and dialect.frame in ("plain", "title"))


def _sectioned(rows: Rows, line: int, column: str, values: tuple[str, str], way: str) -> Callable[[Grid, Dialect], Grid]:
    def put(grid: Grid, dialect: Dialect) -> Grid:
        columns = [each for each in columns_in(dialect.order) if each != column]
        head = [dialect.heading(each) if each in M9610.dictionary.by_column else each for each in columns]
        label = M9610.dictionary.by_column[column].headings[0]
        one, two = ([[f"{label}：{value}"]] if way == "in-one-cell" else [[label, value]] for value in values)
        if way == "label-in-third":
            one, two = ([["", "", label, value]] for value in values)
        if way == "same-row":
            one, two = ([[label, value, "账册编号", "H5304"]] for value in values)
        body = [[row.get(each, "") for each in columns] for row in rows]
        parts: list[list[list[Cell]]] = {
            "above-second": [[head], body[:line], two, [head], body[line:]], "below-headings": [[head], one, body[:line], [[]], [head], two, body[line:]],
            "below-table": [[head], body[:line], one, [head], body[line:], two], "no-second-headings": [one, [head], body[:line], two, body[line:]],
            "in-the-middle": [one, [head], body[:line], [[]], two, [[]], [head], body[line:]],
        }.get(way, [one, [head], body[:line], two, [head], body[line:]])  # fmt: skip
        return grid.with_cells([*grid.cells[: grid.head], *(list(row) for part in parts for row in part)])

    return put


@kind
def values_above(round_no: int) -> Iterator[Pollution]:
    """A header value above the headings that is also below them, or twice, or of another inventory."""
    first: Row = ROWS[0]
    for column in ("transport_mode_code", "premises_code", "declaring_customs_code", "status_code", "inventory_no", "gross_weight_kg", "consignor_code", "trade_mode_code"):
        label = M9610.dictionary.by_column[column].headings[0]
        for way, rows in {
            "beside": [[label, first[column] or "530401A009"]], "twice": [[label, "4"], [label, "5"]], "blank": [[label, ""]], "only-label": [[label]],
            "two-cells-on": [[label, "", first[column]]], "below-label": [[label], [first[column]]],
        }.items():  # fmt: skip
            yield Pollution(f"{column}.{way}", grid=lambda grid, _, rows=rows: grid.with_rows(-1, rows, instead=0), fits=tables)


@kind
def columns_cut(round_no: int) -> Iterator[Pollution]:
    """A column removed that must be there: without another the export would be sound."""
    for number in (COLUMNS.index(column) for column in COLUMNS if M9610.dictionary.by_column[column].required):
        yield Pollution(f"{number}.removed", grid=lambda grid, _, n=number: grid.with_cells([[*row[:n], *row[n + 1 :]] if at >= grid.head else row for at, row in enumerate(grid.cells)]),
                        fits=lambda dialect: tables(dialect) and dialect.order == "own" and dialect.frame != "values")  # fmt: skip
