"""A sample of the variants of every kind: each is exact, reported or refused. `make damage` tries them all."""

from __future__ import annotations

import os
import random

import pytest

from tests.pollution.judge import Verdict, judge_in_memory
from tests.pollution.pollution import KINDS
from tests.pollution.variants import Variant, named, variants

pytestmark = pytest.mark.long

SAMPLE = int(os.environ.get("POLLUTION_SAMPLE", "3"))
"""Variants of each kind that are tried every time."""
SEED = int(os.environ.get("POLLUTION_SEED", "1"))
_TOGETHER = 8
"""Kinds that one test tries, for several workers to share them."""
_SAMPLED = sorted(KINDS)


@pytest.mark.parametrize("kinds", [_SAMPLED[at : at + _TOGETHER] for at in range(0, len(_SAMPLED), _TOGETHER)], ids=lambda kinds: f"{kinds[0]}-to-{kinds[-1]}")
def test_nothing_polluted_comes_out_silently_different(kinds: list[str]) -> None:
    failing: list[tuple[Variant, Verdict]] = []
    for kind in kinds:
        every = list(variants(kind, 0))
        for variant in random.Random(SEED).sample(every, min(SAMPLE, len(every))):
            if (verdict := judge_in_memory(variant)).fails:
                failing.append((variant, verdict))
    shown = "\n".join(f"{verdict.found}: {variant.name!r}: {verdict.why!r}" for variant, verdict in failing)
    assert not failing, f"python -m tests.pollution NAME makes one of these again:\n{shown}"


def test_a_variant_is_made_again_by_its_name() -> None:
    for kind in KINDS:
        variant = next(iter(variants(kind, 1)))
        assert named(variant.name).data() == variant.data(), variant.name
