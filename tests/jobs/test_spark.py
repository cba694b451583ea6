"""A run on Spark, on executors that are processes of their own: the same bytes as here, whatever becomes of an executor."""

from __future__ import annotations

import gzip
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest

from aggregator.engines.spark import session as sessions
from aggregator.engines.spark.engine import spark_engine
from aggregator.engines.spark.errors import ExecutorsLost, NotShared, OtherVersions
from aggregator.engines.spark.session import Session
from aggregator.jobs import opening
from aggregator.model.errors import StopRun
from aggregator.samples.sample import Sample, write_sample
from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, findings_by_code
from tests.jobs.test_golden import SAMPLE, assert_as_expected
from tests.jobs.test_golden import make as make
from tests.spark import MASTER, ON_SPARK, SETTINGS, why_not
from tests.spark import spark as spark

long, core = pytest.mark.long, pytest.mark.spark
"""What `make test-spark` runs is the core: a minute and a half."""
needs_spark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it runs")


@core
def test_golden_month(spark: Session, make: Any, tmp_path: Path) -> None:
    made = make.run_month(tmp_path, chunk_bytes=60_000, **ON_SPARK)
    assert_as_expected(made, SAMPLE / "expected" / "exports")


@pytest.mark.parametrize(
    ("job", "expected"),
    [pytest.param("run_faults", "faults", marks=core), pytest.param("run_market", "market", marks=long), pytest.param("run_orders", "orders", marks=long)],
)
def test_golden_faults_and_other_modes(spark: Session, make: Any, tmp_path: Path, job: str, expected: str) -> None:
    made = getattr(make, job)(tmp_path, chunk_bytes=20_000, **ON_SPARK)
    assert_as_expected(made, SAMPLE / "expected" / expected)


@long
def test_check_finds_the_same(spark: Session, runner: Runner) -> None:
    path = runner.write("".join(sampled(runner.folder / "sample", 1500, 0.1)))
    assert findings_by_code(path, chunk_bytes=60_000, **ON_SPARK) == findings_by_code(path, chunk_bytes=60_000)


@long
def test_what_is_unpacked_and_rewritten_lies_where_all_see_it(spark: Session, runner: Runner) -> None:
    data = gzip.compress("".join(sampled(runner.folder / "sample", 600, 0.05)).encode("gb18030"))
    path = runner.write(data, "export.csv.gz")
    work = runner.folder / "work"
    work.mkdir()
    for name, changes in (("local", {}), ("spark", {**ON_SPARK, "work_dir": work})):
        runner.run(path, out=runner.folder / name, **changes)
    assert files_of(runner.folder / "spark") == files_of(runner.folder / "local")
    assert not list(work.iterdir()), "nothing stays there"


def sampled(folder: Path, lines: int, faults: float) -> list[str]:
    """Lines of an export, the first its headings."""
    [path] = write_sample(Sample(lines=lines, faults=faults, seed=11), folder)
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def shuffled(lines: list[str]) -> list[list[str]]:
    head, *rows = lines
    random.Random(5).shuffle(rows)
    return [[head, *rows]]


def scattered(lines: list[str]) -> list[list[str]]:
    """Every third line of the export in another file."""
    head, *rows = lines
    return [[head, *rows[place::3]] for place in range(3)]


def files_of(folder: Path, number: str = "-01") -> dict[str, bytes]:
    """What a run has made, without what says when."""
    [made] = folder.glob(f"2026-10/*{number}")
    found = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    found.pop("manifest.json")
    return found


@long
@pytest.mark.parametrize(
    ("arranged", "faults"), [(lambda lines: [lines], 0.1), (shuffled, 0.02), (scattered, 0.02)], ids=["faulty", "shuffled", "scattered"]
)
def test_the_same_bytes_as_here(arranged: Callable[[list[str]], list[list[str]]], faults: float, spark: Session, runner: Runner) -> None:
    parts = arranged(sampled(runner.folder / "sample", 3000, faults))
    paths = [runner.write("".join(part), f"part-{place}.csv") for place, part in enumerate(parts)]
    for name, changes in (("local", {}), ("spark", ON_SPARK)):
        runner.run(*paths, out=runner.folder / name, chunk_bytes=300_000, **changes)
    assert files_of(runner.folder / "spark") == files_of(runner.folder / "local")


