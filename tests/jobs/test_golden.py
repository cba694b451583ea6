"""The demo and the fault sample, byte for byte; the documents; and what a crash in the middle leaves."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aggregator.jobs import declare, publish
from aggregator.jobs.run import run
from aggregator.ledger.sqlite.ledger import SqliteLedger
from aggregator.places import local
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import NOW, Runner, parameters, row

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data"


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script that made the sample data; source_file is relative to the root."""
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("make_sample_data", SAMPLE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_as_expected(made: Path, expected: Path) -> None:
    files = sorted(path.relative_to(expected) for path in expected.rglob("*") if path.is_file())
    assert len(files) >= 8
    for file in files:
        assert (made / file).read_bytes() == (expected / file).read_bytes(), file


def test_sample_data_is_what_the_seed_gives(make: Any, tmp_path: Path) -> None:
    make.make_inputs(tmp_path)
    for name in (*make.MONTH, make.RECEIPTS, make.FAULTS, make.SLIPS, make.ORDERS):
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


@pytest.mark.parametrize(("workers", "chunk_bytes"), [(1, 32 << 20), (1, 5000), (2, 60_000)])
def test_golden_month(make: Any, tmp_path: Path, workers: int, chunk_bytes: int) -> None:
    made = make.run_month(tmp_path, workers=workers, chunk_bytes=chunk_bytes)
    assert_as_expected(made, SAMPLE / "expected" / "exports")


def test_golden_faults(make: Any, tmp_path: Path) -> None:
    made = make.run_faults(tmp_path)
    assert_as_expected(made, SAMPLE / "expected" / "faults")
    fired = set(re.findall(r'^"([A-Z][0-9]{3})"', (made / "findings.csv").read_text(encoding="utf-8-sig"), re.MULTILINE))
    known = {code for code in M9610.rules.by_code if code[0] in "RIB" or code.startswith("F2")}
    assert known - fired == {"B101", "B103", "B206", "B207", "B208", "B209", "B210", "B211", "F204", "F205", "F206", "F207", "R127"}, "a ledger, a full declaration, a tariff, a message, a row in pieces, a workbook, an import"


@pytest.mark.parametrize("changes", [{}, {"workers": 2, "chunk_bytes": 5000}])
def test_golden_market(make: Any, tmp_path: Path, changes: dict[str, int]) -> None:
    made = make.run_market(tmp_path, **changes)
    assert_as_expected(made, SAMPLE / "expected" / "market")


@pytest.mark.parametrize("changes", [{}, {"workers": 2, "chunk_bytes": 5000}])
def test_golden_orders(make: Any, tmp_path: Path, changes: dict[str, int]) -> None:
    made = make.run_orders(tmp_path, **changes)
    assert_as_expected(made, SAMPLE / "expected" / "orders")
    assert [len(list((made / folder).iterdir())) for folder in ("orders", "inventories")] == [2, 1]


def test_manifest_hashes_every_file(make: Any, tmp_path: Path) -> None:
    made = make.run_month(tmp_path)
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    for name, recorded in manifest["outputs"].items():
        assert sha256((made / name).read_bytes()).hexdigest() == recorded["sha256"]
    assert set(manifest["outputs"]) == {str(p.relative_to(made)) for p in made.rglob("*") if p.is_file()} - {"manifest.json"}
    for source in manifest["inputs"]:
        assert sha256((ROOT / source["file"]).read_bytes()).hexdigest() == source["sha256"]
    assert manifest["recorded_at"] == "2026-11-05T09:00:00+08:00"


def test_documents_are_current() -> None:
    result = subprocess.run([sys.executable, ROOT / "docs/generate.py", "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_makefile_runs_the_same_as_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    for part in ("sample_data/exports/shop-a-gb18030.csv", "--receipts sample_data/exports/receipts.csv", "--first-period 2026-09"):
        assert part in makefile


# ------------------------------------------------------------------------------------- the order of publishing, by faults


class Crash(BaseException):
    pass


@pytest.mark.parametrize("step", ["write_outputs", "write_manifest", "hold", "record_run", "publish"])
@pytest.mark.parametrize("clean_up", [True, False])
def test_crash_at_a_step_leaves_nothing_or_is_finished(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, step: str, clean_up: bool
) -> None:
    """Stopped before a step; with `clean_up` False as by a power cut, where not even our own tidying runs."""
    path = runner.write([row(), row(item_no="2")])
    undisturbed = run(parameters(path, out=runner.folder / "undisturbed").for_run(NOW.date()), NOW)

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr({"publish": publish, "record_run": SqliteLedger, "hold": local.Disk}.get(step, declare), step, crash)
        if not clean_up:
            patch.setattr(local.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Crash):
            run(parameters(path, out=runner.out).for_run(NOW.date()), NOW)
    assert not (runner.out / "2026-10/202610-01").exists()
    again = run(parameters(path, out=runner.out).for_run(NOW.date()), NOW)
    assert again.published == (step != "publish"), "recorded but not renamed: the next command finishes it"
    made = runner.out / "2026-10/202610-01"
    for name in ("declarations.csv", "declaration_items.csv", "audit_map.parquet", "control_totals.csv"):
        assert (made / name).read_bytes() == (Path(undisturbed.folder) / name).read_bytes()
    assert [path.name for path in runner.out.glob("2026-10/.*")] == []
    assert [path.name for path in runner.out.glob(".work-*")] == []
    third = run(parameters(path, out=runner.out).for_run(NOW.date()), NOW)
    assert third.excluded == {"known": 1}
