"""What the CSV reader makes of real-looking and of broken files: nothing shifted, repaired or dropped in silence."""

from __future__ import annotations

import itertools
import json
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aggregator.inputs.formats import csv as csv_reader
from aggregator.inputs.formats.csv import read_chunk
from aggregator.inputs.formats.records import Quoting, stand_together
from aggregator.inputs.sources.files import meant
from aggregator.model.errors import NoInput, UnusableInput
from aggregator.schemas.modes.m9610 import M9610
from tests.cli.test_cli import aggregator
from tests.conftest import Runner, csv_text, opened, row

# Headings of two sets seen in real exports: A (one sheet of the Single Window's wording) and C (head and list in one table).
SET_A = ["序号", "企业内部编号", "物流运单号", "电商订单/海外仓订仓单编号", "清单编号", "发货人代码", "生产企业代码", "生产销售企业名称", "毛重（公斤）", "净重（公斤）", "运抵国（地区）", "指运港代码", "件数", "运费", "保费", "包装种类", "备注", "商品序号", "企业商品货号", "企业商品品名", "商品编码", "商品名称", "商品规格型号", "条码", "目的国（地区）", "数量", "计量单位", "法定数量", "法定计量单位", "第二数量", "第二计量单位", "单价", "总价", "币制"]
SET_C = ["订单编号", "电商平台代码", "电商平台名称", "收发货人代码", "收发货人名称", "生产销售单位代码", "生产销售单位名称", "物流企业代码", "物流企业名称", "物流运单编号", "账册编号", "预录入编号", "清单编号", "进出口标记", "申报日期", "申报海关代码", "出口口岸代码", "出口日期", "报关企业代码", "报关企业名称", "区内企业代码", "区内企业名称", "贸易方式", "运输方式", "运输工具编号", "航班航次号", "提（运）单号", "监管场所代码", "总包号", "许可证号", "指运港代码", "运抵国（地区）", "运费", "运费币制", "运费标志", "保费", "保费币制", "保费标志", "包装种类代码", "件数", "毛重（公斤）", "净重（公斤）", "备注", "商品项号", "企业商品编号", "账册备案料号", "海关商品编码", "商品名称", "规格型号", "条形码", "最终目的国（地区）代码", "币制", "申报数量", "法定数量", "第二数量", "申报计量单位", "法定计量单位", "第二计量单位", "单价", "总价"]
SET_B = ["客户代码", "电商平台名称", "电商平台海关编码", "电商企业名称", "电商企业海关编码", "生产销售企业名称", "生产销售企业代码", "进出口日期", "进出口标志", "申报地海关代码", "进出口地海关代码", "运输方式", "包装种类", "申报业务类型(A/B)", "订单编号", "企业商品货号", "数量单位", "大包号", "运单号", "目的国", "订单毛重", "商品名称", "海关编码", "数量", "申报单价", "商品币制", "净重（单个商品净重kg）", "提运单号", "航班班次号", "运费", "运费币制", "申报要素"]

VALUES_A = {
    "清单编号": "22442026E000000001", "发货人代码": "91440300MA5F0A1B2N", "生产企业代码": "NO", "生产销售企业名称": "义乌市晨光日用品厂",
    "毛重（公斤）": "1.5", "净重（公斤）": "1.2", "运抵国（地区）": "美国", "件数": "1", "商品序号": "1", "商品编码": "6109100010",
    "商品名称": "棉制T恤衫", "企业商品品名": "夏季棉T恤", "目的国（地区）": "美国", "数量": "2", "计量单位": "件", "法定数量": "2",
    "法定计量单位": "件", "第二数量": "1.2", "第二计量单位": "千克", "单价": "5", "总价": "10", "币制": "美元", "备注": "-",
}  # fmt: skip
CONSTANTS_A = (
    ("consignor_name", "深圳星河跨境电子商务有限公司"), ("trade_mode_code", "9610"), ("transport_mode_code", "航空运输"),
    ("declaring_customs_code", "2244"), ("exit_customs_code", "2248"), ("declaration_mode_code", "B"),
)  # fmt: skip


