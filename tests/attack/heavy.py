"""What is large itself, for `make attack` alone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import xlsxwriter

from tests.attack.judge import Case
from tests.attack.sound import MESSAGE, made
from tests.conftest import csv_text, row

_MEBIBYTE = 1 << 20
_MESSAGE = 200


def cases() -> Iterator[Case]:
    for kind, make in {"lines": b"\n", "cells": b",".join([b'""'] * len(row())) + b"\n", "blanks": b",".join([b" "] * len(row())) + b"\n", "commas": b"," * (len(row()) - 1) + b"\n"}.items():
        yield _case(f"blank {kind}", ("check", "x.csv"), lambda work, make=make: _repeated(work / "x.csv", csv_text([row()]).encode(), make, 100))
    begin, end = MESSAGE.format(doctype="", guid="x", inventories="|").encode().split(b"|")
    pieces = {"blank": b" " * 1024, "text": b"x" * 1024, "comment": b"<!-- x -->" * 100, "tags": b"<a/>" * 256, "a text": b"<a>" + b"x" * 1000 + b"</a>"}
    for command in (("receive", "x.xml", "--out", "out"), ("check", "x.xml")):
        for kind, piece in pieces.items():
            yield _case(f"message/{kind}", command, lambda work, piece=piece: _repeated(work / "x.xml", begin, piece, _MESSAGE, end))
        for kind, last in {"sound": None, "cut off": -9}.items():
            yield _case(f"message/{kind}", command, lambda work, last=last: (work / "x.xml").write_bytes(made(".xml", _MESSAGE << 20)[:last]))
    yield _case("texts", ("check", "x.xlsx"), lambda work: _texts(work / "x.xlsx"))


def _case(name: str, command: tuple[str, ...], make: Callable[[Path], object]) -> Case:
    return Case(f"heavy/{command[0]}/{name}", make, command, heavy=True)


def _repeated(path: Path, begin: bytes, piece: bytes, mebibytes: int, end: bytes = b"") -> None:
    some = piece * max(_MEBIBYTE // len(piece), 1)
    with path.open("wb") as file:
        file.write(begin)
        for _ in range(mebibytes):
            file.write(some)
        file.write(end)


def _texts(path: Path) -> None:
    """A workbook with 1 GB of texts that cells share, few of which are shown."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for place, (column, value) in enumerate(row().items()):
            sheet.write_string(0, place, column)
            sheet.write_string(1, place, value)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    some = b"<si><t>x</t></si>" * (_MEBIBYTE // 17)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=True) as part:
                if name == "xl/sharedStrings.xml":
                    part.write(data.removesuffix(b"</sst>"))
                    for _ in range(1024):
                        part.write(some)
                    data = b"</sst>"
                part.write(data)
