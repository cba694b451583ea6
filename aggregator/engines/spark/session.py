"""A session of Spark: its start within a time, what it has to find on its executors, its end."""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import shutil
import socket
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aggregator.engines.spark.errors import (
    AnotherSession,
    NoExecutors,
    NoPySpark,
    NotShared,
    OtherVersions,
    Refused,
    SessionLost,
    Unreachable,
)
from aggregator.engines.spark.jvm import Jvm, connected, default_python, require_java, start_jvm
from aggregator.engines.spark.said import gist, stop_for, words_of
from aggregator.engines.spark.task import Runner, look_around, versions
from aggregator.model.errors import StopRun
from aggregator.model.settings import SparkSettings
from aggregator.places.hadoop import through

T = TypeVar("T")
_KNOCK_SECONDS, _STOP_SECONDS, _CANCEL_SECONDS, _MOMENT_SECONDS = 10.0, 20.0, 5.0, 0.5
_MANY_LOOKS = 64
_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Java only hands bytes to Python: what is compiled and collected with little effort is good enough, and starts sooner."""


@dataclass(frozen=True)
class Session:
    """`context`: Spark's own. `attempts`: how often Spark tries a task."""

    settings: SparkSettings
    context: Any
    jvm: Jvm
    attempts: int

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.settings.secrets

    @property
    def cores(self) -> int:
        """How many tasks run at a time: executors may come and go."""
        with suppress(Exception):
            return max(int(self.context.defaultParallelism), 1)
        # Java is gone: whatever is asked of it next says so.
        return 1

    def stop_for(self, error: Exception) -> StopRun:
        """What to say of an exception of Spark or Py4J."""
        with suppress(subprocess.TimeoutExpired):
            self.jvm.process.wait(_MOMENT_SECONDS)
            return SessionLost()
        return stop_for(words_of(error), self.secrets)

    def cancel(self) -> None:
        """What runs still is of no use any more."""
        with suppress(Exception):
            within(self.context.cancelAllJobs, _CANCEL_SECONDS, TimeoutError())

    def require_sight(self, folder: Path, paths: Iterable[Path]) -> None:
        """Raise where some executor does not see these paths, or has other libraries than we."""
        marker, token = folder / "seen-by-all", secrets.token_hex(16)
        marker.write_text(token)
        look = Runner(_look, self.attempts)
        count = min(max(2 * self.cores, 2), _MANY_LOOKS)
        task = _pickled((tuple(map(str, paths)), str(marker), token))
        found = self._within(lambda: self.context.parallelize([task] * count, count).mapPartitions(look).collect())
        here = versions()
        for each in map(_loaded, found):
            if "unseen" in each:
                raise NotShared(each["unseen"])
            for name, value in here.items():
                if each[name] != value:
                    raise OtherVersions(name, each[name], value)

    def _within(self, ask: Callable[[], T]) -> T:
        try:
            return within(ask, self.settings.wait, NoExecutors(self.settings.master, self.settings.wait))
        except StopRun:
            raise
        except Exception as error:
            raise self.stop_for(error) from None


def _look(paths: tuple[str, ...], marker: str, token: str) -> dict[str, str]:
    return look_around(paths, marker, token)


def _pickled(value: object) -> bytes:
    import pickle

    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def _loaded(outcome: bytes) -> Any:
    import pickle

    went_well, value = pickle.loads(outcome)
    if not went_well:
        raise value
    return value


_OPEN: list[Session] = []


@contextmanager
def spark_session(settings: SparkSettings, folder: Path) -> Iterator[Session]:
    """A session; within one with the same settings, that one. `folder`: one of our own that executors see, for as long as it lasts."""
    if _OPEN and _OPEN[-1].settings == settings:
        yield _OPEN[-1]
        return
    require_spark()
    with _silent():
        session = _started(settings, folder)
        _OPEN.append(session)
        context = session.context
        with through(context._jvm, context._jsc.hadoopConfiguration(), session.secrets):
            yield from _ended(session)


@contextmanager
def _silent() -> Iterator[None]:
    """Py4J logs what it cannot send, with its trace, before we can say what it means; where nobody listens, Python would print it."""
    nobody = logging.NullHandler()
    logging.getLogger().addHandler(nobody)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(nobody)


def _ended(session: Session) -> Iterator[Session]:
    """The session, which is ended at the end."""
    try:
        yield session
    except BaseException:
        _OPEN.remove(session)
        # Whatever runs there still is of no use to anybody.
        _stopped(session.jvm, session.context, at_once=True)
        raise
    _OPEN.remove(session)
    _stopped(session.jvm, session.context, at_once=False)


