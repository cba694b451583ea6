"""Shapes of text: what ERPs, scripts and spreadsheets call CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from aggregator.samples.shapes.formats import as_csv, table_of
from aggregator.samples.shapes.shape import Rows, Shape, changed, exact, finding, lines, plain, stop
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.modes.m9610.fields import DICTIONARY

_CHINESE = {column: field.headings[0] for column, field in DICTIONARY.by_column.items()}
_FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
Table = list[list[str]]


def _table() -> Table:
    return table_of(lines())


def _csv(change: Callable[[Table], Sequence[Sequence[str]]], **options: str) -> Callable[[], bytes]:
    return lambda: as_csv(change(_table()), **options)


def _with(place: int, **cells: str) -> Callable[[], bytes]:
    """One line with other cells."""
    return lambda: as_csv(table_of(changed(place, **cells)))


def _all(change: Callable[[str], str], *columns: str) -> Callable[[], bytes]:
    """Every line with a change of some cells."""

    def make() -> bytes:
        rows: Rows = [{c: change(v) if c in columns and v else v for c, v in line.items()} for line in lines()]
        return as_csv(table_of(rows))

    return make


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: change(plain())


def _quoted_all() -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(_table())
    return sink.getvalue().encode()


def _formulas(*columns: str) -> bytes:
    """Cells like ="0123" without quotes around them, as programs write them for Excel."""
    head, *rows = _table()
    places = [head.index(column) for column in columns]
    wrapped = [[f'="{cell}"' if place in places and cell else cell for place, cell in enumerate(row)] for row in rows]
    return "".join(",".join(row) + "\n" for row in [head, *wrapped]).encode()


def _narrow() -> Table:
    """The first lines without columns that need not be there."""
    return table_of([{c: v for c, v in line.items() if c not in ("voyage_no", "bill_no", "sku")} for line in lines()[:4]])


def _one_mode() -> Rows:
    return [{**line, "transport_mode_code": "5"} for line in lines()]


def _head_block() -> Table:
    rows = [{column: cell for column, cell in line.items() if column != "transport_mode_code"} for line in _one_mode()]
    return [["运输方式：", "航空运输", "监管场所代码", ""], ["保费标志：3"], *table_of(rows)]


def _record(data: bytes, place: int, change: Callable[[bytes], bytes]) -> bytes:
    records = data.splitlines(keepends=True)
    records[place] = change(records[place])
    return b"".join(records)


def _turned(table: Table) -> Table:
    """With the two customs districts in each other's place."""
    one, two = (_table()[0].index(column) for column in ("declaring_customs_code", "exit_customs_code"))
    return [[row[{one: two, two: one}.get(place, place)] for place in range(len(row))] for row in table]


def _sections(second: Table) -> Table:
    """Two tables, each with a transport mode above it."""
    head, *rows = table_of([{column: cell for column, cell in line.items() if column != "transport_mode_code"} for line in lines()])
    return [["运输方式", "航空运输"], head, *rows[:4], *second, head, *rows[4:]]


def _blank_heading(*columns: str) -> Table:
    head, *rows = table_of([{**dict.fromkeys(M9610.dictionary.columns, ""), **line, "premises_code": "530401A001", "licence_no": "XK1"} for line in lines()])
    return [["" if heading in columns else heading for heading in head], *rows]


_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be")
_LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_NUMBERS = ("declared_quantity", "unit_price", "total_price", "gross_weight_kg")
_CODES = ("inventory_no", "commodity_code", "declared_unit_code", "currency_code", "consignor_code")
_LINES, _QUOTES = "第一行\n第二行\r\n第三行", '棉,"无牌";\t涤纶'
_WIDE = len(lines()[0])

