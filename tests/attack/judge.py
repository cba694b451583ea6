"""One case: a folder with something hostile in it, and a command given there. What it must never do is the same for all of them."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aggregator.inputs.tables.canonical import FORMULA
from aggregator.model.errors import Exit
from tests.attack.alone import Nothing, Taken, alone
from tests.attack.sound import ledger, put, sound

CODES = frozenset(int(code) for code in Exit if code is not Exit.OUR_FAULT)
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
FORGED = "all is well"
"""Stands behind an end of line in hostile texts: at the beginning of a line it was not us who said it."""
_OF_ANOTHER_FILE = re.compile(r"root:[^:\n]*:0:0:")
"""Of /etc/passwd, which entities and parts of workbooks point to and no command is given."""
_RUNS = re.compile(FORMULA)
_NUMBER = re.compile(r"-?[0-9.]+")
SECONDS, MEGABYTES = 2.0, 200
"""Of CPU and of memory, how much more than a sound file of the size takes; with the processes that were begun for it."""
_A_FILE = 0.002
"""Seconds for each file there is: of many small ones, what they may take beyond their bytes."""
_COUNTED, _COUNTING = 1_000_000, 0.05
"""How far Python counts in so many seconds of CPU where the bound is as it stands: a busy machine takes several times as long."""


@dataclass(frozen=True)
class Case:
    """`make`: puts what is hostile into a folder, which is the working folder of `command`. `codes`: where only some will do.

    `before`: what the process of the command does first, with that folder. `room`: kilobytes of the temporary folder, where that is a
    disk of its own. `heavy`: for `make attack` alone."""

    name: str
    make: Callable[[Path], object]
    command: tuple[str, ...]
    codes: frozenset[int] = CODES
    before: Callable[[Path], object] = lambda work: None
    room: int = 0
    heavy: bool = False


def breaches(case: Case) -> list[str]:
    """What a case broke."""
    with tempfile.TemporaryDirectory(prefix="attack-") as name, ExitStack() as stack:
        folder = Path(name)
        # Whoever the command is given by may go through it.
        folder.chmod(0o711)
        work, temporary = folder / "in" / "work", folder / "tmp"
        work.mkdir(parents=True)
        temporary.mkdir()
        if case.room:
            stack.enter_context(_disk(temporary, case.room))
        return _tried(case, folder, work, temporary)


@contextmanager
def _disk(place: Path, kilobytes: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@cache
def mounts() -> bool:
    """Whether disks can be mounted here."""
    with tempfile.TemporaryDirectory() as place, suppress(OSError, subprocess.CalledProcessError), _disk(Path(place), 4):
        return True
    return False


def _tried(case: Case, folder: Path, work: Path, temporary: Path) -> list[str]:
    case.make(work)
    if case.command[0] == "receive" and not (work / "out").exists():
        put(ledger(), work / "out")
    before = _standing(folder)
    came = alone(case.command, work, temporary, case.before)
    after = _standing(folder)
    found = [] if came.code in case.codes else [f"exit code {came.code}: {came.told[:300]!r}"]
    found += ["a process left"] * came.left
    for stream in (came.said, came.told):
        found += [f"raw: {stream[max(raw.start() - 60, 0) : raw.end() + 20]!r}"] if (raw := RAW.search(stream)) else []
        found += [f"forged: {line!r}" for line in stream.splitlines() if line.strip().startswith(FORGED)]
        found += ["shows a file that was not given"] if _OF_ANOTHER_FILE.search(stream) else []
        found += [f"says {word}" for word in ("Traceback", "Internal error", "本工具内部错误") if word in stream]
    found += [f"outside: {path}" for path in sorted(after - before) if not path.startswith("in/work/out/")]
    found += [f"gone: {path}" for path in sorted(before - after) if not path.startswith("in/work/out/")]
    return [*found, *(each for path in (work / "out").rglob("*") for each in _of_output(path)), *_over(came.taken, work)]


def _over(taken: Taken, work: Path) -> list[str]:
    if taken.seconds <= SECONDS and taken.megabytes <= MEGABYTES:
        return []
    files = [(path.stat().st_size, path.name) for path in work.iterdir() if path.is_file() and not path.is_symlink()]
    own = work / "aggregator.toml"
    config = own.read_bytes() if own.exists() and b"chunk_bytes" in own.read_bytes() else b""
    many = sum(len(names) for _, _, names in os.walk(work))
    by_sound, seconds = sound(*max(files), config) if files else Nothing, (SECONDS + many * _A_FILE) * _slowness()
    found = [f"{taken.seconds:.1f} s of CPU, a sound file {by_sound.seconds:.1f}, {seconds:.1f} more allowed"] if taken.seconds > by_sound.seconds + seconds else []
    return found + ([f"{taken.megabytes} MB, a sound file {by_sound.megabytes}"] if taken.megabytes > by_sound.megabytes + MEGABYTES else [])


def _slowness() -> float:
    begun = time.process_time()
    for _ in range(_COUNTED):
        pass
    return max((time.process_time() - begun) / _COUNTING, 1.0)


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
    if path.suffix in (".csv", ".html", ".json") and path.parent.name != "received" and _OF_ANOTHER_FILE.search(path.read_text(encoding="utf-8-sig")):
        return [f"{path.name} shows a file that was not given"]
    if path.suffix == ".html":
        text = path.read_text(encoding="utf-8")
        return [f"{path.name}: {each}" for each in ("<script>alert", "<img src=x", "onerror=alert(1)>") if each in text] + ["raw in the report"] * bool(RAW.search(text))
    if path.suffix == ".csv" and path.parent.name != "received":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [f"formula in {path.name}: {cell!r}" for row in csv.reader(file) for cell in row if _RUNS.match(cell) and not _NUMBER.fullmatch(cell)][:3]
    return []
