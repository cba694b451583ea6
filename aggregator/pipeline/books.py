"""Workbooks of the rejected lines, as many as people can make use of, made by workers beside the other outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aggregator.engines.engine import Engine, Shared
from aggregator.pipeline.emit import Emitted, Rejected
from aggregator.pipeline.work import Work
from aggregator.schemas.text import Lang

MOST_LINES = 50_000
"""Of all workbooks of a run together. Nobody corrects more by hand."""
MOST_BOOKS = 100
"""What a run of many small files may take for them is bounded likewise."""


@dataclass(frozen=True)
class Books:
    """`made`: by the place of its file each workbook, as the name of its bytes in the storage. `without`: places of the files that get
    none: a workbook holds all of its file or is not written, for half of an inventory must not be taken for the whole."""

    made: Iterator[tuple[int, str]]
    without: tuple[int, ...] = ()


def make_books(engine: Engine, shared: Shared[Work], emitted: Sequence[Emitted], lang: Lang, headings: Lang) -> Books:
    """Work begins with the call. `headings`: language of what stands beside the lines."""
    parts = rejected_by_file(emitted)
    left, wanted = MOST_LINES, list[int]()
    for place, theirs in parts.items():
        lines = sum(each.lines for each in theirs)
        if lines <= left and len(wanted) < MOST_BOOKS:
            left -= lines
            wanted.append(place)
    made = engine.map(make_book, ((shared, place, tuple(parts[place]), lang, headings) for place in wanted))
    return Books(zip(wanted, made, strict=True), tuple(place for place in parts if place not in wanted))


def rejected_by_file(emitted: Sequence[Emitted]) -> dict[int, list[Rejected]]:
    """By the place of their file, in input order."""
    found: dict[int, list[Rejected]] = {}
    for each in (each for chunk in emitted for each in chunk.rejected):
        found.setdefault(each.place, []).append(each)
    return found


def make_book(shared: Shared[Work], place: int, parts: tuple[Rejected, ...], lang: Lang, headings: Lang) -> str:
    # Its library takes a while to import, and a run without rejected lines needs none.
    from aggregator.outputs.rejected_book import write_rejected_book

    work, name = shared.value, f"rejected-{place}.xlsx"
    pieces = ((work.storage.read_bytes(part.name), work.storage.read(part.marks)) for part in parts)
    work.storage.write_by(name, lambda path: write_rejected_book(path, work.files[place], work.mode, pieces, lang, headings))
    return name
