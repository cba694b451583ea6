"""What stands in report.html: figures, examples, next step, forms. What it looks like: test_report_in_browser.py."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest

from aggregator.domain.figures import COUNTRY, DAY, EXIT_CUSTOMS, days_of, figures_of
from aggregator.jobs.run import run
from aggregator.model.outcome import EXAMPLES, Example, Figure, Outcome
from aggregator.outputs.report.charts import Value, bars, columns, fitting, short
from aggregator.outputs.report.next_step import next_step
from aggregator.outputs.report.page import RunFolder, _end_of, page
from aggregator.outputs.report.shown_figures import groups
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.text import Text
from tests.conftest import NOW, Runner, csv_text, parameters, row


def report_of(outcome: Outcome) -> str:
    return (Path(outcome.folder) / "report.html").read_text(encoding="utf-8")


def shown_in(text: str, lang: str) -> str:
    """The words that a reader of one language is shown."""
    other = "zh" if lang == "en" else "en"
    text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(rf'<(t?span) lang="{other}">.*?</\1>', "", text)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def several() -> list[dict[str, str]]:
    rows = []
    for number, (day, country, customs, currency, price) in enumerate([("03", "502", "2248", "502", "5"), ("03", "303", "2248", "303", "7"), ("04", "502", "5304", "502", "11.5")]):
        rows += [row(inventory_no=f"22442026E00000000{number}", order_no=f"D{number}", waybill_no=f"W{number}", item_no=str(item), cleared_at=f"2026-10-{day} 01:00:00",
                     arrival_country_code=country, destination_country_code=country, exit_customs_code=customs, currency_code=currency, total_price=price, unit_price=str(Decimal(price) / 2)) for item in (1, 2)]  # fmt: skip
    return rows


REJECTED = row(inventory_no="22442026E000000088", order_no="D88", waybill_no="W88", goods_name="")


@pytest.mark.parametrize("chunk_bytes", [1 << 20, 700])
def test_figures_are_of_what_is_declared(runner: Runner, chunk_bytes: int) -> None:
    outcome = runner.run_rows([*several(), REJECTED], chunk_bytes=chunk_bytes)
    ten, fourteen, other = Decimal(10), Decimal(14), Decimal(23)
    assert outcome.figures == {
        DAY: [Figure("20261003", "303", 1, fourteen), Figure("20261003", "502", 1, ten), Figure("20261004", "502", 1, other)],
        COUNTRY: [Figure("303", "303", 1, fourteen), Figure("502", "502", 2, ten + other)],
        EXIT_CUSTOMS: [Figure("2248", "303", 1, fourteen), Figure("2248", "502", 1, ten), Figure("5304", "502", 1, other)],
    }


def test_figures_by_any_cut_are_the_same() -> None:
    letters = np.array(["502", "303", None, "502", "304"], dtype=object)
    taken = pa.table({
        "inventory": pa.array([0, 0, 1, 2, 2]), COUNTRY: pa.array(letters, pa.string()).dictionary_encode(),
        "currency_code": pa.array(["502"] * 5).dictionary_encode(), "total_price": pa.array([Decimal("0.10000")] * 5, pa.decimal128(19, 5)),
    })  # fmt: skip
    found = figures_of(taken, np.array([20261001, 0, 20261002])).to_pylist()
    by_day = [(each["value"], each["inventories"], each["amount"]) for each in found if each["by"] == DAY]
    assert by_day == [("0", 1, Decimal("0.1")), ("20261001", 1, Decimal("0.2")), ("20261002", 1, Decimal("0.2"))]
    assert [(each["value"], each["inventories"]) for each in found if each["by"] == COUNTRY] == [("", 1), ("303", 0), ("304", 0), ("502", 2)]
    assert figures_of(taken.slice(0, 0), np.zeros(0, dtype=np.int64)).num_rows == 0


def test_a_day_that_is_not_known_is_none() -> None:
    assert days_of(np.array(["20261003112233000", "00000000000000000", "20261000000000000"])).tolist() == [20261003, 0, 0]


def test_the_first_findings_of_each_rule_are_shown(runner: Runner) -> None:
    path = runner.write([row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"W{number}", net_weight_kg="-1") for number in range(9)])
    outcome = runner.run(path)
    first = outcome.examples["R106"]
    assert len(first) == EXAMPLES
    assert [each.row for each in first] == [2, 3, 4, 5, 6]
    assert first[0].column == "net_weight_kg"
    assert (first[0].value, first[0].inventory_no) == ("-1", "22442026E000000000")
    text = report_of(outcome)
    assert 'href="rejected/export.csv"' in text
    assert "and 4 more" in text
    assert "aggregator rules R106" in text
    for cite in M9610.rules["R106"].citations:
        assert str(cite) in text


def test_columns_are_called_as_the_user_calls_them(runner: Runner) -> None:
    text = csv_text([row(net_weight_kg="-1")], {"net_weight_kg": "净重(公斤)"})
    page_text = report_of(runner.run_rows(text))
    assert "net_weight_kg (净重(公斤))" in shown_in(page_text, "en")
    assert "净重(公斤)(net_weight_kg)" in shown_in(page_text, "zh")


def test_both_languages_stand_in_it_and_the_runs_is_shown(in_new_folder: object) -> None:
    for lang in ("en", "zh"):
        outcome = in_new_folder(lang).run_rows([*several(), REJECTED], lang=lang)  # type: ignore[operator]
        text = report_of(outcome)
        assert f'id="lang-{lang}" aria-label="{"English" if lang == "en" else "中文"}" checked' in text
        english, chinese = shown_in(text, "en"), shown_in(text, "zh")
        assert "Where everything went" in english
        assert "Where everything went" not in chinese
        assert "去向" in chinese
        assert "去向" not in english
        assert "502 United States" in english
        assert "502 美国" in chinese


def test_the_balance_is_shown_to_be_zero(runner: Runner) -> None:
    text = shown_in(report_of(runner.run_rows([*several(), REJECTED, row(inventory_no="22442026E000000099", order_no="D99", waybill_no="W99", trade_mode_code="0110")])), "en")
    assert "read 5 − declared 3 − rejected 1 − excluded 1 = 0" in text


def test_the_form_names_codes(runner: Runner) -> None:
    text = shown_in(report_of(runner.run_rows(several())), "zh")
    for said in ("中华人民共和国海关出口货物报关单", "502 美国", "9610 跨境贸易电子商务", "5 航空运输", "预测稿，非正式单证", "境内发货人", "离境口岸", "标记唛码及备注"):
        assert said in text


@pytest.mark.parametrize(
    ("rows", "changes", "says"),
    [
        ([row()], {}, ("Apply to customs for the summary declaration of the 1 declared inventory by 2026-11-16.", "请在 2026-11-16 前就已申报的 1 份清单向海关提交汇总申请。")),
        ([row(goods_name="")], {}, ("Correct the 1 rejected inventory (1 line) in rejected/ and run it again by 2026-11-16.", "请在 2026-11-16 前修正 rejected/ 中被拒绝的 1 份清单（1 行）后重新运行。")),
    ],
)  # fmt: skip
def test_what_to_do_next_is_one_sentence(runner: Runner, rows: list[dict[str, str]], changes: dict[str, str], says: tuple[str, str]) -> None:
    outcome = runner.run_rows(rows, **changes)
    said = next_step(outcome)
    assert (said.en, said.zh) == says
    assert says[0] in report_of(outcome)
    outcome.working_days_left = -1
    assert "is past" in next_step(outcome).en
    assert "已过" in next_step(outcome).zh


def test_nothing_to_do_is_said() -> None:
    counts = {"declarations": 0, "inventories_declared": 0, "lines_rejected": 0, "inventories_rejected": 0}
    assert next_step(Outcome(M9610, counts=counts)).en == "Nothing is to be done for this run."


def test_the_same_input_gives_the_same_bytes(runner: Runner) -> None:
    path = runner.write([*several(), REJECTED])
    made = [report_of(runner.run(path, out=runner.folder / name)) for name in ("a", "b")]
    assert made[0] == made[1]


def test_a_later_run_says_when_it_was(runner: Runner) -> None:
    path = runner.write([row()])
    outcome = run(parameters(path, out=runner.out).for_run(NOW.date()), NOW + timedelta(hours=1))
    assert "2026-11-05 10:00" in report_of(outcome)


class Tags(HTMLParser):
    """Checks that every tag is closed in its place."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass


