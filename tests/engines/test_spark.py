"""What Spark is asked and what is made of its answers, as far as that needs no Spark."""

from __future__ import annotations

import importlib.util
import os
import pickle
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aggregator.engines.spark import session as sessions
from aggregator.engines.spark.engine import SharedFiles
from aggregator.engines.spark.errors import (
    ExecutorsLost,
    NoJava,
    NoPySpark,
    NoPython,
    SessionLost,
    StepFailed,
    Unreachable,
)
from aggregator.engines.spark.jvm import as_properties, require_java
from aggregator.engines.spark.said import gist, stop_for
from aggregator.engines.spark.task import run_task
from aggregator.model.errors import CannotReadOrWrite, Exit, UnusableInput, WrongConfiguration
from aggregator.model.options import Options, from_config
from aggregator.model.settings import SparkSettings
from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, row
from tests.contracts.test_engines import KIND

ASKED = ("run", "export.csv", *PERIOD, "--out", "out", "--engine", "spark")
WITHOUT_SPARK = importlib.util.find_spec("pyspark") is None

# ---------------------------------------------------------------------------------------------------------------- a task


def refuse() -> None:
    raise UnusableInput("cut", "截断")


def fail(kind: type[Exception]) -> None:
    raise kind("no such luck")


class Odd(Exception):  # noqa: N818
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


def odd() -> None:
    raise Odd(1, 2)


def test_a_result_and_a_refusal_travel_alike() -> None:
    assert pickle.loads(run_task(pow, pickle.dumps((2, 3)), is_last=False)) == (True, 8)
    went_well, stop = pickle.loads(run_task(refuse, pickle.dumps(()), is_last=False))
    assert not went_well
    assert (stop.exit_code, stop.text.zh) == (Exit.UNUSABLE_INPUT, "截断")


@pytest.mark.parametrize("kind", [OSError, MemoryError])
def test_what_may_pass_is_tried_again_by_spark_and_told_at_last(kind: type[Exception]) -> None:
    task = pickle.dumps((kind,))
    with pytest.raises(kind):
        run_task(fail, task, is_last=False)
    went_well, error = pickle.loads(run_task(fail, task, is_last=True))
    assert (went_well, type(error)) == (False, kind)


def test_an_error_that_cannot_travel_is_told_by_its_name() -> None:
    _, error = pickle.loads(run_task(odd, pickle.dumps(()), is_last=False))
    assert str(error) == "Odd: 1 2"


# ----------------------------------------------------------------------------------------------------------------- storage


