"""A sample of `make faults`: commands killed, or failed by the disk, at steps of theirs, and given again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.preload import build_shim, compiler, disturb
from tests.faults.scenarios import SCENARIOS

pytestmark = pytest.mark.long

POINTS = {"first run": 14, "second run": 14}
OTHERS = 8


@pytest.mark.skipif(compiler() is None and "CI" not in os.environ, reason="there is no C compiler")
@pytest.mark.parametrize("scenario", [scenario.name for scenario in SCENARIOS])
def test_disturbed_and_given_again_it_is_as_undisturbed(scenario: str, tmp_path: Path) -> None:
    head, *trials = disturb(build_shim(tmp_path), scenario, POINTS.get(scenario, OTHERS))
    assert head["steps"] > 40
    assert len(trials) >= OTHERS
    assert [trial for trial in trials if trial["problems"]] == []
    assert any(trial["struck"] for trial in trials)
