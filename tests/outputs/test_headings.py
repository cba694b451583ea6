"""Chinese headings of files for people, where they are asked for; programs find what they always found."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from aggregator.jobs.diff import diff
from aggregator.jobs.receive import receive
from aggregator.jobs.reconciliation import _heads
from aggregator.schemas.column_names import column_name, own_names
from aggregator.schemas.modes import MODES, mode_of
from aggregator.schemas.modes.m9610 import M9610
from aggregator.web.runs import findings
from tests import customs
from tests.cli.test_cli import aggregator
from tests.conftest import NOW, Runner, parameters, read_rows, row
from tests.jobs.test_receive import Office, exported

LINES = [row(), row(inventory_no="22442026E000000002", order_no="DD2", waybill_no="LP2", goods_name=""),
         row(inventory_no="22442026E000000003", order_no="DD3", waybill_no="LP3", status_code="2")]  # fmt: skip


def head(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


@pytest.mark.parametrize("code", MODES)
def test_chinese_headings_lead_back_to_ours(code: str) -> None:
    mode = mode_of(code)
    for name in mode.outputs.tables:
        names = mode.outputs[name].names
        chinese = [column_name(each, mode.dictionary, "zh") for each in names]
        assert len(set(chinese)) == len(names), name
        assert own_names(chinese, names, mode.dictionary) == names
        assert own_names(names, names, mode.dictionary) == names


def both(runner: Runner, **changes: Any) -> tuple[Path, Path]:
    """A run under our names, and one under Chinese headings."""
    own, zh = (Path(runner.run_rows(LINES, out=runner.folder / name, headings=headings, **changes).folder) for name, headings in (("a", None), ("b", "zh")))
    return own, zh


def test_files_for_people_have_chinese_headings_where_asked(runner: Runner) -> None:
    own, zh = both(runner, formats=("xlsx", "parquet"), lang="en")
    names = {path.relative_to(own) for path in own.rglob("*") if path.suffix in (".csv", ".xlsx", ".parquet")}
    assert names == {path.relative_to(zh) for path in zh.rglob("*") if path.suffix in (".csv", ".xlsx", ".parquet")}
    for name in names:
        if name.suffix == ".parquet":
            assert pq.read_table(own / name).equals(pq.read_table(zh / name)), name
        elif name.suffix == ".csv":
            assert (own / name).read_bytes().split(b"\n")[1:] == (zh / name).read_bytes().split(b"\n")[1:]
            assert all(heading.isascii() for heading in head(own / name))
            told = head(zh / name)[-1:] if name.parent.name == "rejected" else head(zh / name)
            assert not [heading for heading in told if heading.isascii()], name
        else:
            cells = [[cell.value for cell in next(sheet.iter_rows(max_row=1))] for sheet in openpyxl.load_workbook(zh / name)]
            told = cells[0][-2:] if name.parent.name == "rejected" else [each for row in cells for each in row]
            assert not [heading for heading in told if heading.isascii()], name
    assert [json.loads((folder / "manifest.json").read_bytes())["parameters"].get("headings") for folder in (own, zh)] == [None, "zh"]


def test_our_names_in_workbooks_of_a_chinese_run(runner: Runner) -> None:
    folder = Path(runner.run_rows(LINES, formats=("xlsx",), headings="own", lang="zh").folder)
    book = openpyxl.load_workbook(folder / "202610-01.xlsx")
    assert book["Items"]["A1"].value == "declaration_ref"
    assert [cell.value for cell in openpyxl.load_workbook(folder / "rejected/export.xlsx").active[1]][-2:] == ["reject_reasons", "reject_codes"]


def test_who_reads_a_run_folder_finds_what_it_holds(runner: Runner) -> None:
    own, zh = both(runner)
    assert diff(own, zh, 5).same
    assert findings(own / "findings.csv", M9610, {}, "en") == findings(zh / "findings.csv", M9610, {}, "en") != []
    assert _heads(own / "declarations.csv", M9610) == _heads(zh / "declarations.csv", M9610) != {}


def test_rejected_lines_under_chinese_headings_are_read_again(runner: Runner) -> None:
    folder = Path(runner.run_rows(LINES, headings="zh").folder)
    for path in (folder / "rejected/export.csv", folder / "rejected/export.xlsx"):
        again = runner.run(path)
        assert (again.counts["inventories_rejected"], again.published) == (1, False)


def test_what_receive_writes(in_new_folder: Callable[[str], Runner]) -> None:
    """Customs' answers compared with a run under either headings, and written under the same."""
    written = {}
    for name in ("own", "zh"):
        office = Office(in_new_folder(name), exported(3), headings=name)
        [(cop_no, _)] = office.customs.asked.items()
        paths = [office.runner.write(message, f"{place}.xml") for place, made in enumerate(office.customs.merge(cop_no)) for message in customs.results(customs.with_other_code(made, 0), "20261105120000000")]
        [run] = receive(parameters(*paths, out=office.runner.out, headings=name).for_receive(), NOW).runs
        assert run.differences
        written[name] = Path(str(run.folder))
    assert head(written["own"] / "reconciliation.csv") == ["kind", "subject", "item_no", "ours", "customs"]
    assert head(written["zh"] / "reconciliation.csv") == ["差异类型", "对象", "商品序号", "我方", "海关"]
    for file in ("reconciliation.csv", "customs_items.csv"):
        assert all(heading.isascii() for heading in head(written["own"] / file))
        assert not [heading for heading in head(written["zh"] / file) if heading.isascii()], file
        own, zh = ((written[name] / file).read_bytes().split(b"\n")[1:] for name in ("own", "zh"))
        assert own == zh != [b""], file


def test_the_config_and_the_commands(runner: Runner) -> None:
    runner.write(LINES)
    runner.write('[run]\nheadings = "zh"\n', "aggregator.toml")
    assert aggregator("check", "export.csv", "--findings", "a.csv", folder=runner.folder).returncode == 3
    assert head(runner.folder / "a.csv")[:3] == ["规则代码", "级别", "范围"]
    assert aggregator("check", "export.csv", "--findings", "b.csv", "--headings", "own", folder=runner.folder).returncode == 3
    assert list(read_rows(runner.folder / "b.csv")[0])[:3] == ["code", "severity", "scope"]
    shown = aggregator("modes", "export.csv", "--format", "csv", folder=runner.folder).stdout
    assert shown.splitlines()[0] == "清单、订单或交易单,监管方式,是否适用,原因代码,缺少的信息"
    runner.write('[run]\nheadings = "de"\n', "aggregator.toml")
    assert aggregator("check", "export.csv", folder=runner.folder).returncode == 78
