"""Rejected rows as text: those that are no rows of cells stand among the others where they stood, whatever is in the cells."""

from __future__ import annotations

import csv
import io
import random

import pyarrow as pa
import pytest

from aggregator.outputs.rejected import _put_among
from aggregator.outputs.tables import csv_bytes


@pytest.mark.parametrize("seed", range(20))
def test_other_rows_stand_where_they_stood(seed: int) -> None:
    random_of = random.Random(seed)
    cells = ["", "a", 'say "so"', "two\nlines", "\n", '"\n"', "a,b", "=1"] if seed % 2 else ["", "a", "b"]
    rows = [[random_of.choice(cells), f"{place}"] for place in range(random_of.choice([0, 1, 30]))]
    is_other = [random_of.random() < random_of.choice([0.1, 0.9]) for _ in rows]
    good = pa.table([pa.array([row[at] for row, other in zip(rows, is_other, strict=True) if not other], pa.string()) for at in (0, 1)], names=["c0", "c1"])
    others = {place: f'"other","{place}"\n'.encode() for place, other in enumerate(is_other) if other}
    text = _put_among(csv_bytes(good, header=False), good.num_rows, others).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [int(row[1]) for row in read] == list(range(len(rows)))
    assert [row[0] == "other" for row in read] == is_other