def test_set_a_with_constants(runner: Runner) -> None:
    cells = [VALUES_A.get(heading, "") for heading in SET_A]
    text = ",".join(SET_A) + "\n" + ",".join(cells) + "\n"
    outcome = runner.run(
        runner.write(text.encode("gb18030")), constants=CONSTANTS_A, assume_cleared=True
    )
    assert outcome.exit_code == 0, outcome.findings
    assert outcome.findings == {}
    [made] = runner.results(outcome, "declarations")
    assert (made["transport_mode_code"], made["arrival_country_code"]) == ("5", "502")
    [item] = runner.results(outcome, "declaration_items")
    assert (item["declared_unit_code"], item["second_statutory_unit_code"], item["currency_code"]) == ("011", "035", "502")


def test_set_a_without_constants_names_what_is_missing(runner: Runner) -> None:
    with pytest.raises(UnusableInput) as stopped:
        runner.run_rows(",".join(SET_A) + "\n", assume_cleared=True)
    message = stopped.value.text.en
    for column in ("declaring_customs_code", "consignor_name", "trade_mode_code", "transport_mode_code"):
        assert column in message
        assert M9610.dictionary.by_column[column].headings[0] in message
    assert "毛重（公斤）" in message, "the headings found are listed"
    assert "[constants]" in message


def test_set_c(runner: Runner) -> None:
    by_column = row(producer_seller_name="义乌市晨光日用品厂")
    known = {heading: column for column, field in M9610.dictionary.by_column.items() for heading in field.headings}
    cells = [by_column.get(known.get(heading.replace("（", "(").replace("）", ")"), ""), "") for heading in SET_C]
    text = ",".join(SET_C) + "\n" + ",".join(cells) + "\n"
    outcome = runner.run(runner.write(text), constants=(("declaration_mode_code", "B"),), assume_cleared=True)
    assert outcome.findings == {}
    assert outcome.counts["inventories_declared"] == 1


def test_weight_of_one_piece_is_never_the_net_weight(runner: Runner) -> None:
    file = opened(runner.write(",".join(SET_B) + "\n"))
    assert "net_weight_kg" not in file.columns
    assert file.matched.places["gross_weight_kg"] == SET_B.index("订单毛重")
    assert file.matched.unknown == ()


def test_every_set_is_matched_without_unknown_headings(runner: Runner) -> None:
    for headings in (SET_A, SET_B, SET_C):
        assert opened(runner.write(",".join(headings) + "\n")).matched.unknown == ()
    assert not set(M9610.dictionary.unused_headings) & set(M9610.dictionary.by_column)


def test_required_columns_of_the_contract() -> None:
    assert len(M9610.dictionary.required) == 25
    assert {"inventory_no", "item_no", "unit_price", "total_price", "package_count"} <= set(M9610.dictionary.required)


def test_official_element_names_and_mapping(runner: Runner) -> None:
    names = {column: M9610.dictionary.by_column[column].element for column in row()}
    outcome = runner.run(runner.write(csv_text([row()], names)))
    assert outcome.counts["inventories_declared"] == 1
    mapped = csv_text([row(inventory_no="22442026E000000002")], {"inventory_no": "单据号", "goods_name": "品名"})
    again = runner.run(runner.write(mapped), columns=(("inventory_no", "单据号"), ("goods_name", " 品名 ")))
    assert again.counts["inventories_declared"] == 1


def test_mapping_wins_over_a_heading_that_would_match(runner: Runner) -> None:
    rows = [{**row(waybill_no="WRONG"), "真运单号": "RIGHT"}]
    outcome = runner.run(runner.write(csv_text(rows)), columns=(("waybill_no", "真运单号"),))
    assert "F103" not in outcome.findings
    audit = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert audit[0]["waybill_no"] == "RIGHT"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_line_ends_and_delimiters(runner: Runner, encoding: str, line_end: str, delimiter: str) -> None:
    text = csv_text([row(), row(item_no="2")], lineterminator=line_end, delimiter=delimiter)
    outcome = runner.run_rows(text.encode(encoding))
    assert (outcome.findings, outcome.counts["lines_declared"]) == ({}, 2)
    assert runner.results(outcome, "declaration_items")[0]["goods_name"] == "夏季棉T恤"