def require_spark() -> None:
    """Raise unless PySpark and Java are there, and no other session."""
    if importlib.util.find_spec("pyspark") is None:
        raise NoPySpark
    require_java()
    with warnings.catch_warnings(), suppress(ImportError):
        # It warns of what we do not use: Spark's own pandas.
        warnings.simplefilter("ignore")
        importlib.import_module("pyspark.testing.utils")
    from pyspark import SparkContext

    if SparkContext._active_spark_context is not None:
        raise AnotherSession


def _started(settings: SparkSettings, folder: Path) -> Session:
    _knock(settings)
    own = folder / "spark"
    own.mkdir(mode=0o700)
    jvm = start_jvm(_settings_of_spark(settings, own, _shipped(folder)), own, settings.master, max(settings.wait, 60.0), settings.secrets)
    try:
        context = within(lambda: _context(settings, jvm), settings.wait, Unreachable(settings.master, settings.wait))
        conf = context.getConf()
        local = settings.master.startswith("local") and not settings.master.startswith("local-cluster")
        attempts = 1 if local else int(conf.get("spark.task.maxFailures", "4"))
        return Session(settings, context, jvm, attempts)
    except StopRun:
        _stopped(jvm, None, at_once=True)
        raise
    except BaseException as error:
        words = words_of(error)
        _stopped(jvm, None, at_once=True)
        if not isinstance(error, Exception):
            raise
        said = f"{words}\n{jvm.log.read_text(errors='replace')}"
        if "All masters are unresponsive" in said or "Failed to connect" in said:
            raise Unreachable(settings.master, settings.wait) from None
        raise Refused(settings.master, gist(said, settings.secrets, ("Exception: ", "Error: "))) from None


def _knock(settings: SparkSettings) -> None:
    """A master that nobody listens at is not waited for: Spark itself would try for a minute."""
    if not settings.master.startswith("spark://"):
        return
    limit = min(settings.wait, _KNOCK_SECONDS)
    for place in settings.master.removeprefix("spark://").split(","):
        url = urlsplit(f"//{place}")
        with suppress(OSError, ValueError), socket.create_connection((url.hostname or "", url.port or 7077), limit):
            return
    raise Unreachable(settings.master, limit)


def _settings_of_spark(settings: SparkSettings, own: Path, package: Path) -> Mapping[str, str]:
    """The user's own, over what we need and mean."""
    given = dict(settings.given)
    ours = {
        "spark.master": settings.master,
        "spark.app.name": "aggregator",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": _JAVA,
        "spark.executor.extraJavaOptions": _JAVA,
        "spark.pyspark.python": default_python(),
        "spark.pyspark.driver.python": default_python(),
    }
    if settings.master.startswith("local"):
        ours |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.local.dir": str(own / "local")}
    there = given.pop("spark.executorEnv.PYTHONPATH", "")
    return ours | given | {"spark.executorEnv.PYTHONPATH": os.pathsep.join(filter(None, (str(package), there)))}


def _shipped(folder: Path) -> Path:
    """This package as it runs here, for executors: the same code on all machines, whatever is installed there."""
    package = folder / "package"
    shutil.copytree(Path(__file__).parents[2], package / "aggregator")
    return package


def _context(settings: SparkSettings, jvm: Jvm) -> Any:
    from pyspark import SparkConf, SparkContext

    gateway = connected(jvm)
    SparkContext._gateway, SparkContext._jvm = gateway, gateway.jvm
    former, os.environ["PYSPARK_PYTHON"] = os.environ.get("PYSPARK_PYTHON"), dict(settings.given).get("spark.pyspark.python", default_python())
    try:
        context = SparkContext(conf=SparkConf(_jvm=gateway.jvm), gateway=gateway)
        # Where Java ends before Python has let go of it, nobody wants to read of that.
        context._accumulatorServer.handle_error = lambda *_: None
        return context
    finally:
        os.environ.pop("PYSPARK_PYTHON") if former is None else os.environ.update(PYSPARK_PYTHON=former)


def _stopped(jvm: Jvm, context: Any, *, at_once: bool) -> None:
    from pyspark import SparkContext

    if not at_once:
        with suppress(Exception):
            within(context.stop, _STOP_SECONDS, TimeoutError())
    jvm.end()
    with suppress(Exception):
        # What Python holds of it goes too: another session begins anew.
        SparkContext._gateway.shutdown()
    SparkContext._active_spark_context = SparkContext._gateway = SparkContext._jvm = None


def within(ask: Callable[[], T], seconds: float, otherwise: BaseException) -> T:
    """What another thread comes to within a time. An interrupt is answered meanwhile, which a call into Java does not allow."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(ask())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise otherwise
    return results[0]
