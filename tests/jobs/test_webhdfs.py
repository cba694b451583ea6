"""Exports and run folders behind HDFS's own protocol over HTTP, by Hadoop's own client: what viewfs, which is this disk, cannot show."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.engines.spark.session import Session
from aggregator.jobs.run import run
from aggregator.model.errors import StopRun
from aggregator.model.remote import any_path_of
from aggregator.places.hadoop import NoFileSystem
from tests.conftest import NOW, parameters
from tests.jobs.test_hadoop import EXPORTS, files_below, run_there
from tests.spark import spark as spark
from tests.webhdfs import WebHdfs, webhdfs

NAMES = ("shop-a-gb18030.csv", "shop-b.csv")
RECEIPTS = "receipts.csv"

pytestmark = pytest.mark.long


@pytest.fixture
def server(spark: Session, tmp_path: Path) -> Iterator[WebHdfs]:
    (tmp_path / "root/exports").mkdir(parents=True)
    for name in (*NAMES, RECEIPTS):
        shutil.copy(EXPORTS / name, tmp_path / "root/exports" / name)
    with webhdfs(tmp_path / "root") as served:
        yield served


def test_a_run_there_has_the_same_bytes_as_on_a_disk(server: WebHdfs, tmp_path: Path) -> None:
    asked = parameters(*(EXPORTS / name for name in NAMES), receipts=(EXPORTS / RECEIPTS,), out=tmp_path / "out", ledger=tmp_path / "local.sqlite")
    here = files_below(Path(run(asked.for_run(NOW.date()), NOW).folder))
    receipts = (any_path_of(f"{server.url}/exports/{RECEIPTS}"),)
    outcome = run_there(tmp_path / "ledger.sqlite", f"{server.url}/exports/shop-*.csv", out=f"{server.url}/out", receipts=receipts)
    assert (outcome.folder, outcome.published) == (f"{server.url}/out/2026-10/202610-01", True)
    there = files_below(server.folder / "out/2026-10/202610-01")
    assert there.keys() == here.keys()
    differing = {name for name in here if there[name].replace(f"{server.url}/exports/".encode(), f"{EXPORTS}/".encode()) != here[name]}
    assert differing <= {"manifest.json", "audit_map.parquet", "report.html"}, "those hold the names of inputs and ledgers, packed"
    assert {path.name for path in (server.folder / "out/2026-10").iterdir()} == {"202610-01"}
    assert {"CREATE", "OPEN", "RENAME"} <= set(server.operations)


def test_who_may_not_write_there_is_told_so_and_nothing_is_declared(server: WebHdfs, tmp_path: Path) -> None:
    server.refused = lambda operation, path: operation == "CREATE"
    receipts = (any_path_of(f"{server.url}/exports/{RECEIPTS}"),)
    urls = [f"{server.url}/exports/{name}" for name in NAMES]
    with pytest.raises((StopRun, OSError), match="refuses it"):
        run_there(tmp_path / "ledger.sqlite", *urls, out=f"{server.url}/out", receipts=receipts)
    assert not [path for path in (server.folder / "out").rglob("*") if path.is_file()]
    server.refused = lambda operation, path: False
    outcome = run_there(tmp_path / "ledger.sqlite", *urls, out=f"{server.url}/out", receipts=receipts)
    assert (outcome.run_ref, outcome.published) == ("202610-01", True)


def test_a_client_that_cannot_read_the_type_of_an_answer_is_told_of(server: WebHdfs, tmp_path: Path) -> None:
    """Whether it can is a matter of the jars there are; where it cannot, the user hears what to do."""
    server.typed = True
    told = list[NoFileSystem]()
    try:
        run_there(tmp_path / "ledger.sqlite", f"{server.url}/exports/shop-b.csv", out=f"{server.url}/out", assume_cleared=True)
    except NoFileSystem as stop:
        told.append(stop)
    assert [stop.exit_code for stop in told] == [78] * len(told)
    assert (server.folder / "out/2026-10/202610-01/manifest.json").exists() == (not told)
