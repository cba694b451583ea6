"""What is no fault of any line, and yet not what was meant: it is said, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, row

RECEIPTS = "message,inventory_no,status_code,cleared_at\nCEB604,{number},899,20261005100000000\n"
PLAIN = {"status_code": "", "cleared_at": ""}


@pytest.mark.parametrize(("lang", "says"), [("en", "say nothing of any inventory read"), ("zh", "无一对应")])
def test_receipts_of_other_inventories(runner: Runner, lang: str, says: str) -> None:
    runner.write([row()])
    runner.write(RECEIPTS.format(number="22442026E999999999"), "receipts.csv")
    result = aggregator("run", "export.csv", "--receipts", "receipts.csv", *PERIOD, "--out", "out", folder=runner.folder, lang=lang)
    assert (result.returncode, says in result.stderr) == (3, True)
    checked = aggregator("check", "export.csv", "--receipts", "receipts.csv", *PERIOD[:2], folder=runner.folder, lang=lang)
    assert (checked.returncode, says in checked.stdout) == (3, True)
    dry = aggregator("run", "export.csv", "--receipts", "receipts.csv", *PERIOD, "--out", "other", "--dry-run", folder=runner.folder, lang=lang)
    assert (dry.returncode, says in dry.stderr) == (3, True)


def test_receipts_that_answer_one_are_not_spoken_of(runner: Runner) -> None:
    runner.write([row()])
    runner.write(RECEIPTS.format(number=row()["inventory_no"]), "receipts.csv")
    result = aggregator("run", "export.csv", "--receipts", "receipts.csv", *PERIOD, "--out", "out", folder=runner.folder)
    assert (result.returncode, result.stderr) == (0, "")


def test_everything_excluded(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", "--period", "2026-08", "--out", "out", folder=runner.folder)
    assert result.returncode == 3
    assert "The only inventory was excluded" in result.stderr
    assert "Cleared after the period." in result.stderr
    assert "均被排除" in aggregator("run", "export.csv", "--period", "2026-08", "--out", "out", folder=runner.folder, lang="zh").stderr


def test_what_was_declared_before_is_no_surprise(runner: Runner) -> None:
    runner.write([row()])
    for _ in range(2):
        result = aggregator("run", "export.csv", *PERIOD, "--out", "out", folder=runner.folder)
        assert (result.returncode, result.stderr) == (0, "")


def test_export_and_receipts_confused(runner: Runner) -> None:
    runner.write([{name: value for name, value in row().items() if name not in PLAIN}])
    runner.write(RECEIPTS.format(number=row()["inventory_no"]), "receipts.csv")
    for lang, export, receipts in (("en", "this is an export, not receipts", "with --receipts receipts.csv"), ("zh", "这是导出文件而不是回执", "请用 --receipts receipts.csv 给出")):
        one = aggregator("run", "receipts.csv", *PERIOD, "--out", "out", folder=runner.folder, lang=lang)
        assert (one.returncode, receipts in one.stderr) == (65, True), one.stderr
        other = aggregator("run", "export.csv", "--receipts", "export.csv", *PERIOD, "--out", "out", folder=runner.folder, lang=lang)
        assert (other.returncode, export in other.stderr) == (65, True), other.stderr


@pytest.mark.parametrize("command", ["status", "months"])
def test_no_ledger_is_named(runner: Runner, command: str) -> None:
    result = aggregator(command, "--lang", "en", folder=runner.folder, lang="")
    assert result.returncode == 78
    assert "ledger.sqlite does not exist" in result.stderr
    assert "请用 --out 指定" in aggregator(command, "--lang", "zh", folder=runner.folder, lang="").stderr
    assert aggregator(command, "--out", "out", folder=runner.folder, lang="").returncode in (0, 3)


@pytest.mark.parametrize("given", ["exports", "exports/*.csv"])
def test_strangers_in_a_folder(runner: Runner, given: str) -> None:
    folder = runner.folder / "exports"
    folder.mkdir()
    runner.write([row()]).rename(folder / "export.csv")
    for name in ("~$export.xlsx", "~$a.csv", "notes.docx", ".hidden", "Thumbs.db"):
        (folder / name).write_bytes(b"x")
    result = aggregator("run", given, *PERIOD, "--out", "out", folder=runner.folder)
    assert result.returncode == 0, result.stderr
    assert ("notes.docx" in result.stderr and "~$export.xlsx" in result.stderr) == (given == "exports")
    assert ".hidden" not in result.stderr
    assert ("已略过" in aggregator("check", given, folder=runner.folder, lang="zh").stdout) == (given == "exports")


def test_a_first_period_after_the_period(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", "--period", "2026-10", "--first-period", "2026-11", "--out", "out", folder=runner.folder)
    assert (result.returncode, (runner.folder / "out").exists()) == (2, False)


def test_no_name_for_results(runner: Runner) -> None:
    runner.write([row()])
    result = aggregator("run", "export.csv", *PERIOD, "--out", "", folder=runner.folder)
    assert (result.returncode, "is no path" in result.stderr) == (2, True)
    assert Path(runner.folder / "export.csv").exists()


def test_a_dry_run_says_the_number_of_the_run(runner: Runner) -> None:
    for number in ("1", "2"):
        runner.write([row(inventory_no=f"22442026E00000000{number}", order_no=number, waybill_no=number)])
        dry = aggregator("run", "export.csv", *PERIOD, "--out", "out", "--dry-run", "--json", folder=runner.folder)
        run = aggregator("run", "export.csv", *PERIOD, "--out", "out", "--json", folder=runner.folder)
        ref = f'"run_ref": "202610-0{number}"'
        assert (ref in dry.stdout, ref in run.stdout) == (True, True)


def test_a_sample_is_not_written_over_an_export(runner: Runner) -> None:
    mine = runner.write("mine", "inventories.csv")
    refused = aggregator("sample", "--lines", "10", "--out", ".", folder=runner.folder)
    assert (refused.returncode, mine.read_text(), "--force" in refused.stderr) == (73, "mine", True)
    assert aggregator("sample", "--lines", "10", "--out", ".", "--force", folder=runner.folder).returncode == 0
    assert mine.read_text(encoding="utf-8") != "mine"


def test_a_run_is_not_voided_without_a_reason(runner: Runner) -> None:
    result = aggregator("ledger", "void", "202610-01", "--out", "out", folder=runner.folder)
    assert (result.returncode, "--reason" in result.stderr) == (2, True)


def test_what_is_imported_though_it_was_rejected(runner: Runner) -> None:
    number = row()["inventory_no"]
    runner.run_rows([row(goods_name=""), row(inventory_no="22442026E000000009", order_no="D9", waybill_no="L9")])
    runner.write(f"inventory_no\n{number}\n22442026E000000008\n", "declared.csv")
    result = aggregator("ledger", "import", "declared.csv", "--out", "out", folder=runner.folder)
    assert result.returncode == 0
    assert f"1 of them were seen here and not declared: {number} (R101)" in result.stdout


def test_a_finding_names_the_heading_of_the_user(runner: Runner) -> None:
    cells = row(goods_name="")
    lines = [",".join("商品名称" if name == "goods_name" else name for name in cells), ",".join(str(value) for value in cells.values())]
    runner.write("\n".join(lines) + "\n", "export.csv")
    assert "goods_name (商品名称) " in aggregator("check", "export.csv", folder=runner.folder).stdout
