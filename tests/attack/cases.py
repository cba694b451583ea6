"""The red team, as tables: hostile texts by the places where text goes, numbers, archives, XML, spoiled files, devices, settings."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from tests.attack import around, folders, heavy
from tests.attack.judge import CODES, Case
from tests.attack.sound import INVENTORY, MESSAGE, row_of
from tests.attack.texts import NUMBERS, RUN, TEXTS
from tests.conftest import SOUND, csv_text, row

COLUMNS = tuple(SOUND)


def cases() -> Iterator[Case]:
    for area in (_cells, _numbers, _headings, _names, _members, _numbers_asked, _settings, _values, _messages, _archives, _workbooks, _spoiled, _devices, _limits):
        yield from area()
    yield from around.cases()
    yield from folders.cases()
    yield from heavy.cases()


def _write(name: str, data: bytes | str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)


def _export(**cells: str) -> str:
    return csv_text([row(), row(**{"inventory_no": "22442026E000000002", "order_no": "DD2", "waybill_no": "LP2", **cells})])


def _cells() -> Iterator[Case]:
    for kind, text in TEXTS.items():
        for column in _FREE:
            yield Case(f"cell/{column}/{kind}", _write("export.csv", _cells_of(text, column)), ("run", "export.csv", *RUN))
        rest = [column for column in COLUMNS if column not in _FREE]
        for place in range(0, len(rest), _TOGETHER):
            columns, part = rest[place : place + _TOGETHER], place // _TOGETHER
            command = ("run", "export.csv", *RUN) if part % 5 == len(kind) % 5 else ("check", "export.csv", *(("--json",) if part % 2 else ()))
            yield Case(f"cell/{'+'.join(columns)}/{kind}", _write("export.csv", _cells_of(text, *columns)), command)


_FREE = ("order_no", "goods_name", "consignor_name")
"""Free text: what stands there reaches every output."""
_TOGETHER = 6


def _cells_of(text: str, *columns: str) -> str:
    """An inventory for each column where the text stands, and a sound one."""
    return csv_text([row(), *({**row_of(f"{place:09d}"), column: text} for place, column in enumerate(columns, 2))])


def _numbers() -> Iterator[Case]:
    for column in ("freight", "package_count", "gross_weight_kg", "declared_quantity", "unit_price", "total_price", "item_no", "commodity_code", "cleared_at"):
        for number in NUMBERS:
            yield Case(f"number/{column}/{number[:20]}", _write("export.csv", _export(**{column: number})), ("check", "export.csv"))


def _headings() -> Iterator[Case]:
    for kind, text in TEXTS.items():
        for how in ("columns", "check"):
            data = csv_text([{**row(), text: text}])
            yield Case(f"heading/{how}/{kind}", _write("export.csv", data), (how, "export.csv"))
        yield Case(f"heading/first/{kind}", _write("export.csv", csv_text([{text: "1", "item_no": "1"}])), ("check", "export.csv", "--lang", "zh"))


def _names() -> Iterator[Case]:
    for kind, text in TEXTS.items():
        name = f"n{text[:60].replace('/', '_')}.csv"
        for command in (("check", name), ("columns", name), ("run", name, *RUN, "--log-format", "json"), ("receive", name, "--out", "out"), ("check", "export.csv", "--receipts", name)):
            faulty = _export(goods_name="")

            def make(folder: Path, name: str = name, faulty: str = faulty) -> None:
                for each in (name, "export.csv"):
                    (folder / each).write_text(faulty, encoding="utf-8")

            yield Case(f"name/{command[0]}{'/receipts' if '--receipts' in command else ''}/{kind}", make, command)


def _zip(*members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", kind) as archive, warnings.catch_warnings(action="ignore"):
        for name, data in members:
            # Without a kind of its own a member is stored, and a bomb weighs what it unpacks to.
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_STORED if name == "mimetype" else kind)
    return sink.getvalue()


def _members() -> Iterator[Case]:
    sound = _export(goods_name="").encode()
    names = {kind: f"{text[:200]}.csv" for kind, text in TEXTS.items()}
    names |= {"up": "../up.csv", "far up": "a/../../../up.csv", "root": "/tmp/attack-up.csv", "drive": "C:/x.csv", "back": "..\\up.csv", "dots": "....//up.csv", "nothing": ".csv", "folder": "a/", "deep": "a/" * 100 + "b.csv", "twice": "a.csv"}
    for kind, name in names.items():
        data = _zip((name, sound), *([(name, sound)] if kind == "twice" else []))
        for command in (("check", "x.zip"), ("run", "x.zip", *RUN)):
            yield Case(f"member/{command[0]}/{kind}", _write("x.zip", data), command)


def _numbers_asked() -> Iterator[Case]:
    def make(folder: Path) -> None:
        _write("export.csv", csv_text([row()]))(folder)

    for kind, text in TEXTS.items():
        for command in (("trace", "--out", "out", "--", text), ("rules", "--", text), ("check", f"absent{text}"), ("check", "export.csv", f"--period={text}"), ("status", f"--out={text}"), ("doctor", f"--ledger={text}"),
                        ("config", "show", f"--out={text}"), ("check", "export.csv", f"--sheet={text}"), ("check", f"@{text}"), (text,), ("check", "export.csv", f"--config={text}")):  # fmt: skip
            yield Case(f"option/{' '.join(command)[:24]!r}/{kind}", make, command)


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=True).replace("\x7f", "\\u007f")


def _settings() -> Iterator[Case]:
    for kind, text in TEXTS.items():
        for place, config in {
            "columns": f"[columns]\n{_toml(text)} = 'item_no'\n", "columns to": f"[columns]\nitem_no = {_toml(text)}\n", "constants": f"[constants]\nconsignor_name = {_toml(text)}\n",
            "constants code": f"[constants]\ntrade_mode_code = {_toml(text)}\n", "key": f"[run]\n{_toml(text)} = 1\n", "table": f"[{_toml(text)}]\n", "severity": f"[severity]\n{_toml(text)} = 'warning'\n",
            "out": f"[run]\nout = {_toml('out/' + text)}\n", "calendar": f"[run]\ncalendar = {_toml(text)}\n", "rates": f"[[rates]]\ncurrency = {_toml(text)}\n", "raw": f"[run]\nout = {text}\n",
        }.items():  # fmt: skip
            data = csv_text([{column: value for column, value in row().items() if column not in ("trade_mode_code", "consignor_name")}])

            def make(folder: Path, config: str = config, data: str = data) -> None:
                _write("aggregator.toml", config)(folder)
                _write("export.csv", data)(folder)

            yield Case(f"config/{place}/{kind}", make, ("run", "export.csv", "--period", "2026-10", "--dry-run", "--out", "out") if place == "constants" else ("check", "export.csv"))


VALUES = {
    "integer": "1", "huge": "9" * 30, "decimal": "1.5", "no number": "nan", "endless": "inf", "bool": "true", "date": "2026-01-01", "time": "07:32:00", "list": "[]", "deep list": "[" * 90 + "]" * 90, "table": "{}", "list of tables": "[{a = 1}]",
    "long": "'" + "x" * 1_000_000 + "'", "blank": "''", "lines": '"a\\nb"', "nothing": '"\\u0000"', "far": '"\\U0010FFFF"',
}  # fmt: skip
"""Of TOML, where a text is wanted or a number."""


def _values() -> Iterator[Case]:
    for kind, value in VALUES.items():
        for place, config in {
            "columns": f"[columns]\nitem_no = {value}\n", "constants": f"[constants]\nconsignor_name = {value}\n", "a constant code": f"[constants]\ntrade_mode_code = {value}\n", "columns itself": f"columns = {value}\n", "constants itself": f"constants = {value}\n",
            "of an item": f"[constants]\ngoods_name = {value}\n", "severity": f"[severity]\nR114 = {value}\n", "calendar": f"[calendar.2027]\noff = {value}\n", "customs": f"[customs]\nenterprise_code = {value}\n", "rates": f"rates = {value}\n", "company": f"[company]\nrefund = {value}\n", "spark": f"[spark]\n'spark.x' = {value}\n",
        }.items():  # fmt: skip
            given = {"constants": "consignor_name", "a constant code": "trade_mode_code", "of an item": "goods_name", "columns": "item_no"}.get(place, "")
            data = csv_text([{column: text for column, text in row().items() if column != given}])

            def make(folder: Path, config: str = config, data: str = data) -> None:
                _write("aggregator.toml", config)(folder)
                _write("export.csv", data)(folder)

            yield Case(f"value/{place}/{kind}", make, ("run", "export.csv", *RUN))
    for table in ("columns", "constants", "severity"):
        many = f"[{table}]\n" + "".join(f"x{place} = 'y'\n" for place in range(50_000))
        yield Case(f"value/{table}/many", lambda folder, many=many: (_write("aggregator.toml", many)(folder), _write("export.csv", csv_text([row()]))(folder)), ("run", "export.csv", *RUN))


def _message(doctype: str = "", number: str = "1", text: str = "a") -> str:
    return MESSAGE.format(doctype=doctype, guid="x", inventories=INVENTORY.format(number=number, text=text))


def _messages() -> Iterator[Case]:
    doctypes = {
        "file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "web": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>', "parameter": '<!DOCTYPE x [<!ENTITY % e SYSTEM "file:///etc/passwd"> %e;]>',
        "laughs": "<!DOCTYPE x [<!ENTITY e '1'>" + "".join(f"<!ENTITY e{n} '{'&e;' * 20 if n == 0 else f'&e{n - 1};' * 20}'>" for n in range(9)) + "]>", "dtd": '<!DOCTYPE x SYSTEM "file:///dev/zero">', "blank": "<!DOCTYPE x>",
    }  # fmt: skip
    for command in (("check", "m.xml"), ("receive", "m.xml", "--out", "out"), ("columns", "m.xml"), ("check", "export.csv", "--receipts", "m.xml")):
        for kind, doctype in doctypes.items():
            data = _message(doctype, "&e;" if "ENTITY e" in doctype else "1")
            yield Case(f"xml/{command[0]}/{len(command)}/{kind}", _both("m.xml", data), command)
        for kind, text in TEXTS.items():
            data = _message(text=text)
            yield Case(f"xml/{command[0]}/{len(command)}/{kind}", _both("m.xml", data), command)


def _both(name: str, data: str | bytes) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        _write("export.csv", csv_text([row()]))(folder)
        _write(name, data)(folder)

    return make


def _archives() -> Iterator[Case]:
    for name, data in _packed().items():
        for command in (("check", name), ("run", name, *RUN), ("receive", name, "--out", "out"), ("check", "export.csv", "--receipts", name)):
            yield Case(f"archive/{command[0]}/{len(command)}/{name}", _both(name, data), command)


@cache
def _packed() -> dict[str, bytes]:
    sound = csv_text([row()]).encode()
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    zeros = b"\0" * (64 << 20)
    return {
        "link.zip": sink.getvalue(), "bomb.zip": _zip(("a.csv", zeros)), "bomb.csv.gz": gzip.compress(zeros), "nested.zip": _zip(("a.zip", _zip(("b.csv", sound)))), "cut.zip": _zip(("a.csv", sound))[:-30], "cut.csv.gz": gzip.compress(sound)[:-9],
        "many.zip": _zip(*((f"{n}.csv", b"") for n in range(2000))), "empty.zip": _zip(), "empty.csv.gz": b"\x1f\x8b", "crc.zip": _zip(("a.csv", sound), kind=zipfile.ZIP_STORED).replace(b"DD1", b"DD9", 1), "tail.csv.gz": gzip.compress(sound) + b"tail",
    }  # fmt: skip


@cache
def _sound_files() -> dict[str, bytes]:
    book, table = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for place, (column, value) in enumerate(row().items()):
            sheet.write_string(0, place, column)
            sheet.write_string(1, place, value)
    pq.write_table(pa.table({column: [value] * 3 for column, value in row().items()}), table)
    text = csv_text([row()]).encode()
    message = _message().encode()
    return {"x.xlsx": book.getvalue(), "x.parquet": table.getvalue(), "x.csv": text, "x.xml": message, "x.zip": _zip(("a.csv", text)), "x.csv.gz": gzip.compress(text)}


def _workbooks() -> Iterator[Case]:
    """Of other programs, with macros, behind a password, with parts that do not fit together, and with texts that many cells share."""
    for name, data in {**_documents(), **_books()}.items():
        for command in (("check", name), ("columns", name), ("check", "export.csv", "--receipts", name), ("receive", name, "--out", "out")):
            yield Case(f"workbook/{command[0]}/{len(command)}/{name}", _both(name, data), command)


@cache
def _documents() -> dict[str, bytes]:
    """As LibreOffice and WPS save them by default; `-whole` with the part by which they are known."""

    def document(second: str = "item_no", rows: int = 2, columns: int = 1, before: str = "", more: str = "") -> str:
        spaces = " ".join(f"xmlns:{name}='urn:oasis:names:tc:opendocument:xmlns:{name}:1.0'" for name in ("office", "table", "text"))
        cells = "".join(f"<table:table-cell table:number-columns-repeated='{columns}' office:value-type='string'><text:p>{text}</text:p></table:table-cell>" for text in ("inventory_no", second))
        sheet = f"<table:table table:name='a'><table:table-row table:number-rows-repeated='{rows}'>{cells}</table:table-row>{more}</table:table>"
        return f"{before}<office:document-content {spaces}><office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body></office:document-content>"

    kind, contents = ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), {
        "sound": document(), "rows": document(rows=1 << 31), "columns": document(columns=1 << 31), "entity": document("&e;", before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        "empty": document(more="<table:table-row/>" * 1_000_000), "bomb": document("x" * (16 << 20)),
    }  # fmt: skip
    parts = {name: ("content.xml", text.encode()) for name, text in contents.items()}
    return {f"{name}.ods": _zip(kind, part) for name, part in parts.items()} | {f"{name}-whole.ods": _zip(kind, ("META-INF/manifest.xml", b"<x/>"), part) for name, part in parts.items()}


@cache
def _books() -> dict[str, bytes]:
    sound, compound = _sound_files()["x.xlsx"], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    return {
        "macro.xlsm": _with_part(sound, "xl/vbaProject.bin", compound + b"Auto_Open"), "locked.xlsx": compound + "EncryptedPackage".encode("utf-16-le").center(4096, b"\0"), "zeros.xls": compound + b"\0" * 4096,
        "ones.xls": compound + b"\xff" * 4096, "strings.xlsx": _with_part(sound, "xl/sharedStrings.xml", b"<sst>" + b"<si><t>a</t></si>" * 200_000 + b"</sst>"), "none.xlsx": _zip(("[Content_Types].xml", b"")),
        "external.xlsx": _with_part(sound, "xl/_rels/workbook.xml.rels", b"<Relationships><Relationship Id='rId1' Type='x/worksheet' Target='file:///etc/passwd' TargetMode='External'/></Relationships>"),
        "up.xlsx": _with_part(sound, "xl/_rels/workbook.xml.rels", b"<Relationships><Relationship Id='rId1' Type='x/worksheet' Target='../../../etc/passwd'/></Relationships>"),
    }  # fmt: skip


def _with_part(book: bytes, name: str, data: bytes) -> bytes:
    """A part instead of that name, or one more."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return _zip(*((each, archive.read(each)) for each in archive.namelist() if each != name), (name, data))


