"""Rejected rows as text: those that are no rows of cells stand among the others where they stood, whatever is in the cells."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pyarrow as pa
import pytest

from aggregator.outputs import rejected
from aggregator.outputs.rejected import _put_among, _put_in_quotes
from aggregator.outputs.tables import csv_bytes
from tests.conftest import Runner, csv_text, opened, row


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


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_is_put_in_quotes_as_it_stands_is_what_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delimiter: str) -> None:
    random_of, runner = random.Random(delimiter), Runner(tmp_path)
    names = ["夏季棉T恤", "=1+1", "＝1", " 棉", "棉 ", "", "-", "'棉", "a,b", 'say "so"', "two\nlines", "a;b|c", "É"]
    rows = [row(inventory_no=f"22442026E{place // 2:09}", item_no=str(place % 2 + 1), goods_spec=random_of.choice(names), currency_code=random_of.choice(["502", "XX"])) for place in range(200)]
    export = runner.write(csv_text(rows, delimiter=delimiter))
    plain = _put_in_quotes([b"a" + delimiter.encode() + b"b"], opened(export))
    assert plain == [b'"a","b"']
    written = []
    for folder in ("as it stands", "anew"):
        outcome = runner.run(export, out=tmp_path / folder)
        written.append((Path(outcome.folder) / "rejected/export.csv").read_bytes())
        monkeypatch.setattr(rejected, "_put_in_quotes", lambda records, _: [None] * len(records))
    assert written[0] == written[1]
    assert written[0].count(b"XX") > 50
