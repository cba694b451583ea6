"""Where the records of a chunk stand, as reading leaves it: of a large file few of them are read again (strays, rejected lines)."""

from __future__ import annotations

import numpy as np

from aggregator.inputs.export import Cut
from aggregator.inputs.parts import Text
from aggregator.pipeline.work import Work

_NOTHING = np.zeros(0, dtype=np.uint32)


def leave_cut(work: Work, chunk: int, text: Text) -> None:
    """Of chunks that are a stretch of one file of text; small files are read anew."""
    if not _is_left(work, chunk):
        return
    cut = text.stretches[0].cut
    for name, values in zip(Cut._fields, cut or [_NOTHING] * len(Cut._fields), strict=True):
        work.storage.save(_name(chunk, name), values)


def cut_of(work: Work, chunk: int) -> Cut | None:
    """None where it was not found out."""
    if not _is_left(work, chunk):
        return None
    cut = Cut(*(work.storage.load(_name(chunk, name)) for name in Cut._fields))
    return cut if len(cut.marks) else None


def _is_left(work: Work, chunk: int) -> bool:
    files = work.files_of(chunk)
    return len(files) == 1 and files[0].dialect is not None


def _name(chunk: int, field: str) -> str:
    return f"cut-{field}-{chunk}"