def test_undecodable_byte_is_named_with_offset_and_line(runner: Runner) -> None:
    data = csv_text([row(), row(item_no="2")]).encode()
    offset = data.index("棉制T恤衫".encode(), data.index(b"\n22442026E000000001,2")) + 1
    broken = data[:offset] + b"\xff" + data[offset + 1 :]
    with pytest.raises(UnusableInput) as stopped:
        runner.run_rows(broken)
    assert "[F104]" in stopped.value.text.en
    assert f"offset {offset - 1}" in stopped.value.text.en or f"offset {offset}" in stopped.value.text.en
    assert "line 3" in stopped.value.text.en


def test_missing_file_and_damaged_archive(runner: Runner) -> None:
    with pytest.raises(NoInput):
        runner.run(runner.folder / "absent.csv")
    with pytest.raises(UnusableInput, match="F108"):
        runner.run_rows(b"PK\x03\x04" + b"\0" * 100)


def test_quoted_cells_with_line_ends_commas_and_quotes(runner: Runner) -> None:
    spec = '棉制,"无牌"\n第二行'
    outcome = runner.run_rows([row(goods_spec=spec), row(item_no="2", goods_spec=spec)], chunk_bytes=300)
    assert outcome.findings == {}
    assert runner.results(outcome, "declaration_items")[0]["goods_spec"] == spec
    audit = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert [line["source_row"] for line in audit] == [2, 3], "rows as a spreadsheet counts them"


def test_row_numbers_count_blank_lines(runner: Runner) -> None:
    lines = csv_text([row(), row(item_no="x")]).splitlines()
    text = "\n".join([lines[0], "", lines[1], ",,,", "", lines[2]]) + "\n"
    text = text.replace(",,,\n", "," * (len(row()) - 1) + "\n")
    outcome = runner.run_rows(text)
    [finding] = runner.results(outcome, "findings")
    assert (finding["code"], finding["source_row"]) == ("R104", "6")
    assert outcome.counts["rows_blank"] == 3
    assert outcome.counts["lines_read"] == 2


@pytest.mark.parametrize("chunk_bytes", [200, 1 << 20])
def test_record_of_another_width_rejects_the_inventory_seen_in_it(runner: Runner, chunk_bytes: int) -> None:
    text = csv_text([row(), row(item_no="2"), row(inventory_no="22442026E000000002", order_no="D2", waybill_no="L2")])
    text = text.replace(",夏季棉T恤,", ",夏季,棉T恤,", 1)
    outcome = runner.run_rows(text, chunk_bytes=chunk_bytes)
    assert outcome.findings == {"F201": 1}
    assert outcome.counts["inventories_rejected"] == 1
    assert outcome.counts["inventories_declared"] == 1
    [finding] = runner.results(outcome, "findings")
    assert (finding["inventory_no"], finding["source_row"]) == ("22442026E000000001", "2")


def test_record_shifted_before_its_number_still_rejects_its_inventory(runner: Runner) -> None:
    lines = csv_text([row(), row(item_no="2")]).splitlines()
    shifted = "," + lines[2]
    outcome = runner.run_rows("\n".join([lines[0], lines[1], shifted]) + "\n")
    assert outcome.counts["inventories_declared"] == 0
    assert outcome.counts["inventories_rejected"] == 1


def test_unclosed_quote_rejects_its_line_and_no_other(runner: Runner) -> None:
    rows = [row(inventory_no=f"22442026E{n:09d}", order_no=f"D{n}", waybill_no=f"L{n}") for n in range(1, 6)]
    text = csv_text(rows).replace("D3,", '"D3,')
    outcome = runner.run_rows(text)
    assert outcome.findings == {"F202": 1}
    assert outcome.counts["inventories_declared"] == 4
    assert runner.results(outcome, "findings")[0]["source_row"] == "4"


def test_stray_quote_is_never_eaten(runner: Runner) -> None:
    for number, odd in enumerate(('5" screen', '"abc"def', 'a"b"')):
        text = csv_text([row(inventory_no=f"22442026E{number:09d}")]).replace("棉制|无牌", odd)
        outcome = runner.run(runner.write(text, f"{number}.csv"))
        assert outcome.findings == {"F202": 1}


