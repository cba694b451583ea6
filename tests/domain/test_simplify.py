"""Simplified declaration: the worked examples, and what holds for any lines."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.domain.simplify import GOOD, Profile, simplify
from tests.tries import tries

PROFILE = Profile(5, 5)

# Nine kinds in USD; the first five make 33,404.70, the nine 43,032.50.
EXAMPLE = (
    ("塑料玩具", "9503008900", 900_000, "011"), ("玻璃杯", "7013370000", 718_650, "011"), ("不锈钢酒壶", "7323930000", 623_480, "011"),
    ("塑料夹子", "3924900000", 592_940, "011"), ("电子秤", "8423100000", 505_400, "001"), ("化纤门帘", "6303920090", 419_580, "011"),
    ("铁勺子", "7323930000", 343_200, "035"), ("铁制挂钩", "8302500000", 110_000, "035"), ("铁丝筐", "7326201000", 90_000, "035"),
)  # fmt: skip


def frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    blank = {"declaration": 0, "destination_country_code": "502", "currency_code": "502", "declared_unit_code": "011",
             "second_statutory_unit_code": "", "by_itself": False}  # fmt: skip
    return pd.DataFrame([{**blank, **row} for row in rows])


def example(**changes: dict[str, object]) -> pd.DataFrame:
    return frame(
        [
            {"goods_name": name, "commodity_code": code, "worth": worth, "statutory_unit_code": unit, **changes.get(name, {})}
            for name, code, worth, unit in EXAMPLE
        ]
    )


def listed(lines: pd.DataFrame, profile: Profile = PROFILE) -> list[tuple[str, str, str, int]]:
    made = simplify(lines, profile)
    worth = lines.groupby(made.item_of)["worth"].sum()
    return [
        (row.goods_name, row.commodity_code, row.chapter, int(worth[place])) for place, row in enumerate(made.items.itertuples())
    ]


def test_five_of_greatest_value_then_chapters_ascending() -> None:
    assert listed(example()) == [
        *((name, code, "", worth) for name, code, worth, _ in EXAMPLE[:5]),
        ("化纤门帘", "6303920090", "63", 419_580),
        # 3,432.00 + 900.00 = 4,332.00 under the code of the more valuable; the flask of the same chapter stands by itself.
        ("铁勺子", "7323930000", "73", 433_200),
        ("铁制挂钩", "8302500000", "83", 110_000),
    ]


def test_goods_that_need_inspection_stand_after_the_five_and_use_up_no_place() -> None:
    names = [name for name, *_ in listed(example(化纤门帘={"by_itself": True}))]
    assert names == ["塑料玩具", "玻璃杯", "不锈钢酒壶", "塑料夹子", "电子秤", "化纤门帘", "铁勺子", "铁制挂钩"]
    # Of the five most valuable one needs inspection: the sixth takes its place.
    names = [name for name, *_ in listed(example(玻璃杯={"by_itself": True}))]
    assert names == ["塑料玩具", "不锈钢酒壶", "塑料夹子", "电子秤", "化纤门帘", "玻璃杯", "铁勺子", "铁制挂钩"]


def test_five_kinds_are_listed_in_key_order() -> None:
    lines = example().head(5)
    made = simplify(lines, PROFILE)
    assert made.items["commodity_code"].tolist() == sorted(lines["commodity_code"])
    assert made.items["simplified"].tolist() == [0] * 5


def test_five_or_fewer_without_inspection_come_by_value_then_the_others() -> None:
    lines = example(铁勺子={"by_itself": True}).head(7).iloc[2:]
    lines = pd.concat([lines, example(铁制挂钩={"by_itself": True}).iloc[[7]]])
    assert [(name, chapter) for name, _, chapter, _ in listed(lines)] == [
        ("不锈钢酒壶", ""), ("塑料夹子", ""), ("电子秤", ""), ("化纤门帘", ""), ("铁勺子", ""), ("铁制挂钩", ""),
    ]  # fmt: skip


def test_a_good_whose_unit_differs_stands_right_after_its_chapter() -> None:
    lines = example(铁丝筐={"statutory_unit_code": "011"})
    made = simplify(lines, PROFILE)
    assert listed(lines)[6:] == [
        ("铁勺子", "7323930000", "73", 343_200), ("铁丝筐", "7326201000", "", 90_000), ("铁制挂钩", "8302500000", "83", 110_000),
    ]  # fmt: skip
    assert made.unlike.tolist() == [7]
    assert made.items["simplified"].tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 1]
    # Declared unit of a chapter line is its statutory one.
    assert made.items["declared_unit_code"].tolist()[6:8] == ["035", "011"]


def test_equal_values_go_by_code_then_name() -> None:
    lines = frame(
        [
            {"goods_name": name, "commodity_code": code, "worth": 1, "statutory_unit_code": "011"}
            for name, code in (("乙", "9503008900"), ("甲", "9503008900"), ("丙", "3924900000"), ("丁", "7013370000"), ("戊", "8423100000"), ("己", "6303920090"))
        ]
    )
    assert [name for name, *_ in listed(lines)] == ["丙", "己", "丁", "戊", "乙", "甲"]


@st.composite
def any_lines(draw: st.DrawFn) -> pd.DataFrame:
    one = st.fixed_dictionaries(
        {
            "declaration": st.integers(0, 2),
            "commodity_code": st.sampled_from(["7323930000", "7326201000", "9503008900", "9503002100", "3924900000", "6303920090"]),
            "goods_name": st.sampled_from(["甲", "乙"]),
            "currency_code": st.sampled_from(["502", "142"]),
            "statutory_unit_code": st.sampled_from(["011", "035"]),
            "worth": st.integers(1, 1000),
            "by_itself": st.booleans(),
        }
    )
    return frame(draw(st.lists(one, min_size=1, max_size=25)))


@given(any_lines(), st.randoms(use_true_random=False))
@settings(max_examples=tries(80))
def test_every_line_goes_into_one_item_and_the_order_of_lines_changes_nothing(lines: pd.DataFrame, random: object) -> None:
    made = simplify(lines, PROFILE)
    assert set(made.item_of) == set(range(len(made.items)))
    joined = lines.assign(item=made.item_of).merge(made.items.reset_index(), left_on="item", right_on="index", suffixes=("", "_item"))
    assert (joined["declaration"] == joined["declaration_item"]).all()
    assert (joined["currency_code"] == joined["currency_code_item"]).all()
    assert (joined["statutory_unit_code"] == joined["statutory_unit_code_item"]).all()
    alone = joined[joined["simplified"] == 0]
    assert (alone["commodity_code"] == alone["commodity_code_item"]).all()
    assert (joined["commodity_code"].str[:2] == joined["commodity_code_item"].str[:2]).all()
    assert not joined[joined["simplified"] == 1]["by_itself"].any()
    kinds = lines.groupby("declaration").apply(lambda each: len(each[GOOD[1:3]].drop_duplicates()), include_groups=False)
    simplified = made.items.groupby("declaration")["simplified"].sum()
    assert not simplified[kinds[kinds <= 5].index].any()
    order = list(range(len(lines)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = simplify(lines.iloc[order].reset_index(drop=True), PROFILE)
    pd.testing.assert_frame_equal(shuffled.items, made.items)
    assert shuffled.item_of.tolist() == made.item_of[order].tolist()
