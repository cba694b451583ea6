"""Small files that would keep a reader busy for hours, fill the memory or end the process are refused, with the place named."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from aggregator.inputs.ceb import elements
from aggregator.inputs.export import Export
from aggregator.inputs.formats import workbook_process
from aggregator.inputs.sources import tags
from aggregator.outputs.rejected import rejected_names
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, csv_text, row

SECONDS = 8.0
"""On a busy machine; what is tested here took minutes."""
NAMESPACE = 'xmlns:ceb="http://www.chinaport.gov.cn/ceb"'
SHEET, TEXTS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"


@contextmanager
def soon() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < SECONDS


def book(*cells: tuple[int, int, str]) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for place, (column, value) in enumerate(row().items()):
            sheet.write_string(0, place, column)
            sheet.write_string(1, place, value)
        for at, place, text in cells:
            sheet.write_string(at, place, text)
        bold = workbook.add_format({"bold": True})
        sheet.write_blank(1_048_575, 3, None, bold)
    return made.getvalue()


def edited(part: str, old: bytes, new: bytes) -> bytes:
    source, made = zipfile.ZipFile(io.BytesIO(book())), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in source.infolist():
            data = source.read(member)
            archive.writestr(member, data.replace(old, new, 1) if member.filename == part else data)
    return made.getvalue()


def shared_text(cells: int, letters: int) -> bytes:
    """Each cell by itself, the text once."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for place, (column, value) in enumerate(row().items()):
            sheet.write_string(0, place, column)
            sheet.write_string(1, place, value)
        for at in range(cells):
            sheet.write_string(2 + at // 40, at % 40, "x" * letters)
    return made.getvalue()


def comment(text: bytes) -> bytes:
    return edited(SHEET, b"</sheetData>", b"</sheetData><!-- " + text + b" -->")


ATTRIBUTES = b" ".join(b'a%d="1"' % place for place in range(100_000))

WORKBOOKS: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "sound": (book, 0, ""),
    "a formatted cell far below": (book, 0, ""),
    "tags in a comment": (lambda: comment(b"<row " * 40_000), 0, ""),
    "types in a comment": (lambda: comment(b't="s"' * 100_000), 0, ""),
    "errors in a comment": (lambda: comment(b't="e"' * 100_000), 65, "do not fit together"),
    "more texts than it can hold": (lambda: edited(TEXTS, b'uniqueCount="', b'uniqueCount="99999999999" x="'), 65, "99,999,999,999 texts"),
    "more texts than its cells show": (lambda: edited(TEXTS, b"</sst>", b"<si/>" * 1_200_000 + b"</sst>"), 65, "which its cells cannot show"),
    "a far cell": (lambda: book((1_048_575, 16_383, "x")), 65, "XFD1048576"),
    "a far row": (lambda: book((1_048_575, 0, "x")), 65, "A1048576"),
    "a far column": (lambda: book((1, 16_383, "x")), 65, "Column XFD"),
    "a far cell, spaced out": (lambda: edited(SHEET, b"</sheetData>", b'<row r="3"><c r =\n"XFD1048576" t="str"><v>x</v></c></row></sheetData>'), 65, "XFD1048576"),
    "a cell with a long tag": (lambda: edited(SHEET, b"</sheetData>", b'<row r="3"><c r="A3" t="e"' + b" " * 5000 + b"><v>#N/A</v></c></row></sheetData>"), 65, "do not fit together"),
    "a text that many cells share": (lambda: shared_text(20_000, 32_000), 65, "takes more memory than any file of its size should"),
    "a book of nothing but tags": (lambda: edited(BOOK, b"</workbook>", b"<x>" + b"<a/>" * 600_000 + b"</x></workbook>"), 65, "do not fit together"),
}


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_workbooks(runner: Runner, kind: str) -> None:
    make, code, says = WORKBOOKS[kind]
    runner.write(make(), "book.xlsx")
    with soon():
        result = aggregator("check", "book.xlsx", folder=runner.folder)
    assert result.returncode == code, result.stderr
    assert says in result.stderr


