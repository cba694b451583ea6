"""What a sound file of a kind and size takes to be checked: hostile ones are held against it."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from aggregator.samples.shapes.formats import as_message
from tests.attack.alone import Taken, alone
from tests.conftest import csv_text, row

_STEP, _LEAST = 2, 1 << 14
MESSAGE = '<?xml version="1.0" encoding="UTF-8"?>{doctype}<ceb:CEB603Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{guid}" version="1.0">{inventories}</ceb:CEB603Message>'
INVENTORY = "<ceb:Inventory><ceb:InventoryHead><ceb:invtNo>{number}</ceb:invtNo><ceb:orderNo>{text}</ceb:orderNo></ceb:InventoryHead></ceb:Inventory>"


def sound(size: int, name: str, config: bytes = b"") -> Taken:
    """`name`: whose ending says the kind; one of none is text. `config`: settings that tell how much is done at once."""
    step = _LEAST
    while step < size:
        step *= _STEP
    return _taken(next((kind for kind in _KINDS if name.endswith(kind)), ".csv"), step, config)


def made(kind: str, size: int) -> bytes:
    """A sound file of at least that size."""
    lines = 1
    while len(data := _KINDS[kind](lines)) < size:
        lines = max(lines + 1, min(lines * 8, lines * size // len(data)))
    return data


def ledger() -> dict[str, bytes]:
    """The files of one that knows an inventory: without a ledger nothing is received."""
    return left_by(("ledger", "import", "x.csv", "--out", "out"), "inventory_no\n22442026E000000007\n", 0)


@cache
def left_by(command: tuple[str, ...], export: str, code: int) -> dict[str, bytes]:
    """What a command that ends with that code makes of x.csv in the folder out: file to content."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        work, temporary = Path(folder, "work"), Path(folder, "tmp")
        work.mkdir()
        temporary.mkdir()
        (work / "x.csv").write_text(export, encoding="utf-8")
        came = alone(command, work, temporary)
        assert came.code == code, came.told
        return {str(path.relative_to(work / "out")): path.read_bytes() for path in (work / "out").rglob("*") if path.is_file()}


def put(files: dict[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@cache
def _taken(kind: str, size: int, config: bytes) -> Taken:
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        work, temporary = Path(folder, "work"), Path(folder, "tmp")
        work.mkdir()
        temporary.mkdir()
        (work / "aggregator.toml").write_bytes(config)
        (work / f"x{kind}").write_bytes(made(kind, size))
        return alone(("check", f"x{kind}"), work, temporary).taken


_NUMBER = "000000000"


def row_of(number: str) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number}", order_no=f"DD{number}", waybill_no=f"LP{number}")


def _rows(lines: int) -> list[dict[str, str]]:
    return [row_of(f"{place:09d}") for place in range(lines)]


def _numbered(one: str, lines: int) -> str:
    """Text of one inventory so many times, each of its own number."""
    return "".join(one.replace(_NUMBER, f"{place:09d}") for place in range(lines))


def _text(lines: int) -> bytes:
    one = csv_text([row_of(_NUMBER)])
    begin = one.index("\n") + 1
    return (one[:begin] + _numbered(one[begin:], lines)).encode()


def _zip(lines: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", _text(lines))
    return made.getvalue()


def _book(lines: int) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for at, cells in enumerate([dict(zip(row(), row(), strict=True)), *_rows(lines)]):
            for place, value in enumerate(cells.values()):
                sheet.write_string(at, place, value)
    return made.getvalue()


def _parquet(lines: int) -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(_rows(lines)), made)
    return made.getvalue()


def _message(lines: int) -> bytes:
    begin, inventory, end = re.split("(<ceb:Inventory>.*</ceb:Inventory>)", as_message([row_of(_NUMBER)]).decode(), flags=re.DOTALL)
    return (begin + _numbered(inventory, lines) + end).encode()


_KINDS = {".csv": _text, ".xlsx": _book, ".parquet": _parquet, ".xml": _message, ".zip": _zip, ".csv.gz": lambda lines: gzip.compress(_text(lines))}
