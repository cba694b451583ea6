"""Which engine a job runs its line on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.engines.engine import Engine
from aggregator.engines.local import local_engine
from aggregator.inputs.inputs import Inputs
from aggregator.jobs.preload import PRELOAD


@contextmanager
def engine_for(workers: int, inputs: Inputs, folder: Path) -> Iterator[Engine]:
    """`folder`: an empty one, in which shards may lie."""
    with local_engine(folder, workers, len(inputs.chunks), PRELOAD) as engine:
        yield engine