def test_scientific_looking_number_comes_through_unchanged(runner: Runner) -> None:
    outcome = runner.run_rows([row(inventory_no="53142026E000000001")])
    assert outcome.counts["inventories_declared"] == 1
    audit = pq.read_table(Path(outcome.folder) / "audit_map.parquet").to_pylist()
    assert audit[0]["inventory_no"] == "53142026E000000001"


def test_full_width_digits_and_white_space_are_canonical_and_names_are_not_touched(runner: Runner) -> None:
    outcome = runner.run_rows(
        [row(inventory_no="　22442026e000000001 ", commodity_code="６１０９１０００１０", total_price=" １０.００ ",
             enterprise_goods_name="Ｔ恤ａ")]
    )  # fmt: skip
    assert outcome.findings == {}
    [item] = runner.results(outcome, "declaration_items")
    assert (item["commodity_code"], item["goods_name"], item["total_price"]) == ("6109100010", "Ｔ恤ａ", "10.00000")


def test_formula_cells_are_guarded_and_the_guard_comes_off_again(runner: Runner) -> None:
    outcome = runner.run_rows([row(enterprise_goods_name="=1+1", goods_spec="'@x", total_price="x")])
    rejected = Path(outcome.folder) / "rejected" / "export.csv"
    text = rejected.read_text(encoding="utf-8-sig")
    assert '"\'=1+1"' in text
    assert "\"''@x\"" in text
    corrected = runner.write(text.replace('"x"', '"10.00"'), "corrected.csv")
    again = runner.run(corrected)
    assert again.counts["inventories_declared"] == 1
    [item] = runner.results(again, "declaration_items")
    assert (item["goods_name"], item["goods_spec"]) == ("'=1+1", "''@x"), "guarded in our CSV"
    audit_spec = read_chunk(opened(corrected), opened(corrected).blocks[0])
    assert audit_spec.lines["goods_spec"].to_pylist() == ["''@x"]