def test_a_file_is_found_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = SharedFiles(tmp_path)
    storage.write(KIND.of("a"), pa.table({"number": [1]}))
    monkeypatch.setattr(np, "ascontiguousarray", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        storage.save("array", np.zeros(1))
    assert [path.name for path in tmp_path.iterdir()] == ["numbers-a.arrow"]
    storage.write(KIND.of("a"), pa.table({"number": [1]}))
    assert storage.read(KIND.of("a")).to_pylist() == [{"number": 1}]


# ------------------------------------------------------------------------------------------------------------------ settings


def given(text: str) -> Options:
    return from_config(tomllib.loads(text), {})


def test_settings_of_spark_are_taken_by_their_names() -> None:
    written = '[spark]\n"spark.executor.memory" = "4g"\nspark.executor.cores = 2\nspark.shuffle.compress = true\n'
    assert given(written).spark == (("spark.executor.memory", "4g"), ("spark.executor.cores", "2"), ("spark.shuffle.compress", "true"))


@pytest.mark.parametrize("line", ['executor.memory = "4g"', '"spark" = "x"', '"spark.a b" = "x"', '"spark.master" = "yarn"', '"spark.x" = "a\\nspark.y=1"', '"spark.x" = [1]'])
def test_what_is_no_such_setting_is_named_and_its_value_is_not(line: str) -> None:
    with pytest.raises(WrongConfiguration, match=r"\[spark\]") as caught:
        given(f"[spark]\n{line}\n")
    assert "4g" not in caught.value.text.en


def test_a_secret_is_in_no_settings_that_are_shown(runner: Runner) -> None:
    runner.write('[run]\nengine = "spark"\n[spark]\n"spark.hadoop.fs.s3a.secret.key" = "hunter22"\n"spark.odd" = "hunter33"\n', "aggregator.toml")
    for arguments in (("config", "show"), ("config", "show", "--json")):
        result = aggregator(*arguments, folder=runner.folder)
        assert "spark.hadoop.fs.s3a.secret.key" in result.stdout
        assert "hunter" not in result.stdout + result.stderr
    options = given('[spark]\n"spark.hadoop.fs.s3a.secret.key" = "hunter22"\n')
    assert "hunter" not in repr(options) + repr(options.recorded()) + repr(SparkSettings("x", 1.0, options.spark))


def test_a_file_of_properties_holds_any_value() -> None:
    assert as_properties({"spark.a": "b c=d\\e", "spark.ü": "中😀"}) == "spark.a=b\\ c\\=d\\\\e\nspark.\\u00fc=\\u4e2d\\ud83d\\ude00\n"


# ------------------------------------------------------------------------------------------------------------ what is missing


def test_without_java_it_is_said_how_to_get_it(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator(*ASKED, folder=runner.folder, PATH="/nonexistent", JAVA_HOME="")
    assert result.returncode == 78
    assert ("Java 17" if not WITHOUT_SPARK else "pip install") in result.stderr
    assert not list((runner.folder / "out").glob("2026-10/*"))


@pytest.mark.parametrize("version", ["11.0.2", "1.8.0_292", "nonsense"])
def test_an_old_java_is_named(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NoJava, match=version if version != "nonsense" else "none"):
        require_java()
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    require_java()


def test_without_pyspark_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoPySpark, match=r"aggregator\[spark\]") as caught:
        sessions.require_spark()
    assert caught.value.exit_code == 78


@contextmanager
def deaf() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.skipif(WITHOUT_SPARK, reason="PySpark is not installed")
def test_a_master_that_is_not_there_is_not_waited_for(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "require_java", lambda: None)
    runner.write([row()])
    with deaf() as port:
        master = f"spark://127.0.0.1:{port}"
        result = aggregator(*ASKED, "--spark-master", master, folder=runner.folder)
    assert result.returncode == 74
    assert master in result.stderr
    assert not list((runner.folder / "out").glob("2026-10/*"))


def test_nothing_is_waited_for_beyond_the_time() -> None:
    import time

    with pytest.raises(Unreachable):
        sessions.within(lambda: time.sleep(5), 0.05, Unreachable("spark://x:1", 0.05))


# ------------------------------------------------------------------------------------------------------------- what is said

JAVA = """An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: {reason}
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:1)
"""


@pytest.mark.parametrize(
    ("reason", "kind", "code"),
    [
        ("Task 0 in stage 1.0 failed 4 times, most recent failure: Lost task 0.3: ExecutorLostFailure (executor 1 exited)", ExecutorsLost, 74),
        ("Python worker exited unexpectedly (crashed)", ExecutorsLost, 74),
        ("Job 1 cancelled because SparkContext was shut down", SessionLost, 74),
        ("ModuleNotFoundError: No module named 'pyarrow'", NoPython, 78),
        ('java.io.IOException: Cannot run program "python9": error=2', NoPython, 78),
        ("something else with hunter22 in it", StepFailed, 70),
    ],
)
def test_a_failure_of_spark_is_told_without_a_trace_of_java(reason: str, kind: type[CannotReadOrWrite], code: int) -> None:
    stop = stop_for(JAVA.format(reason=reason), ["hunter22"])
    assert (type(stop), stop.exit_code) == (kind, code)
    for said in (stop.text.en, stop.text.zh):
        assert "\n" not in said
        assert "\tat " not in said
        assert "hunter22" not in said


def test_the_gist_is_one_line_of_bounded_length() -> None:
    assert gist("") == "no reason given"
    assert len(gist("x: " + "y" * 5000)) < 300


# ------------------------------------------------------------------------------------------------------------------- beside


@pytest.mark.skipif(WITHOUT_SPARK, reason="PySpark is not installed")
def test_what_needs_no_spark_imports_none() -> None:
    """Pandera would: seconds, a warning, and settings in the environment that bind a driver to this machine."""
    asked = "import os, sys, aggregator.pipeline.preload; print([m for m in sys.modules if m.split('.')[0] == 'pyspark'], os.environ.get('SPARK_LOCAL_IP'))"
    env = {name: value for name, value in os.environ.items() if name != "SPARK_LOCAL_IP"}
    result = subprocess.run([sys.executable, "-W", "error", "-c", asked], capture_output=True, text=True, check=True, env=env)
    assert (result.stdout, result.stderr) == ("[] None\n", "")
