"""Chunks of the input. A chunk is a stretch of one large file, or several small files together, so that a thousand files of a
hundred lines are not a thousand times the work of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from aggregator.inputs.export import FILE_LINES, ITEM_LINES, Block, Cut, Export, TextChunk, Unnamed
from aggregator.inputs.formats import csv
from aggregator.inputs.formats.records import Quoting
from aggregator.inputs.open import read_chunk
from aggregator.inputs.tables.others import BLANK
from aggregator.schemas.arrays import Ints

_BYTES_A_LINE = 64
"""Every inventory line has more: of shorter ones no more make a chunk, so that memory stays bounded."""


class Part(NamedTuple):
    """A block of the file at `place`."""

    place: int
    block: Block


Chunk = tuple[Part, ...]


@dataclass(frozen=True)
class Stretch:
    """What a part says of its file, besides its lines: see TextChunk. `lines`: how many it has."""

    lines: int
    skipped: dict[str, int]
    last_row: int
    physical: dict[str, int]
    unnamed: tuple[Unnamed, ...] = ()
    cut: Cut | None = None


@dataclass(frozen=True)
class Text:
    """A chunk as text: the lines of its parts, one after the other (see TextChunk), and what each part says of its file."""

    lines: pa.Table
    rows: np.ndarray[Any, np.dtype[np.int64]]
    wrong: dict[int, str]
    reported: tuple[tuple[str, int, str], ...]
    members: pa.Array | None
    places: Ints | None
    stretches: tuple[Stretch, ...]

    @property
    def part_of(self) -> Ints:
        """The part each line belongs to."""
        return np.repeat(np.arange(len(self.stretches)), [each.lines for each in self.stretches])


def chunks_of(exports: Sequence[Export], chunk_bytes: int) -> tuple[Chunk, ...]:
    """Every block of every file, in order. Small files that are alike and stand side by side go together."""
    return tuple(_chunks(exports, chunk_bytes))


def _chunks(exports: Sequence[Export], chunk_bytes: int) -> Iterator[Chunk]:
    waiting: list[Part] = []
    taken = 0
    for place, file in enumerate(exports):
        if not file.blocks:
            continue
        size = _size(file)
        if waiting and (len(file.blocks) > 1 or taken + size > chunk_bytes or not _are_alike(exports[waiting[-1].place], file)):
            yield tuple(waiting)
            waiting, taken = [], 0
        if len(file.blocks) > 1:
            yield from ((Part(place, block),) for block in file.blocks)
        else:
            waiting.append(Part(place, file.blocks[0]))
            taken += size
    if waiting:
        yield tuple(waiting)


def _size(file: Export) -> int:
    """Bytes of a file of one block, or what so many lines count for."""
    return max(file.blocks[0].end - file.blocks[0].start, dict(file.physical).get(FILE_LINES, 0) * _BYTES_A_LINE)


def _are_alike(one: Export, other: Export) -> bool:
    """Whether lines of two files can stand in one table: files of text, of the same columns and header values."""
    texts = one.dialect is not None and other.dialect is not None
    same = one.headings == other.headings and one.matched == other.matched and one.head_values == other.head_values
    return texts and same and one.dialect.delimiter == other.dialect.delimiter and one.dictionary is other.dictionary  # type: ignore[union-attr]


def read_parts(parts: Sequence[tuple[Export, Block]]) -> Text:
    """Read a chunk. Where all is as usual its parts are parsed as one text, else each by itself."""
    together = _read_together(parts) if len(parts) > 1 else None
    return together or _joined([read_chunk(file, block) for file, block in parts])


def _read_together(parts: Sequence[tuple[Export, Block]]) -> Text | None:
    files = [file for file, _ in parts]
    first = next((file for file in files if file.dialect and file.dialect.quoting is Quoting.SOUND), files[0])
    lengths = []
    texts = []
    for file, block in parts:
        text = csv.plain_text(file, block)
        if text is None:
            return None
        texts.append(text)
        lengths.append(text.count(b"\n"))
    lines = csv.plain_lines(first, b"".join(texts), sum(lengths))
    if lines is None:
        return None
    rows = np.concatenate([block.first_row + np.arange(length) for (_, block), length in zip(parts, lengths, strict=True)])
    stretches = [
        Stretch(length, {BLANK: 0}, block.first_row + length - 1, {BLANK: 0, ITEM_LINES: length})
        for (_, block), length in zip(parts, lengths, strict=True)
    ]
    return Text(lines, rows, {}, (), None, None, tuple(stretches))


def _joined(texts: Sequence[TextChunk]) -> Text:
    begins = np.cumsum([0, *(text.lines.num_rows for text in texts)]).tolist()
    return Text(
        texts[0].lines if len(texts) == 1 else pa.concat_tables([text.lines for text in texts]).unify_dictionaries().combine_chunks(),
        np.concatenate([text.rows for text in texts]),
        {begin + place: code for begin, text in zip(begins, texts, strict=False) for place, code in text.wrong.items()},
        tuple((code, begin + place, value) for begin, text in zip(begins, texts, strict=False) for code, place, value in text.reported),
        texts[0].members,
        texts[0].places,
        tuple(Stretch(text.lines.num_rows, text.skipped, text.last_row, text.physical, text.unnamed, text.cut) for text in texts),
    )
