"""Shapes of workbooks: what people keep, correct and send in spreadsheets, and what a spreadsheet does to numbers."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from aggregator.samples.shapes.formats import Cell, as_workbook, as_zip, table_of
from aggregator.samples.shapes.shape import Rows, Shape, changed, exact, finding, lines, stop
from aggregator.schemas.modes.m9610.fields import DICTIONARY

_CHINESE = {column: field.headings[0] for column, field in DICTIONARY.by_column.items()}
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
Table = list[list[Cell]]


def _table(rows: Rows | None = None) -> Table:
    return [list(row) for row in table_of(rows or lines())]


def _book(change: Callable[[Table], Sequence[Sequence[Cell]]] = list) -> Callable[[], bytes]:
    return lambda: as_workbook({"清单": change(_table())})


def _cell(place: int, column: str, value: Cell) -> Callable[[], bytes]:
    """One cell with a value of its own type."""

    def make() -> bytes:
        table = _table()
        table[place + 1][list(lines()[0]).index(column)] = value
        return as_workbook({"清单": table})

    return make


def _typed(change: Callable[[str], Cell], *columns: str) -> Callable[[], bytes]:
    """Cells of some columns with values of their own type."""

    def make() -> bytes:
        places = [list(lines()[0]).index(column) for column in columns]
        table = _table()
        for row in table[1:]:
            for place in places:
                if row[place]:
                    row[place] = change(str(row[place]))
        return as_workbook({"清单": table})

    return make


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day_count(text: str, since: datetime = _DAY_ZERO) -> float:
    return (_moment(text) - since) / timedelta(days=1)


def _from_1904() -> bytes:
    """A workbook of an old Mac, whose days are counted from 1904."""
    made = _typed(lambda text: _day_count(text, datetime(1904, 1, 1)), "cleared_at")()  # noqa: DTZ001
    return _part(made, "xl/workbook.xml", lambda xml: xml.replace(b"<workbookPr ", b'<workbookPr date1904="1" '))


def _part(book: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one of its parts changed."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    assert members[name] != change(members[name]), name
    return as_zip({**members, name: change(members[name])})


def _with_xml(column: str, attributes: bytes, content: bytes) -> Callable[[], bytes]:
    """A cell of the last line written anew: attributes beside its reference, and what it holds."""

    def make() -> bytes:
        table = _table()
        table[5][list(lines()[0]).index(column)] = 7777.25
        mark = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*><v>7777.25</v></c>')
        cell = rb'<c r="\1"%b>%b</c>' % (attributes, content)
        return _part(as_workbook({"清单": table}), "xl/worksheets/sheet1.xml", lambda xml: mark.sub(cell, xml))

    return make


def _with_error(column: str, error: bytes = b"#DIV/0!") -> Callable[[], bytes]:
    """A formula that failed."""
    return _with_xml(column, b' t="e"', b"<f>1/0</f><v>%b</v>" % error)


def _merged(*columns: str) -> Callable[[], bytes]:
    """The two lines of the first inventory with cells merged downwards."""

    def make() -> bytes:
        table, names = _table(), list(lines()[0])
        for column in columns:
            table[2][names.index(column)] = None
        return as_workbook({"清单": table}, merged=[(1, 2, names.index(column)) for column in columns])

    return make


def _one_premises() -> Rows:
    """Two inventories in the middle have premises of their own, others have none."""
    return [{**line, "premises_code": "4403A001" if place in (2, 3) else ""} for place, line in enumerate(lines())]


def _merged_in_the_middle() -> bytes:
    table, place = _table(_one_premises()), list(lines()[0]).index("premises_code")
    table[4][place] = None
    return as_workbook({"清单": table}, merged=[(3, 4, place)])


def _merged_with_heading() -> bytes:
    table, place = _table(), list(lines()[0]).index("goods_spec")
    table[1][place] = None
    return as_workbook({"清单": table}, merged=[(0, 1, place)])


def _block(rows: Rows) -> Table:
    kept = [{column: cell for column, cell in line.items() if column != "transport_mode_code"} for line in rows]
    block: Table = [["运输方式", "航空运输", None, "监管场所代码：", None], ["提运单号：", None], ["保费标志：", 3.0]]
    block += [list(row) for row in table_of(kept, _CHINESE)]
    return block


def _one_mode() -> Rows:
    return [{**line, "transport_mode_code": "5"} for line in lines()]


_HEADER_CELLS = ("inventory_no", "order_no", "consignor_code", "consignor_name", "gross_weight_kg", "net_weight_kg", "package_count")
_AMOUNTS = ("declared_quantity", "unit_price", "total_price", "gross_weight_kg", "net_weight_kg", "statutory_quantity", "package_count", "item_no")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016)

WORKBOOKS: tuple[Shape, ...] = (
    exact("workbook-of-text", "xlsx", _book()),
    exact("workbook-chinese-headings", "xlsx", lambda: as_workbook({"清单": table_of(lines(), _CHINESE)})),
    exact("workbook-called-csv", "csv", _book()),
    exact("workbook-number-cells", "xlsx", _typed(float, *_AMOUNTS)),
    exact("workbook-codes-as-numbers", "xlsx", _typed(float, "commodity_code", "currency_code", "arrival_country_code", "status_code", "trade_mode_code")),
    exact("workbook-computed-number", "xlsx", lambda: _part(_cell(4, "gross_weight_kg", 7777.25)(), "xl/worksheets/sheet1.xml",
          lambda xml: xml.replace(b"7777.25", b"3.3000000000000003")), truth=lambda: changed(4, gross_weight_kg="3.3")),
    exact("workbook-date-cells", "xlsx", _typed(_moment, "cleared_at"), repair="date_cells"),
    exact("workbook-day-counts", "xlsx", _typed(_day_count, "cleared_at"), repair="date_serials"),
    exact("workbook-day-counts-from-1904", "xlsx", _from_1904, repair="date_serials"),
    exact("workbook-title-rows", "xlsx", _book(lambda table: [["出口清单"], [], ["2026年10月", None, "深圳"], *table]), repair="title_rows"),
    exact("workbook-blank-rows", "xlsx", _book(lambda table: [table[0], [], *table[1:3], [" "], *table[3:], [], []]), repair="blank_rows"),
    exact("workbook-total-row", "xlsx", _book(lambda table: [*table, ["合计", None, 99.0]]), repair="total_rows"),
    exact("workbook-headings-again", "xlsx", _book(lambda table: [*table[:4], table[0], *table[4:]]), repair="repeated_headings"),
    exact("workbook-head-block", "xlsx", lambda: as_workbook({"清单": _block(_one_mode())}), repair="title_rows", truth=_one_mode),
    exact("workbook-begins-further-in", "xlsx", _book(lambda table: [[], [], *[[None, None, *row] for row in table]]), repair="title_rows"),
    exact("workbook-merged-cells", "xlsx", _merged(*_HEADER_CELLS), repair="merged_cells"),
    exact("workbook-merged-cells-in-the-middle", "xlsx", _merged_in_the_middle, repair="merged_cells", truth=_one_premises),
    exact("workbook-hidden-rows", "xlsx", lambda: as_workbook({"清单": _table()}, hidden_rows=[3, 5]), warns="F307"),
    exact("workbook-other-sheets", "xlsx", lambda: as_workbook({"说明": [["十月"]], "清单": _table(), "代码表": [["币制", "代码"], ["美元", "502"]]})),
    exact("workbook-sheet-of-orders", "xlsx", lambda: as_workbook({"order": [["订单编号", "币制", "总价"], ["DD1", "502", "1"]], "list": _table()})),
    exact("workbook-hidden-sheet", "xlsx", lambda: as_workbook({"清单": _table(), "旧": _table()}, hidden=["旧"]), warns="F306"),
    exact("workbook-formulas-that-are-text", "xlsx", lambda: as_workbook({"清单": _table(changed(4, goods_spec="=1+1"))}),
          truth=lambda: changed(4, goods_spec="=1+1")),
    finding("R121", "workbook-list-number-as-number", "xlsx", _cell(4, "inventory_no", 224420260000000012.0)),
    finding("R206", "workbook-order-number-as-number", "xlsx", _cell(4, "order_no", 5349212026000001.0)),
    finding("R107", "workbook-commodity-code-lost-its-zero", "xlsx", _cell(4, "commodity_code", 301110000.0)),
    finding("R111", "workbook-unit-lost-its-zeros", "xlsx", _typed(float, "declared_unit_code")),
    finding("R113", "workbook-customs-code-lost-its-zero", "xlsx", _cell(4, "exit_customs_code", 101.0)),
    finding("R114", "workbook-credit-code-as-number", "xlsx", _cell(4, "declarant_code", 914403001234567890.0)),
    finding("R118", "workbook-time-as-17-digit-number", "xlsx", _cell(4, "cleared_at", 20261015100000000.0)),
    finding("R118", "workbook-time-of-another-century", "xlsx", _cell(4, "cleared_at", 12.5)),
    finding("R103", "workbook-error-cell", "xlsx", _with_error("total_price")),
    finding("R103", "workbook-error-cell-in-optional-column", "xlsx", _with_error("second_statutory_quantity")),
    finding("R123", "workbook-error-in-a-name", "xlsx", _with_error("goods_name", b"#N/A")),
    finding("R123", "workbook-error-in-a-number-of-others", "xlsx", _with_error("order_no", b"#REF!")),
    finding("R123", "workbook-formula-without-a-value", "xlsx", _with_xml("goods_spec", b"", b"<f>B2&amp;C2</f>")),
    finding("R123", "workbook-formula-with-a-blank-value", "xlsx", _with_xml("sku", b"", b"<f>B2&amp;C2</f><v></v>")),
    finding("F207", "workbook-merged-name", "xlsx", _merged("goods_spec")),
    finding("F207", "workbook-merged-with-its-heading", "xlsx", _merged_with_heading),
    finding("R103", "workbook-truth-value", "xlsx", _cell(4, "total_price", True)),
    finding("R103", "workbook-date-for-a-quantity", "xlsx", _cell(4, "declared_quantity", datetime(2026, 10, 2))),  # noqa: DTZ001
    finding("R103", "workbook-thousands-as-text", "xlsx", _cell(4, "total_price", "1,234.50")),
    finding("R103", "workbook-number-of-too-many-digits", "xlsx", _cell(4, "total_price", 1234567890.1234567)),
    finding("R103", "workbook-tiny-number", "xlsx", _cell(4, "gross_weight_kg", 1e-7)),
    finding("R101", "workbook-merged-quantity", "xlsx", _merged("declared_quantity")),
    finding("F304", "workbook-value-above-its-own-column", "xlsx", _book(lambda table: [["运输方式：", "铁路运输"], *table])),
    stop("F111", "workbook-two-sheets-of-lists", "xlsx", lambda: as_workbook({"9月": _table(), "10月": _table()})),
    stop("F115", "workbook-lines-above-the-headings", "xlsx", _book(lambda table: [["QD-1", *table[1][1:]], table[0], *table[2:]])),
    stop("F116", "workbook-headings-again-in-another-order", "xlsx", _book(lambda table: [*table[:5], *[row[::-1] for row in (table[0], *table[5:])]])),
    stop("F117", "workbook-header-value-of-each-section", "xlsx",
         lambda: as_workbook({"清单": [*_block(_one_mode())[:7], ["运输方式", "公路运输"], *_block(_one_mode())[7:]]})),
    stop("F118", "workbook-blank-heading-of-a-missing-column", "xlsx", _book(lambda table: [[None if cell == "declarant_code" else cell for cell in table[0]], *table[1:]])),
    stop("F101", "workbook-without-lists", "xlsx", lambda: as_workbook({"说明": [["无"]]})),
    stop("F101", "workbook-empty", "xlsx", lambda: as_workbook({"Sheet1": []})),
    stop("F101", "workbook-lists-hidden", "xlsx", lambda: as_workbook({"说明": [["无"]], "清单": _table()}, hidden=["清单"])),
    stop("F102", "workbook-column-missing", "xlsx", _book(lambda table: [row[1:] for row in table])),
    stop("F103", "workbook-two-headings-for-one-column", "xlsx", _book(lambda table: [[*row, "清单编号" if row is table[0] else "x"] for row in table])),
    stop("F108", "workbook-cut-off", "xlsx", lambda: _book()()[:-300]),
    stop("F108", "workbook-with-damaged-bytes", "xlsx", lambda: _scrambled(_book()())),
    stop("F108", "workbook-without-its-sheet", "xlsx", lambda: _without(_book()(), "xl/worksheets/sheet1.xml")),
    stop("F108", "workbook-with-broken-xml", "xlsx", lambda: _part(_book()(), "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2])),
    stop("F108", "workbook-with-a-text-number-below-zero", "xlsx", _with_xml("goods_name", b' t="s"', b"<v>-3</v>")),
    stop("F108", "old-workbook-damaged", "xls", lambda: _OLE),
    stop("F109", "workbook-bomb", "xlsx", lambda: _part(_book()(), "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * (80 << 20))),
)  # fmt: skip


def _scrambled(book: bytes) -> bytes:
    middle = len(book) // 3
    return book[:middle] + bytes(byte ^ 0x55 for byte in book[middle : middle + 64]) + book[middle + 64 :]


def _without(book: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return as_zip({each: archive.read(each) for each in archive.namelist() if each != name})