def test_tags_are_closed(runner: Runner) -> None:
    tags = Tags()
    tags.feed(report_of(runner.run_rows([*several(), REJECTED])))
    assert tags.open == []


def test_it_stays_small_at_a_hundred_thousand_findings() -> None:
    """Every rule found, with examples as long as they get, and many declarations of many items."""
    rules = M9610.rules
    example = Example("文件" * 40 + ".csv", 1_000_000, "consignor_name", "值" * 500, "22442026E000000001")
    outcome = Outcome(M9610, period="2026-10", deadline="2026-11-16", working_days_left=3, findings=dict.fromkeys(rules.codes, 1000), examples={code: [example] * EXAMPLES for code in rules.codes})
    outcome.counts = {f"{name}_{bucket}": 100_000 for name in ("lines", "inventories") for bucket in ("read", "declared", "rejected", "excluded")} | {
        "inventories_late": 0, "declarations": 150, "declaration_items": 7500,
    }  # fmt: skip
    outcome.figures = {by: [Figure(f"202610{n % 31 + 1:02d}" if by == DAY else f"{n:03d}", "502", 7, Decimal(n)) for n in range(250)] for by in (DAY, COUNTRY, EXIT_CUSTOMS)}
    outcome.totals = [{"column": "declared_quantity", "currency_or_unit": f"{n:03d}", **dict.fromkeys(("read", "declared", "rejected", "excluded", "unreadable", "difference"), "1234567.00000")} for n in range(400)]
    declarations, items = _many(150, 50)
    name, files = "文" * 60, [f"{'文件' * 30}{n}.csv" for n in range(300)]
    rejected = {file: [(f"rejected/{name}.{kind}", f"rejected/{quote(name)}.{kind}") for kind in ("xlsx", "csv")] for file in (*files, example.file)}
    made = page(outcome, "202610-01", declarations, items, RunFolder([], rejected, {}), NOW, "zh")
    assert sum(outcome.findings.values()) > 100_000 - 1000 * 30
    assert len(made.encode()) < 1_000_000


