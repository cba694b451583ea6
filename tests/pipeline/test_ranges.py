"""Sets of hashes in many ranges, and items and shares a few at a time: the same bytes as all at once."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from aggregator.engines.files import FileStorage
from aggregator.pipeline import hashed, merging, result_tables
from aggregator.pipeline.hashed import HashSet, range_of, ranges_for, within
from aggregator.samples.sample import Sample, write_sample
from tests.conftest import Runner


@pytest.mark.parametrize(("count", "ranges"), [(0, 1), (1 << 17, 1), ((1 << 17) + 1, 4), (3 << 20, 4), ((4 << 20) + 1, 8), (400_000_000, 512)])
def test_so_many_ranges_that_none_is_too_large(count: int, ranges: int) -> None:
    assert ranges_for(count) == ranges


@pytest.mark.parametrize("ranges", [1, 2, 64])
def test_every_hash_is_in_one_range_and_is_found_there(ranges: int, tmp_path: Path) -> None:
    values = np.sort(np.random.default_rng(3).integers(0, 1 << 64, 1000, dtype=np.uint64, endpoint=False))
    values[0], values[-1] = 0, np.uint64((1 << 64) - 1)
    storage, kept = FileStorage(tmp_path), HashSet("kept", ranges)
    for number in range(ranges):
        part = values[within(values, number, ranges)]
        assert (range_of(part, ranges) == number).all()
        kept.save(storage, number, part[::2])
    assert sum(kept.among(storage.load, values)) == sum(len(values[within(values, number, ranges)][::2]) for number in range(ranges)) >= 500
    assert not HashSet("none").among(storage.load, values).any()


def run_with(runner: Runner, name: str, path: Path) -> dict[str, bytes]:
    out = runner.folder / name
    runner.run(path, out=out, chunk_bytes=40_000)
    [made] = out.glob("2026-10/*-01")
    return {str(each.relative_to(made)): each.read_bytes() for each in made.rglob("*") if each.is_file() and each.name not in ("manifest.json", "report.html")}


def test_many_ranges_and_many_folds_give_the_same_bytes(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """With faults of all kinds: strays, numbers that two have, inventories in several chunks."""
    [sample] = write_sample(Sample(lines=1200, faults=0.15, seed=4), runner.folder / "sample")
    head, *rows = sample.read_text(encoding="utf-8").splitlines(keepends=True)
    moved = random.Random(2).sample(range(len(rows)), 60)
    text = "".join([head, *(row for place, row in enumerate(rows) if place not in moved), *(rows[place] for place in moved)])
    for name in ("order_no", "waybill_no"):
        one, other = (rows[place].split(",")[head.split(",").index(name)] for place in (300, 900))
        text = text.replace(one, other)
    path = runner.write(text)
    whole = run_with(runner, "whole", path)
    assert whole["findings.csv"].count(b"\n") > 50
    assert all(code in whole["findings.csv"] for code in (b"B201", b"B202"))
    monkeypatch.setattr(hashed, "A_RANGE", 20)
    monkeypatch.setattr(merging, "_ROWS_AT_A_TIME", 30)
    monkeypatch.setattr(result_tables, "_SHARES_AT_ONCE", 7)
    monkeypatch.setattr(result_tables, "_SAMPLED", 3)
    assert run_with(runner, "cut", path) == whole
