"""A tenth of `make attack`, the same every time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.attack.cases import cases
from tests.attack.judge import Case, breaches

EVERY = int(os.environ.get("ATTACK_EVERY", "10"))
_TOGETHER = 60
_SAMPLED = list(cases())[::EVERY]


@pytest.mark.parametrize("some", [_SAMPLED[at : at + _TOGETHER] for at in range(0, len(_SAMPLED), _TOGETHER)], ids=lambda some: f"{len(some)}-from-{some[0].name.split('/')[0]}")
def test_it_keeps_its_promises(tmp_path: Path, some: list[Case]) -> None:
    found = {}
    for place, each in enumerate(some):
        folder = tmp_path / str(place)
        folder.mkdir()
        if said := breaches(each, folder):
            found[each.name] = said
    assert not found, f"python -m tests.attack NAME tries one of these again:\n{found}"