_SPELLINGS: tuple[Shape, ...] = (
    *(
        exact(f"encoding-{encoding}", "csv", _csv(lambda table: table, encoding=encoding), repair="utf_16" if "16" in encoding else "")
        for encoding in _ENCODINGS
    ),
    *(
        exact(f"delimiter-{name}-line-end-{end}", "csv", _csv(lambda table: table, delimiter=delimiter, line_end=line_end),
              repair="mac_line_ends" if end == "cr" else "")
        for name, delimiter in _DELIMITERS.items() for end, line_end in _LINE_ENDS.items()
    ),
    *(
        exact(f"separator-line-{name}", "csv",
              lambda delimiter=delimiter: f"sep={delimiter}\r\n".encode() + as_csv(_table(), delimiter=delimiter, line_end="\r\n"),  # type: ignore[misc]
              repair="separator_line")
        for name, delimiter in _DELIMITERS.items()
    ),
    exact("chinese-headings", "csv", lambda: as_csv(table_of(lines(), _CHINESE), encoding="gb18030")),
    exact("every-cell-quoted", "csv", _quoted_all),
    exact("quoted-line-ends", "csv", _with(4, goods_spec=_LINES), truth=lambda: changed(4, goods_spec=_LINES)),
    exact("quoted-delimiters-and-quotes", "csv", _with(4, goods_spec=_QUOTES), truth=lambda: changed(4, goods_spec=_QUOTES)),
    exact("shuffled-columns", "csv", _csv(lambda table: [row[::-1] for row in table])),
    exact("blank-rows-at-the-end", "csv", _csv(lambda table: [*table, *[[""] * _WIDE] * 3, [], []]), repair="blank_rows"),
    exact("blank-rows-between", "csv", _csv(lambda table: [table[0], [], *table[1:4], [" "] * _WIDE, *table[4:]]), repair="blank_rows"),
    exact("blank-rows-above", "csv", _csv(lambda table: [[], [""] * _WIDE, *table]), repair="title_rows"),
    exact("short-blank-rows", "csv", _csv(lambda table: [*table[:3], ["", ""], *table[3:], [" "]]), repair="blank_rows"),
    exact("title-row", "csv", _csv(lambda table: [["2026年10月出口清单"], *table]), repair="title_rows"),
    exact("title-row-padded", "csv", _csv(lambda table: [["出口清单", *[""] * (_WIDE - 1)], [""] * _WIDE, *table]), repair="title_rows"),
    exact("head-block", "csv", lambda: as_csv(_head_block()), repair="title_rows", truth=_one_mode),
    exact("headings-again-in-between", "csv", _csv(lambda table: [*table[:5], table[0], *table[5:]]), repair="repeated_headings"),
    exact("headings-again-at-the-end", "csv", _csv(lambda table: [*table, table[0], table[0]]), repair="repeated_headings"),
    exact("headings-again-in-chinese", "csv", lambda: as_csv([*_table()[:5], *table_of(lines(), _CHINESE)[:1], *_table()[5:]]), repair="repeated_headings"),
    exact("header-value-twice", "csv", lambda: as_csv([["运输方式", "5"], *_head_block()]), repair="title_rows", truth=_one_mode),
    exact("values-without-heading", "csv", lambda: as_csv(_blank_heading("licence_no")), warns="F308",
          truth=lambda: [{**line, "premises_code": "530401A001"} for line in lines()]),
    exact("counter-without-heading", "csv", _csv(lambda table: [[str(place or ""), *row] for place, row in enumerate(table)]), warns="F308"),
    exact("total-row", "csv", _csv(lambda table: [*table, ["合计", *[""] * (_WIDE - 3), "99", "100.00"]]), repair="total_rows"),
    exact("label-with-value-below", "csv", _csv(lambda table: [*table, ["发货人名称：某某公司"], ["运输方式：航空运输"]]), repair="note_rows"),
    exact("label-beside-its-value-below", "csv", _csv(lambda table: [*table, ["", "发货人名称", "某某公司", *[""] * (_WIDE - 3)]]), repair="note_rows"),
    exact("total-row-english", "csv", _csv(lambda table: [*table, ["Total:", *[""] * (_WIDE - 1)]]), repair="total_rows"),
    exact("total-row-not-in-first-column", "csv", _csv(lambda table: [*table, ["", "", "总计", *[""] * (_WIDE - 3)]]), repair="total_rows"),
    exact("total-row-of-few-cells", "csv", _csv(lambda table: [*table, ["合计：", "8"]]), repair="total_rows"),
    exact("subtotals-in-between", "csv", _csv(lambda table: [*table[:3], ["小计", *[""] * (_WIDE - 1)], *table[3:]]), repair="total_rows"),
    exact("full-width-numbers", "csv", _all(lambda cell: cell.translate(_FULL_WIDTH), *_NUMBERS), repair="full_width"),
    exact("full-width-codes", "csv", _all(lambda cell: cell.translate(_FULL_WIDTH), *_CODES), repair="full_width"),
    exact("spaces-around", "csv", _all(lambda cell: f"  {cell} ", *_NUMBERS, *_CODES), repair="outer_spaces"),
    exact("no-break-spaces-around", "csv", _all(lambda cell: f"\u00a0{cell}\u00a0", *_NUMBERS, *_CODES), repair="outer_spaces"),
    exact("ideographic-spaces-around", "csv", _all(lambda cell: f"\u3000{cell}\u3000", *_NUMBERS, *_CODES), repair="outer_spaces"),
    exact("tabs-around-numbers", "csv", _all(lambda cell: f"{cell}\t", "inventory_no", "commodity_code"), repair="outer_spaces"),
    exact("leading-apostrophes", "csv", _all(lambda cell: f"'{cell}", *_CODES), repair="apostrophes"),
    exact("formula-cells-quoted", "csv", _all(lambda cell: f'="{cell}"', "inventory_no", "commodity_code"), repair="text_formulas"),
    exact("formula-cells-unquoted", "csv", lambda: _formulas("inventory_no", "commodity_code", "declared_unit_code"), repair="text_formulas"),
    exact("lower-case-numbers", "csv", _all(str.lower, "inventory_no", "waybill_no")),
    exact("names-for-codes", "csv", _all({"5": "航空运输", "4": "公路运输"}.__getitem__, "transport_mode_code"), repair="names_to_codes"),
    exact("no-final-line-end", "csv", _bytes(lambda data: data.rstrip(b"\n")), warns="F302"),
    exact("unknown-column", "csv", _csv(lambda table: [[*row, "库位" if row is table[0] else "A1"] for row in table]), warns="F301"),
    exact("delimiter-at-every-line-end", "csv", _csv(lambda table: [[*row, ""] for row in table])),
    exact("time-as-14-digits", "csv", _all(lambda cell: "".join(filter(str.isdigit, cell)), "cleared_at")),
    exact("time-as-17-digits", "csv", _all(lambda cell: "".join(filter(str.isdigit, cell)) + "000", "cleared_at")),
    exact("time-iso-with-offset", "csv", _all(lambda cell: cell.replace(" ", "T") + "+08:00", "cleared_at")),
    exact("the-same-line-twice", "csv", _csv(lambda table: [*table, table[1]])),
    exact("the-whole-export-twice", "csv", _csv(lambda table: [*table, *table[1:]])),
)  # fmt: skip