def test_records_of_another_width_are_cut_once(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: cutting the chunk anew for each would take hours on a large file."""
    rows = csv_text([row(item_no=str(n)) for n in range(1, 101)]).replace(",夏季棉T恤,", ",夏季,棉T恤,")
    file = opened(runner.write(rows))
    cuts = []
    cut = csv_reader.cut_records
    monkeypatch.setattr(csv_reader, "cut_records", lambda *given: cuts.append(1) or cut(*given))
    assert len(read_chunk(file, file.blocks[0]).wrong) == 100
    assert len(cuts) == 1


def test_rejected_file_of_odd_records_is_found_again(runner: Runner) -> None:
    """A record of another width, or with a broken quote, must not become a sound row by being written out."""
    text = csv_text([row(), row(item_no="2"), row(item_no="3")])
    text = text.replace(",夏季棉T恤,", ",夏季,棉T恤,", 1).replace(",3,", ',3"x,', 1)
    first = runner.run_rows(text)
    rejected = Path(first.folder) / "rejected" / "export.csv"
    again = runner.run(rejected)
    assert again.counts["inventories_declared"] == 0
    assert again.counts["lines_read"] == first.counts["lines_read"] == 3
    assert again.findings["F201"] == 2


def test_quoting_is_found_out(runner: Runner) -> None:
    for text, quoting in (
        (csv_text([row()]), Quoting.NONE),
        (csv_text([row(goods_spec="a,b")]), Quoting.SOUND),
        (csv_text([row()]).replace("棉制|无牌", 'a"b'), Quoting.BROKEN),
    ):
        assert opened(runner.write(text)).dialect.quoting is quoting


# ------------------------------------------------------------------------------------------------- which files are meant


def test_folder_pattern_and_list_mean_their_files(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runner.folder)
    (runner.folder / "exports/more").mkdir(parents=True)
    for number, name in enumerate(["exports/b.csv", "exports/a.CSV", "exports/.hidden.csv", "exports/notes.pdf", "exports/more/c.csv", "d.dat"], 1):
        (runner.folder / name).write_text(csv_text([row(inventory_no=f"22442026E00000000{number}")]), encoding="utf-8")
    (runner.folder / "list.txt").write_text("\ufeff# this month\n\nexports\nd.dat\nexports/**/c.csv\n", encoding="utf-8")
    (runner.folder / "@odd.csv").write_text("", encoding="utf-8")
    names = lambda *arguments: [str(each.path) for each in meant(map(Path, arguments))]  # noqa: E731
    assert names("exports") == ["exports/a.CSV", "exports/b.csv"]
    assert names("d.dat", "exports/[ab].*") == ["d.dat", "exports/a.CSV", "exports/b.csv"]
    assert names("@list.txt") == ["exports/a.CSV", "exports/b.csv", "d.dat", "exports/more/c.csv"]
    assert names("@odd.csv") == ["@odd.csv"], "a file of that name is that file"
    assert names(str(runner.folder / "exports/*.csv")) == [str(runner.folder / "exports/b.csv")]
    outcome = runner.run(Path("@list.txt"))
    assert outcome.counts["inventories_declared"] == 4
    manifest = json.loads((Path(outcome.folder) / "manifest.json").read_text(encoding="utf-8"))
    assert [source["file"] for source in manifest["inputs"]] == names("@list.txt")


@pytest.mark.parametrize(
    ("argument", "says"),
    [("empty", "a folder without a file"), ("*.nothing", "matches no file"), ("absent.csv", "no such file"), ("@absent.txt", "no such list"),
     ("@blank.txt", "list of files is empty"), ("@wrong.txt", "no such file")],
)  # fmt: skip
def test_what_means_no_file_is_named(runner: Runner, monkeypatch: pytest.MonkeyPatch, argument: str, says: str) -> None:
    monkeypatch.chdir(runner.folder)
    (runner.folder / "empty").mkdir()
    (runner.folder / "blank.txt").write_text("# nothing\n")
    (runner.folder / "wrong.txt").write_text("absent.csv\n")
    with pytest.raises(NoInput, match=says):
        runner.run(Path(argument))
    assert not runner.out.exists()


# ----------------------------------------------------------------------------------------------------- columns of a file


def test_columns_shows_what_goes_where_and_suggests_what_is_missing(runner: Runner) -> None:
    renamed = {"commodity_code": "海关商品代码", "total_price": "总价格", "order_no": "note", "inventory_no": "单号"}
    runner.write(csv_text([row(goods_name="棉制\nT恤衫"), row(item_no="2")], renamed))
    result = aggregator("columns", "export.csv", folder=runner.folder)
    assert result.returncode == 3
    assert "  海关商品代码 → (NOT KNOWN)    6109100010 | 6109100010" in result.stdout
    assert "  note → (not used)    DD1 | DD1" in result.stdout
    assert "  goods_name → goods_name    棉制 T恤衫 | 棉制T恤衫" in result.stdout
    block = result.stdout.split("[columns]\n")[1]
    assert tomllib.loads(block) == {"commodity_code": "海关商品代码", "total_price": "总价格", "inventory_no": "单号"}
    runner.write("[columns]\n" + block, "aggregator.toml")
    corrected = aggregator("columns", "export.csv", "--json", folder=runner.folder)
    assert corrected.returncode == 0
    [found] = json.loads(corrected.stdout)
    assert found["missing"] == {}
    assert {h["heading"]: h["column"] for h in found["headings"] if h["by_config"]} == {v: k for k, v in renamed.items() if k != "order_no"}
    assert aggregator("run", "export.csv", "--period", "2026-10", "--out", "out", folder=runner.folder).returncode == 0


def test_columns_of_a_file_of_which_nothing_is_known(runner: Runner) -> None:
    runner.write("甲;乙\n1;2\n".encode("gb18030"))
    result = aggregator("columns", "export.csv", folder=runner.folder)
    assert result.returncode == 3
    assert "  甲 → (NOT KNOWN)    1" in result.stdout
    assert '# inventory_no = ""' in result.stdout
    runner.write(b"")
    assert aggregator("columns", "export.csv", folder=runner.folder).returncode == 65


@pytest.mark.parametrize("pair", [b"\n\n", b'="'])
def test_pairs_of_bytes_are_found_wherever_they_stand(pair: bytes) -> None:
    for length in range(7):
        for letters in itertools.product(b'\n="', repeat=length):
            data = bytes(letters)
            assert stand_together(data, pair) == (pair in data)
    for place in range(5):
        assert stand_together(b"a" * ((1 << 19) - 3 + place) + pair + b"b" * 9, pair)
