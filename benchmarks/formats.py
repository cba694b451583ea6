"""`make bench`: messages against the bare parse of the same file, and files that are made to hang a reader.

Times of messages are ratios in one run; memory is the peak of the process that reads.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

ROOM = Path("bench-data")
INVENTORIES, RECEIPTS = 200_000, 1_000_000
GOAL_RATIO = 3.0

BARE = """
import sys, time
from lxml import etree
start = time.perf_counter()
for _, element in etree.iterparse(sys.argv[1], tag="{http://www.chinaport.gov.cn/ceb}Inventory"):
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
print(time.perf_counter() - start, 0)
"""
READ = """
import resource, sys, time
from pathlib import Path
from aggregator.schemas.modes.m9610 import M9610
from aggregator.inputs.export import Source
from aggregator.inputs.ceb.message import open_inventories
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import temporary_room
start = time.perf_counter()
with temporary_room() as room:
    open_inventories([Source(Path(sys.argv[1]), "message", "message")], Reading(room, M9610.dictionary))
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""
READ_RECEIPTS = """
import resource, sys, time
from pathlib import Path
from aggregator.inputs.export import Source
from aggregator.inputs.reading import Reading
from aggregator.inputs.tables.receipts import read_receipts
from aggregator.inputs.sources.room import temporary_room
start = time.perf_counter()
with temporary_room() as room:
    receipts, *_ = read_receipts([Source(Path(sys.argv[1]), "receipts", "receipts")], Reading(room, M9610.dictionary))
assert len(receipts.numbers) == int(sys.argv[2])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""


def timed(code: str, *arguments: str) -> tuple[float, float]:
    """Seconds, and peak MB, as the code prints them; imports not counted."""
    result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    seconds, memory = result.stdout.split()
    return float(seconds), float(memory)


def repeated(path: Path, message: bytes, document: str, count: int) -> None:
    """A message with its one document written over and over, each under its own number."""
    begin = message.index(f"<ceb:{document}>".encode())
    end = message.index(f"</ceb:{document}>".encode()) + len(f"</ceb:{document}>")
    with path.open("wb") as file:
        file.write(message[:begin])
        for number in range(count):
            file.write(message[begin:end].replace(b"E000000001", b"E%09d" % number) + b"\n")
        file.write(message[end:])


def messages(folder: Path) -> None:
    from aggregator.samples.shapes.formats import as_message, as_receipts
    from aggregator.samples.shapes.shape import lines

    path = folder / "inventories.xml"
    [first] = [line for line in lines() if line["inventory_no"].endswith("E000000001")][:1]
    repeated(path, as_message([{**first, "item_no": "1"}]), "Inventory", INVENTORIES)
    pairs = [(timed(BARE, str(path))[0], *timed(READ, str(path))) for _ in range(3)]
    bare, read, memory = sorted(pairs, key=lambda each: each[1] / each[0])[1]
    print(
        f"CEB603: {INVENTORIES:,} inventories, {path.stat().st_size / 1e6:,.0f} MB read in {read:.1f} s, bare iterparse {bare:.1f} s, "
        f"ratio {read / bare:.2f} (goal {GOAL_RATIO:.0f}), peak {memory:,.0f} MB"
    )
    few = folder / "few.xml"
    repeated(few, as_message([{**first, "item_no": "1"}]), "Inventory", INVENTORIES // 4)
    print(f"  a quarter of them: peak {timed(READ, str(few))[1]:,.0f} MB")
    receipts = folder / "receipts.xml"
    repeated(receipts, as_receipts([("22442026E000000001", "899", "20261015100000000")]), "InventoryReturn", RECEIPTS)
    seconds, memory = timed(READ_RECEIPTS, str(receipts), str(RECEIPTS))
    print(f"CEB604: {RECEIPTS:,} receipts, {receipts.stat().st_size / 1e6:,.0f} MB in {seconds:.1f} s, peak {memory:,.0f} MB")


def _many(path: Path, piece: bytes, count: int, before: bytes = b"", after: bytes = b"\n") -> None:
    with path.open("wb") as file:
        file.write(before)
        for _ in range(count):
            file.write(piece)
        file.write(after)


def _unclosed(path: Path, head: bytes, record: bytes) -> None:
    with path.open("wb") as file:
        file.write(head + b'"')
        for number in range((1 << 30) // len(record)):
            file.write(record.replace(b"E000000001", b"E%09d" % number))


def hostile(folder: Path) -> None:
    from aggregator.samples.shapes.formats import as_csv, table_of
    from aggregator.samples.shapes.shape import lines

    sound = as_csv(table_of(lines()))
    head, record = sound.splitlines(keepends=True)[:2]
    shapes: dict[str, Callable[[Path], None]] = {
        "one line of 10 million cells": lambda path: _many(path, b"1," * 100_000, 100, sound),
        "a heading of 10 million cells": lambda path: _many(path, b"a," * 100_000, 100),
        "a cell of 200 MB": lambda path: _many(path, b"x" * (1 << 20), 200, sound + b'"', b'"\n'),
        "an unclosed quote over 1 GB": lambda path: _unclosed(path, head, record),
        "10 million empty lines": lambda path: _many(path, b"\n" * 100_000, 100, sound),
        "10 million lines of one letter": lambda path: _many(path, b"x\n" * 100_000, 100, sound),
        "a million rows of delimiters": lambda path: _many(path, (b"," * (head.count(b",")) + b"\n") * 10_000, 100, sound),
    }
    for name, write in shapes.items():
        path = folder / "hostile.csv"
        write(path)
        seconds, memory, code, said = watched([sys.executable, "-m", "aggregator", "check", str(path), "--max", "0"])
        print(f"{name} ({path.stat().st_size / 1e6:,.0f} MB): exit {code} in {seconds:.1f} s, peak {memory:.2f} GB; {said[:90]}")
        path.unlink()


def watched(command: list[str]) -> tuple[float, float, int, str]:
    """Seconds, peak GB of all processes together, exit code, first line said."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = psutil.Popen(command, stdout=output, stderr=output)
        peak = 0
        while process.poll() is None:
            with suppress(psutil.Error):
                peak = max(peak, sum(each.memory_full_info().pss for each in (process, *process.children(recursive=True))))
            time.sleep(0.1)
        seconds = time.perf_counter() - start
        output.seek(0)
        said = output.read().decode(errors="replace").strip().splitlines()
    return seconds, peak / 1e9, process.returncode, (said or [""])[0].replace(str(Path.cwd()), "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=["messages", "hostile"])
    part = parser.parse_args().part
    ROOM.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOM) as temporary:
        if part != "hostile":
            messages(Path(temporary))
        if part != "messages":
            hostile(Path(temporary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