def _many(count: int, of_each: int) -> tuple[pa.Table, pa.Table]:
    refs = [f"202610-01-{number:06d}" for number in range(1, count + 1)]
    values = {name: ["名" * 60] * count for name in ("consignor_name", "producer_seller_name")}
    heads = {field.name: values.get(field.name) or (refs if field.name == "declaration_ref" else [of_each] * count if pa.types.is_integer(field.type)
             else [Decimal("12345.67800")] * count if pa.types.is_decimal(field.type) else ["502"] * count) for field in M9610.outputs["declarations"]}  # fmt: skip
    whole = count * of_each
    lines = {field.name: [ref for ref in refs for _ in range(of_each)] if field.name == "declaration_ref" else ["货" * 120] * whole if field.name in ("goods_name", "goods_spec")
             else [7] * whole if pa.types.is_integer(field.type) else [Decimal("12.34500")] * whole if pa.types.is_decimal(field.type) else ["035"] * whole for field in M9610.outputs["declaration_items"]}  # fmt: skip
    return pa.table(heads, M9610.outputs["declarations"]), pa.table(lines, M9610.outputs["declaration_items"])


def test_bars_are_within_their_axis() -> None:
    for amounts in ([0], [1], [3, 9, 10], [Decimal("0.01")], [999_999_999], [Decimal("1234.56"), 1]):
        values = [Value(Text("a", "a"), amount) for amount in amounts]
        for made in (columns(values, Text("", "")), bars(values, Text("", ""))):
            assert 2 <= len(made.ticks) <= 6
            assert all(mark.x >= 0 and mark.x + mark.width <= made.width and mark.y >= 0 and mark.y + mark.height <= made.height for mark in made.marks)


def test_names_below_columns_do_not_meet() -> None:
    for count in (1, 8, 12, 13, 36, 60):
        made = columns([Value(Text(f"{n:02d}-01", f"{n:02d}-01"), n) for n in range(count)], Text("", ""))
        named = [mark.middle for mark in made.marks if mark.label]
        assert named
        assert all(second - first > 30 for first, second in pairwise(named))


def test_late_inventories_have_a_column_of_their_own(runner: Runner) -> None:
    outcome = runner.run_rows([*several(), row(inventory_no="22442026E000000077", order_no="D77", waybill_no="W77", cleared_at="2026-09-30 10:00:00")])
    [group, *_] = groups(outcome)
    first = group.charts[0][1].marks[0]
    assert (first.value.name.zh, first.value.amount) == ("补报", 1)
    assert [mark.label.en for mark in group.charts[0][1].marks if mark.label] == ["late", "5", "10", "15", "20", "25", "30"]


def test_round_numbers_are_short() -> None:
    said = {0: ("0", "0"), 500: ("500", "500"), 5000: ("5k", "5,000"), 20_000: ("20k", "2万"), 1_500_000: ("1.5m", "150万"), 2 * 10**9: ("2bn", "20亿")}
    assert {amount: (short(amount).en, short(amount).zh) for amount in said} == said
    assert fitting("短") == "短"
    assert fitting("长" * 40).endswith("…")


@pytest.mark.parametrize(
    ("file", "shown"),
    [("shop-a.csv", "shop-a.csv"), ("/srv/customs/exports/2026-10/shop-a.csv", "…/exports/2026-10/shop-a.csv"), ("x" * 40 + "/a.csv", "…/a.csv"), ("x" * 30 + "y" * 30, "…" + "x" * 2 + "y" * 30)],
)
def test_a_long_name_of_a_file_is_cut_between_folders(file: str, shown: str) -> None:
    assert _end_of(file) == shown
