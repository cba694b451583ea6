"""One set of lines through every format and encoding: the results have to be the same to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.samples.shapes.formats import as_csv, as_gzip, as_message, as_parquet, as_workbook, as_zip, table_of
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import Runner, row
from tests.tries import tries

Rows = Sequence[dict[str, str]]
CHINESE = {column: field.headings[0] for column, field in M9610.dictionary.by_column.items()}
LAST_CHINESE = {column: field.headings[-1] for column, field in M9610.dictionary.by_column.items()}
OWN = {column: f"我的{column}" for column in M9610.dictionary.by_column}

FORMATS: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
    "utf-8": ("csv", lambda rows: as_csv(table_of(rows))),
    "bom": ("csv", lambda rows: as_csv(table_of(rows), encoding="utf-8-sig")),
    "gb18030": ("csv", lambda rows: as_csv(table_of(rows), encoding="gb18030")),
    "utf-16": ("csv", lambda rows: as_csv(table_of(rows), encoding="utf-16")),
    "utf-16-be without mark": ("csv", lambda rows: as_csv(table_of(rows), encoding="utf-16-be")),
    "semicolons": ("csv", lambda rows: as_csv(table_of(rows), delimiter=";", line_end="\r\n")),
    "tabs": ("txt", lambda rows: as_csv(table_of(rows), delimiter="\t")),
    "separator line": ("csv", lambda rows: b"sep=;\r\n" + as_csv(table_of(rows), delimiter=";", line_end="\r\n")),
    "old mac": ("csv", lambda rows: as_csv(table_of(rows), line_end="\r")),
    "chinese headings": ("csv", lambda rows: as_csv(table_of(rows, CHINESE))),
    "other chinese headings": ("csv", lambda rows: as_csv(table_of(rows, LAST_CHINESE))),
    "own headings": ("csv", lambda rows: as_csv(table_of(rows, OWN))),
    "shuffled columns": ("csv", lambda rows: as_csv(table_of([dict(sorted(line.items(), key=lambda cell: cell[0][::-1])) for line in rows]))),
    "head block": ("xlsx", lambda rows: as_workbook({"清单": _with_head_block(rows)})),
    "title above": ("csv", lambda rows: as_csv([["十月清单", ""], [], *table_of(rows)])),
    "workbook": ("xlsx", lambda rows: as_workbook({"清单": table_of(rows)})),
    "workbook, chinese": ("xlsx", lambda rows: as_workbook({"说明": [["见下表"]], "清单": [["十月"], *table_of(rows, CHINESE)]})),
    "parquet": ("parquet", as_parquet),
    "message": ("xml", as_message),
    "gzip": ("csv.gz", lambda rows: as_gzip(as_csv(table_of(rows)))),
    "zip": ("zip", lambda rows: as_zip({"清单/a.csv": as_csv(table_of(rows), encoding="gb18030")})),
    "zip of messages": ("zip", lambda rows: as_zip({f"{n:03d}.xml": as_message(each) for n, each in enumerate(_by_inventory(rows))})),
    "message in gzip": ("xml.gz", lambda rows: as_gzip(as_message(rows))),
}  # fmt: skip
NOT_COMPARED = {"manifest.json", "report.html"}


_IN_HEAD_BLOCK = {"transport_mode_code": "航空运输", "declaration_mode_code": "B", "declaring_customs_code": "2244", "exit_customs_code": "2248"}


def _with_head_block(rows: Rows) -> list[list[str]]:
    """As the import template has it: header values that hold for all rows beside their labels, in the rows above."""
    block = [[f"{CHINESE[column]}：", value, "", ""] for column, value in _IN_HEAD_BLOCK.items()]
    pairs = [[*block[0], *block[1]], [f"{CHINESE['declaring_customs_code']}：2244"], ["保费标志：", "", *block[3]]]
    return [*pairs, *table_of([{column: cell for column, cell in line.items() if column not in _IN_HEAD_BLOCK} for line in rows], CHINESE)]


def _by_inventory(rows: Rows) -> list[Rows]:
    numbers = list(dict.fromkeys(line["inventory_no"] for line in rows))
    return [[line for line in rows if line["inventory_no"] == number] for number in numbers]


def _receipts(rows: Rows) -> bytes:
    heads = {line["inventory_no"]: line for line in rows}
    stated = [["message", "inventory_no", "status_code", "cleared_at"]]
    stated += [["CEB604", number, "899", "20261015100000000"] for number in heads]
    return as_csv(stated)


def _results(runner: Runner, name: str, rows: Rows, receipts: Path) -> dict[str, bytes]:
    suffix, write = FORMATS[name]
    columns = tuple(OWN.items()) if name == "own headings" else ()
    path = runner.write(write(rows), f"export.{suffix}")
    outcome = runner.run(path, receipts=(receipts,), columns=columns)
    assert not [code for code in outcome.findings if code[0] == "F"], outcome.findings
    folder = Path(outcome.folder)
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file() and path.name not in NOT_COMPARED}
    # Where a line stood depends on the format; what was made of it must not.
    found["audit_map.parquet"] = json.dumps(_audit(folder)).encode()
    found.pop("findings.csv")
    found.pop("excluded.csv")
    return found


def _audit(folder: Path) -> list[dict[str, str]]:
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "audit_map.parquet").drop_columns(["source_file", "source_row"]).to_pylist()
    return [{name: str(value) for name, value in each.items()} for each in rows]


names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12).map(str.strip).filter(
    lambda text: text and text[0] not in "=+-@'\t\r" and "\ufeff" not in text and text.isprintable()
)


@st.composite
def exports(draw: st.DrawFn) -> list[dict[str, str]]:
    lines = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        for item in range(1, draw(st.integers(1, 3)) + 1):
            quantity = draw(st.integers(1, 50))
            lines.append(
                row(
                    inventory_no=f"22442026E{number:09d}", item_no=str(item), order_no=f"DD{number}", waybill_no=f"LP{number}",
                    enterprise_goods_name=draw(names), goods_name=draw(names), goods_spec=draw(names), declared_quantity=str(quantity),
                    unit_price="1.25", total_price=f"{quantity * 125 // 100}.{quantity * 125 % 100:02d}",
                    second_statutory_quantity=draw(st.sampled_from(["1.200", "0.00001", "12345678901234.00000"])),
                )
            )  # fmt: skip
    for line in lines:
        del line["status_code"], line["cleared_at"]
    return lines


@pytest.mark.long
@settings(max_examples=tries(4))
@given(rows=exports())
def test_every_format_gives_the_same_bytes(in_new_folder: Callable[[str], Runner], rows: list[dict[str, str]]) -> None:
    import uuid

    runner = in_new_folder(uuid.uuid4().hex)
    receipts = runner.write(_receipts(rows), "receipts.csv")
    expected: dict[str, bytes] | None = None
    for name in FORMATS:
        runner.out = runner.folder / name
        found = _results(runner, name, rows, receipts)
        expected = expected or found
        assert found == expected, name


@pytest.mark.parametrize("name", FORMATS)
def test_format(name: str, runner: Runner) -> None:
    rows = [row(item_no=str(n), goods_name='棉制,"T恤" &<衫>') for n in (1, 2)]
    for line in rows:
        del line["status_code"], line["cleared_at"]
    receipts = runner.write(_receipts(rows), "receipts.csv")
    assert "declaration_items.csv" in _results(runner, name, rows, receipts)