DEATHS = {
    "os.abort()": (65, "ended with -6"),
    "os.kill(os.getpid(), 11)": (65, "ended with -11"),
    "os.kill(os.getpid(), 24)": (65, "takes longer than any file"),
    "os.kill(os.getpid(), 9)": (74, "was killed, perhaps for want of memory"),
    "os._exit(3)": (65, "ended with 3"),
    "sys.stderr.write('memory allocation of 9 bytes failed'); sys.stderr.flush(); os.abort()": (65, "more memory than any file"),
    "raise MemoryError": (65, "more memory than any file"),
    "raise type('PanicException', (BaseException,), {})('index out of bounds')": (65, "index out of bounds"),
    "raise OSError(5, 'Input/output error')": (74, "Input/output error"),
}


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("asked", ["open", "rows"])
def test_a_reader_that_dies_is_a_sentence(runner: Runner, monkeypatch: pytest.MonkeyPatch, death: str, asked: str) -> None:
    runner.write(book(), "book.xlsx")
    own = Path(workbook_process.__file__).read_text(encoding="utf-8")
    dying = own.replace(f"    def {asked}(self", f"    def {asked}(self, *_):\n        import os\n        {death}\n    def other(self")
    script = runner.write(dying, "script.py")
    monkeypatch.setattr(workbook_process, "__file__", str(script))
    result = aggregator("check", "book.xlsx", folder=runner.folder)
    code, says = DEATHS[death]
    assert (result.returncode, says in result.stderr) == (code, True), result.stderr


