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

import pytest
import xlsxwriter

from aggregator.inputs.ceb import elements
from aggregator.inputs.export import Export
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
    "a far cell": (lambda: book((1_048_575, 16_383, "x")), 65, "XFD1048576"),
    "a far row": (lambda: book((1_048_575, 0, "x")), 65, "A1048576"),
    "a far column": (lambda: book((1, 16_383, "x")), 65, "Column XFD"),
    "a far cell, spaced out": (lambda: edited(SHEET, b"</sheetData>", b'<row r="3"><c r =\n"XFD1048576" t="str"><v>x</v></c></row></sheetData>'), 65, "XFD1048576"),
    "a cell with a long tag": (lambda: edited(SHEET, b"</sheetData>", b'<row r="3"><c r="A3" t="e"' + b" " * 5000 + b"><v>#N/A</v></c></row></sheetData>"), 65, "do not fit together"),
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
