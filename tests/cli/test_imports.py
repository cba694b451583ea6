"""Imports bear the same trade mode; no export declaration is ever made of import lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aggregator.model.errors import UnusableInput
from aggregator.samples.shapes.formats import as_message
from aggregator.samples.shapes.shape import lines
from aggregator.schemas.imports import import_headings
from tests.cli.test_cli import PERIOD, aggregator
from tests.conftest import Runner, csv_text, read_rows, row

IMPORT = "22442026I000000002"
OTHER = {"order_no": "DD2", "waybill_no": "LP2"}
HEADINGS = {"inventory_no": "进口清单编号", "exit_customs_code": "进境关别", "export_on": "进口日期"}


@pytest.mark.parametrize(
    ("headings", "imports"),
    [
        (["清单编号", "进口日期"], True), (["进口清单编号", "商品编码"], True), (["进境关别"], True), (["关税", "增值税", "消费税"], True), (["起运国(地区)", "订购人姓名"], True),
        (["assurecode", "buyeridnumber"], True),
        (["清单编号", "出口日期", "进口日期"], False), (["关税"], False), (["增值税", "消费税", "出境关别"], False), (["进出口日期", "进出口标志"], False),
        (["收货人国家", "进口国"], False), (["export_on", "进口日期"], False),
    ],
)  # fmt: skip
def test_headings_of_imports(headings: list[str], imports: bool) -> None:
    assert bool(import_headings(headings)) is imports


@pytest.mark.parametrize("given", [["进口清单编号"], ["进境关别"], ["进口日期"], ["进口清单编号", "进境关别", "进口日期"]])
def test_an_export_of_imports_is_refused_by_name(given: list[str], runner: Runner) -> None:
    headings = {column: heading for column, heading in HEADINGS.items() if heading in given}
    neutral = {"exit_customs_code": "进出口地海关代码", "export_on": "进出口日期"}
    runner.write(csv_text([row(export_on="2026-10-14")], {**neutral, **headings}))
    for lang, why, what in (("en", "no summary declaration", "import procedure"), ("zh", "逐单征税", "进口流程")):
        for command in (("run", "export.csv", *PERIOD, "--out", "out"), ("check", "export.csv")):
            result = aggregator(*command, folder=runner.folder, lang=lang)
            assert result.returncode == 65
            for text in ("F119", why, what, *given, "export.csv"):
                assert text in result.stderr
    assert not (runner.folder / "out").exists() or not list((runner.folder / "out").glob("2026-10/*"))


def test_import_headings_are_told_before_missing_columns(runner: Runner) -> None:
    runner.write("进口清单编号,进口日期,商品编码,关税,增值税\n1,2026-10-01,6109100010,1,2\n")
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", folder=runner.folder)
    assert result.returncode == 65
    assert "F119" in result.stderr


@pytest.mark.parametrize(
    ("cells", "heading"),
    [({"direction_code": "I"}, "进出口标志"), ({"direction_code": "进口"}, "ieFlag"), ({"direction_code": "i"}, "进出口标记"), ({"inventory_no": IMPORT}, "inventory_no")],
)
def test_a_file_of_import_lines_is_refused(cells: dict[str, str], heading: str, runner: Runner) -> None:
    column = next(iter(cells))
    with pytest.raises(UnusableInput, match=r"\[F119\].*Rows 2, 3: ") as stopped:
        runner.run_rows(csv_text([row(**cells), row(**cells, item_no="2")], {column: heading}))
    assert "2, 3" in stopped.value.text.zh


def test_a_mixed_file_names_the_rows(runner: Runner) -> None:
    exports = [row(direction_code="E"), row(direction_code="", inventory_no="22442026E000000004", order_no="DD4", waybill_no="LP4")]
    imports = [row(direction_code="I", inventory_no="22442026E000000003", order_no="DD3", waybill_no="LP3"), row(direction_code="", inventory_no=IMPORT, **OTHER)]
    runner.write(csv_text([exports[0], imports[0], exports[1], imports[1]]))
    result = aggregator("run", "export.csv", *PERIOD, "--out", "out", "--json", folder=runner.folder)
    assert result.returncode == 3
    assert "rows 3, 5." in result.stderr
    made = json.loads(result.stdout)
    assert (made["counts"]["inventories_declared"], made["findings"]["R127"]) == (2, 2)
    found = [each for each in read_rows(Path(runner.folder / made["folder"]) / "findings.csv") if each["code"] == "R127"]
    assert [(each["source_row"], each["column"], each["value"]) for each in found] == [("3", "direction_code", "I"), ("5", "inventory_no", IMPORT)]
    checked = aggregator("check", "export.csv", folder=runner.folder, lang="zh")
    assert checked.returncode == 3
    assert 'export.csv:3 进出口标记(direction_code) "I" [R127 错误]' in checked.stdout


def test_a_column_of_imports_beside_those_of_exports_is_judged_by_its_values(runner: Runner) -> None:
    rows = [row(export_on="2026-10-14", import_on=""), row(export_on="", import_on="2026-10-14", inventory_no="22442026E000000003", **OTHER)]
    outcome = runner.run_rows(csv_text(rows, {"import_on": "进口日期", "export_on": "出口日期"}))
    assert (outcome.counts["inventories_declared"], outcome.counts["inventories_rejected"]) == (1, 1)
    assert [(each["source_row"], each["column"]) for each in runner.results(outcome, "findings")] == [("3", "import_on")]


def test_an_import_file_beside_exports_stops_the_run(runner: Runner) -> None:
    runner.write([row()], "a.csv")
    runner.write(csv_text([row(inventory_no=IMPORT)]), "b.csv")
    result = aggregator("run", "a.csv", "b.csv", *PERIOD, "--out", "out", folder=runner.folder)
    assert result.returncode == 65
    assert "b.csv" in result.stderr


def test_import_messages(runner: Runner) -> None:
    message = as_message(lines()).decode().replace("CEB603Message", "CEB621Message").encode()
    runner.write(message, "a.xml")
    result = aggregator("run", "a.xml", *PERIOD, "--out", "out", "--assume-cleared", folder=runner.folder)
    assert result.returncode == 65
    for text in ("F119", "CEB621Message", "no summary declaration"):
        assert text in result.stderr


def test_an_export_with_the_flag_is_read_as_ever(runner: Runner) -> None:
    outcome = runner.run_rows(csv_text([row(direction_code="E")], {"direction_code": "进出口标志"}))
    assert (outcome.counts["inventories_declared"], outcome.findings) == (1, {})