MESSAGES: dict[str, tuple[bytes, str]] = {
    "attributes": (b"<CEB603Message " + ATTRIBUTES + b"></CEB603Message>", "Line 1: a tag longer than"),
    "namespaces": (b"<CEB603Message " + ATTRIBUTES.replace(b"a", b"xmlns:a") + b"></CEB603Message>", "Line 1: a tag longer than"),
    "nothing but tags": (f'<ceb:CEB603Message {NAMESPACE} guid="x" version="1.0">\n'.encode() + b"<a/>" * 600_000 + b"</ceb:CEB603Message>", "Line 2: more than 500,000 tags"),
    "tags in a document": (
        f'<ceb:CEB603Message {NAMESPACE} guid="x" version="1.0"><ceb:Inventory>\n'.encode() + b"<a/>" * 600_000 + b"</ceb:Inventory></ceb:CEB603Message>", "Line 2: more than 500,000 tags",
    ),
    "depth": (b"<CEB603Message>" + b"<a>" * 200_000, "Line 1"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("command", [("check",), ("receive", "--out", "out"), ("columns",)], ids=lambda each: each[0])
def test_messages(runner: Runner, kind: str, command: tuple[str, ...]) -> None:
    data, says = MESSAGES[kind]
    runner.write(data, "message.xml")
    if command[0] == "receive":
        runner.run_rows([row()])
    with soon():
        result = aggregator(command[0], "message.xml", *command[1:], folder=runner.folder)
    assert result.returncode == (3 if command[0] == "receive" else 65), result.stderr
    assert ("quarantined" if command[0] == "receive" else says) in result.stderr + result.stdout


@pytest.mark.long
@pytest.mark.parametrize("size", [1, 7, 100, 1 << 15, 1 << 20])
def test_long_tags_are_found_however_the_bytes_come(size: int) -> None:
    def refused(line: int, what: str, _: str) -> Exception:
        return ValueError(f"{line}: {what}")

    def read(data: bytes) -> None:
        passing = tags.Tags(io.BytesIO(data), refused)
        while passing.read(size):
            pass

    long = tags.LONGEST_TAG
    sound = b"<a>" + b"x" * 3 * long + b"</a><!-- " + b"y" * 3 * long + b" --><b " + b"z" * (long - 100) + b"/>"
    read(sound)
    with pytest.raises(ValueError, match="3: a tag longer"):
        read(b"<a>\n\n" + b"x" * 100 + b"<b " + b"z" * (2 * long) + b"/></a>")


def test_documents_that_follow_one_another_are_not_counted_together(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "MOST_TAGS", 2_000)
    one = "<ceb:InvtNo><ceb:x/></ceb:InvtNo>"
    path = runner.write(f"<ceb:M {NAMESPACE}>" + (f"{one}\n{' ' * 200}") * 3000 + "</ceb:M>", "m.xml")
    source = elements.Source(path, "m", "m")
    assert sum(1 for _ in elements.Message(source).documents("InvtNo")) == 3000


def test_an_archive_of_very_many_members(runner: Runner) -> None:
    with zipfile.ZipFile(runner.folder / "many.zip", "w") as archive:
        for place in range(190_000):
            archive.writestr(zipfile.ZipInfo(f"{place}.doc"), b"")
    with soon():
        result = aggregator("check", "many.zip", folder=runner.folder)
    assert result.returncode == 65
    assert "The list of its members has" in result.stderr or "It holds" in result.stderr


def test_names_of_rejected_files_are_told_apart_at_once() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

    files: list[Export] = [Named(name) for name in ("a.csv", "a-2.csv", *["x/a.csv"] * 20_000, "b.csv")]  # type: ignore[misc]
    with soon():
        names = rejected_names(tuple(files))
    assert len(set(names)) == len(names) == len(files)
    assert names[:4] == ["a.csv", "a-2.csv", "a-3.csv", "a-4.csv"]
    assert names[-1] == "b.csv"


def alike(rows: int, **others: str) -> pa.Table:
    """Rows that are the same; each text stands once."""
    at = pa.array(np.zeros(rows, dtype=np.int32))
    return pa.table({column: pa.DictionaryArray.from_arrays(at, pa.array([value])) for column, value in {**row(), **others}.items()})


ROWS: dict[str, tuple[Callable[[], pa.Table], int]] = {
    "equal rows": (lambda: alike(1_000_000), 65),
    "a long text in many rows": (lambda: alike(20_000, goods_spec="x" * 100_000), 65),
    "some equal rows": (lambda: alike(1000), 0),
}


@pytest.mark.parametrize("kind", ROWS)
def test_rows_of_parquet_that_are_alike(runner: Runner, kind: str) -> None:
    make, code = ROWS[kind]
    pq.write_table(make(), runner.folder / "rows.parquet", compression="zstd")
    with soon():
        result = aggregator("columns" if code == 0 else "check", "rows.parquet", folder=runner.folder)
    assert result.returncode == code, result.stderr
    assert ("[F109] rows.parquet" in result.stderr) == bool(code)


def test_many_columns_without_headings(runner: Runner) -> None:
    data = csv_text([row()]).splitlines()
    runner.write(f"{data[0]}{',' * 15_000}\n{data[1]}{',x' * 15_000}\n")
    with soon():
        assert aggregator("check", "export.csv", folder=runner.folder).returncode in (0, 3, 65)


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux'")
def test_too_little_memory_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(csv_text([row()]), encoding="utf-8")
    line = f"ulimit -v 1000000; {sys.executable} -c \"from aggregator.jobs import run\ndef much(*_): return bytearray(1 << 40)\nrun.check = much\nfrom aggregator.__main__ import main\nmain()\" check export.csv --lang en"
    result = subprocess.run(["/bin/bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 74, result.stderr
    assert "There is not enough memory" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux'")
@pytest.mark.parametrize("kilobytes", [250_000, 450_000, 1_500_000])
def test_whatever_limit_the_memory_has(tmp_path: Path, kilobytes: int) -> None:
    (tmp_path / "export.csv").write_text(csv_text([row()]), encoding="utf-8")
    (tmp_path / "book.xlsx").write_bytes(book())
    for name in ("export.csv", "book.xlsx"):
        line = f"ulimit -v {kilobytes}; exec {sys.executable} -m aggregator check {name} --lang en"
        result = subprocess.run(["/bin/bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert result.returncode in (0, 74), (name, result.stderr)
        assert "Traceback" not in result.stderr


def test_a_workbook_that_does_not_fit_is_not_begun(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.model import memory

    monkeypatch.setattr(memory, "_left_of_container", lambda: 40 << 20)
    runner.write(book(), "book.xlsx")
    assert aggregator("check", "book.xlsx", folder=runner.folder).returncode == 0
    runner.write(edited(SHEET, b"</sheetData>", b"</sheetData><!--" + b" " * (4 << 20) + b"-->"), "book.xlsx")
    result = aggregator("check", "book.xlsx", folder=runner.folder)
    assert (result.returncode, "There is not enough memory" in result.stderr) == (74, True)
