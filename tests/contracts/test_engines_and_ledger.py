"""What the ledger knows reaches every step, whether it asks where it runs or is told: the same bytes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator.engines import local
from aggregator.ledger.at import ledger_at
from aggregator.model.answers import Clearance, Result, ResultLine
from aggregator.pipeline import learnt
from tests.conftest import Runner
from tests.jobs.test_spark import files_of, sampled, scattered
from tests.spark import ON_SPARK
from tests.spark import spark as spark

AT = "20261103120000000"


def before(runner: Runner, out: Path, numbers: list[str]) -> None:
    """Of what was declared customs cancels one, of what was not it has one in a result, and sends one back."""
    at = ledger_at(out / "ledger.sqlite")
    with at.locked(), at.opened() as ledger, ledger.transaction("2026-11-04T09:00:00+08:00"):
        ledger.take_clearances([Clearance(numbers[0], "CEB606", "399", AT), Clearance(numbers[-1], "CEB604", "100", AT)])
        ledger.take_result(Result("R" * 18, AT, 1, {"declaration_no": "", "consignor_code": "4403180001"}, (ResultLine(numbers[-2], 1, 1, "6109100010"),)))


@pytest.fixture(params=["in process", pytest.param("spark", marks=[pytest.mark.spark, pytest.mark.long])])
def far(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Settings of an engine whose steps do not reach the ledger."""
    if request.param == "spark":
        request.getfixturevalue("spark")
        return ON_SPARK
    monkeypatch.setattr(local.InProcess, "reaches_ledger", False)
    return {"workers": 1}


@pytest.mark.parametrize("kind", ["in order", "scattered"])
def test_known_changed_and_heard_of(kind: str, runner: Runner, far: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A part was declared, some of it with other content; numbers of another customs office are known and not in the exports."""
    head, *rows = sampled(runner.folder / "sample", 300, 0.03)
    numbers = sorted({row.split(",")[0] for row in rows if row.startswith("2244")})
    first = runner.write("".join([head, *rows[:150], *(f"5165{row[4:]}" for row in rows[:30])]), "first.csv")
    lines = [head, *(row.replace("|货号0", "|货号9") if row[17] in "13579" else row for row in rows)]
    parts = [lines] if kind == "in order" else scattered(lines)
    paths = [runner.write("".join(part), f"second-{place}.csv") for place, part in enumerate(parts)]
    runner.run(first, out=runner.folder / "here")
    before(runner, runner.folder / "here", numbers)
    shutil.copytree(runner.folder / "here", runner.folder / "there")
    monkeypatch.setattr(learnt, "_ROWS_A_FILE", 20)
    monkeypatch.setattr("aggregator.ledger.sql.query._AT_ONCE", 16)
    asked = list[Any]()
    learn = learnt.learn
    monkeypatch.setattr("aggregator.pipeline.line.learn", lambda *given: asked.append(learn(*given)) or asked[-1])
    outcome = runner.run(*paths, out=runner.folder / "there", chunk_bytes=30_000, **far)
    assert len(asked[0].ranges) > 1
    monkeypatch.undo()
    here = runner.run(*paths, out=runner.folder / "here", chunk_bytes=30_000)
    assert replace(outcome, folder=here.folder) == here
    assert len(asked) == 1, "here it is asked for"
    assert outcome.excluded["known"] > 10
    assert outcome.findings["B101"] > 10
    assert outcome.counts["inventories_undone"] == 1
    assert files_of(runner.folder / "there", "-02") == files_of(runner.folder / "here", "-02")
