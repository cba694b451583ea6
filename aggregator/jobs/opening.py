"""Many exports opened where the steps run: a folder of thousands of files is not looked through by one core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from aggregator.engines.engine import Shared
from aggregator.inputs.export import Export, Source
from aggregator.inputs.open import Apart, open_plain
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import Nowhere
from aggregator.jobs.engine import first_of_each_folder
from aggregator.model.disk import own_folder
from aggregator.model.remote import AnyPath, HadoopPath
from aggregator.model.settings import EngineSettings
from aggregator.places.local import make_folder

MANY_FILES, MANY_BYTES = 200, 2 << 30
"""From how many on a session of Spark is started for them; it serves the steps afterwards."""
_FILES_A_TASK, _BYTES_A_TASK = 50, 64 << 20
WORK = ".opening-"


@contextmanager
def opening(settings: EngineSettings, out: Path | None, named: Iterable[AnyPath]) -> Iterator[Apart | None]:
    """`out`: the folder of results, if it is on a disk: what lasts as long as the session is put there where no other place is named.
    `named`: where what is read and written is. Files of Hadoop need a session from the beginning."""
    spark = settings.spark
    if spark is None:
        yield None
        return
    with ExitStack() as stack:
        if any(isinstance(each, HadoopPath) for each in named):
            from aggregator.engines.spark.session import spark_session

            stack.enter_context(spark_session(spark, stack.enter_context(own_folder(WORK, _made(settings.work_dir or out)))))

        def apart(sources: Sequence[Source], how: Reading) -> Iterable[Export | None]:
            sizes = [source.path.stat().st_size for source in sources]
            if len(sources) < MANY_FILES and sum(sizes) < MANY_BYTES:
                return (open_plain(source, how) for source in sources)
            from aggregator.engines.spark.engine import spark_engine

            folder = stack.enter_context(own_folder(WORK, _made(settings.work_dir or out)))
            engine = stack.enter_context(spark_engine(folder, spark, first_of_each_folder(source.path.absolute() for source in sources)))
            shared = engine.share(replace(how, room=Nowhere()))
            there = [replace(source, path=source.path.absolute()) for source in sources]
            tasks = ((shared, tuple(there[place] for place in places)) for places in _some_at_a_time(sizes))
            return (export for exports in engine.map(open_some, tasks) for export in exports)

        yield apart


def _made(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    make_folder(folder)
    # Executors have another working folder.
    return folder.absolute()


def open_some(how: Shared[Reading], sources: tuple[Source, ...]) -> list[Export | None]:
    return [open_plain(source, how.value) for source in sources]


def _some_at_a_time(sizes: Sequence[int]) -> Iterator[range]:
    begin, taken = 0, 0
    for place, size in enumerate(sizes):
        if place > begin and (place - begin == _FILES_A_TASK or taken + size > _BYTES_A_TASK):
            yield range(begin, place)
            begin, taken = place, 0
        taken += size
    if begin < len(sizes):
        yield range(begin, len(sizes))
