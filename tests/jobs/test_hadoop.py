"""Exports and run folders in a file system of Hadoop: viewfs, which lies on this disk and is reached as hdfs is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aggregator.engines.spark.session import Session
from aggregator.jobs.run import check, run
from aggregator.model.errors import CannotReadOrWrite, NoInput, StopRun, WrongUsage
from aggregator.model.outcome import Outcome
from aggregator.model.remote import HadoopPath, any_path_of
from aggregator.places.at import place_at
from aggregator.places.hadoop import Hadoop, NeedsSpark, NoFileSystem
from aggregator.places.hadoop import hadoop as place_objects
from tests.buckets import BUCKET, Storage
from tests.conftest import NOW, Runner, parameters, row
from tests.jobs.test_golden import SAMPLE
from tests.spark import HADOOP, MOUNTED, ON_SPARK
from tests.spark import spark as spark

EXPORTS = SAMPLE / "exports"
long, core = pytest.mark.long, pytest.mark.spark


@pytest.fixture
def store(spark: Session) -> Iterator[Path]:
    """Where on this disk the file system lies."""
    yield MOUNTED
    for each in MOUNTED.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()


def run_there(ledger: Path, *inputs: str, out: str = f"{HADOOP}/out", **changes: Any) -> Outcome:
    asked = parameters(*map(any_path_of, inputs), out=any_path_of(out), ledger=ledger, **ON_SPARK, **changes)
    return run(asked.for_run(NOW.date()), NOW)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".crc")}


# ------------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("url", ["hdfs://nn:8020/a/b.csv", "viewfs://cluster/a", "s3a://bucket/key", "abfss://box@account.dfs.core.windows.net/a", "gs://b/k", "hdfs://nn:8020/"])
def test_a_url_of_hadoop_stays_what_it_is(url: str) -> None:
    path = any_path_of(url)
    assert isinstance(path, HadoopPath)
    assert str(path) == url
    assert str(any_path_of(str(path / "x" / "y")).parent.parent) == str(path)
    assert path.is_relative_to(path)


@pytest.mark.parametrize("url", ["hdfs://", "hdfs:///a", "hdfs:/a", "hdfs://u:secret22@nn/a", "hdfs://nn/a/../b", "hdfs://nn//a", "hdfs://n n/a"])
def test_a_url_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        any_path_of(url)
    assert "secret22" not in caught.value.text.en + caught.value.text.zh


@pytest.mark.parametrize("url", ["file:///tmp/a b.csv", "file:/tmp/a b.csv"])
def test_a_url_of_a_file_is_its_path(url: str) -> None:
    assert any_path_of(url) == Path("/tmp/a b.csv")


def test_without_spark_it_is_said_what_is_needed(runner: Runner) -> None:
    path = runner.write([row()])
    with pytest.raises(NeedsSpark, match="--engine spark") as caught:
        run(parameters(any_path_of("hdfs://nn:8020/exports"), out=runner.out).for_run(NOW.date()), NOW)
    assert caught.value.exit_code == 78
    with pytest.raises(NeedsSpark):
        run(parameters(path, out=any_path_of("hdfs://nn:8020/out"), ledger=runner.folder / "ledger.sqlite").for_run(NOW.date()), NOW)


# ------------------------------------------------------------------------------------------------------------ the same bytes


@core
def test_a_run_there_has_the_same_bytes_as_on_a_disk(store: Path, tmp_path: Path) -> None:
    inputs, receipts = ("shop-a-gb18030.csv", "shop-b.csv"), "receipts.csv"
    (store / "exports").mkdir()
    for name in (*inputs, receipts):
        shutil.copy(EXPORTS / name, store / "exports" / name)
    asked = parameters(*(EXPORTS / name for name in inputs), receipts=(EXPORTS / receipts,), out=tmp_path / "out", ledger=tmp_path / "local.sqlite")
    here = files_below(Path(run(asked.for_run(NOW.date()), NOW).folder))
    outcome = run_there(tmp_path / "ledger.sqlite", *(f"{HADOOP}/exports/{name}" for name in inputs), receipts=(any_path_of(f"{HADOOP}/exports/{receipts}"),))
    assert (outcome.folder, outcome.published) == (f"{HADOOP}/out/2026-10/202610-01", True)
    there = files_below(store / "out/2026-10/202610-01")
    assert there.keys() == here.keys()
    differing = {name for name in here if there[name].replace(f"{HADOOP}/exports/".encode(), f"{EXPORTS}/".encode()) != here[name]}
    assert differing <= {"manifest.json", "audit_map.parquet", "report.html"}, "those hold the names of inputs and ledgers, packed"
    assert [each["file"] for each in json.loads(there["manifest.json"])["inputs"]] == [f"{HADOOP}/exports/{name}" for name in inputs]
    assert {path.name for path in (store / "out").iterdir() if not path.name.endswith(".crc")} == {"2026-10", "ledger.head"}
    assert [path.name for path in (store / "out/2026-10").iterdir() if not path.name.endswith(".crc")] == ["202610-01"]
    again = run_there(tmp_path / "ledger.sqlite", f"{HADOOP}/exports/shop-*.csv", receipts=(any_path_of(f"{HADOOP}/exports/{receipts}"),))
    assert again.counts["inventories_declared"] == 0


@long
def test_folders_patterns_and_check(store: Path, tmp_path: Path) -> None:
    (store / "e/deeper").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "notes.md", "deeper/c.csv"):
        (store / "e" / name).write_bytes((EXPORTS / "shop-b.csv").read_bytes())
    for url, found in ((f"{HADOOP}/e", ["a", "b"]), (f"{HADOOP}/e/*.csv", ["a", "b"]), (f"{HADOOP}/*/[b]*", ["b"]), (f"{HADOOP}/e/deeper/*", ["c"])):
        outcome, findings = check(parameters(any_path_of(url), out=tmp_path, **ON_SPARK).for_check(), NOW.date())
        list(findings)
        assert sorted({Path(file).stem for file, _ in outcome.headings}) == found


@long
def test_many_are_listed_whatever_they_are_called(store: Path) -> None:
    (store / "many/isDirectory=true").mkdir(parents=True)
    names = ["a b.csv", "isDirectory=false.csv", "清单 (1).csv", "x,y;z.csv", "100%25.csv"]
    for name in names:
        (store / "many" / name).write_bytes(b"x")
    listed = place_objects().listed(any_path_of(f"{HADOOP}/many"))  # type: ignore[arg-type]
    assert sorted(key.rpartition("/")[2] for key in listed.keys) == sorted(names)
    assert listed.prefixes == ["data/many/isDirectory=true/"]
    for number in range(300):
        (store / "many" / f"{number}.csv").write_bytes(b"x")
    assert len(place_objects().listed(any_path_of(f"{HADOOP}/many"), deep=True).keys) == 305  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------------------- faults


@long
@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        (f"{HADOOP}/nothing.csv", NoInput, "no such"),
        (f"{HADOOP}/no*.csv", NoInput, "matches no"),
        ("gs://bucket/e.csv", NoFileSystem, "spark.jars"),
        ("hdfs://127.0.0.1:1/e.csv", CannotReadOrWrite, "cannot be re"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(url: str, kind: type[StopRun], said: str, store: Path, tmp_path: Path) -> None:
    with pytest.raises(kind, match=said) as caught:
        run_there(tmp_path / "ledger.sqlite", url)
    assert caught.value.exit_code == {NoInput: 66, NoFileSystem: 78, CannotReadOrWrite: 74}[kind]
    assert "\n" not in caught.value.text.en
    assert not (store / "out").exists()


@long
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_run_cut_in_the_middle_of_sending_leaves_nothing_that_is_a_run(after: int, store: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sent, send = runner.write([row()]), list[str](), Hadoop.put_file

    def put(self: Hadoop, to: Any, file: Path, goes_on: Any = lambda: True) -> None:
        sent.append(str(to))
        if len(sent) > after:
            raise OSError(5, "the disk is gone")
        send(self, to, file, goes_on)

    ledger, out = runner.folder / "ledger.sqlite", any_path_of(f"{HADOOP}/out")
    with monkeypatch.context() as patch:
        patch.setattr(Hadoop, "put_file", put)
        with pytest.raises((StopRun, OSError)):
            run_there(ledger, str(path))
    place = place_at(out)
    assert place.manifests(place.folders(any_path_of(f"{HADOOP}/out/2026-10"))).keys() <= {out / "2026-10" / name for name in place_names(store)}
    assert not (store / "out/2026-10/202610-01/manifest.json").exists()
    outcome = run_there(ledger, str(path))
    assert (outcome.published, outcome.run_ref) == (True, "202610-01")
    assert place_names(store) == ["202610-01"]


def place_names(store: Path) -> list[str]:
    folder = store / "out/2026-10"
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".crc")) if folder.exists() else []


@long
def test_a_place_for_results_that_hadoop_does_not_know(store: Path, runner: Runner) -> None:
    with pytest.raises(NoFileSystem, match="gs://bucket"):
        run_there(runner.folder / "ledger.sqlite", str(runner.write([row()])), out="gs://bucket/out")


@long
def test_object_storage_and_spark(spark: Session, storage: Storage, tmp_path: Path) -> None:
    """What is fetched lies in the work folder, where executors see it."""
    work = tmp_path / "work"
    work.mkdir()
    path = any_path_of(storage.put("exports/shop-b.csv", (EXPORTS / "shop-b.csv").read_bytes()))
    made = []
    for name, changes in (("local", {}), ("spark", {**ON_SPARK, "work_dir": work})):
        out = any_path_of(f"s3://{BUCKET}/{name}")
        asked = parameters(path, out=out, ledger=tmp_path / f"{name}.sqlite", assume_cleared=True, chunk_bytes=20_000, **changes)
        assert run(asked.for_run(NOW.date()), NOW).published
        made.append({key.removeprefix(f"{name}/"): data for key, data in storage.objects(f"{name}/").items()})
    for each in made:
        del each["2026-10/202610-01/manifest.json"], each["ledger.head"]
    assert made[0] == made[1]
    assert not list(work.iterdir())
