"""Workbooks, receipts as messages, standard input, the tariff table: what the corpus of shapes does not reach."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

from aggregator.inputs.sources.room import Room
from aggregator.inputs.sources.unpack import sources_of
from aggregator.model.errors import UnusableInput, WrongConfiguration
from aggregator.outputs import xlsx as workbook
from aggregator.samples.shapes import lines
from aggregator.samples.shapes.formats import as_csv, as_gzip, as_message, as_receipts, as_workbook, as_zip, table_of
from aggregator.schemas.modes.m9610 import M9610
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, row
from tests.inputs.test_shapes import declared_lines, true_lines

OFFICIAL = Path(__file__).parents[3] / "shared" / "ceb" / "samples"
"""The official sample messages, where somebody has them beside the project."""
NUMBER, OTHER = "22442026E000000001", "22442026E000000002"


# --------------------------------------------------------------------------------------------------------------- workbooks


def test_sheets_are_named(runner: Runner) -> None:
    september = [{**line, "inventory_no": line["inventory_no"].replace("E0", "E9")} for line in lines()]
    path = runner.write(as_workbook({"9月": table_of(september), "10月": table_of(lines())}), "book.xlsx")
    with pytest.raises(UnusableInput, match=r"F110.*9月, 10月"):
        runner.run(path, sheets=("11月",))
    one = runner.run(path, sheets=("10月",), out=runner.folder / "one")
    both = runner.run(path, sheets=("10月", "9月"), out=runner.folder / "both")
    assert (one.counts["lines_declared"], both.counts["lines_declared"]) == (8, 16)
    manifest = json.loads((Path(both.folder) / "manifest.json").read_text(encoding="utf-8"))
    assert [(each["file"], each["sheet"]) for each in manifest["inputs"]] == [(str(path), "9月"), (str(path), "10月")]


def test_two_sheets_of_receipts_are_not_one_of_them(runner: Runner) -> None:
    """Nor are two of inventories that customs has not given numbers yet."""
    sheet = [["清单编号", "回执状态", "回执时间"], [NUMBER, "899", "20261015080000000"]]
    receipts = runner.write(as_workbook({"上": sheet, "下": sheet}), "receipts.xlsx")
    with pytest.raises(UnusableInput, match=r"F111.*上, 下"):
        runner.run_rows([_bare()], receipts=(receipts,))
    unnumbered = table_of([{column: cell for column, cell in line.items() if column != "inventory_no"} for line in lines()])
    with pytest.raises(UnusableInput, match=r"F111.*上, 下"):
        runner.run(runner.write(as_workbook({"上": unnumbered, "下": unnumbered}), "lists.xlsx"))


def test_hidden_sheet_is_read_when_it_is_named(runner: Runner) -> None:
    path = runner.write(as_workbook({"说明": [["无"]], "清单": table_of(lines())}, hidden=["清单"]), "book.xlsx")
    with pytest.raises(UnusableInput, match="hidden sheet 清单"):
        runner.run(path)
    assert runner.run(path, sheets=("清单",)).counts["lines_declared"] == 8


def test_rejected_lines_of_a_workbook_come_as_one_to_be_corrected(runner: Runner) -> None:
    faulty = [{**line, "goods_spec": "=1+1"} for line in lines()]
    faulty[4]["total_price"] = "1,0"
    first = runner.run(runner.write(as_workbook({"清单": table_of(faulty)}), "book.xlsx"))
    rejected = Path(first.folder) / "rejected" / "book.xlsx"
    assert rejected.with_suffix(".csv").exists()
    head, cells = CalamineWorkbook.from_path(rejected).get_sheet_by_index(0).to_python()
    assert head[-1] == "reject_codes"
    assert all(isinstance(cell, str) for cell in cells)
    assert cells[head.index("goods_spec")] == "=1+1", "no apostrophe, no formula"
    cells[head.index("total_price")] = lines()[4]["total_price"]
    again = runner.run(runner.write(as_workbook({"Sheet1": [head, cells]}), "corrected.xlsx"))
    assert (again.counts["inventories_declared"], again.findings) == (1, {})


def test_a_spoiled_number_stays_spoiled_in_the_rejected_lines(runner: Runner) -> None:
    """A long number that lost its digits must not come back as a sound one by being written out and read again."""
    table = table_of(lines())
    table[5][0] = 224420260000000012.0  # type: ignore[call-overload]
    first = runner.run(runner.write(as_workbook({"清单": table}), "book.xlsx"))
    assert first.findings == {"R121": 1}
    again = runner.run(Path(first.folder) / "rejected" / "book.xlsx")
    assert again.findings == {"R121": 1}
    assert again.counts["inventories_declared"] == 0


@pytest.mark.parametrize(("rows", "sheets"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_rows_beyond_a_sheet_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, sheets: list[int]) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 4)
    schema = pa.schema([("a", pa.string())])
    workbook.write_workbook(tmp_path / "a.xlsx", schema, [pa.table({"a": [str(n) for n in range(rows)]}, schema=schema)])
    book = CalamineWorkbook.from_path(tmp_path / "a.xlsx")
    found = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [len(sheet) - 1 for sheet in found] == sheets
    assert all(sheet[0] == ["a"] for sheet in found)
    assert [cell for sheet in found for [cell] in sheet[1:]] == [str(n) for n in range(rows)]


# ---------------------------------------------------------------------------------------------------------------- receipts


def _bare(**cells: str) -> dict[str, str]:
    return {column: cell for column, cell in row(**cells).items() if column not in ("status_code", "cleared_at")}


def _fate(runner: Runner, *receipts: bytes, name: str) -> dict[str, int]:
    paths = [runner.write(data, f"{name}-{place}.xml") for place, data in enumerate(receipts)]
    outcome = runner.run(runner.write([_bare()], "list.csv"), receipts=tuple(paths), out=runner.folder / name, first_period=None)
    return outcome.excluded or {"declared": outcome.counts["inventories_declared"]}


@pytest.mark.parametrize("order", [1, -1])
def test_the_receipt_of_the_latest_customs_time_counts(runner: Runner, order: int) -> None:
    stated = [(NUMBER, "120", "20261001080000000"), (NUMBER, "800", "20261014080000000"), (NUMBER, "899", "20261015080000000")][::order]
    assert _fate(runner, as_receipts(stated), name=f"one-file-{order}") == {"declared": 1}
    assert _fate(runner, *[as_receipts([each]) for each in stated], name=f"many-files-{order}") == {"declared": 1}
    assert _fate(runner, as_receipts(stated), as_receipts(stated), name=f"repeated-{order}") == {"declared": 1}
    later = [*stated, (NUMBER, "899", "20261102080000000")]
    assert _fate(runner, as_receipts(later), name=f"later-{order}") == {"later_period": 1}


def test_cancellations(runner: Runner) -> None:
    cleared = as_receipts([(NUMBER, "899", "20261015080000000")])
    accepted, refused = (as_receipts([(NUMBER, status, "20261016080000000")], "CEB606") for status in ("399", "100"))
    assert _fate(runner, cleared, accepted, name="accepted") == {"cancelled": 1}
    assert _fate(runner, cleared, refused, name="refused") == {"declared": 1}
    sent_back = as_receipts([(NUMBER, "100", "20261017080000000")])
    assert _fate(runner, cleared, sent_back, name="sent-back") == {"cancelled": 1}


def test_receipts_as_table_as_message_and_packed_say_the_same(runner: Runner) -> None:
    stated = [(NUMBER, "899", "20261015080000000"), (OTHER, "800", "20261015080000000")]
    table = as_csv([["message", "inventory_no", "status_code", "cleared_at"], *(["CEB604", *each] for each in stated)])
    workbook = as_workbook({"回执": [["清单编号", "回执状态", "回执时间"], *map(list, stated)]})
    exports = [_bare(), _bare(inventory_no=OTHER, order_no="D2", waybill_no="L2")]
    made = set()
    for name, data in {
        "a.csv": table, "b.xml": as_receipts(stated), "c.zip": as_zip({"1.xml": as_receipts(stated[:1]), "2.xml": as_receipts(stated[1:])}),
        "d.xml.gz": as_gzip(as_receipts(stated)), "e.xlsx": workbook,
    }.items():  # fmt: skip
        outcome = runner.run(runner.write(exports, "list.csv"), receipts=(runner.write(data, name),), out=runner.folder / f"out-{name}")
        assert (outcome.counts["inventories_declared"], outcome.excluded) == (1, {"not_cleared": 1}), name
        made.add((Path(outcome.folder) / "declaration_items.csv").read_bytes())
    assert len(made) == 1


def test_early_receipts_without_a_number_say_nothing_and_cleared_ones_stop_the_run(runner: Runner) -> None:
    early = as_receipts([("", "2", "20261001080000000"), ("", "-621001", "20261001080000000"), (NUMBER, "899", "20261015080000000")])
    assert _fate(runner, early, name="early") == {"declared": 1}
    with pytest.raises(UnusableInput, match=r"line 3: invtNo"):
        _fate(runner, as_receipts([("", "899", "20261015080000000")]), name="cleared")
    with pytest.raises(UnusableInput, match="returnTime '20261399"):
        _fate(runner, as_receipts([(NUMBER, "899", "20261399")]), name="no-time")
    with pytest.raises(UnusableInput, match="F113"):
        _fate(runner, as_message([row()]), name="no-receipts")


def test_lists_without_a_number_get_it_from_the_receipt_for_what_was_sent(runner: Runner) -> None:
    sent = [row(inventory_no="", internal_no="QD1", order_no="D1"), row(inventory_no="", internal_no="QD2", order_no="D2", waybill_no="L2")]
    message = as_message([{**sent[0], "inventory_no": ""}]) + b""
    stated = as_receipts([(NUMBER, "899", "20261015080000000"), (OTHER, "899", "20261015080000000")]).decode()
    stated = stated.replace("<ceb:copNo>QD000001</ceb:copNo>", f"<ceb:copNo>QD1</ceb:copNo><ceb:ebcCode>{row()['consignor_code']}</ceb:ebcCode>", 1)
    stated = stated.replace("<ceb:copNo>QD000001</ceb:copNo>", f"<ceb:copNo>QD2</ceb:copNo><ceb:ebcCode>{row()['consignor_code']}</ceb:ebcCode>", 1)
    receipts = runner.write(stated.encode(), "receipts.xml")
    outcome = runner.run(runner.write(message, "sent.xml"), receipts=(receipts,))
    assert (outcome.counts["inventories_declared"], outcome.repairs["numbers_from_receipts"]) == (1, 1)
    table = [{column: cell for column, cell in line.items() if column not in ("inventory_no", "status_code", "cleared_at")} for line in sent]
    both = runner.run(runner.write(table, "sent.csv"), receipts=(receipts,))
    assert (both.counts["inventories_declared"], both.excluded) == (1, {"known": 1})
    twice = stated.replace("QD2", "QD1")
    torn = runner.run(runner.write(message, "sent.xml"), receipts=(runner.write(twice.encode(), "twice.xml"),), out=runner.folder / "b")
    assert torn.excluded == {"not_cleared": 1}, "two numbers for one key: neither is taken"


# ------------------------------------------------------------------------------------------------------------ other inputs


def test_standard_input(runner: Runner) -> None:
    data = as_gzip(as_csv(table_of(lines())))
    result = aggregator("run", "-", "--period", "2026-10", "--out", "out", "--json", folder=runner.folder, stdin=data)
    assert result.returncode == 0, result.stderr
    folder = runner.folder / json.loads(result.stdout)["folder"]
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["inputs"][0]["file"] == "-"


def test_an_opendocument_table_is_called_what_it_is(runner: Runner) -> None:
    """Not an archive, whose parts would be read one by one."""
    parts = {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "META-INF/manifest.xml": b"<a/>", "content.xml": b"<a/>"}
    (runner.folder / "export.ods").write_bytes(as_zip(parts))
    result = aggregator("check", "export.ods", folder=runner.folder)
    assert result.returncode == 65
    assert "[F108]" in result.stderr
    assert "save it as .xlsx or CSV" in result.stderr


def test_names_in_archives_never_become_paths(runner: Runner) -> None:
    """Rejected lines are named after their input; a member of an archive may be called anything."""
    faulty = as_csv(table_of([{**line, "total_price": "x"} for line in lines()]))
    data = as_zip({f"清单/{'长' * 80}.csv": faulty, "a\n\x07b.csv": faulty, "清单/-.csv": faulty})
    outcome = runner.run(runner.write(data, "a.zip"))
    names = sorted(path.name for path in (Path(outcome.folder) / "rejected").iterdir())
    assert len(names) == 6, "a CSV file and a workbook of each"
    assert all(name.isprintable() and name[0] != "-" and len(name.encode()) < 255 for name in names), names


def test_nothing_is_unpacked_under_a_name_of_its_own(runner: Runner) -> None:
    room = Room()
    try:
        path = runner.write(as_zip({"folder/october.csv": as_csv(table_of(lines()))}), "a.zip")
        [source] = sources_of([path], room)
        assert source.name.endswith("a.zip/folder/october.csv")
        assert source.path.is_file()
        assert not {"folder", "october.csv"} & set(source.path.parts)
    finally:
        room.close()


@pytest.mark.parametrize("suffix", ["xlsx", "zip", "csv.gz"])
def test_where_a_format_has_checksums_nothing_altered_gets_through(suffix: str, runner: Runner) -> None:
    whole = {
        "xlsx": as_workbook({"清单": table_of(lines())}), "zip": as_zip({"a.csv": as_csv(table_of(lines()))}),
        "csv.gz": as_gzip(as_csv(table_of(lines()))),
    }[suffix]  # fmt: skip
    chance = random.Random(7)
    for trial in range(12):
        data = bytearray(whole)
        if trial % 3 == 0:
            data = data[: chance.randrange(1, len(data))]
        else:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        runner.out = runner.folder / f"out-{trial}"
        try:
            outcome = runner.run(runner.write(bytes(data), f"export.{suffix}"))
        except UnusableInput:
            continue
        if outcome.published:
            names, declared = declared_lines(Path(outcome.folder))
            assert set(declared) <= set(true_lines(lines(), names))


# ------------------------------------------------------------------------------------------------------------------ tariff


TARIFF = [
    ["商品编码", "法定第一单位", "法定第二单位", "生效日期", "失效日期"],
    ["6109100010", "件", "千克", "2026-01-01", "2026-10-15"],
    ["6109100010", "035", "无", "2026-10-16", ""],
]


@pytest.mark.parametrize("write", [as_csv, lambda table: as_workbook({"税则": table})], ids=["csv", "xlsx"])
def test_tariff_of_the_day_of_clearance(runner: Runner, write: Callable[[list[list[str]]], bytes]) -> None:
    tariff = runner.write(write(TARIFF), "tariff.table")
    rows = [
        row(),
        row(inventory_no=OTHER, order_no="D2", waybill_no="L2", cleared_at="2026-10-16 00:00:00"),
        row(inventory_no="22442026E000000003", order_no="D3", waybill_no="L3", commodity_code="6109100021"),
    ]
    outcome = runner.run_rows(rows, tariff=tariff)
    assert outcome.findings == {"B207": 1, "B208": 1}
    assert (outcome.not_run, outcome.counts["inventories_declared"]) == ((), 3)
    values = {found["code"]: found["value"] for found in runner.results(outcome, "findings")}
    assert values == {"B207": "6109100021", "B208": "6109100010: 011/035 → 035/"}
    raised = runner.run_rows(rows, tariff=tariff, severity=(("B207", "error"), ("B208", "error")), out=runner.folder / "b")
    assert (raised.counts["inventories_declared"], raised.counts["inventories_rejected"]) == (1, 2)
    manifest = json.loads((Path(raised.folder) / "manifest.json").read_text(encoding="utf-8"))
    assert [each["file"] for each in manifest["tariff"]] == [str(tariff)]


def test_without_a_tariff_the_report_says_what_was_not_checked(runner: Runner) -> None:
    outcome = runner.run_rows([row()])
    page = (Path(outcome.folder) / "report.html").read_text(encoding="utf-8")
    assert outcome.not_run == ("B207", "B208")
    assert "B207, B208" in page


@pytest.mark.parametrize(
    ("table", "says"),
    [([["商品编码"], ["6109100010"]], "lacks statutory_unit_code"), ([TARIFF[0], ["610910001", "011", "", "", ""]], "row 2: '610910001'"),
     ([TARIFF[0], ["6109100010", "011", "", "31.12.2026", ""]], "row 2: '31.12.2026'")],
)  # fmt: skip
def test_unreadable_tariff_is_a_wrong_configuration(runner: Runner, table: list[list[str]], says: str) -> None:
    with pytest.raises(WrongConfiguration, match=says):
        runner.run_rows([row()], tariff=runner.write(as_csv(table), "tariff.csv"))


# ---------------------------------------------------------------------------------------------------------------- official


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the official samples are not beside the project")
@pytest.mark.parametrize("edition", ["official-2018-113", "official-202205"])
def test_official_samples(edition: str, runner: Runner) -> None:
    folder = OFFICIAL / edition
    outcome = runner.run(folder, receipts=(folder,))
    assert outcome.excluded["not_cleared"]
    assert {code for code in outcome.findings if M9610.rules.by_code[code].severity == "error"} == set()
    checked = aggregator("check", str(folder / "CEB603Message.xml"), "--json", folder=runner.folder)
    found = json.loads(checked.stdout)["findings"]
    wanted = {"R101": 10, "R109": 10, "R115": 10, "R120": 10, "F403": 10}
    assert {code: found[code] for code in wanted} == wanted
    assert found.get("F401", 0) == (1 if edition == "official-202205" else 0), "a second BaseTransfer"