def _spoiled() -> Iterator[Case]:
    """Sound files with a few bytes changed, cut off, doubled, or under another name."""
    for name, data in _sound_files().items():
        for seed in range(60):
            yield Case(f"spoiled/{name}/{seed}", _write(name, _damaged(data, random.Random(f"{name}{seed}"))), ("check", name))
        for other in _sound_files():
            yield Case(f"misnamed/{name}/{other}", _write(other, data), ("check", other))


def _damaged(data: bytes, chance: random.Random) -> bytes:
    way, at = chance.randrange(4), chance.randrange(len(data))
    if way == 0:
        return data[:at]
    if way == 1:
        return data[:at] + data[at // 2 :]
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 4, 40))):
        spoiled[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(spoiled)


_LOOKS = (("modes", "odd"), ("diff", "odd", "odd"), ("report", "odd", "--pdf", "out/r.pdf"), ("months", "--out", "odd"), ("trace", "DD1", "--out", "odd"), ("doctor", "--out", "odd"), ("ledger", "show", "--ledger", "odd"))
_WRITES = (("init", "--config", "odd", "--force"), ("template", "--out", "odd", "--force"), ("months", "--out", "out", "--html", "odd"), ("modes", "export.csv", "--format", "xlsx", "--out", "odd"),
           ("check", "export.csv", "--findings", "odd"), ("trace", "1", "--out", "out", "--output", "odd/x.csv"))  # fmt: skip


def _devices() -> Iterator[Case]:
    for kind in ("zero", "null", "folder", "loop", "dangling", "full", "no rights"):
        for command in (("check", "odd"), ("check", "export.csv", "--config", "odd"), ("check", "@odd"), ("run", "export.csv", *RUN, "--ledger", "odd"), ("trace", "--file", "odd", "--out", "out"), ("receive", "odd", "--out", "out"),
                        ("status", "--out", "out", "--calendar", "odd"), ("run", "export.csv", *RUN, "--metrics-file", "odd"), ("check", "export.csv", "--rates", "odd"), ("check", "export.csv", "--tariff", "odd"), *_LOOKS, *_WRITES):  # fmt: skip
            if kind == "no rights" and ("--metrics-file" in command or command in _WRITES):
                # To replace a file is what was asked.
                continue
            yield Case(f"device/{kind}/{' '.join(command)[:40]}", lambda folder, kind=kind: _odd(folder, kind), command, CODES)


def _odd(folder: Path, kind: str) -> None:
    _write("export.csv", csv_text([row()]))(folder)
    odd = folder / "odd"
    if kind == "folder":
        odd.mkdir()
    elif kind == "no rights":
        odd.write_bytes(b"")
        odd.chmod(0)
    else:
        odd.symlink_to({"zero": "/dev/zero", "null": os.devnull, "full": "/dev/full", "loop": "odd", "dangling": "absent"}[kind])


def _limits() -> Iterator[Case]:
    """Small, or quickly made, and asking for much."""
    shapes: dict[str, Callable[[], tuple[str, bytes]]] = {
        "blank lines": lambda: ("x.csv", csv_text([row()]).encode() + b"\n" * 5_000_000), "commas": lambda: ("x.csv", csv_text([row()]).encode() + b"," * 5_000_000), "quotes": lambda: ("x.csv", csv_text([row()]).encode() + b'"' * 3_000_001),
        "one line": lambda: ("x.csv", b"x" * 5_000_000), "zeros": lambda: ("x.csv", b"\0" * 5_000_000), "columns": lambda: ("x.csv", b",".join(b"h%d" % n for n in range(20_000)) + b"\n" + b"," * 19_999),
        "depth": lambda: ("x.xml", b"<CEB603Message>" + b"<a>" * 100_000), "tags": lambda: ("x.xml", b"<CEB603Message>" + b"<a/>" * 1_000_000), "attributes": lambda: ("x.xml", b"<CEB603Message " + b" ".join(b'a%d=""' % n for n in range(20_000)) + b"/>"),
        "comment": lambda: ("x.xml", b"<CEB603Message><!--" + b"-" * 3_000_000), "text": lambda: ("x.xml", b"<CEB603Message>" + b"x" * 12_000_000), "toml": lambda: ("aggregator.toml", b"[" * 100_000), "toml keys": lambda: ("aggregator.toml", b"a." * 20_000 + b"a=1"),
    }  # fmt: skip
    for kind, shape in shapes.items():

        def make(folder: Path, shape: Callable[[], tuple[str, bytes]] = shape) -> None:
            name, data = shape()
            _both(name, data)(folder)

        file = "x.xml" if kind in ("depth", "tags", "attributes", "comment", "text") else "export.csv" if "toml" in kind else "x.csv"
        for command in (("check", file), ("columns", file)):
            yield Case(f"limit/{command[0]}/{kind}", make, command)
