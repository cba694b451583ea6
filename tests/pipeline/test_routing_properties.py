"""What holds for any orders: the route is that of their facts, totals are conserved, the order and the cut of the input change nothing,
and nothing is filed or sent twice."""

from __future__ import annotations

import tempfile
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.schemas.messages import NAMESPACE
from tests.conftest import Runner, csv_text
from tests.market import RATES, total
from tests.orders import CUSTOMS, PLATFORM, order_line, run_orders
from tests.tries import tries

pytestmark = pytest.mark.long

TABLES = ("declarations", "declaration_items", "routes", "control_totals", "weight_shares")
CNY = {"502": Decimal("7.15"), "300": Decimal("7.80"), "142": Decimal(1)}
_RATES = tuple({**rate, "valid_to": "2026-11-30"} for rate in RATES)


@st.composite
def any_rows(draw: st.DrawFn) -> list[dict[str, str]]:
    rows = []
    for number in range(draw(st.integers(1, 8))):
        head = {
            "order_no": f"B{number % 6}", "platform_code": draw(st.sampled_from([PLATFORM, "4403960P02"])), "currency_code": draw(st.sampled_from(["502", "502", "142", "300"])),
            "export_on": draw(st.sampled_from(["2026-10-02", "2026-10-31"])), "licence_no": draw(st.sampled_from(["", "", "L1"])), "goods_value": "",
        }  # fmt: skip
        if any((row["order_no"], row["platform_code"]) == (head["order_no"], head["platform_code"]) for row in rows):
            continue
        for item in range(1, draw(st.integers(1, 4)) + 1):
            cents = draw(st.integers(1, 40_000) | st.sampled_from([69_930, 69_931, 500_000, 500_001]))
            price = f"{cents // 100}.{cents % 100:02d}"
            rows.append(order_line(
                **head, item_no=str(item), unit_price=price, total_price=price, declared_quantity="1", duty_flag=draw(st.sampled_from(["0", "0", "1", ""])),
                inspection_flag=draw(st.sampled_from(["0", "0", "0", "1", ""])),
            ))  # fmt: skip
    return rows


def expected(rows: list[dict[str, str]]) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Route, value and reasons of each order, written down once more."""
    found = {}
    for key in dict.fromkeys((row["platform_code"], row["order_no"]) for row in rows):
        lines = [row for row in rows if (row["platform_code"], row["order_no"]) == key]
        value = (total(lines, "total_price") * CNY[lines[0]["currency_code"]]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        flags = {name: [line[f"{name}_flag"] for line in lines] for name in ("inspection", "duty")}
        reasons = ["over_limit"] * (value > 5000) + ["licence"] * bool(lines[0]["licence_no"])
        reasons += [name for name in ("duty", "inspection") if "1" in flags[name]]
        reasons += [f"unknown_{name}" for name in ("inspection", "duty") if "1" not in flags[name] and "" in flags[name]]
        found[key] = ("declaration" if reasons else "list", str(value), ";".join(reasons) or "within_limit")
    return found


def made(rows: list[dict[str, str]], files: int = 1, **changes: Any) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        size = -(-len(rows) // files)
        paths = [runner.write(csv_text(rows[start : start + size]), f"{start}.csv") for start in range(0, len(rows), size)]
        (runner.folder / "rates.csv").write_text("\n".join([",".join(_RATES[0]), *(",".join(rate.values()) for rate in _RATES)]), encoding="utf-8")
        given = {"rate_rows": (), "rates": runner.folder / "rates.csv", "customs": CUSTOMS, **changes}
        pattern = runner.folder / "[0-9]*.csv" if len(paths) > 1 else paths[0]
        outcome = run_orders(runner, pattern, **given)
        check(runner, rows, outcome)
        again = run_orders(runner, pattern, **given)
        assert (again.published, again.messages, again.counts["inventories_declared"]) == (False, None, 0)
        return {name: (Path(outcome.folder) / f"{name}.csv").read_bytes() for name in TABLES}


def check(runner: Runner, rows: list[dict[str, str]], outcome: Any) -> None:
    routes = {(each["platform_code"], each["order_no"]): (each["route"], each["value_cny"], each["reasons"]) for each in runner.results(outcome, "routes")}
    wanted = expected(rows)
    assert routes == wanted
    declared = [key for key, (route, *_) in sorted(wanted.items()) if route == "declaration"]
    assert [(each["platform_code"], each["order_no"]) for each in runner.results(outcome, "declarations")] == declared
    totals = runner.results(outcome, "control_totals")
    assert {each["difference"] for each in totals} == {"0.00000"}
    assert all(each["read"] == each["declared"] for each in totals)
    audited = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert Counter((each["platform_code"], each["order_no"], each["item_no"]) for each in audited) == Counter((row["platform_code"], row["order_no"], int(row["item_no"])) for row in rows)
    items = sum((Decimal(each["total_price"]) for each in runner.results(outcome, "declaration_items")), Decimal(0))
    assert items + sum((each["total_price"] for each in audited if each["declaration_ref"] is None), Decimal(0)) == total(rows, "total_price")
    for folder, keys in (("orders", sorted(wanted)), ("inventories", [key for key, (route, *_) in sorted(wanted.items()) if route == "list"])):
        sent = [(platform, number) for path in sorted((Path(outcome.folder) / folder).glob("*.xml")) for platform, number in _sent(path)]
        assert sent == keys


def _sent(path: Path) -> list[tuple[str, str]]:
    tree = etree.parse(path)
    platforms, numbers = ([each.text for each in tree.iter(f"{{{NAMESPACE}}}{name}")] for name in ("ebpCode", "orderNo"))
    return list(zip(platforms, numbers, strict=True))


@settings(max_examples=tries(6))
@given(any_rows(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_and_files_change_nothing(rows: list[dict[str, str]], random: Any, files: int) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert made(rows) == made(shuffled, files, chunk_bytes=900)
