"""Inventories that do not lie in one piece: cut by a chunk border, in several files, with lines that are not adjacent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aggregator.pipeline import merging
from tests.conftest import Runner, csv_text, opened, row

A = {"inventory_no": "22442026E000000001", "order_no": "1", "waybill_no": "1"}
B = {"inventory_no": "22442026E000000002", "order_no": "2", "waybill_no": "2"}


def items(header: dict[str, str], *numbers: int, **cells: str) -> list[dict[str, str]]:
    return [row(**header, item_no=str(number), **cells) for number in numbers]




def test_small_chunks_hold_one_line_each(runner: Runner) -> None:
    """What the tests here and the property tests rest on."""
    file = opened(runner.write(items(A, 1, 2, 3)), 10)
    assert [block.first_row for block in file.blocks] == [2, 3, 4]


def test_inventory_cut_by_a_chunk_border(runner: Runner) -> None:
    outcome = runner.run(runner.write(items(A, 1, 2) + items(B, 1, 2, 3)), chunk_bytes=10)
    assert outcome.counts["inventories_declared"] == 2
    assert outcome.counts["inventories_read"] == 2
    [made] = runner.results(outcome, "declarations")
    assert (made["package_count"], made["gross_weight_kg"]) == ("2", "3.00000"), "header values count once"


def test_fault_in_one_chunk_rejects_the_lines_in_the_others(runner: Runner) -> None:
    rows = [*items(A, 1), *items(B, 1), *items(A, 2, goods_name="")]
    outcome = runner.run(runner.write(rows), chunk_bytes=10)
    assert outcome.counts["inventories_rejected"] == 1
    assert outcome.counts["lines_rejected"] == 2
    text = (Path(outcome.folder) / "rejected" / "export.csv").read_text(encoding="utf-8-sig")
    assert text.count("R101") == 2


def test_missing_line_is_seen_across_chunks_and_only_there(runner: Runner) -> None:
    whole = items(A, 3, 1, 2)
    assert runner.run(runner.write(whole), chunk_bytes=10).counts["inventories_declared"] == 1
    outcome = runner.run(runner.write(items(B, 3, 1)), chunk_bytes=10)
    assert outcome.findings == {"I103": 1}


def test_header_that_differs_between_chunks(runner: Runner) -> None:
    rows = items(A, 1) + items(A, 2, exit_customs_code="5304")
    outcome = runner.run(runner.write(rows), chunk_bytes=10)
    assert outcome.findings == {"I101": 1}
    [finding] = runner.results(outcome, "findings")
    assert (finding["column"], finding["value"]) == ("exit_customs_code", "2248 / 5304")


@pytest.mark.parametrize("files", [1, 2])
def test_duplicates_in_different_chunks_and_files(runner: Runner, files: int) -> None:
    first, second = items(A, 1, 2), items(B, 1) + items(A, 1, 2)
    paths = [runner.write(first + second)] if files == 1 else [runner.write(first, "1.csv"), runner.write(second, "2.csv")]
    outcome = runner.run(*paths, chunk_bytes=10)
    assert outcome.counts["lines_declared"] == 3
    assert outcome.excluded == {"repeat": 1}
    [excluded] = runner.results(outcome, "excluded")
    assert (excluded["inventory_no"], excluded["item_lines"]) == (A["inventory_no"], "2")
    assert excluded["source_file"] == str(paths[-1])


@pytest.mark.parametrize("files", [1, 2])
def test_clashing_copies_in_different_chunks_and_files(runner: Runner, files: int) -> None:
    first, second = items(A, 1, 2), items(A, 1, 2, total_price="10.01")
    paths = [runner.write(first + second)] if files == 1 else [runner.write(first, "1.csv"), runner.write(second, "2.csv")]
    outcome = runner.run(*paths, chunk_bytes=10)
    assert outcome.counts["lines_rejected"] == 4
    assert {"I102", "B102"} <= set(outcome.findings)


def test_interleaved_inventories_and_two_workers(in_new_folder: Callable[[str], Runner]) -> None:
    rows = [line for n in range(1, 5) for header in (A, B) for line in items(header, n)]
    in_order, cut, parallel = (in_new_folder(name) for name in ("in-order", "cut", "parallel"))
    whole = in_order.run(in_order.write(sorted(rows, key=lambda cells: (cells["inventory_no"], cells["item_no"]))))
    one = cut.run(cut.write(rows), chunk_bytes=10)
    two = parallel.run(parallel.write(rows), chunk_bytes=10, workers=2)
    for name in ("declarations.csv", "declaration_items.csv", "control_totals.csv"):
        made = {(Path(outcome.folder) / name).read_bytes() for outcome in (whole, one, two)}
        assert len(made) == 1, name
    audit = pq.read_table(Path(two.folder) / "audit_map.parquet").to_pylist()
    assert [entry["source_row"] for entry in audit] == list(range(2, 10))


@pytest.mark.long
def test_merge_in_many_steps(runner: Runner, in_new_folder: Callable[[str], Runner], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [cells for n in range(60) for cells in items({**A, "inventory_no": f"22442026E{n:09d}", "order_no": str(n), "waybill_no": str(n)},
                                                        1, 2, enterprise_goods_name=f"品{n % 7}")]  # fmt: skip
    whole = runner.run(runner.write(rows))
    monkeypatch.setattr(merging, "_ROWS_AT_A_TIME", 3)
    steps = in_new_folder("steps")
    other = steps.run(steps.write(rows), chunk_bytes=10)
    for name in ("declarations.csv", "declaration_items.csv"):
        assert (Path(whole.folder) / name).read_bytes() == (Path(other.folder) / name).read_bytes()


def test_many_chunks_with_quoted_line_ends(runner: Runner) -> None:
    rows = items(A, 1, 2, 3, goods_spec="一\n二,三")
    outcome = runner.run(runner.write(csv_text(rows, lineterminator="\r\n")), chunk_bytes=10)
    assert outcome.counts["lines_declared"] == 3


def test_copies_in_files_with_other_columns(runner: Runner) -> None:
    """One export has columns the other lacks: what is content must agree, what is not may be missing."""
    without = [{k: v for k, v in cells.items() if k not in ("voyage_no", "freight", "order_no")} for cells in items(A, 1, 2)]
    one, two = runner.write(items(A, 1, 2), "1.csv"), runner.write(without, "2.csv")
    outcome = runner.run(one, two)
    assert outcome.counts["lines_declared"] == 2
    assert outcome.excluded == {"repeat": 1}
    lacking = [{k: v for k, v in cells.items() if k != "declarant_code"} for cells in items(B, 1)]
    clash = runner.run(runner.write(items(B, 1), "3.csv"), runner.write(lacking, "4.csv"))
    assert clash.counts["inventories_rejected"] == 1
