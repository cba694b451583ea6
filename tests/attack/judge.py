"""One case: a folder with something hostile in it, and a command given there. What it must never do is the same for all of them."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from aggregator.cli import cli
from aggregator.cli.ending import ended
from aggregator.engines.local import _keep_sockets_in_our_folder
from aggregator.inputs.tables.canonical import FORMULA
from aggregator.model.errors import Exit

CODES = frozenset(int(code) for code in Exit if code is not Exit.OUR_FAULT)
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
FORGED = "all is well"
"""Stands behind an end of line in hostile texts: at the beginning of a line it was not us who said it."""
_RUNS = re.compile(FORMULA)
_NUMBER = re.compile(r"-?[0-9.]+")
SECONDS, MEGABYTES = 8.0, 400
"""Of CPU, on a busy machine; and by how much the peak of this process may grow."""


@dataclass(frozen=True)
class Case:
    """`make`: puts what is hostile into a folder, which is the working folder of `command`. `codes`: where only some will do."""

    name: str
    make: Callable[[Path], object]
    command: tuple[str, ...]
    codes: frozenset[int] = CODES


def breaches(case: Case, folder: Path) -> list[str]:
    """What a case broke. `folder` is empty."""
    work, temporary = folder / "in" / "work", folder / "tmp"
    work.mkdir(parents=True)
    temporary.mkdir()
    case.make(work)
    # Once a process, and until it ends: it would seem to be left by whichever case came first.
    _keep_sockets_in_our_folder()
    before, peak, begun = _standing(folder), _peak(), time.process_time()
    code, said, told = _given(case.command, work, temporary)
    found = [f"{time.process_time() - begun:.0f} s of CPU"] if time.process_time() - begun > SECONDS else []
    found += [f"{(grown >> 10)} MB"] if (grown := _peak() - peak) > MEGABYTES << 10 else []
    found += [f"exit code {code}: {told[:300]!r}"] if code not in case.codes else []
    for stream in (said, told):
        found += [f"raw: {stream[max(raw.start() - 60, 0) : raw.end() + 20]!r}"] if (raw := RAW.search(stream)) else []
        found += [f"forged: {line!r}" for line in stream.splitlines() if line.strip().startswith(FORGED)]
        found += [f"says {word}" for word in ("Traceback", "Internal error", "本工具内部错误") if word in stream]
    found += [f"outside: {path}" for path in sorted(_standing(folder) - before) if not path.startswith("in/work/out/")]
    found += [f"gone: {path}" for path in sorted(before - _standing(folder)) if not path.startswith("in/work/out/")]
    return found + [each for path in (work / "out").rglob("*") for each in _of_output(path)]


def _given(command: tuple[str, ...], work: Path, temporary: Path) -> tuple[int, str, str]:
    """In this process, as the script does: exit code, standard output, standard error."""
    out, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="", write_through=True) for _ in range(2))
    with (
        contextlib.chdir(work), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors), mock.patch.object(sys, "argv", ["aggregator", *command]),
        mock.patch.object(tempfile, "tempdir", str(temporary)), mock.patch.object(sys, "unraisablehook", sys.unraisablehook),
    ):  # fmt: skip
        try:
            code = ended(lambda: cli.main(list(command), prog_name="aggregator", standalone_mode=False))
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
    said, told = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, errors))  # type: ignore[attr-defined]
    return code, said, told


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _standing(folder: Path) -> set[str]:
    """Names and sizes of all there is, but for the output folder's own."""
    return {
        f"{os.fsencode(each.relative_to(folder)).decode('utf-8', 'backslashreplace')}{'' if each.is_dir() else f' {each.lstat().st_size}'}"
        for each in folder.rglob("*") if each.relative_to(folder).parts[:3] != ("in", "work", "out")
    }  # fmt: skip


def _of_output(path: Path) -> list[str]:
    """What is left half made, what a spreadsheet would run, what acts in a browser."""
    if path.name.endswith((".part", ".tmp", "-journal")) or (path.name.startswith(".") and path.is_dir()):
        return [f"left: {path.name}"]
    if not path.is_file():
        return []
    if path.suffix == ".html":
        text = path.read_text(encoding="utf-8")
        return [f"{path.name}: {each}" for each in ("<script>alert", "<img src=x", "onerror=alert(1)>") if each in text] + ["raw in the report"] * bool(RAW.search(text))
    if path.suffix == ".csv" and path.parent.name != "received":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [f"formula in {path.name}: {cell!r}" for row in csv.reader(file) for cell in row if _RUNS.match(cell) and not _NUMBER.fullmatch(cell)][:3]
    return []