@long
def test_what_the_ledger_knows_reaches_every_step(spark: Session, runner: Runner) -> None:
    """Declared before, declared otherwise before, and scattered over chunks."""
    head, *rows = sampled(runner.folder / "sample", 1500, 0.0)
    before, changed = rows[:600], [line.replace(",5.99,", ",6.00,") for line in rows[:300]]
    first, second = runner.write("".join([head, *before]), "first.csv"), runner.write("".join([head, *changed[::2], *rows[600:], *changed[1::2], *rows[300:600]]), "second.csv")
    for name, changes in (("local", {}), ("spark", ON_SPARK)):
        out = runner.folder / name
        runner.run(first, out=out)
        outcome = runner.run(second, out=out, chunk_bytes=60_000, **changes)
        assert outcome.excluded["known"] > 0
        assert outcome.findings["B101"] > 0
    assert files_of(runner.folder / "spark", "-02") == files_of(runner.folder / "local", "-02")


def command_line(process: psutil.Process) -> str:
    """Blank for one that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def executors(session: Session) -> list[psutil.Process]:
    return [each for each in psutil.Process(session.jvm.process.pid).children(recursive=True) if "CoarseGrainedExecutorBackend" in command_line(each)]


def killed_once(session: Session, folder: Path, killed: list[int]) -> None:
    """Kill an executor as soon as the first lines are ingested."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any(folder.rglob("lines-c*.arrow")):
            victim = executors(session)[0]
            victim.send_signal(signal.SIGKILL)
            killed.append(victim.pid)
            return
        time.sleep(0.005)


@core
def test_an_executor_that_is_killed_changes_nothing(spark: Session, runner: Runner) -> None:
    path = runner.write("".join(sampled(runner.folder / "sample", 4000, 0.02)))
    runner.run(path, out=runner.folder / "local", chunk_bytes=60_000)
    killed: list[int] = []
    out = runner.folder / "spark"
    killer = threading.Thread(target=killed_once, args=(spark, out, killed))
    killer.start()
    runner.run(path, out=out, chunk_bytes=60_000, **ON_SPARK)
    killer.join()
    assert killed
    assert files_of(out) == files_of(runner.folder / "local")


def die(number: int) -> None:
    os._exit(9)


@long
def test_executors_that_die_again_and_again_end_with_a_sentence(spark: Session, tmp_path: Path) -> None:
    with pytest.raises(ExecutorsLost), spark_engine(tmp_path, SETTINGS, []) as engine:
        list(engine.map(die, [(1,), (2,)]))
    with spark_engine(tmp_path, SETTINGS, []) as engine:
        assert list(engine.map(pow, [(2, 3)])) == [8], "the session goes on"


@long
def test_a_path_that_executors_do_not_see_is_named(spark: Session, tmp_path: Path) -> None:
    with pytest.raises(NotShared, match="nowhere"), spark_engine(tmp_path, SETTINGS, [tmp_path / "nowhere"]):
        pass


@long
def test_other_versions_on_executors_are_named(spark: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "versions", lambda: {"pyarrow": "1.0"})
    with pytest.raises(OtherVersions, match=r"this machine has 1\.0"), spark_engine(tmp_path, SETTINGS, []):
        pass


@long
@needs_spark
def test_a_master_that_listens_and_says_nothing_is_not_waited_for(runner: Runner) -> None:
    runner.write("".join(sampled(runner.folder / "sample", 10, 0.0)))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        master = f"spark://127.0.0.1:{silent.getsockname()[1]}"
        result = in_own_process(runner, "--spark-master", master, "--spark-wait", "5")
    assert result.returncode == 74
    assert master in result.stderr
    assert "--spark-wait" in result.stderr
    assert result.stderr.count("\n") == 1


@long
@needs_spark
@pytest.mark.parametrize(
    ("master", "given", "code", "said"),
    [
        ("local-cluster[1,1,1024]", '"spark.executor.memory" = "3g"', 78, "3072 MiB"),
        ("local-cluster[1,1,1024]", '"spark.executor.cores" = 4', 74, "no executor"),
        ("nonsense://x", "", 78, "nonsense"),
        ("local[1]", '"spark.pyspark.python" = "/nonexistent/python"', 78, "/nonexistent/python"),
        ("local[1]", '"spark.driver.memory" = "much"', 78, "heap size"),
    ],
)
def test_what_spark_cannot_do_is_said_in_a_sentence(master: str, given: str, code: int, said: str, runner: Runner) -> None:
    runner.write("".join(sampled(runner.folder / "sample", 10, 0.0)))
    (runner.folder / "aggregator.toml").write_text(f"[spark]\n{given}\n")
    result = in_own_process(runner, "--spark-master", master, "--spark-wait", "20")
    assert (result.returncode, said in result.stderr) == (code, True), result.stderr
    assert result.stderr.count("\n") == 1
    assert not list((runner.folder / "out").glob("2026-10/*"))


