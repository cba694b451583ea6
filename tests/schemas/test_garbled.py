"""Text that was garbled on its way: certain cases reject the inventory, doubtful ones are reported, plain names pass."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aggregator.model.errors import UnusableInput
from aggregator.schemas.garbled import is_certainly_garbled, is_doubtful, is_plausible, is_whole
from tests.conftest import SOUND, Runner

NAME = "皮革面休闲鞋（11款） 现货"
PLAIN = (
    "", NAME, "棉制T恤衫", "氨纶腈纶", "义乌市晨光日用品厂", "棉製針織衫 現貨", "義烏市晨光日用品廠", "深圳通達報關行有限公司", "鲜の味饼干", "𠮷野家", "张䶮", "囍字贴", "饕餮纹", "魑魅魍魉", "龘",
    "東京通関サービス株式会社", "コットンTシャツ", "서울통관서비스", "Футболка", "Königsfluß Handels GmbH", "Société Générale d'Été", "Größe für Füße “Taille” – été", "NÃO “MENÜ“ ©",
    "℃ ± × 100%", "C++20 What? 吗?", "&amp; A+BCDEFGH 100%", "emoji 😀 新品", "㎡ ㎏ ① □有牌", "+86-13800000", "锟", "面料\n里料\t填充", "a\u200bb",
)  # fmt: skip


def misread(written: str, read: str, text: str = NAME) -> str:
    return text.encode(written, "replace").decode(read, "replace")


CERTAIN = {
    "UTF-8 as Latin-1": misread("utf-8", "latin-1"), "UTF-8 as cp1252": misread("utf-8", "cp1252"), "UTF-8 as GB 18030": misread("utf-8", "gb18030"), "GBK as UTF-8": misread("gb18030", "utf-8"),
    "twice": misread("utf-8", "latin-1", misread("utf-8", "latin-1")), "one character": "棉ä¸\xad国", "CESU of an emoji": b"\xed\xa0\xbd\xed\xb8\x80".decode("gb18030"), "the next wrong turn": "棉锟斤拷",
    "HZ": "~{ReNZJP3?9bHUSCF73'~}", "ISO 2022": "\x1b$BZo8w\x1b(B", "control character": "棉\x01制", "NUL": "a\x00", "C1": "a\x85b", "replaced": "棉\ufffd制", "no character": "棉\uffff",
}  # fmt: skip
DOUBTFUL = {
    "Big5 as GB 18030": misread("big5", "gb18030", "棉製針織衫 現貨"), "Shift JIS as GB 18030": misread("shift_jis", "gb18030", "晨光日用品製作所"), "GBK as Latin-1": misread("gb18030", "latin-1"),
    "GBK as Big5": misread("gb18030", "big5", "广州顺达服装有限公司"),
    "question marks": misread("ascii", "ascii"), "boxes": "□□□11□", "private use": "棉制\ue5e5", "UTF-7": "+dq6XaZdiTxGV8peL/wg-1+az7/CQ", "references": "&#20041;&#20044;", "escapes": "\\u4e49\\u4e4c", "percent": "%E4%B9%89",
}  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_none(text: str) -> None:
    assert not is_certainly_garbled(text)
    assert not is_doubtful(text)


@pytest.mark.parametrize("way", CERTAIN)
def test_certainly_garbled(way: str) -> None:
    assert is_certainly_garbled(CERTAIN[way])
    assert is_whole(pa.array([NAME, None, CERTAIN[way]])).to_pylist() == [True, True, False]


@pytest.mark.parametrize("way", DOUBTFUL)
def test_doubtful(way: str) -> None:
    assert is_doubtful(DOUBTFUL[way])
    assert is_plausible(pa.array([None, DOUBTFUL[way], NAME, DOUBTFUL[way]])).to_pylist() == [True, False, True, False]


def test_chinese_as_big5_is_doubtful_where_other_values_are_odd() -> None:
    """Some of it is of everyday characters alone."""
    values = [misread("gb18030", "big5", each) for each in ("活体|锦鲤", "牛皮面|橡胶底", "广州顺达服装")]
    assert is_plausible(pa.array(values)).to_pylist() == [False, False, False]
    assert is_plausible(pa.array(["棉麻襯衫", "張䶮㸃"])).to_pylist()[0]


def test_no_name_of_everyday_characters_is_garbled() -> None:
    """Whatever hanzi of GB 2312 stand side by side."""
    hanzi = [bytes((lead, trail)).decode("gb2312", "ignore") for lead in range(0xB0, 0xF8) for trail in range(0xA1, 0xFF)]
    for step in (1, 7, 94, 95, 1009):
        turned = hanzi[step:] + hanzi[:step]
        names = pa.array([first + second for first, second in zip(hanzi, turned, strict=True)])
        assert is_whole(names).to_pylist() == is_plausible(names).to_pylist() == [True] * len(names)


def test_a_slice_of_a_column_is_judged_by_itself() -> None:
    values = pa.array(["棉\ufffd", "棉", "毛\ufffd"])
    assert [is_whole(values[place : place + 1]).to_pylist() for place in range(3)] == [[False], [True], [False]]


@pytest.mark.parametrize("column", ["goods_name", "goods_spec", "enterprise_goods_name", "consignor_name"])
def test_a_garbled_name_is_not_declared_and_a_doubtful_one_reported(column: str, runner: Runner) -> None:
    rows = [{**SOUND, "inventory_no": f"22442026E00000000{place}", "order_no": f"D{place}", "waybill_no": f"L{place}", "internal_no": f"C{place}"} for place in (1, 2, 3)]
    outcome = runner.run_rows([rows[0], {**rows[1], column: CERTAIN["UTF-8 as Latin-1"]}, {**rows[2], column: "????"}])
    assert (outcome.findings["R126"], outcome.findings["R208"], outcome.counts["inventories_declared"]) == (1, 1, 2)


@pytest.mark.parametrize(("name", "reported"), [("2.24420260000000E+17", True), ("5E+3", True), ("T恤 1.5E+3", False), ("2E10", False), ("42E", False)])
def test_a_name_in_scientific_notation_is_reported(name: str, reported: bool, runner: Runner) -> None:
    outcome = runner.run_rows([{**SOUND, "enterprise_goods_name": name}])
    assert (outcome.findings, outcome.counts["inventories_declared"]) == ({"R208": 1} if reported else {}, 1)


KOREAN = {"goods_name": "면 티셔츠", "enterprise_goods_name": "浙 면 티셔츠", "goods_spec": "면|무상표", "consignor_name": "별강전자상거래", "producer_seller_name": "새벽빛생활용품"}
JAPANESE = {"goods_name": "コットンTシャツ", "enterprise_goods_name": "コットンTシャツ 新品", "goods_spec": "綿製", "consignor_name": "星河ネットワーク株式会社", "producer_seller_name": "東京日用品製作所大阪工場"}


@pytest.mark.parametrize("more", [{}, {"序号": "1", "备注": ""}], ids=["ascii headings", "headings that nobody knows as they are read"])
@pytest.mark.parametrize(("encoding", "names"), [("euc_kr", KOREAN), ("cp949", KOREAN), ("euc_jp", JAPANESE)])
def test_a_korean_or_japanese_file_is_refused(encoding: str, names: dict[str, str], more: dict[str, str], runner: Runner) -> None:
    line = {**more, **SOUND, **names}
    data = f"{','.join(line)}\n{','.join(line.values())}\n".encode(encoding, "replace")
    with pytest.raises(UnusableInput, match=r"\[F104\]"):
        runner.run(runner.write(data, "export.csv"))


def test_kana_beside_chinese_are_read(runner: Runner) -> None:
    line = {**SOUND, "goods_name": "女式针织衫（コットン）", "goods_spec": "棉制|针织|无牌", "consignor_name": "深圳星河跨境电子商务有限公司"}
    data = f"{','.join(line)}\n{','.join(line.values())}\n".encode("gb18030")
    assert runner.run(runner.write(data, "export.csv")).counts["inventories_declared"] == 1


@pytest.mark.parametrize("name", ["棉制品", "皮革面休闲鞋", "安徽淮北港边缝包厂"])
def test_a_few_chinese_names_under_ascii_headings_are_read(name: str, runner: Runner) -> None:
    line = {**SOUND, "goods_name": name, "goods_spec": "", "consignor_name": "Firm A", "producer_seller_name": "Firm B"}
    data = f"{','.join(line)}\n{','.join(line.values())}\n".encode("gb18030")
    assert runner.run(runner.write(data, "export.csv")).counts["inventories_declared"] == 1
