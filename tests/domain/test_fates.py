"""Excluded, rejected, declared: what becomes of an inventory, and what the ledger remembers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aggregator.model.errors import UnusableInput, WrongConfiguration, WrongUsage
from aggregator.model.period import Period
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, csv_text, row

SECOND = {"inventory_no": "22442026E000000002", "order_no": "DD2", "waybill_no": "LP2"}
OCTOBER, NOVEMBER = Period(2026, 10), Period(2026, 11)


def without_status(**cells: str) -> dict[str, str]:
    return {column: value for column, value in row(**cells).items() if column not in ("status_code", "cleared_at")}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"trade_mode_code": "9710"}, "other_mode"),
        ({"declaration_mode_code": "A"}, "simplified"),
        ({"status_code": "800"}, "not_cleared"),
        ({"status_code": "", "cleared_at": ""}, "not_cleared"),
        ({"status_code": "100", "cleared_at": ""}, "cancelled"),
        ({"status_code": "海关退单"}, "cancelled"),
        ({"cleared_at": "2026-11-01 00:00:00"}, "later_period"),
        ({"cleared_at": "2026-08-31 23:59:59"}, "before_ledger"),
    ],
)
def test_exclusions_and_excluded_goes_over_rejected(runner: Runner, cells: dict[str, str], reason: str) -> None:
    outcome = runner.run_rows([row(**cells, goods_name=""), row(**SECOND)])
    assert outcome.excluded == {reason: 1}
    assert outcome.exit_code == 0
    assert outcome.findings == {}, "a run lists no findings of what is excluded"
    [excluded] = runner.results(outcome, "excluded")
    assert (excluded["inventory_no"], excluded["reason"], excluded["item_lines"]) == ("22442026E000000001", reason, "1")
    assert excluded["source_row"] == "2"


def test_fault_in_what_would_exclude_rejects(runner: Runner) -> None:
    outcome = runner.run_rows([row(trade_mode_code="9710"), row(item_no="2", trade_mode_code="9610")])
    assert outcome.excluded == {}
    assert outcome.findings == {"I101": 1}


def test_month_borders_in_china_time(runner: Runner) -> None:
    rows = [
        row(cleared_at="20261031235959999"),
        row(**SECOND, cleared_at="2026-10-31T16:00:00Z"),  # midnight in China: November
    ]
    outcome = runner.run_rows(rows)
    assert outcome.counts["inventories_declared"] == 1
    assert outcome.excluded == {"later_period": 1}


def test_late_and_no_late(in_new_folder: Callable[[str], Runner]) -> None:
    rows = [row(cleared_at="2026-09-30 23:59:59"), row(**SECOND)]
    taken = in_new_folder("taken")
    outcome = taken.run_rows(rows)
    assert outcome.counts["inventories_late"] == 1
    audit = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert [line["late"] for line in audit] == [True, False]
    held = in_new_folder("held").run_rows(rows, late=False)
    assert held.excluded == {"late_held": 1}


def test_weekly_exports_of_one_inventory_899_counts(runner: Runner) -> None:
    week1 = runner.write([row(status_code="800", cleared_at="", order_no="")], "week1.csv")
    week2 = runner.write([row()], "week2.csv")
    outcome = runner.run(week1, week2)
    assert outcome.counts["inventories_declared"] == 1
    assert outcome.excluded == {"repeat": 1}
    [repeat] = runner.results(outcome, "excluded")
    assert repeat["source_file"] == str(week2)


def test_overlapping_pages_collapse(runner: Runner) -> None:
    one = runner.write([row(), row(item_no="2")], "1.csv")
    two = runner.write([row(item_no="2"), row(item_no="3")], "2.csv")
    outcome = runner.run(one, two)
    assert outcome.counts["lines_declared"] == 3
    assert outcome.excluded == {"repeat": 1}


def test_assume_cleared(runner: Runner) -> None:
    outcome = runner.run_rows([without_status()], assume_cleared=True)
    assert outcome.counts["inventories_declared"] == 1
    with pytest.raises(UnusableInput, match="--assume-cleared"):
        runner.run_rows([without_status(**SECOND)])


def test_assume_cleared_does_not_undo_a_refusal_or_a_known_time(runner: Runner) -> None:
    rows = [
        row(status_code="100", cleared_at=""),
        row(**SECOND, cleared_at="2026-11-02"),
        row(inventory_no="22442026E000000003", order_no="DD3", waybill_no="LP3", status_code="800", cleared_at=""),
    ]
    outcome = runner.run_rows(rows, assume_cleared=True)
    assert outcome.excluded == {"later_period": 1, "cancelled": 1}
    assert outcome.counts["inventories_declared"] == 1


def test_assume_cleared_sees_a_refusal_without_a_column_of_times(runner: Runner) -> None:
    rows = [{k: v for k, v in cells.items() if k != "cleared_at"} for cells in (row(status_code="100"), row(**SECOND, status_code="800"))]
    outcome = runner.run_rows(rows, assume_cleared=True)
    assert outcome.excluded == {"cancelled": 1}
    assert outcome.counts["inventories_declared"] == 1


@pytest.mark.parametrize(
    ("week1", "week2", "reason"),
    [
        (("800", ""), ("100", ""), "cancelled"),
        (("800", "2026-10-02 08:00:00"), ("100", "2026-10-09 08:00:00"), "cancelled"),
        (("100", "2026-10-02 08:00:00"), ("800", "2026-10-09 08:00:00"), "not_cleared"),
        (("100", "2026-10-02 08:00:00"), ("", ""), "cancelled"),
        (("100", "2026-10-02 08:00:00"), ("899", "2026-10-09 08:00:00"), ""),
    ],
)
def test_sent_back_in_the_export_of_another_week(
    runner: Runner, week1: tuple[str, str], week2: tuple[str, str], reason: str
) -> None:
    weeks = [runner.write([row(status_code=status, cleared_at=at)], f"{n}.csv") for n, (status, at) in enumerate((week1, week2))]
    for inputs in (weeks, weeks[::-1]):
        outcome = runner.run(*inputs, dry_run=True)
        assert {name for name in outcome.excluded if name != "repeat"} == ({reason} - {""})
        assert outcome.counts["inventories_declared"] == (0 if reason else 1)


def test_what_was_sent_back_is_not_waited_for(runner: Runner) -> None:
    runner.run_rows([row(status_code="100", cleared_at=""), row(**SECOND)])
    reported = aggregator("status", "--out", "out", "--period", "2026-10", "--as-of", "2026-11-13", "--json", folder=runner.folder)
    assert reported.returncode == 0, reported.stdout
    assert json.loads(reported.stdout)["periods"][0]["undeclared"] == 0


def test_a_receipt_says_more_than_status_100_in_a_column(runner: Runner) -> None:
    receipts = runner.write(RECEIPT + "CEB604,22442026E000000001,899,20261020000000000\n", "receipts.csv")
    outcome = runner.run(runner.write([row(status_code="100", cleared_at="")]), receipts=(receipts,))
    assert outcome.counts["inventories_declared"] == 1


@pytest.mark.parametrize(("code", "rejected"), [("NO", 1), ("91330100MA27Y3K4XJ", 0)])
@pytest.mark.parametrize("summary_flag", [1, 2])
def test_a_producer_without_a_code_is_known_by_its_name(runner: Runner, code: str, rejected: int, summary_flag: int) -> None:
    rows = [row(producer_seller_code=code), row(item_no="2", producer_seller_code=code, producer_seller_name="另一家工厂")]
    outcome = runner.run_rows(rows, summary_flag=summary_flag)
    assert outcome.counts["inventories_rejected"] == rejected
    [finding] = runner.results(outcome, "findings")
    assert (finding["code"], finding["column"]) == ("I101" if rejected else "I201", "producer_seller_name")
    assert "另一家工厂" in finding["value"]


GIVEN = {"order_no": "L-other", "waybill_no": "yt-ａ1", "internal_no": "cop-Ⅰ", "bill_no": "Bl-１", "voyage_no": "mU587"}


def test_numbers_that_others_gave_stay_as_they_were_written(runner: Runner) -> None:
    outcome = runner.run_rows([row(**{**GIVEN, "waybill_no": f"\u3000{GIVEN['waybill_no']} "})])
    [line] = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert (line["order_no"], line["waybill_no"]) == (GIVEN["order_no"], GIVEN["waybill_no"])
    assert outcome.findings == {}


@pytest.mark.parametrize("number", ["L-other", "l-OTHER", "Ｌ-other", "YT-A1", "22442026e000000001"])
def test_trace_finds_numbers_in_any_case_and_width(runner: Runner, number: str) -> None:
    runner.run_rows([row(**GIVEN)])
    found = aggregator("trace", number, "--out", "out", "--json", folder=runner.folder)
    assert found.returncode == 0, found.stderr
    [line] = json.loads(found.stdout)["lines"]
    assert line["order_no"] == "L-other"


def test_orders_that_differ_in_case_are_two(runner: Runner) -> None:
    """Shops count in letters too: a1 and A1 are two orders, and a warning of one would be false."""
    outcome = runner.run_rows([row(order_no="a1"), row(**{**SECOND, "order_no": "A1"})])
    assert "B201" not in outcome.findings


def test_an_older_ledger_knows_inventories_whose_numbers_were_folded(runner: Runner) -> None:
    """Numbers that others gave are no content: written otherwise, an inventory is still the one that was declared."""
    runner.run_rows([row(order_no="L-OTHER")])
    assert runner.run_rows([row(order_no="L-other", waybill_no="lp1")]).excluded == {"known": 1}


RECEIPT = "message,inventory_no,status_code,cleared_at\n"


@pytest.mark.parametrize(
    ("receipts", "excluded", "declared"),
    [
        ("CEB604,22442026E000000001,899,20261031235959999\n", {}, 1),
        ("CEB604,22442026E000000001,899,20261101000000000\n", {"later_period": 1}, 0),
        ("CEB604,22442026E000000001,800,20261031235959999\n", {"not_cleared": 1}, 0),
        # Out of order: the latest by customs' time counts, not the last in the file.
        ("CEB604,22442026E000000001,899,20261020000000000\nCEB604,22442026E000000001,800,20261010000000000\n", {}, 1),
        ("CEB604,22442026E000000001,899,20261020000000000\nCEB604,22442026E000000001,100,20261021000000000\n", {"cancelled": 1}, 0),
        ("CEB604,22442026E000000001,899,20261020000000000\nCEB606,22442026E000000001,399,20261021000000000\n", {"cancelled": 1}, 0),
        # CEB606 of status 100: the cancellation was refused.
        ("CEB604,22442026E000000001,899,20261020000000000\nCEB606,22442026E000000001,100,20261021000000000\n", {}, 1),
        ("", {"not_cleared": 1}, 0),
    ],
)  # fmt: skip
def test_receipts(runner: Runner, receipts: str, excluded: dict[str, int], declared: int) -> None:
    path = runner.write(RECEIPT + receipts, "receipts.csv")
    outcome = runner.run(runner.write([without_status()]), receipts=(path,))
    assert outcome.excluded == excluded
    assert outcome.counts["inventories_declared"] == declared


def test_receipts_win_over_columns(runner: Runner) -> None:
    path = runner.write(RECEIPT + "CEB604,22442026E000000001,800,20261031235959999\n", "receipts.csv")
    outcome = runner.run(runner.write([row(), row(**SECOND)]), receipts=(path,))
    assert outcome.excluded == {"not_cleared": 1}
    assert outcome.counts["inventories_declared"] == 1


@pytest.mark.parametrize("line", ["CEB604,,899,20261020000000000\n", "CEB604,X,999,20261020000000000\n", "CEB604,X,899,x\n", "CEB702,X,899,20261020000000000\n"])
def test_unreadable_receipt_stops_the_run(runner: Runner, line: str) -> None:
    path = runner.write(RECEIPT + line, "receipts.csv")
    with pytest.raises(UnusableInput, match="row 2"):
        runner.run(runner.write([without_status()]), receipts=(path,))


def test_lowered_severity(runner: Runner) -> None:
    bad = row(consignor_code="91440300MA5F0A1B2M")
    outcome = runner.run_rows([bad], severity=(("R114", "warning"),))
    assert outcome.exit_code == 0
    [finding] = runner.results(outcome, "findings")
    assert (finding["code"], finding["severity"]) == ("R114", "warning")


# --------------------------------------------------------------------------------------------------------------- ledger


def test_a_grown_export_declares_only_what_is_new(runner: Runner) -> None:
    first = runner.run_rows([row()])
    second = runner.run_rows([row(), row(**SECOND)])
    assert (first.run_ref, second.run_ref) == ("202610-01", "202610-02")
    assert second.excluded == {"known": 1}
    assert second.counts["inventories_declared"] == 1
    third = runner.run_rows([row(), row(**SECOND)])
    assert (third.run_ref, third.published, third.exit_code) == ("", False, 0)


def test_what_waits_is_remembered_and_leaves_when_declared(runner: Runner) -> None:
    runner.run_rows([row(goods_name=""), row(**SECOND, status_code="800")])
    assert waiting(runner) == {
        "22442026E000000001": ("rejected", "R101"),
        "22442026E000000002": ("excluded", "not_cleared"),
    }
    runner.run_rows([row(), row(**SECOND)])
    assert waiting(runner) == {}


def test_rejections_are_published_once(runner: Runner) -> None:
    first = runner.run_rows([row(goods_name="")])
    assert (first.published, first.exit_code) == (True, 3)
    again = runner.run_rows([row(goods_name="")])
    assert (again.published, again.exit_code, again.folder) == (False, 3, first.folder)
    other = runner.run_rows([row(goods_name="", goods_spec="x")])
    assert other.run_ref == "202610-02"


def test_next_month_takes_late_ones_and_first_period_is_kept(runner: Runner) -> None:
    runner.run_rows([row()], first_period=OCTOBER)
    late = runner.write([row(**SECOND), row(inventory_no="22442026E000000003", order_no="3", waybill_no="3", cleared_at="2026-09-01")])
    outcome = runner.run(late, period=NOVEMBER, first_period=None, unfinished=True)
    assert outcome.counts["inventories_late"] == 1
    assert outcome.excluded == {"before_ledger": 1}
    with pytest.raises(WrongConfiguration, match="first-period"):
        runner.run(late, period=NOVEMBER, first_period=Period(2026, 8), unfinished=True)


def test_unfinished_period(runner: Runner) -> None:
    path = runner.write([row(cleared_at="2026-11-02")])
    with pytest.raises(WrongUsage, match="--unfinished"):
        runner.run(path, period=NOVEMBER)
    assert runner.run(path, period=NOVEMBER, dry_run=True).counts["inventories_declared"] == 1
    assert not runner.out.exists(), "a dry run writes nothing"
    assert runner.run(path, period=NOVEMBER, unfinished=True).published


@pytest.mark.parametrize("damage", ["empty", "text", "foreign", "newer", "gone"])
def test_ledger_that_cannot_be_trusted_is_refused(runner: Runner, damage: str) -> None:
    runner.run_rows([row()])
    ledger = runner.out / "ledger.sqlite"
    if damage == "empty":
        ledger.write_bytes(b"")
    elif damage == "text":
        ledger.write_text("hello " * 1000)
    elif damage == "gone":
        ledger.unlink()
    else:
        with closing(sqlite3.connect(ledger)) as connection:
            connection.execute("PRAGMA application_id=1" if damage == "foreign" else "PRAGMA user_version=99")
            connection.commit()
    before = sorted(runner.out.rglob("*"))
    with pytest.raises(WrongConfiguration, match="--ledger"):
        runner.run_rows([row()])
    assert sorted(runner.out.rglob("*")) == before


def test_ledger_is_one_whole_file(runner: Runner, in_new_folder: Callable[[str], Runner]) -> None:
    runner.run_rows([row()])
    copy = in_new_folder("copy")
    copy.out.mkdir()
    (copy.out / "ledger.sqlite").write_bytes((runner.out / "ledger.sqlite").read_bytes())
    assert copy.run_rows([row()]).excluded == {"known": 1}


def waiting(runner: Runner) -> dict[str, tuple[str, str]]:
    with closing(sqlite3.connect(runner.out / "ledger.sqlite")) as connection:
        rows = connection.execute("SELECT inventory_no, fate, reason FROM waiting").fetchall()
    return {number: (fate, reason) for number, fate, reason in rows}


def test_correct_and_run_again(runner: Runner) -> None:
    outcome = runner.run(runner.write(csv_text([row(currency_code="XX"), row(item_no="2")]).encode("gb18030")))
    rejected = Path(outcome.folder) / "rejected" / "export.csv"
    text = rejected.read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].endswith('"reject_codes"')
    assert text.count("R110") == 2, "every line of the inventory carries its codes"
    again = runner.run(runner.write(text.replace('"XX"', '"502"'), "corrected.csv"))
    assert again.counts["inventories_declared"] == 1
    assert again.findings == {}
