"""What was seen and not declared, for those who ask by number: rejected, excluded, waiting; from which run, and why."""

from __future__ import annotations

import csv
import mmap
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pyarrow as pa

from aggregator.inputs.tables.canonical import folded
from aggregator.jobs.publish import void_folder
from aggregator.ledger.ledger import Ledger
from aggregator.model.records import FIRST_MODE, Seen
from aggregator.model.remote import below
from aggregator.places.at import place_at
from aggregator.schemas.modes import Mode, mode_of
from aggregator.schemas.text import Lang
from aggregator.schemas.units import SEPARATOR

WAITING = frozenset({"not_cleared", "later_period", "late_held"})
"""Reasons of what is to be declared yet, by its own month."""
MOST_BYTES = 256 << 20
"""Of files that are looked through for the numbers of orders and waybills, those of the last runs first."""
_REJECTED = re.compile(r"rejected/.*\.csv", re.DOTALL)
_SHORTEST = 6
"""What is shorter is no number, and stands in many cells."""
_LONGEST_LINE, _MOST_LINES = 1 << 16, 10_000
"""Of a file, in which a number is looked for."""


def undeclared(ledger: Ledger, numbers: set[str], lang: Lang) -> Iterator[dict[str, str]]:
    """A row an inventory, columns of TRACE. One that was found by another number than its own has that where an order's stands."""
    modes = {run.run_ref: run.mode for run in ledger.runs()}
    by_own = any(mode_of(code).dictionary.unit for code in set(modes.values()))
    known: set[str] = set()
    found = {each.inventory_no: (each, "") for each in ledger.seen(sorted(numbers), by_own_number=by_own)}
    for number, cells in _in_run_folders(ledger, {number for number in numbers if number not in found}):
        found |= {each.inventory_no: (each, number) for each in ledger.seen(cells, by_own_number=by_own) if each.inventory_no not in found}
    for each, number in found.values():
        if each.inventory_no not in known:
            known.add(each.inventory_no)
            mode = mode_of(modes.get(each.seen_in, next(reversed(modes.values()), FIRST_MODE)))
            row = {"inventory_no": each.inventory_no, "order_no": number}
            if mode.dictionary.unit:
                platform, _, own = each.inventory_no.partition(SEPARATOR)
                row = {"inventory_no": own, "order_no": own, "platform_code": platform}
            yield {**row, "fate": fate_of(each), "reason": each.reason, "run_ref": each.seen_in, "explanation": _explained(mode, each, lang)}


def fate_of(seen: Seen) -> str:
    return "waiting" if seen.fate == "excluded" and set(seen.reason.split()) <= WAITING else seen.fate


def _explained(mode: Mode, seen: Seen, lang: Lang) -> str:
    rules = [mode.rules.by_code.get(word) or mode.rules.exclusions.get(word) for word in seen.reason.split()]
    return ("" if lang == "zh" else " ").join(f"[{rule.code}] {rule.said.in_lang(lang)}" for rule in rules if rule is not None)


def _in_run_folders(ledger: Ledger, numbers: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Numbers that stand in rejected lines or what is excluded, each with all cells of the line: one of them is its inventory's number."""
    wanted = {number for number in numbers if len(number) >= _SHORTEST}
    left = MOST_BYTES
    for run in reversed(ledger.runs()):
        if run.folder is None or not wanted or left <= 0:
            continue
        folder = run.folder if run.live else void_folder(run.folder)
        place = place_at(folder)
        for name in sorted(name for name in place.files(folder) if name == "excluded.csv" or _REJECTED.fullmatch(name)):
            with suppress(FileNotFoundError), place.local(below(folder, name)) as path:
                size = path.stat().st_size
                if not 0 < size <= left:
                    continue
                left -= size
                found = set[str]()
                for number, cells in _in_file(path, wanted):
                    found.add(number)
                    yield number, cells
                wanted -= found


def _in_file(path: Path, numbers: set[str]) -> Iterator[tuple[str, list[str]]]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for number in sorted(numbers):
            for line in islice(_lines_with(data, number.encode()), _MOST_LINES):
                cells = [cell.strip().removeprefix("'") for cell in next(csv.reader([line.decode("utf-8-sig", "replace")]), [])]
                # It may be a part of a longer number.
                if number in cells or number in folded(pa.array(cells, pa.string())).to_pylist():
                    yield number, list(dict.fromkeys(cell.upper() for cell in cells if len(cell) >= _SHORTEST)) + cells


def _lines_with(data: mmap.mmap, text: bytes) -> Iterator[bytes]:
    at = data.find(text)
    while at >= 0:
        begin, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
        end = end if end >= 0 else len(data)
        yield data[max(begin, at - _LONGEST_LINE) : min(end, at + _LONGEST_LINE)]
        at = data.find(text, end)