@long
@needs_spark
def test_folders_may_have_any_name_and_nothing_stays(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> None:
    temp = tmp_path_factory.mktemp("t")
    runner.write("".join(sampled(runner.folder / "sample", 50, 0.0)))
    arguments = ("run", "export.csv", *PERIOD, "--out", "结果 一", "--engine", "spark", "--spark-master", "local[1]")
    result = aggregator(*arguments, folder=runner.folder, LC_ALL="C", TMPDIR=str(temp))
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    assert {path.name for path in (runner.folder / "结果 一").iterdir()} == {"2026-10", "ledger.sqlite", "ledger.sqlite.lock", "ledger.head"}
    assert not list(temp.iterdir())


def in_own_process(runner: Runner, *more: str) -> subprocess.CompletedProcess[str]:
    return aggregator("run", "export.csv", *PERIOD, "--out", "out", "--engine", "spark", *more, folder=runner.folder, PYTHONWARNINGS="default")


def command_lines(session: Session) -> Iterable[str]:
    own = psutil.Process(session.jvm.process.pid)
    return (command_line(each) for each in (own, *own.children(recursive=True)))


@long
def test_a_secret_of_the_config_is_in_no_command_line_or_log(spark: Session) -> None:
    assert not any("hunter22" in line for line in command_lines(spark))
    assert b"hunter22" not in spark.jvm.log.read_bytes()
    assert "hunter22" not in repr(spark.settings)
    assert spark.context.getConf().get("spark.some.password") == "hunter22"


def of_spark(folder: Path) -> list[psutil.Process]:
    """Processes of Spark that work in a folder."""
    found = []
    for each in psutil.process_iter(["cmdline"]):
        line = " ".join(each.info["cmdline"] or ())
        if "org.apache.spark" in line and str(folder) in line:
            found.append(each)
    return found


def under_way(runner: Runner) -> subprocess.Popen[str]:
    """A run on Spark that has begun to read."""
    runner.write("".join(sampled(runner.folder / "sample", 4000, 0.0)))
    (runner.folder / "aggregator.toml").write_text("[run]\nchunk_bytes = 60000\n")
    command = [sys.executable, "-m", "aggregator", "run", "export.csv", *PERIOD, "--out", "out", "--engine", "spark", "--spark-master", MASTER, "--spark-wait", "300"]
    process = subprocess.Popen(command, cwd=runner.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not list((runner.folder / "out").rglob("shared-1.pickle")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


@long
@needs_spark
def test_a_session_that_is_ended_from_outside_ends_with_a_sentence(runner: Runner) -> None:
    process = under_way(runner)
    [java] = [each for each in of_spark(runner.folder) if "SparkSubmit" in command_line(each)]
    java.kill()
    said = process.communicate(timeout=120)
    assert (process.returncode, said[1].count("\n")) == (74, 1), said
    assert "ended from outside" in said[1]
    assert not list((runner.folder / "out").glob("2026-10/*"))


@long
@needs_spark
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_a_run_ends_its_spark(number: signal.Signals, runner: Runner) -> None:
    process = under_way(runner)
    process.send_signal(number)
    said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert said[1].strip() == "Interrupted; nothing was published."
    assert not list((runner.folder / "out").glob("2026-10/*"))
    assert not list((runner.folder / "out").glob(".*work*"))
    deadline = time.monotonic() + 30
    while of_spark(runner.folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not of_spark(runner.folder)


@long
@pytest.mark.parametrize("kind", ["sound", "one is cut", "one has to be rewritten"])
def test_a_folder_of_many_files_is_looked_through_by_executors(kind: str, spark: Session, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bytes, the same refusal; what has to be unpacked or rewritten is opened here."""
    monkeypatch.setattr(opening, "MANY_FILES", 5)
    head, *rows = sampled(runner.folder / "sample", 900, 0.05)
    folder = runner.folder / "exports"
    folder.mkdir()
    for place in range(12):
        data = "".join([head, *rows[place * 75 : place * 75 + 75]]).encode()
        if place == 7 and kind != "sound":
            data = data[: data.rindex(b",")] if kind == "one is cut" else data.decode().replace("\n", "\r").encode()
        (folder / f"{place:02d}.csv").write_bytes(data)
    monkeypatch.chdir(runner.folder)
    opened_here, told = list[str](), list[str]()
    monkeypatch.setattr(opening, "open_plain", lambda source, how: opened_here.append(source.name))
    for name, changes in (("local", {}), ("spark", ON_SPARK)):
        try:
            runner.run(Path("exports"), out=Path(name), chunk_bytes=60_000, **changes)
        except StopRun as stop:
            told.append(stop.text.en)
    assert opened_here == []
    if kind == "one is cut":
        assert "[F106]" in told[0]
        assert told[0] == told[1]
    else:
        assert files_of(runner.folder / "spark") == files_of(runner.folder / "local")
    assert not list((runner.folder / "spark").glob(".*"))
