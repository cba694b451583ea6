"""Pieces of a block are read again: they are what was sealed, or the file was changed."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import numpy as np
import pytest

from aggregator.inputs.export import Block, Seal
from aggregator.inputs.formats.csv import raw_records, read_chunk
from aggregator.inputs.sources.unchanged import MARKED, Again, sealed
from aggregator.model.errors import ChangedInput
from tests.conftest import Runner, csv_text, opened, row


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


@pytest.mark.parametrize("seed", range(12))
def test_records_are_read_again_as_the_whole_block_would_be(runner: Runner, seed: int) -> None:
    """Blank lines, rows of another number of cells, pieces, cells over several lines: found by their row either way."""
    random_of = random.Random(seed)
    end = random_of.choice(["\n", "\r\n"])
    heading, *lines = csv_text([row(item_no=str(number)) for number in range(1, 200)]).splitlines()
    rows = [heading]
    for line in lines:
        rows.append(line)
        odd = random_of.choice([*[None] * 12, "", "", "  ", ",,,", "单独一格", line + ",1", "two lines", "quote"])
        if odd == "two lines":
            rows.append(line.replace("夏季棉T恤", f'"夏季{end}棉T恤"'))
        elif odd == "quote" and seed % 3 == 0:
            rows.append(line.replace("夏季棉T恤", '夏季"棉T恤'))
        elif odd not in (None, "quote"):
            rows += [odd] * random_of.choice([1, 1, 3])
    file = opened(runner.write(end.join(rows)), chunk_bytes=random_of.choice([4 << 10, 1 << 20]))
    cuts = 0
    for block in file.blocks:
        chunk = read_chunk(file, block)
        if chunk.cut is None:
            continue
        cuts += 1
        for with_pieces in (False, True):
            once, spoiled = raw_records(file, block, chunk.rows, with_pieces=with_pieces, cut=chunk.cut)
            whole, spoiled_in_whole = raw_records(file, block, chunk.rows, with_pieces=with_pieces)
            assert once == whole
            assert spoiled.tolist() == spoiled_in_whole.tolist()
    assert cuts
