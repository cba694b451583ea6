"""Damage of any kind to files of any format: a reader says what is wrong, or reads; it never breaks."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from aggregator.inputs.open import open_exports, read_chunk
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import temporary_room
from aggregator.inputs.sources.unpack import sources_of
from aggregator.inputs.tables.canonical import Repairs, canonical
from aggregator.model.errors import UnusableInput
from aggregator.samples.shapes import SHAPES
from aggregator.schemas.modes.m9610 import M9610

TRIALS = int(os.environ.get("DAMAGE_TRIALS", "600"))
SEEDS = 4
_LARGE = 200_000


def _damaged(data: bytes, chance: random.Random) -> bytes:
    made, kind = bytearray(data), chance.random()
    if kind < 0.3:
        return bytes(made[: chance.randrange(len(made))])
    if kind < 0.8:
        for _ in range(chance.choice([1, 1, 2, 5, 30])):
            made[chance.randrange(len(made))] = chance.randrange(256)
        return bytes(made)
    here, there = chance.randrange(len(made)), chance.randrange(len(made))
    made[here : here + 50] = made[there : there + 80]
    return bytes(made)


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    made = {shape.file: shape.make() for shape in SHAPES}
    return {name: data for name, data in made.items() if 0 < len(data) < _LARGE}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_damage(seed: int, whole: dict[str, bytes], tmp_path: Path) -> None:
    chance = random.Random(seed)
    read = refused = 0
    for _ in range(TRIALS // SEEDS):
        name = chance.choice(sorted(whole))
        path = tmp_path / "damaged"
        path.write_bytes(_damaged(whole[name], chance))
        try:
            with temporary_room() as room:
                for export in open_exports(sources_of([path], room), Reading(room, M9610.dictionary)):
                    for block in export.blocks:
                        canonical(read_chunk(export, block).lines, export.head_values, M9610.dictionary, Repairs())
            read += 1
        except UnusableInput:
            refused += 1
    assert read > TRIALS // SEEDS // 50
    assert refused > TRIALS // SEEDS // 10
