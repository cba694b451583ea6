"""Pieces of a block are read again: they are what was sealed, or the file was changed."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import numpy as np
import pytest

from aggregator.inputs.export import Block, Seal
from aggregator.inputs.sources.unchanged import MARKED, Again, sealed
from aggregator.model.errors import ChangedInput


@pytest.mark.parametrize("size", [1, MARKED - 1, MARKED, MARKED + 1, 5 * MARKED, 5 * MARKED + 77])
def test_pieces_are_those_of_the_block(tmp_path: Path, size: int) -> None:
    path, data, head = tmp_path / "export.csv", random.Random(size).randbytes(size), b"headings\n"
    path.write_bytes(head + data + b"after")
    block = Block(len(head), len(head) + size, 2, seal=Seal(0, zlib.crc32(head + data), None))
    whole, marks = sealed("export.csv", path, block)
    assert whole == data
    ends = np.array([*sorted(random.Random(1).sample(range(1, size + 1), min(size, 20))), size])
    starts = np.maximum(ends - MARKED - 10, 0)
    again = Again("export.csv", path, block, marks.astype(np.uint32))
    assert again.pieces(starts, ends) == [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    assert again.pieces(ends, ends) == [b""] * len(ends)
    changed = bytearray(head + data + b"after")
    changed[len(head) + size - 1] ^= 1
    path.write_bytes(changed)
    with pytest.raises(ChangedInput):
        again.pieces(starts[-1:], ends[-1:])
    path.unlink()
    with pytest.raises(ChangedInput):
        again.pieces(starts, ends)
