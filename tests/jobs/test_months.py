"""All periods side by side."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

from aggregator.jobs.months import months
from aggregator.model.options import Options
from aggregator.reports.months import months_as_json, months_lines, months_page, next_step
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, row


def numbered(number: int, **cells: str) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"W{number}", **cells)


def two_months(runner: Runner) -> Options:
    """A period with two declared and one rejected, and one that waits for its month."""
    rows = [numbered(1), numbered(2, total_price="4.50", unit_price="2.25"), numbered(3, goods_name=""), numbered(4, cleared_at="2026-11-02 08:00:00")]
    runner.run_rows(rows)
    return Options(out=runner.out)


def test_what_became_of_each_month(runner: Runner) -> None:
    found = months(two_months(runner).for_status(0), NOW.date())
    october, november = found.months
    assert (str(october.status.period), october.cleared, october.status.declared, october.answered, october.waiting) == ("2026-10", 3, 2, 0, 1)
    assert october.value == {"502": Decimal("14.5")}
    assert (str(november.status.period), november.cleared, november.waiting) == ("2026-11", 1, 1)
    assert not november.value
    told = months_as_json(found)["months"][0]
    assert (told["value"], told["waiting"], told["runs"]) == ({"502": "14.50000"}, 1, ["202610-01"])


def test_a_run_folder_that_is_gone_is_named(runner: Runner) -> None:
    settings = two_months(runner).for_status(0)
    shutil.move(runner.out / "2026-10/202610-01", runner.folder / "away")
    found = months(settings, NOW.date())
    assert found.months[0].unread == ("202610-01",)
    assert found.standing.troubles
    assert "202610-01" in months_page(found, runner.folder / "m.html", "", "en")


def test_the_table_speaks_both_languages(runner: Runner) -> None:
    found = months(two_months(runner).for_status(0), NOW.date())
    english, chinese = months_lines(found, "en"), months_lines(found, "zh")
    assert english[0].split() == ["period", "deadline", "days", "left", "cleared", "declared", "answered", "waiting", "declarations"]
    assert "USD 14.50" in english[2]
    assert "待申报" in chinese[0]


def test_what_presses_comes_first(runner: Runner) -> None:
    options = two_months(runner)
    assert next_step(months(options.for_status(0), NOW.date())).en == "2 inventories still to be declared; no deadline is near."
    late = months(options.for_status(0), NOW.date().replace(day=20))
    assert next_step(late).en == "Declare what waits: 1 inventory of 2026-10 (deadline 2026-11-16, past)."
    assert "已过" in next_step(late).zh
    assert "ACT NOW" in "\n".join(months_lines(late, "en"))


def test_the_command_writes_a_page(runner: Runner) -> None:
    two_months(runner)
    result = aggregator("months", "--out", "out", "--as-of", "2026-11-05", "--html", "pages.html", "--json", folder=runner.folder)
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)["months"]) == 2
    page = (runner.folder / "pages.html").read_text(encoding="utf-8")
    assert 'href="out/2026-10/202610-01/report.html"' in page
    assert (runner.folder / "out/2026-10/202610-01/report.html").exists()
    assert "<script" not in page
    assert "://" not in page
    assert aggregator("months", "--out", "out", "--as-of", "2026-11-20", folder=runner.folder).returncode == 3


def test_without_a_ledger_only_last_month_is_known(tmp_path: Path) -> None:
    found = months(Options(out=tmp_path / "out").for_status(0), NOW.date())
    assert [str(month.status.period) for month in found.months] == ["2026-10"]
    assert "Nothing waits" in next_step(found).en