_FINDINGS: tuple[Shape, ...] = (
    finding("R103", "thousands-separators", "csv", _with(4, total_price="1,234.50")),
    finding("R103", "thousands-separators-chinese", "csv", _with(4, total_price="1，234.50")),
    finding("R103", "thousands-separators-space", "csv", _with(4, total_price="1 234.50")),
    finding("R103", "thousands-separators-no-break-space", "csv", _with(4, total_price="1\u00a0234.50")),
    finding("R103", "decimal-comma", "csv", _with(4, total_price="12,50")),
    finding("R103", "plus-sign", "csv", _with(4, total_price="+12.50")),
    finding("R103", "exponent", "csv", _with(4, declared_quantity="1e2")),
    finding("R105", "negative-number", "csv", _with(4, total_price="-12.50")),
    finding("R103", "accounting-brackets", "csv", _with(4, total_price="(12.50)")),
    finding("R103", "currency-sign", "csv", _with(4, total_price="$12.50")),
    finding("R103", "percent", "csv", _with(4, unit_price="12%")),
    finding("R103", "six-decimals", "csv", _with(4, gross_weight_kg="1.123456")),
    finding("R103", "error-value", "csv", _with(4, total_price="#DIV/0!")),
    finding("R103", "not-available", "csv", _with(4, total_price="#N/A")),
    finding("R123", "error-value-in-a-name", "csv", _with(4, goods_name="#N/A")),
    finding("R123", "cell-too-wide-for-its-column", "csv", _with(4, sku="########")),
    finding("R103", "not-a-number", "csv", _with(4, total_price="NaN")),
    finding("R103", "null-word", "csv", _with(4, total_price="NULL")),
    finding("R103", "arabic-digits", "csv", _with(4, total_price="١٢")),
    finding("R103", "letter-for-zero", "csv", _with(4, total_price="1O.50")),
    finding("R104", "item-number-zero-with-decimals", "csv", _with(4, item_no="0.0")),
    finding("R104", "package-count-zero-with-decimals", "csv", _with(4, package_count="0.0")),
    finding("R104", "package-count-beyond-any", "csv", _with(4, package_count="9" * 40)),
    finding("R104", "item-number-negative-zero", "csv", _with(4, item_no="-0")),
    finding("R103", "zero-of-many-digits", "csv", _with(4, declared_quantity="0" * 40)),
    finding("R104", "item-number-with-decimals", "csv", _with(4, item_no="1.0")),
    finding("R121", "scientific-number", "csv", _with(4, inventory_no="5.34921E+17")),
    finding("R206", "scientific-order-number", "csv", _with(4, order_no="2.02610E+16")),
    finding("R107", "commodity-code-without-its-zero", "csv", _with(4, commodity_code="301110000")),
    finding("R107", "commodity-code-with-dots", "csv", _with(4, commodity_code="6109.10.0010")),
    finding("R111", "unit-without-its-zeros", "csv", _with(4, declared_unit_code="7")),
    finding("R113", "customs-code-without-its-zero", "csv", _with(4, exit_customs_code="101")),
    finding("R118", "american-date", "csv", _with(4, cleared_at="10/31/2026")),
    finding("R118", "day-count-in-csv", "csv", _with(4, cleared_at="46000.5")),
    finding("R118", "no-such-day", "csv", _with(4, cleared_at="2026-02-30")),
    finding("R118", "status-in-the-place-of-the-time", "csv", _with(4, status_code="", cleared_at="899")),
    finding("R101", "empty-number", "csv", _with(4, inventory_no="")),
    finding("R101", "blank-quantity", "csv", _with(4, declared_quantity=" \u3000")),
    finding("R102", "very-long-name", "csv", _with(4, goods_name="长" * 251)),
    finding("F201", "cell-missing", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.replace(b",", b"", 1)))),
    finding("F201", "cell-too-many", "csv", _bytes(lambda data: _record(data, 5, lambda r: b"x," + r))),
    finding("F201", "unquoted-comma-in-name", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.replace(b"|", b",", 1)))),
    finding("F201", "row-broken-in-two", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.replace(b"|", b"\n", 1)))),
    finding("F201", "rows-joined", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.rstrip(b"\n") + b","))),
    finding("F201", "note-under-the-table", "csv", _csv(lambda table: [*table, ["制表人：张三", "审核：李四"]])),
    finding("F202", "stray-quote", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.replace(b"|", b'"', 1)))),
    finding("F202", "inch-sign", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.replace(b"|", b'5" ', 1)))),
    finding("F202", "unclosed-quote", "csv", _bytes(lambda data: _record(data, 5, lambda r: b'"' + r))),
    finding("F202", "text-after-a-quoted-cell", "csv", _bytes(lambda data: _record(data, 5, lambda r: b'"22442026"E' + r[9:]))),
    finding("F203", "nul-byte", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.replace(b"|", b"\0", 1)))),
    finding("F203", "carriage-return-in-a-cell", "csv", _bytes(lambda data: _record(data, 5, lambda r: r.replace(b"|", b"\r", 1)))),
    finding("I103", "line-missing", "csv", _csv(lambda table: [table[0], *table[2:]])),
    finding("I102", "item-number-twice", "csv", _with(1, item_no="1")),
    finding("I101", "weights-differ-between-lines", "csv", _with(1, gross_weight_kg="99")),
    finding("B102", "another-content-below", "csv", lambda: as_csv(table_of([*lines(), {**lines()[4], "goods_spec": "另一规格"}]))),
    finding("R101", "merged-cells-saved-as-csv", "csv", _with(1, inventory_no="")),
    finding("R120", "columns-shifted-by-one-cell", "csv", _with(4, unit_price="99999")),
    finding("R201", "number-of-another-shape", "csv", _with(4, inventory_no="QD20261000001")),
    finding("R124", "number-that-can-be-none", "csv", _with(4, inventory_no="QD-1")),
)  # fmt: skip

