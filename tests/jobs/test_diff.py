"""What changed between two runs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.jobs.diff import Difference, diff
from aggregator.model.errors import WrongUsage
from aggregator.reports.diff import diff_as_json, diff_lines
from aggregator.schemas.modes.m9610 import M9610
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row

InFolder = Callable[[str], Runner]


def numbered(number: int, **cells: str) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"W{number}", **cells)


BEFORE = [numbered(1), numbered(2), numbered(3, goods_name=""), numbered(4, trade_mode_code="0110"), numbered(5), numbered(6, net_weight_kg="-1")]


def compared(in_new_folder: InFolder, after: list[dict[str, str]], most: int = 5) -> Difference:
    first, second = in_new_folder("a").run_rows(BEFORE), in_new_folder("b").run_rows(after)
    return diff(Path(first.folder), Path(second.folder), most)


def test_the_same_inventories_in_another_order_are_no_difference(in_new_folder: InFolder) -> None:
    found = compared(in_new_folder, BEFORE[::-1])
    assert found.same
    assert diff_lines(found, "en")[-1] == "  The same inventories, fates, items and sums."
    assert diff_as_json(found)["same"] is True


def test_fates_are_told_with_their_reasons(in_new_folder: InFolder) -> None:
    after = [numbered(1), numbered(2, goods_name=""), numbered(3), numbered(4, trade_mode_code="0110"), numbered(6, goods_name=""), numbered(7)]
    found = compared(in_new_folder, after)
    assert found.fates == {("absent", "declared"): 1, ("declared", "absent"): 1, ("declared", "rejected"): 1, ("rejected", "declared"): 1, ("rejected", "rejected"): 1}
    why = {each["inventory_no"][-1]: (each["why_before"], each["why_after"]) for each in found.fate_examples}
    assert why == {"7": ("", ""), "5": ("", ""), "2": ("", "R101"), "3": ("R101", ""), "6": ("R106", "R101")}
    for lang in ("en", "zh"):
        said = [line.strip() for line in diff_lines(found, lang)]
        assert [line for line in said if line.startswith("R1")] == [f"{code}: {M9610.rules[code].message.in_lang(lang)}" for code in ("R101", "R106")]
    assert not found.lines


def test_content_items_and_sums_that_differ_are_told(in_new_folder: InFolder) -> None:
    after = [numbered(1, total_price="12.00", unit_price="6"), *BEFORE[1:4], numbered(5, commodity_code="6307900090"), BEFORE[5]]
    found = compared(in_new_folder, after)
    assert not found.fates
    assert found.inventories_changed == 2
    assert found.lines["total_price"] == 1
    assert found.lines["commodity_code"] == 1
    prices = [(each["before"], each["after"]) for each in found.line_examples if each["column"] == "total_price"]
    assert prices == [("10.00000", "12.00000")]
    assert found.items == {"new": 1, "changed": 1}
    changed = next(each for each in found.item_examples if each["commodity_code"] == "6109100010")
    assert changed["total_price"] == (Decimal(30), Decimal(22))
    [price] = [row for row in found.totals if row["column"] == "total_price"]
    assert (price["declared"], price["rejected"]) == ((Decimal(30), Decimal(32)), (Decimal(20), Decimal(20)))


def test_a_line_that_only_one_has_is_a_difference(in_new_folder: InFolder) -> None:
    found = compared(in_new_folder, [*BEFORE, numbered(1, item_no="2", sku="x")])
    assert found.lines == {"": 1}
    assert found.line_examples[0]["after"] == "+"
    assert "only in the second" in "\n".join(diff_lines(found, "en"))


def test_examples_are_limited_and_the_rest_counted(in_new_folder: InFolder) -> None:
    found = compared(in_new_folder, [BEFORE[0]], most=1)
    assert found.fates[("declared", "absent")] == 2
    assert sum(each["before"] == "declared" for each in found.fate_examples) == 1
    assert "1 more" in "\n".join(diff_lines(found, "en"))
    chinese = diff_lines(found, "zh")
    assert "另有 1 个" in "\n".join(chinese)


def test_the_command(in_new_folder: InFolder) -> None:
    first, second = in_new_folder("a").run_rows(BEFORE), in_new_folder("b").run_rows(BEFORE[:3])
    for lang in ("en", "zh"):
        result = aggregator("diff", first.folder, second.folder, "--lang", lang, folder=Path(first.folder))
        assert result.returncode == 3, result.stderr
        assert result.stdout
    assert aggregator("diff", first.folder, first.folder, folder=Path(first.folder)).returncode == 0


def test_what_is_no_run_folder_is_wrong_usage(in_new_folder: InFolder) -> None:
    first = Path(in_new_folder("a").run_rows(BEFORE).folder)
    with pytest.raises(WrongUsage):
        diff(first, first.parent, 1)


def test_declarations_of_market_procurement_are_compared(in_new_folder: InFolder) -> None:
    from tests.market import line_of, run_market

    first = run_market(in_new_folder("a"), [line_of("100", trade_slip_no="T1")])
    second = run_market(in_new_folder("b"), [line_of("100", trade_slip_no="T1"), line_of("7", trade_slip_no="T2")])
    found = diff(Path(first.folder), Path(second.folder), 5)
    assert found.fates == {("absent", "declared"): 1}
    assert found.items
    with pytest.raises(WrongUsage):
        diff(Path(first.folder), Path(in_new_folder("c").run_rows(BEFORE).folder), 5)


def test_a_run_that_declares_nothing_beside_one_that_does(in_new_folder: InFolder) -> None:
    first, second = in_new_folder("a").run_rows(BEFORE), in_new_folder("b").run_rows(BEFORE)
    for name in ("declarations", "declaration_items", "control_totals"):
        table = Path(second.folder, f"{name}.csv")
        table.write_bytes(table.read_bytes().splitlines(keepends=True)[0])
    found = diff(Path(first.folder), Path(second.folder), 5)
    assert set(found.items) == {"gone"}
    assert all(each["declared"][1] == 0 for each in found.totals)
