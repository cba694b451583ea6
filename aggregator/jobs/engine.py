"""Which engine a job runs its line on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aggregator.engines.engine import Engine
from aggregator.engines.local import local_engine
from aggregator.engines.watched import Watched
from aggregator.inputs.inputs import Inputs
from aggregator.jobs.preload import PRELOAD
from aggregator.model.progress import WATCHER
from aggregator.model.settings import EngineSettings


@contextmanager
def engine_for(settings: EngineSettings, inputs: Inputs, folder: Path) -> Iterator[Engine]:
    """`folder`: an empty one, in which shards may lie."""
    if settings.spark is not None:
        from aggregator.engines.spark.engine import spark_engine

        with spark_engine(folder, settings.spark, _needed(inputs)) as engine:
            yield _watched(engine, inputs)
        return
    # To start workers takes longer than one of them has to do.
    with local_engine(folder, 1 if inputs.is_small else settings.workers, len(inputs.chunks), PRELOAD) as engine:
        yield _watched(engine, inputs)


def _watched(engine: Engine, inputs: Inputs) -> Engine:
    if (tell := WATCHER.get()) is None:
        return engine
    return Watched(engine, len(inputs.chunks), sum(taken.size for export in inputs.exports for taken in export.taken), tell)


def _needed(inputs: Inputs) -> list[Path]:
    """What is read where steps run."""
    return first_of_each_folder(export.path for export in inputs.exports)


def first_of_each_folder(paths: Iterable[Path]) -> list[Path]:
    """Of many files in one folder the first stands for all."""
    found = dict[Path, Path]()
    for path in paths:
        found.setdefault(path.parent, path)
    return list(found.values())