_STOPS: tuple[Shape, ...] = (
    stop("F105", "empty", "csv", lambda: b""),
    stop("F105", "nothing-but-a-mark", "csv", lambda: b"\xef\xbb\xbf"),
    stop("F105", "nothing-but-a-mark-of-utf-16", "csv", lambda: b"\xff\xfe"),
    stop("F105", "nothing-but-a-mark-of-utf-16-and-a-line-end", "csv", lambda: "\ufeff\r\n".encode("utf-16-be")),
    stop("F105", "nothing-but-white-space", "csv", lambda: b" \r\n\t\n \n"),
    stop("F115", "lines-above-the-headings", "csv", _csv(lambda table: [*table[1:3], table[0], *table[3:]])),
    stop("F115", "lines-above-the-headings-full-width", "csv",
         _csv(lambda table: [[table[1][0].translate(_FULL_WIDTH), *table[1][1:]], table[0], *table[2:]])),
    stop("F115", "lines-above-the-headings-without-number", "csv", _csv(lambda table: [["", *table[1][1:]], table[0], *table[2:]])),
    stop("F116", "another-table-below", "csv", lambda: as_csv([*_narrow(), *_table()[:1], *_table()[5:]])),
    stop("F116", "headings-again-in-another-order", "csv", _csv(lambda table: [*table[:5], *_turned([table[0], *table[5:]])])),
    stop("F116", "headings-again-in-another-order-and-language", "csv",
         _csv(lambda table: [*table[:5], *_turned([*table_of(lines(), _CHINESE)[:1], *table[5:]])])),
    stop("F117", "header-value-of-each-section", "csv", lambda: as_csv(_sections([["运输方式", "公路运输"]]))),
    stop("F117", "header-value-of-each-section-in-one-cell", "csv", lambda: as_csv(_sections([[], ["运输方式：公路运输"]]))),
    stop("F117", "header-value-below-the-lines", "csv", lambda: as_csv([*_sections([]), ["运输方式", "公路运输"]])),
    stop("F118", "blank-heading-of-a-missing-column", "csv", lambda: as_csv(_blank_heading("premises_code"))),
    stop("F120", "inventory-number-under-the-heading-of-the-item", "csv",
         _csv(lambda table: [[{"inventory_no": "item_no", "item_no": "inventory_no"}.get(cell, cell) for cell in table[0]], *table[1:]])),
    stop("F101", "no-headings", "csv", _csv(lambda table: table[1:])),
    stop("F101", "another-table", "csv", lambda: "姓名,电话\n张三,1\n".encode()),
    stop("F101", "json", "csv", lambda: b'{"inventory_no": "22442026E000000001"}\n'),
    stop("F101", "prose", "csv", lambda: "这不是表格。\n".encode()),
    stop("F102", "column-missing", "csv", _csv(lambda table: [row[1:] for row in table])),
    stop("F103", "two-headings-for-one-column", "csv", _csv(lambda table: [[*row, "清单编号" if row is table[0] else "x"] for row in table])),
    stop("F104", "one-wrong-byte", "csv", _bytes(lambda data: data[:-30] + b"\xff" + data[-30:])),
    stop("F104", "two-encodings", "csv", lambda: plain() + "".join(lines()[0].values()).encode("gb18030") + b"\n"),
    stop("F104", "cut-within-a-character", "csv", lambda: as_csv([*_table(), ["长"]])[:-2]),
    stop("F104", "utf-16-cut-within-a-character", "csv", lambda: as_csv(_table(), encoding="utf-16")[:-1]),
    stop("F104", "picture", "csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4),
    stop("F101", "program", "csv", lambda: b"\x7fELF" + bytes(range(256)) * 4),
    stop("F106", "cut-in-the-last-row", "csv", _bytes(lambda data: data[: data.rindex(b",", 0, -60)])),
    stop("F114", "rows-of-one-cell", "csv", lambda: plain() + b"x\n" * 100_001),
    stop("F107", "endless-line", "csv", lambda: plain() + b"x" * (1 << 22)),
    stop("F107", "endless-heading", "csv", lambda: b"a," * (1 << 18)),
)  # fmt: skip

TEXT: tuple[Shape, ...] = (*_SPELLINGS, *_FINDINGS, *_STOPS)
