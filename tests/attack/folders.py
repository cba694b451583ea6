"""Run folders that others have edited, given to the commands that read them: manifests, tables, the report, and what is no file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.attack.judge import Case
from tests.attack.sound import left_by, put
from tests.attack.texts import RUN, TEXTS
from tests.conftest import csv_text, row

_AT = Path("there/2026-10/202610-01")
_EDITED, _SOUND = str(_AT), "other/2026-10/202610-01"
_COMMANDS = (
    ("diff", _EDITED, _SOUND), ("diff", _SOUND, _EDITED, "--json"), ("report", _EDITED, "--pdf", "out/r.pdf"), ("trace", "DD1", "--out", "there"),
    ("status", "--out", "there"), ("months", "--out", "there", "--html", "out/months.html"), ("ledger", "check", "--out", "there"), ("doctor", "--out", "there"),
)  # fmt: skip


def cases() -> Iterator[Case]:
    for kind, edit in {**_manifests(), **_maps(), **_tables(), **_pages(), **_odd()}.items():
        wanted = kind.split()[0]
        for command in _COMMANDS:
            if command[0] not in _READ_BY.get(wanted, (command[0],)) or (command[0] == "report" and kind == "report no rights"):
                # Root reads what it has no rights to, and a browser is larger than any bound.
                continue

            def make(work: Path, edit: Callable[[Path], object] = edit) -> None:
                for name in ("there", "other"):
                    put(_published(), work / name)
                (work / "out").mkdir()
                edit(work / _AT)

            yield Case(f"folder/{' '.join(command[:2])[:20]}{' --json' if '--json' in command else ''}/{kind}", make, command)


_READ_BY = {
    "manifest": ("diff",), "audit_map": ("diff", "trace"), "report": ("report",), "findings": ("diff",), "excluded": ("diff",), "declarations": ("diff",), "declaration_items": ("diff",), "control_totals": ("diff", "months"),
}  # fmt: skip


def _published() -> dict[str, bytes]:
    """The files of a folder of results with a run in it."""
    export = csv_text([row(), row(inventory_no="22442026E000000002", order_no="DD2", waybill_no="LP2", goods_name="")])
    return left_by(("run", "x.csv", *RUN), export, 3)


def _set(*path: str, to: Any) -> Callable[[Path], object]:
    """A value of the manifest."""

    def edit(run: Path) -> None:
        facts = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        at = facts
        for key in path[:-1]:
            at = at[key]
        if to is _set:
            del at[path[-1]]
        else:
            at[path[-1]] = to
        (run / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")

    return edit


_ODD_VALUES: dict[str, Any] = {"nothing": None, "a list": [1], "a table": {"a": {}}, "a text": "x", "no number": float("nan"), "endless": float("inf"), "large": 10**400, "a flag": True, "deep": [[[[{}]]]], "long": "x" * 100_000, "gone": _set}


def _manifests() -> dict[str, Callable[[Path], object]]:
    edits: dict[str, Callable[[Path], object]] = {}
    for path in (("run_ref",), ("period",), ("parameters",), ("parameters", "mode"), ("counts",), ("counts", "declarations"), ("counts", "inventories_read"), ("inputs",), ("outputs",), ("ledger_id",)):
        for kind, value in _ODD_VALUES.items():
            edits[f"manifest {'.'.join(path)} {kind}"] = _set(*path, to=value)
    for kind, text in TEXTS.items():
        edits[f"manifest run_ref text {kind}"] = _set("run_ref", to=text)
    for kind, data in {
        "blank": b"", "no JSON": b"{", "deep": b"[" * 200_000, "deep inside": b'{"run_ref": "1", "a": ' + b'{"a":' * 200_000, "bytes": b"\xff\xfe\0", "a number": b"1", "null": b"null", "a list": b"[]", "digits": b'{"run_ref": ' + b"9" * 5000 + b"}",
        "surrogates": b'{"run_ref": "\\ud800", "period": "\\udfff"}', "twice": b'{"run_ref": "1", "run_ref": {}}', "blanks": b" " * 30_000_000 + b"{}", "many keys": b'{"run_ref": "1", ' + b", ".join(b'"%d": 1' % each for each in range(500_000)) + b"}",
    }.items():  # fmt: skip
        edits[f"manifest bytes {kind}"] = lambda run, data=data: (run / "manifest.json").write_bytes(data)
    return edits


def _maps() -> dict[str, Callable[[Path], object]]:
    """Parquet of other schemas, and what is none."""

    def change(how: Callable[[pa.Table], pa.Table]) -> Callable[[Path], object]:
        def edit(run: Path) -> None:
            pq.write_table(how(pq.read_table(run / "audit_map.parquet")), run / "audit_map.parquet")

        return edit

    edits: dict[str, Callable[[Path], object]] = {}
    for name in ("inventory_no", "item_no", "order_no", "declaration_ref", "declaration_item_no", "declared_quantity", "total_price", "source_row"):
        for kind, value in {"numbers": 1, "lists": ["a"], "tables": {"a": 1}, "bytes": b"\xff", "flags": True, "nothing": None, "floats": float("nan"), "text": "\x1b[31m\u202e=1"}.items():
            edits[f"audit_map {name} {kind}"] = change(lambda table, name=name, value=value: table.set_column(table.column_names.index(name), name, pa.array([value] * table.num_rows)))
        edits[f"audit_map {name} gone"] = change(lambda table, name=name: table.drop_columns([name]))
        edits[f"audit_map {name} twice"] = change(lambda table, name=name: table.append_column(name, table[name]))
    edits["audit_map other columns"] = change(lambda table: pa.table({"a": [1]}))
    edits["audit_map no columns"] = change(lambda table: table.select([]))
    edits["audit_map no rows"] = change(lambda table: table.slice(0, 0))
    edits["audit_map rows twice"] = change(lambda table: pa.concat_tables([table] * 3))
    edits["audit_map not in UTF-8"] = change(lambda table: table.set_column(0, table.column_names[0], pa.array([b"\xff"] * table.num_rows).view(pa.string())))
    for kind, data in {"blank": b"", "text": b"x" * 100, "ends": b"PAR1" + b"\xff" * 100 + b"PAR1", "large": b"PAR1" + b"\0" * 1000 + (1 << 31).to_bytes(4, "little") + b"PAR1"}.items():
        edits[f"audit_map bytes {kind}"] = lambda run, data=data: (run / "audit_map.parquet").write_bytes(data)
    edits["audit_map alike"] = lambda run: _alike(run / "audit_map.parquet")
    for seed in range(6):
        edits[f"audit_map cut {seed}"] = lambda run, seed=seed: _cut(run / "audit_map.parquet", seed)
    return edits


def _alike(path: Path) -> None:
    """A small file of very many rows."""
    table = pq.read_table(path)
    many = pa.table({name: pa.repeat(table[name][0], 1_000_000) for name in table.column_names})
    pq.write_table(many, path)


def _cut(path: Path, seed: int) -> None:
    data = bytearray(path.read_bytes())
    if seed % 2:
        path.write_bytes(data[: len(data) * seed // 7])
    else:
        at = len(data) - 300 + seed * 20
        data[at : at + 10] = b"\xff" * 10
        path.write_bytes(data)


def _tables() -> dict[str, Callable[[Path], object]]:
    edits: dict[str, Callable[[Path], object]] = {}
    for name in ("findings", "excluded", "declarations", "declaration_items", "control_totals"):

        def change(how: Callable[[list[bytes]], bytes], name: str = name) -> Callable[[Path], object]:
            def edit(run: Path) -> None:
                path = run / f"{name}.csv"
                path.write_bytes(how(path.read_bytes().splitlines(keepends=True)))

            return edit

        columns = lambda lines: lines[0].count(b",") + 1  # noqa: E731
        for kind, how in {
            "blank": lambda lines: b"", "heading": lambda lines: lines[0], "without heading": lambda lines: b"".join(lines[1:]), "other headings": lambda lines: b"a,b\n1,2\n", "headings twice": lambda lines: lines[0].replace(lines[0].strip().split(b",")[-1], lines[0].strip().split(b",")[1]) + b"".join(lines[1:]),
            "bytes": lambda lines: lines[0] + b"\xff\xfe\0" * 50, "bytes in headings": lambda lines: b"\xff\xfe" + b"".join(lines), "texts": lambda lines, columns=columns: lines[0] + b",".join([b"x\x1b[31m"] * columns(lines)) + b"\n",
            "large numbers": lambda lines, columns=columns: lines[0] + b",".join([b"9" * 400] * columns(lines)) + b"\n", "no numbers": lambda lines, columns=columns: lines[0] + b",".join([b"nan"] * columns(lines)) + b"\n", "blanks": lambda lines, columns=columns: lines[0] + b"," * (columns(lines) - 1) + b"\n",
            "more cells": lambda lines: lines[0] + b"," * 5000 + b"\n", "fewer cells": lambda lines: lines[0] + b"1\n", "an open quote": lambda lines: lines[0] + b'"' + b"".join(lines), "a large cell": lambda lines: lines[0] + b"x" * 20_000_000, "a large heading": lambda lines: b"x" * 20_000_000 + b"".join(lines),
            "rows twice": lambda lines: b"".join(lines + lines[1:] * 3),
        }.items():  # fmt: skip
            edits[f"{name} {kind}"] = change(how)
    return edits


def _pages() -> dict[str, Callable[[Path], object]]:
    choice = '<input class="choice" type="radio" name="lang" id="lang-zh">'
    pages = {
        "blank": b"", "no page": b"x", "bytes": b"\xff\0" + choice.encode(), "a script": f"{choice}<script>document.title='x'</script>".encode(), "many choices": (choice * 200_000).encode(), "half a choice": (choice[:-1] + " " * 1_000_000).encode(),
        "choices without end": (choice[:-1] * 3000).encode(), "tags": (choice + "<b>" * 20_000).encode(),
    }  # fmt: skip
    return {f"report {kind}": lambda run, data=data: (run / "report.html").write_bytes(data) for kind, data in pages.items()}


def _odd() -> dict[str, Callable[[Path], object]]:
    """What stands in the place of a file, or of the folder."""
    edits: dict[str, Callable[[Path], object]] = {}
    for name in ("manifest.json", "audit_map.parquet", "findings.csv", "excluded.csv", "declarations.csv", "declaration_items.csv", "control_totals.csv", "report.html"):
        stem = name.split(".")[0]
        for kind in ("gone", "folder", "fifo", "zero", "loop", "of no size", "no rights"):
            edits[f"{stem} {kind}"] = lambda run, name=name, kind=kind: _replaced(run / name, kind)
    for kind in ("gone", "fifo", "loop", "file"):
        edits[f"run {kind}"] = lambda run, kind=kind: (shutil.rmtree(run), _replaced(run, kind, there=False))
    return edits


def _replaced(path: Path, kind: str, *, there: bool = True) -> None:
    if there and kind != "no rights":
        path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "file":
        path.write_bytes(b"x")
    elif kind == "no rights":
        path.chmod(0)
    elif kind != "gone":
        path.symlink_to({"zero": "/dev/zero", "loop": path.name, "of no size": "/proc/self/cmdline"}[kind])
