"""A twentieth of `make attack`, the same every time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.attack.__main__ import broken
from tests.attack.cases import cases

EVERY = int(os.environ.get("ATTACK_EVERY", "20"))
_TOGETHER = 60
_SAMPLED = len([case for case in cases() if not case.heavy][::EVERY])


@pytest.fixture(scope="module")
def judge() -> Iterator[ProcessPoolExecutor]:
    """A process that has done nothing else: those of cases are forks of it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("first", range(0, _SAMPLED, _TOGETHER))
def test_it_keeps_its_promises(judge: ProcessPoolExecutor, first: int) -> None:
    tried, found = judge.submit(broken, slice(first * EVERY, (first + _TOGETHER) * EVERY, EVERY), light=True).result()
    assert tried
    assert not found, f"python -m tests.attack NAME tries one of these again:\n{found}"
