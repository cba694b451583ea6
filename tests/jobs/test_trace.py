"""Trace answers for all that was ever seen, and says of the rest that it was not."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from aggregator.jobs.trace import TRACE, trace
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row


def number(serial: int) -> str:
    return f"22442026E{serial:09d}"


def lines(serial: int, **cells: str) -> dict[str, str]:
    return row(**{"inventory_no": number(serial), "order_no": f"ORDER-{serial}", "waybill_no": f"WAYBILL{serial}", **cells})


@pytest.fixture
def seen(runner: Runner) -> Runner:
    """One declared, rejected, excluded for good, and waiting for its month."""
    runner.run_rows([lines(1), lines(2, total_price="1,0", currency_code="zz"), lines(3, declaration_mode_code="A"), lines(4, cleared_at="2026-11-02 10:00:00")])
    return runner


def asked(runner: Runner, *arguments: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    return aggregator("trace", *arguments, "--out", "out", folder=runner.folder, lang=lang)


def test_every_fate(seen: Runner) -> None:
    answer = json.loads(asked(seen, *map(number, range(1, 6)), "--json").stdout)
    assert [(line["inventory_no"], line["fate"], line["reason"], line["run_ref"]) for line in answer["lines"]] == [
        (number(1), "declared", "", "202610-01"), (number(2), "rejected", "R103 R110", "202610-01"),
        (number(3), "excluded", "simplified", "202610-01"), (number(4), "waiting", "later_period", "202610-01"),
    ]
    assert "[R103]" in answer["lines"][1]["explanation"]
    assert answer["never_seen"] == [number(5)]


@pytest.mark.parametrize("by", ["ORDER-{}", "order-{}", "WAYBILL{}"])
@pytest.mark.parametrize(("serial", "fate"), [(2, "rejected"), (3, "excluded"), (4, "waiting")])
def test_what_is_not_declared_is_found_by_its_order_and_waybill(seen: Runner, serial: int, fate: str, by: str) -> None:
    found = [line for table in trace(seen.out / "ledger.sqlite", {by.format(serial)}) for line in table.to_pylist()]
    assert [(line["inventory_no"], line["fate"]) for line in found] == [(number(serial), fate)]


@pytest.mark.parametrize(("lang", "says"), [("en", "the number of an inventory is always found"), ("zh", "清单编号则均可查到")])
def test_what_is_found_by_its_inventory_only_is_said(seen: Runner, lang: str, says: str) -> None:
    (seen.out / "2026-10/202610-01/excluded.csv").unlink()
    result = asked(seen, "ORDER-3", "ORDER-4", lang=lang)
    assert result.returncode == 3
    assert says in result.stderr
    assert result.stdout.count(says) == 2
    assert asked(seen, number(3), number(4), lang=lang).returncode == 0


def test_what_is_corrected_is_declared(seen: Runner) -> None:
    seen.run_rows([lines(2)])
    [line] = [line for table in trace(seen.out / "ledger.sqlite", {number(2)}) for line in table.to_pylist()]
    assert (line["fate"], line["run_ref"]) == ("declared", "202610-02")


def test_for_finance_in_its_language(seen: Runner) -> None:
    result = asked(seen, number(1), number(2), "nowhere", lang="zh")
    assert result.returncode == 3
    head, *rows = csv.reader(io.StringIO(result.stdout.removeprefix("\ufeff")))
    assert result.stdout.startswith("\ufeff"), "for a spreadsheet"
    assert head[:3] == ["退税项号", "清单编号", "商品序号"]
    assert [cells[head.index("去向")] for cells in rows] == ["已申报", "被拒绝", "从未读入"]
    assert not [heading for heading in head if heading.isascii()]
    for name in ("a.csv", "a.xlsx", "a.json"):
        assert asked(seen, number(1), number(2), "nowhere", "--output", name, lang="zh").returncode == 3
    assert (seen.folder / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    sheet = CalamineWorkbook.from_path(seen.folder / "a.xlsx").get_sheet_by_index(0).to_python()
    assert (sheet[0], len(sheet)) == (head, 4)
    assert set(json.loads((seen.folder / "a.json").read_text(encoding="utf-8"))["lines"][0]) == set(TRACE.names)
    assert asked(seen, "x", "--output", "a.pdf").returncode == 2


def test_of_what_waits_the_ledger_alone_knows(seen: Runner) -> None:
    """Numbers of inventories are found without the run folders of what is not declared."""
    for path in (Path(seen.out) / "2026-10/202610-01/rejected").iterdir():
        path.unlink()
    found: list[Any] = [line for table in trace(seen.out / "ledger.sqlite", {number(2)}) for line in table.to_pylist()]
    assert [line["fate"] for line in found] == ["rejected"]


def test_a_part_of_a_longer_number_is_no_number(runner: Runner) -> None:
    """And every inventory of an order is found."""
    orders = {1: "ORDER-22", 2: "ORDER-2", 3: "ORDER-2"}
    runner.run_rows([lines(serial, order_no=order, goods_name="") for serial, order in orders.items()])
    found: list[Any] = [line for table in trace(runner.out / "ledger.sqlite", {"ORDER-2"}) for line in table.to_pylist()]
    assert sorted(line["inventory_no"] for line in found) == [number(2), number(3)]
