"""What a spreadsheet did to a CSV file is said once for each column, not for each cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aggregator.reports.summary import summary
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.ruined import is_ruined
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, csv_text, row
from tests.office import needs_office, saved_as


@pytest.mark.parametrize(
    ("column", "value", "ruined"),
    [
        ("inventory_no", "2.24E+133", True), ("waybill_no", "3.1E+17", True), ("inventory_no", "22442026E000000001", False), ("declared_unit_code", "11", True),
        ("declared_unit_code", "zz", False), ("declared_unit_code", "199", False), ("licence_no", "2026/3/5", True), ("licence_no", "3月5日", True), ("premises_code", "5-Mar", True),
        ("commodity_code", "101210010", True), ("commodity_code", "61091000", False), ("unit_price", "1E+5", False), ("unit_price", "#####", True), ("arrival_country_code", "####", True),
        ("declaring_customs_code", "201", True),
    ],
)  # fmt: skip
def test_what_is_recognised(column: str, value: str, ruined: bool) -> None:
    assert is_ruined(pa.array([value]), M9610.dictionary[column]).to_pylist() == [ruined]


def lines(count: int, **cells: str) -> list[dict[str, str]]:
    return [row(**{"inventory_no": f"22442026E{n:09d}", "order_no": f"DD{n}", "waybill_no": f"LP{n}", **cells}) for n in range(1, count + 1)]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("chunk_bytes", [1 << 20, 4000])
def test_said_once_for_each_column(runner: Runner, lang: Any, chunk_bytes: int) -> None:
    rows = lines(40, declared_unit_code="11", statutory_unit_code="11")
    rows[7]["total_price"] = "1,0"
    outcome = runner.run(runner.write(rows), lang=lang, chunk_bytes=chunk_bytes)
    told = [note.in_lang(lang) for note in outcome.notes if "40" in note.en]
    assert len(told) == 2
    assert "export.csv" in told[0]
    assert ("declared_unit_code" if lang == "en" else "计量单位") in told[0]
    assert outcome.findings["R111"] == 80, "each cell stands in findings.csv"
    assert [line.text for line in summary(outcome, lang, dry_run=False) if "[R" in line.text] == [f"  [R103] 1 × {M9610.rules['R103'].message.in_lang(lang)}"]


def test_a_few_are_read_one_by_one(runner: Runner) -> None:
    outcome = runner.run_rows(lines(2, declared_unit_code="11"))
    assert (outcome.notes, outcome.explained) == ([], {})


def test_check_says_it_too(runner: Runner) -> None:
    runner.write(lines(5, declared_unit_code="11"))
    said = aggregator("check", "export.csv", "--max", "1", folder=runner.folder).stdout
    assert said.count("a spreadsheet has probably changed 5 cells of declared_unit_code") == 1


@needs_office
@pytest.mark.long
def test_a_csv_that_a_spreadsheet_saved(runner: Runner) -> None:
    """As LibreOffice leaves it when it opens a CSV file and saves it as it is."""
    source = runner.write(csv_text(lines(6)))
    saved = saved_as("csv", [source], runner.folder / "saved") / "export.csv"
    assert ",11," in saved.read_text(encoding="utf-8")
    outcome = runner.run(Path(saved))
    assert any("declared_unit_code" in note.en for note in outcome.notes)
