"""Invariants, over generated exports: what is conserved, what never happens, what does not depend on the cut."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.jobs.run import run
from aggregator.schemas.modes.m9610.limits import HEADER_KEY
from tests import oracle
from tests.conftest import NOW, csv_text, parameters, read_rows, row
from tests.tries import tries

SORTED_FILES = ("declarations.csv", "declaration_items.csv", "weight_shares.csv", "control_totals.csv")
IN_INPUT_ORDER = ("findings.csv", "excluded.csv", "audit_map.parquet")

amounts = st.decimals(min_value=Decimal("0.00001"), max_value=Decimal("99999.99999"), places=5)
FAULTS: tuple[dict[str, str], ...] = (
    {"goods_name": ""}, {"declared_quantity": "x"}, {"gross_weight_kg": "0"}, {"item_no": "9"}, {"currency_code": "??"},
    {"total_price": "99999"}, {"net_weight_kg": "-1"}, {"statutory_unit_code": "KG"}, {"inventory_no": ""},
)  # fmt: skip
EXCLUDING: tuple[dict[str, str], ...] = (
    {"trade_mode_code": "9710"}, {"declaration_mode_code": "A"}, {"status_code": "800"}, {"status_code": ""},
    {"cleared_at": "2026-11-01"}, {"cleared_at": "2026-08-31"},
)  # fmt: skip


@st.composite
def exports(draw: st.DrawFn, *, sound: bool = False, most: int = 14) -> list[dict[str, str]]:
    """Inventories of 1 to 4 items over a few keys; some broken, some to be excluded, some twice."""
    rows: list[dict[str, str]] = []
    for number in range(draw(st.integers(1, most))):
        gross = draw(st.decimals(min_value=Decimal("0.00002"), max_value=Decimal("50"), places=5))
        header = {
            "inventory_no": f"22442026E{number:09d}",
            "order_no": f"DD{number}",
            "waybill_no": f"LP{number}",
            "exit_customs_code": draw(st.sampled_from(["2248", "5304"])),
            "arrival_country_code": draw(st.sampled_from(["502", "303"])),
            "producer_seller_code": draw(st.sampled_from(["NO", "91330100MA27Y3K4XJ"])),
            "producer_seller_name": draw(st.sampled_from(["甲厂", "乙厂"])),
            "package_count": str(draw(st.integers(1, 3))),
            "gross_weight_kg": str(gross),
            "net_weight_kg": str(draw(st.decimals(min_value=Decimal(0), max_value=gross, places=5))),
            "cleared_at": draw(st.sampled_from(["2026-10-01 00:00:00", "2026-10-31 23:59:59", "2026-09-30 23:59:59"])),
        }
        items = []
        for item in range(1, draw(st.integers(1, 4)) + 1):
            quantity, price = draw(amounts), draw(st.integers(1, 99999))
            items.append(
                row(
                    **header,
                    item_no=str(item),
                    commodity_code=draw(st.sampled_from(["6109100010", "9503008900"])),
                    enterprise_goods_name=draw(st.sampled_from(["甲", "乙", "丙", ""])),
                    destination_country_code=header["arrival_country_code"],
                    currency_code=draw(st.sampled_from(["502", "300"])),
                    declared_quantity=str(quantity),
                    statutory_quantity=str(draw(amounts)),
                    statutory_unit_code=draw(st.sampled_from(["035", "011"])),
                    second_statutory_quantity="",
                    second_statutory_unit_code="",
                    unit_price=str(price),
                    total_price=str((quantity * price).quantize(Decimal("0.00001"))),
                )
            )
        if not sound and draw(st.integers(0, 4)) == 0:
            change = draw(st.sampled_from(FAULTS + EXCLUDING))
            everywhere = next(iter(change)) not in ("goods_name", "declared_quantity", "item_no", "currency_code")
            items = [{**cells, **change} if everywhere or not place else cells for place, cells in enumerate(items)]
        if draw(st.integers(0, 5)) == 0:
            items += items
        rows += items
    return rows


class Folder:
    """A folder for one example, since hypothesis runs many in one test."""

    def __enter__(self) -> Path:
        self.path = Path(tempfile.mkdtemp())
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)


def run_files(folder: Path, files: list[list[dict[str, str]]], **changes: Any) -> Path | None:
    paths = []
    for number, rows in enumerate(files):
        path = folder / f"{number}.csv"
        path.write_text(csv_text(rows), encoding="utf-8", newline="")
        paths.append(path)
    outcome = run(parameters(*paths, out=folder / "out", **changes).for_run(NOW.date()), NOW)
    return Path(outcome.folder) if outcome.published else None


def bytes_of(folder: Path | None, names: tuple[str, ...]) -> dict[str, bytes]:
    return {} if folder is None else {name: (folder / name).read_bytes() for name in names}


@given(exports())
@settings(max_examples=tries(40))
def test_every_line_has_one_fate_and_totals_balance(rows: list[dict[str, str]]) -> None:
    with Folder() as folder:
        made = run_files(folder, [rows])
        if made is None:
            return
        totals = read_rows(made / "control_totals.csv")
        assert all(Decimal(total["difference"]) == 0 for total in totals)
        lines = next(total for total in totals if total["column"] == "lines")
        assert Decimal(lines["read"]) == len(rows)
        declared = {(r["source_file"], r["source_row"]) for r in pq.read_table(made / "audit_map.parquet").to_pylist()}
        assert Decimal(lines["declared"]) == len(declared)
        rejected = [r for path in (made / "rejected").glob("*.csv") for r in read_rows(path)]
        assert Decimal(lines["rejected"]) == len(rejected)
        assert all(line["reject_codes"] for line in rejected)
        assert Decimal(lines["excluded"]) == len(rows) - len(declared) - len(rejected)
        for column, unit in (("declared_quantity", "declared_unit_code"), ("total_price", "currency_code")):
            read = Counter[str]()
            for cells in rows:
                if cells[column].replace(".", "").isdigit():
                    read[cells[unit]] += Decimal(cells[column])  # type: ignore[assignment]
            reported = {t["currency_or_unit"]: Decimal(t["read"]) for t in totals if t["column"] == column}
            assert {unit: total for unit, total in reported.items() if total} == {u: t for u, t in read.items() if t}


@given(exports(sound=True), st.sampled_from([1, 2]), st.sampled_from([0, 1]))
@settings(max_examples=tries(40))
def test_sums_equal_an_independent_computation(rows: list[dict[str, str]], summary_flag: int, item_name_flag: int) -> None:
    with Folder() as folder:
        made = run_files(folder, [rows], summary_flag=summary_flag, item_name_flag=item_name_flag)
        assert made is not None
        expected = oracle.merged(rows, summary_flag, item_name_flag)
        heads = {made_row["declaration_ref"]: made_row for made_row in read_rows(made / "declarations.csv")}
        items = read_rows(made / "declaration_items.csv")
        assert len(items) == len(expected)
        left = dict(expected)
        for item in items:
            head = heads[item["declaration_ref"]]
            header = oracle.header_key({**head, "producer_seller_name": head["producer_seller_name"]}, summary_flag)
            name = item["goods_name"] if item_name_flag == 1 else ""
            body = (*(item[column] for column in oracle.BODY), name)
            sums = left.pop((header, body))
            for column in oracle.SUMMED:
                assert Decimal(item[column] or 0) == sums[column]
            assert int(item["inventory_item_count"]) == sums["lines"]
        assert not left
        gross, net, packages = oracle.weights(rows)
        assert sum(Decimal(head["gross_weight_kg"]) for head in heads.values()) == gross
        assert sum(Decimal(head["net_weight_kg"]) for head in heads.values()) == net
        assert sum(int(head["package_count"]) for head in heads.values()) == packages


@given(st.lists(st.tuples(st.sampled_from(["502", "303"]), st.integers(0, 120)), min_size=1, max_size=160, unique=True))
@settings(max_examples=tries(25))
def test_declarations_are_full_but_the_last(goods: list[tuple[str, int]]) -> None:
    rows = [
        row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}", arrival_country_code=country,
            enterprise_goods_name=f"品{name:03d}")
        for n, (country, name) in enumerate(goods)
    ]  # fmt: skip
    with Folder() as folder:
        made = run_files(folder, [rows])
        assert made is not None
        heads = read_rows(made / "declarations.csv")
        by_key: dict[tuple[str, ...], list[int]] = {}
        for head in heads:
            by_key.setdefault(tuple(head[column] for column in HEADER_KEY.value), []).append(int(head["item_count"]))
        expected = oracle.declarations_of(oracle.merged(rows))
        assert sorted(len(counts) for counts in by_key.values()) == sorted(expected.values())
        for counts in by_key.values():
            assert all(count == 50 for count in counts[:-1])
            assert 1 <= counts[-1] <= 50
        numbers: dict[str, list[int]] = {}
        for item in read_rows(made / "declaration_items.csv"):
            numbers.setdefault(item["declaration_ref"], []).append(int(item["declaration_item_no"]))
        assert all(listed == list(range(1, len(listed) + 1)) for listed in numbers.values())


@pytest.mark.long
@given(exports(), st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=tries(40))
def test_any_order_and_any_cut_give_the_same_bytes(rows: list[dict[str, str]], seed: int, files: int) -> None:
    shuffled = rows[:]
    random.Random(seed).shuffle(shuffled)
    cut = [shuffled[place::files] for place in range(files)]
    with Folder() as one, Folder() as other:
        first = run_files(one, [rows])
        second = run_files(other, [part for part in cut if part], chunk_bytes=600)
        assert bytes_of(first, SORTED_FILES) == bytes_of(second, SORTED_FILES)
        if first is not None and second is not None:
            for name in ("findings.csv", "excluded.csv"):
                assert without_source(read_rows(first / name)) == without_source(read_rows(second / name))


def without_source(rows: list[dict[str, str]]) -> Counter[tuple[tuple[str, str], ...]]:
    return Counter(tuple((k, v) for k, v in cells.items() if not k.startswith("source")) for cells in rows)


@given(exports(), st.sampled_from([300, 700, 2500]))
@settings(max_examples=tries(30))
def test_chunk_size_changes_no_byte(rows: list[dict[str, str]], chunk_bytes: int) -> None:
    with Folder() as folder:
        path = folder / "export.csv"
        path.write_text(csv_text(rows), encoding="utf-8", newline="")
        whole = run(parameters(path, out=folder / "a").for_run(NOW.date()), NOW)
        cut = run(parameters(path, out=folder / "b", chunk_bytes=chunk_bytes).for_run(NOW.date()), NOW)
        assert whole.published == cut.published
        if whole.published:
            names = (*SORTED_FILES, *IN_INPUT_ORDER)
            assert bytes_of(Path(whole.folder), names) == bytes_of(Path(cut.folder), names)
            for rejected in (Path(whole.folder) / "rejected").glob("*"):
                assert rejected.read_bytes() == (Path(cut.folder) / "rejected" / rejected.name).read_bytes()


@pytest.mark.long
@given(exports())
@settings(max_examples=tries(25))
def test_the_same_run_again_declares_nothing(rows: list[dict[str, str]]) -> None:
    with Folder() as folder:
        first = run_files(folder, [rows])
        outcome = run(parameters(folder / "0.csv", out=folder / "out").for_run(NOW.date()), NOW)
        assert not outcome.published
        assert outcome.run_ref == ""
        assert outcome.counts["inventories_declared"] == 0
        folders = list((folder / "out").glob("2026-10/*"))
        assert folders == ([first] if first else [])


@pytest.mark.long
@given(exports(), st.integers(1, 13))
@settings(max_examples=tries(25))
def test_two_runs_declare_what_one_would(rows: list[dict[str, str]], cut: int) -> None:
    """An export that grows: each inventory once, over both runs."""
    part = [cells for cells in rows if int(cells["inventory_no"][-9:] or 0) < cut]
    if not part:
        return
    with Folder() as one, Folder() as two:
        whole = run_files(one, [rows])
        run_files(two, [part])
        run(parameters(_written(two, rows), out=two / "out").for_run(NOW.date()), NOW)
        declared = [
            (line["inventory_no"], line["item_no"])
            for path in two.glob("out/2026-10/*/audit_map.parquet")
            for line in pq.read_table(path).to_pylist()
        ]
        assert len(declared) == len(set(declared))
        expected = pq.read_table(whole / "audit_map.parquet").to_pylist() if whole else []
        assert set(declared) == {(line["inventory_no"], line["item_no"]) for line in expected}


def _written(folder: Path, rows: list[dict[str, str]]) -> Path:
    path = folder / "all.csv"
    path.write_text(csv_text(rows), encoding="utf-8", newline="")
    return path
