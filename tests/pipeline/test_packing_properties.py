"""What holds for any trade slips: limits are kept, totals conserved, the order and the cut of the input change nothing, and nothing
is declared twice."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.domain.pack import pack
from aggregator.domain.simplify import GOOD, Profile, simplify
from aggregator.domain.slip_items import ItemCount, goods_of
from tests.conftest import Runner, csv_text
from tests.domain.test_pack import partitions
from tests.domain.test_simplify import frame
from tests.market import RATES, packed, run_market, slip_line, total
from tests.tries import tries

pytestmark = pytest.mark.long

TABLES = ("declarations", "declaration_items", "packing", "packing_groups", "simplified_goods", "control_totals")


@st.composite
def any_rows(draw: st.DrawFn) -> list[dict[str, str]]:
    rows = []
    for slip in range(draw(st.integers(1, 9))):
        head = {
            "trade_slip_no": f"JY{slip}", "buyer_name": draw(st.sampled_from(["Omar", "Ada"])), "declaration_group_no": draw(st.sampled_from(["", "ZX1"])),
            "currency_code": draw(st.sampled_from(["502", "502", "142", "300"])), "export_on": draw(st.sampled_from(["", "2026-10-02", "2026-10-31"])),
        }  # fmt: skip
        for _ in range(draw(st.integers(1, 4))):
            cents = draw(st.integers(1, 8_000_000))
            price = f"{cents // 100}.{cents % 100:02d}"
            rows.append(
                slip_line(
                    **head, item_no="", unit_price=price, total_price=price, declared_quantity="1",
                    commodity_code=draw(st.sampled_from(["9503008900", "9503002100", "7323930000", "7326201000", "3924900000", "8302500000"])),
                    goods_name=draw(st.sampled_from(["甲", "乙", "丙"])), statutory_unit_code=draw(st.sampled_from(["035", "035", "007"])),
                    inspection_flag=draw(st.sampled_from(["0", "0", "0", "1", ""])), net_weight_kg=str(draw(st.integers(1, 50))),
                )
            )  # fmt: skip
    return rows


def made(rows: list[dict[str, str]], files: int = 1, **changes: object) -> tuple[dict[str, bytes], set[tuple[str, ...]]]:
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        size = -(-len(rows) // files)
        paths = [runner.write(csv_text(rows[start : start + size]), f"{start}.csv") for start in range(0, len(rows), size)]
        (runner.folder / "rates.csv").write_text("\n".join([",".join(RATES[0]), *(",".join(rate.values()).replace("2026-10-31", "2026-11-30") for rate in RATES)]), encoding="utf-8")
        outcome = run_market(runner, runner.folder / "[0-9]*.csv" if len(paths) > 1 else paths[0], rates=runner.folder / "rates.csv", **changes)
        if not outcome.published:
            return {}, set()
        run_folder = Path(outcome.folder)
        check(runner, rows, outcome)
        again = run_market(runner, paths[0], rates=runner.folder / "rates.csv")
        assert again.counts["declarations"] == 0
        audit = {(each["inventory_no"], each["item_no"], each["declaration_ref"], each["declaration_item_no"], each["total_price"], each["goods_name"])
                 for each in _audit(run_folder)}  # fmt: skip
        return {name: (run_folder / f"{name}.csv").read_bytes() for name in TABLES}, audit


def _audit(folder: Path) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in pq.read_table(folder / "audit_map.parquet").to_pylist()]


def check(runner: Runner, rows: list[dict[str, str]], outcome: object) -> None:
    """Limits are kept, slips stay whole, and totals are conserved."""
    packing = runner.results(outcome, "packing")  # type: ignore[arg-type]
    items, declarations = (runner.results(outcome, name) for name in ("declaration_items", "declarations"))  # type: ignore[arg-type]
    assert len({each["trade_slip_no"] for each in packing}) == len(packing)
    for ref in {each["declaration_ref"] for each in packing}:
        assert total([each for each in packing if each["declaration_ref"] == ref], "total_usd") <= Decimal("150000.00010")
    assert all(int(each["item_count"]) <= 50 for each in declarations)
    slips = set.union(*packed(runner, outcome).values())  # type: ignore[arg-type]
    kept = [row for row in rows if row["trade_slip_no"] in slips]
    for column in ("total_price", "package_count", "gross_weight_kg", "net_weight_kg"):
        assert total(items, column) == total(kept, column), column
    for column in ("package_count", "gross_weight_kg", "net_weight_kg"):
        assert total(declarations, column) == total(kept, column), column
    for group in runner.results(outcome, "packing_groups"):  # type: ignore[arg-type]
        assert int(group["lower_bound"]) <= int(group["declarations"])
        assert group["proven"] == "1"


@given(any_rows(), st.randoms(use_true_random=False), st.integers(2, 3))
@settings(max_examples=tries(25))
def test_order_and_cut_change_nothing(rows: list[dict[str, str]], random: object, files: int) -> None:
    tables, audit = made(rows)
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert made(rows, files, chunk_bytes=700) == (tables, audit)


@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 90), st.booleans()), min_size=1, max_size=8), min_size=1, max_size=5), st.integers(3, 12))
@settings(max_examples=tries(80))
def test_items_are_counted_as_simplify_makes_them(slips: list[list[tuple[int, int, bool]]], limit: int) -> None:
    codes = ["9503008900", "7323930000", "7326201000", "3924900000", "8302500000"]
    rows = [
        {"slip": place, "commodity_code": codes[good % 5], "goods_name": f"名{good % 7}", "statutory_unit_code": "035" if good % 3 else "007", "worth": worth, "by_itself": own}
        for place, slip in enumerate(slips)
        for good, worth, own in slip
    ]
    goods = frame([{name: value for name, value in row.items() if name != "slip"} for row in rows]).assign(slip=[row["slip"] for row in rows])
    profile = Profile(5, 5)
    table = pa.table({name: goods[name].astype(str).tolist() for name in GOOD[1:]} | {"by_itself": [str(int(own)) for own in goods["by_itself"]]})
    counted = ItemCount(goods["slip"].to_numpy(), goods_of(table, goods["worth"].to_numpy()), profile, limit)
    everything = list(range(len(slips)))
    truth = len(simplify(goods.assign(declaration=0), profile).items)
    assert counted.fits(everything) == (truth <= limit)
    if not counted.always:
        assert counted.count(everything) == truth
    if truth <= limit:
        assert not any(counted.hopeless(everything[:end]) for end in range(1, len(everything) + 1))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.lists(st.integers(0, 5), min_size=6, max_size=6), st.integers(1, 3))
@settings(max_examples=tries(80))
def test_the_fewest_with_a_rule_that_more_units_may_satisfy(values: list[int], colours: list[int], most: int) -> None:
    """Units may share a declaration where they have at most so many colours, or all that there are."""
    def fits(units: object) -> bool:
        seen = {colours[unit] for unit in units}  # type: ignore[attr-defined]
        return len(seen) <= most or len(seen) == 4

    packing = pack(values, 100, fits)
    alone = all(fits([unit]) for unit in range(len(values)))
    fewest = min(len(bins) for bins in partitions(list(range(len(values)))) if all(sum(values[u] for u in each) <= 100 and fits(each) for each in bins))
    assert alone
    assert packing.proven
    assert len(packing.declarations) == fewest
