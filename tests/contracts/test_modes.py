"""What every customs mode keeps: totals balance, nothing is declared twice, and the order and the cut of the input change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aggregator.model.outcome import Outcome
from aggregator.schemas.modes import MODES, mode_of
from tests.conftest import Runner, csv_text, read_rows, row
from tests.market import run_market, slip_line
from tests.orders import order_line, run_orders

Rows = list[dict[str, str]]


def _inventories() -> Rows:
    return [row(inventory_no=f"22442026E00000000{n % 4}", item_no=str(n // 4 + 1), order_no=f"DD{n % 4}", waybill_no=f"LP{n % 4}", commodity_code=code)
            for n, code in enumerate(("6109100010", "9503008900", "4202220000", "8518300000", "7117190000", "6505009900", "9004100000", "8212100000"))]  # fmt: skip


def _slips() -> Rows:
    return [slip_line(trade_slip_no=f"JY{n % 4}", item_no=str(n // 4 + 1), goods_name=f"品名{n}", commodity_code=code)
            for n, code in enumerate(("6109100010", "9503008900", "4202220000", "8518300000", "7117190000", "6505009900", "9004100000", "8212100000"))]  # fmt: skip


def _orders() -> Rows:
    return [order_line(order_no=f"DD{n % 4}", item_no=str(n // 4 + 1), waybill_no=f"LP{n % 4}", goods_value="", commodity_code=code, total_price=price, unit_price=price,
                       declared_quantity="1", goods_name=f"品名{n}")
            for n, (code, price) in enumerate(zip(("6109100010", "9503008900", "4202220000", "8518300000", "7117190000", "6505009900", "9004100000", "8212100000"),
                                                  ("300", "900", "300", "900", "300", "300", "300", "300"), strict=True))]  # fmt: skip


MADE: dict[str, tuple[Callable[[], Rows], Callable[..., Outcome]]] = {
    "9610": (_inventories, lambda runner, rows, **changes: runner.run(runner.write(csv_text(rows)), **changes)),
    "9710": (_orders, run_orders),
    "1039": (_slips, run_market),
}


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_mode_has_rows_here() -> None:
    assert set(MADE) == set(MODES)


def test_what_is_read_is_accounted_for(mode: str, runner: Runner) -> None:
    rows, run = MADE[mode]
    broken = rows()
    broken[0]["net_weight_kg"] = "x"
    outcome = run(runner, broken)
    assert (outcome.counts["inventories_declared"], outcome.counts["inventories_rejected"]) == (3, 1)
    totals = runner.results(outcome, "control_totals")
    assert {each["difference"] for each in totals} == {"0.00000"}
    assert {each["column"] for each in totals} >= {"lines", "inventories", "total_price", "package_count", "gross_weight_kg", "declared_quantity"}


def test_every_output_is_written_and_the_manifest_names_the_mode(mode: str, runner: Runner) -> None:
    rows, run = MADE[mode]
    outcome = run(runner, rows())
    manifest = json.loads((Path(outcome.folder) / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["mode"] == mode
    named = {Path(name).stem for name in manifest["outputs"]}
    assert named >= set(mode_of(mode).outputs.tables)


def test_nothing_is_declared_twice(mode: str, runner: Runner) -> None:
    rows, run = MADE[mode]
    assert run(runner, rows()).counts["inventories_declared"] == 4
    again = run(runner, rows())
    assert (again.counts["declarations"], again.excluded, again.published) == (0, {"known": 4}, False)


@pytest.mark.parametrize("changes", [{}, {"chunk_bytes": 600}, {"chunk_bytes": 900, "workers": 2}])
def test_order_and_cut_change_nothing(mode: str, runner: Runner, changes: dict[str, Any]) -> None:
    rows, run = MADE[mode]
    first = run(runner, rows())
    runner.out = runner.folder / "again"
    second = run(runner, list(reversed(rows())), **changes)
    names = [name for name in mode_of(mode).outputs.tables if name not in ("audit_map", "findings", "excluded")]
    for name in names:
        assert (Path(first.folder) / f"{name}.csv").read_bytes() == (Path(second.folder) / f"{name}.csv").read_bytes(), name
    assert read_rows(Path(first.folder) / "declarations.csv")


def test_a_dry_run_writes_nothing(mode: str, runner: Runner) -> None:
    rows, run = MADE[mode]
    assert run(runner, rows(), dry_run=True).counts["inventories_declared"] == 4
    assert not runner.out.exists()
