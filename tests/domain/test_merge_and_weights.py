"""The merge key, the order and the cut of declarations, unit prices, and weights to the last digit."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from aggregator.domain.merge import item_name, key_columns, unit_prices
from aggregator.domain.weights import largest_remainder
from aggregator.model.settings import Flags
from aggregator.schemas.codes import NO_PRODUCER_CODE
from aggregator.schemas.decimals import scaled, unscaled
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import Runner, row


def numbered(number: int, **cells: str) -> dict[str, str]:
    return row(inventory_no=f"22442026E{number:09d}", order_no=f"D{number}", waybill_no=f"L{number}", **cells)


def test_what_is_in_the_header_key(runner: Runner) -> None:
    changes = [
        {}, {"declaring_customs_code": "5304"}, {"consignor_code": "4403960Q8Y", "consignor_name": "另一家"},
        {"producer_seller_name": "另一厂"}, {"producer_seller_code": "91330100MA27Y3K4XJ"}, {"transport_mode_code": "4"},
        {"arrival_country_code": "303"}, {"exit_customs_code": "5304"}, {"declarant_code": "3301980002"},
    ]  # fmt: skip
    outcome = runner.run_rows([numbered(place, **change) for place, change in enumerate(changes)])
    assert outcome.counts["declarations"] == len(changes)


def test_producer_name_counts_only_without_a_code_and_flag_1_leaves_the_producer_out(runner: Runner) -> None:
    coded = [numbered(n, producer_seller_code="91330100MA27Y3K4XJ", producer_seller_name=f"厂{n}") for n in range(3)]
    outcome = runner.run_rows(coded)
    assert outcome.counts["declarations"] == 1
    assert runner.results(outcome, "declarations")[0]["producer_seller_name"] == "厂0"
    named = [numbered(n, producer_seller_name=f"厂{n}") for n in range(3, 6)]
    outcome = runner.run_rows(named, summary_flag=1)
    [made] = runner.results(outcome, "declarations")
    assert (made["producer_seller_code"], made["producer_seller_name"]) == ("", "")


def test_what_is_in_the_body_key(runner: Runner) -> None:
    changes = [
        {}, {"commodity_code": "6109909091"}, {"destination_country_code": "303"}, {"currency_code": "300"},
        {"declared_unit_code": "006"}, {"statutory_unit_code": "006"}, {"second_statutory_unit_code": "011"},
        {"enterprise_goods_name": "另一品名"}, {"enterprise_goods_name": ""},
        {"second_statutory_quantity": "", "second_statutory_unit_code": ""},
    ]  # fmt: skip
    outcome = runner.run_rows([numbered(place, **change) for place, change in enumerate(changes)])
    assert outcome.counts["declaration_items"] == len(changes)


def test_item_name_flag_0(runner: Runner) -> None:
    rows = [numbered(2, enterprise_goods_name="乙", goods_name="后"), numbered(1, enterprise_goods_name="甲", goods_name="先", goods_spec="规格一")]
    outcome = runner.run_rows(rows, item_name_flag=0)
    [item] = runner.results(outcome, "declaration_items")
    assert (item["goods_name"], item["goods_spec"]) == ("先", "规格一"), "of the first line by inventory and item number"


def test_order_of_items_and_declarations_is_by_code_point(runner: Runner) -> None:
    names = ["b", "B", "甲", "a1", "a", "Ａ", ""]
    outcome = runner.run_rows([numbered(n, enterprise_goods_name=name, goods_name="a0") for n, name in enumerate(names)])
    listed = [item["goods_name"] for item in runner.results(outcome, "declaration_items")]
    assert listed == sorted(["b", "B", "甲", "a1", "a", "Ａ", "a0"])


def test_unit_price_is_half_even_to_four_decimals() -> None:
    cases = [("1.00005", "1", "1.0000"), ("1.00015", "1", "1.0002"), ("10", "3", "3.3333"), ("2", "3", "0.6667"), ("87960930.22207", "0.32768", "268435456.0000")]
    total = pa.array([Decimal(case[0]) for case in cases], pa.decimal128(38, 5))
    quantity = pa.array([Decimal(case[1]) for case in cases], pa.decimal128(38, 5))
    assert [str(price) for price in unit_prices(total, quantity).to_pylist()] == [case[2] for case in cases]


big = st.decimals(min_value=Decimal("0.00001"), max_value=Decimal("99999999999999.99999"), places=5)


@given(st.lists(st.tuples(big, big), min_size=1, max_size=20))
def test_unit_price_equals_the_exact_quotient_rounded(cases: list[tuple[Decimal, Decimal]]) -> None:
    from fractions import Fraction

    total = pa.array([case[0] for case in cases], pa.decimal128(38, 5))
    quantity = pa.array([case[1] for case in cases], pa.decimal128(38, 5))
    for (whole, part), price in zip(cases, unit_prices(total, quantity).to_pylist(), strict=True):
        exact = Fraction(whole) / Fraction(part)
        assert price == Decimal(round(exact * 10000)) / 10000


def spread_inventory(**cells: str) -> list[dict[str, str]]:
    """51 items, of which the last by name goes into a second declaration."""
    return [row(item_no=str(n), enterprise_goods_name=f"品{n:03d}", **cells) for n in range(1, 52)]


def shares(runner: Runner, rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    outcome = runner.run_rows(rows)
    assert outcome.counts["declarations"] == 2
    made = [(share["gross_weight_kg"], share["net_weight_kg"]) for share in runner.results(outcome, "weight_shares")]
    heads = [(head["gross_weight_kg"], head["net_weight_kg"]) for head in runner.results(outcome, "declarations")]
    assert made == heads
    return made


def test_spread_by_statutory_kilograms(runner: Runner) -> None:
    rows = spread_inventory(statutory_unit_code="035", gross_weight_kg="60.00000", net_weight_kg="51.00000")
    rows[-1] = {**rows[-1], "statutory_quantity": "2.5", "total_price": "10.00"}
    # 50 × 2 kg + 2.5 kg = 102.5 kg. Net 51: 50 lines of 0.99512|195… and the last of 1.24390|243…, the largest remainder:
    # 1.24391. Tare 9: 50 lines of 0.17560|975… and the last of 0.21951|219…; 49 units are left over, all for the former.
    made = shares(runner, rows)
    assert sum(Decimal(gross) for gross, _ in made) == 60
    assert sum(Decimal(net) for _, net in made) == 51
    assert made[1] == ("1.46342", "1.24391")


def test_spread_by_price_where_units_differ_and_equally_where_currencies_do(runner: Runner) -> None:
    rows = spread_inventory(gross_weight_kg="102.00000", net_weight_kg="51.00000", second_statutory_quantity="", second_statutory_unit_code="")
    assert shares(runner, rows)[1] == ("2.00000", "1.00000"), "all lines cost the same"
    mixed = [{**cells, "inventory_no": "22442026E000000009", "currency_code": "300" if n == 50 else "502",
              "enterprise_goods_name": "品051" if n == 50 else cells["enterprise_goods_name"], "unit_price": "50", "total_price": "100"}
             for n, cells in enumerate(rows)]  # fmt: skip
    outcome = runner.run_rows(mixed)
    assert {share["net_weight_kg"] for share in runner.results(outcome, "weight_shares")} == {"50.00000", "1.00000"}


_NAME = st.none() | st.sampled_from(["甲", "乙", "a0"])


@given(st.lists(st.tuples(_NAME, _NAME), max_size=6), st.booleans())
def test_the_name_of_an_item_is_the_enterprises_where_it_has_one(names: list[tuple[str | None, str | None]], encoded: bool) -> None:
    own, goods = (pa.array([pair[place] for pair in names], pa.string()) for place in (0, 1))
    made = item_name(pa.table({"enterprise_goods_name": own.dictionary_encode(), "goods_name": goods.dictionary_encode() if encoded else goods}))
    assert made.cast(pa.string()).to_pylist() == pc.coalesce(own, goods).to_pylist()
    # Rows are told apart by the place of their value.
    assert len(set(made.dictionary.to_pylist())) == len(made.dictionary)


@given(st.lists(st.tuples(st.sampled_from([None, NO_PRODUCER_CODE, "1234567890"]), _NAME), max_size=6))
def test_a_producer_without_a_code_is_told_by_its_name(producers: list[tuple[str | None, str | None]]) -> None:
    columns = {name: pa.array([pair[place] for pair in producers], pa.string()).dictionary_encode() for place, name in enumerate(("producer_seller_code", "producer_seller_name"))}
    key = key_columns(pa.table({**columns, "goods_name": columns["producer_seller_name"]}), M9610, Flags(2, 1))
    expected = [None if code is None else name if code == NO_PRODUCER_CODE else "" for code, name in producers]
    assert key["producer_seller_name"].cast(pa.string()).to_pylist() == expected


@given(
    st.lists(
        st.tuples(st.integers(0, 10**19 - 1), st.lists(st.integers(1, 10**19 - 1), min_size=1, max_size=8)), min_size=1, max_size=5
    )
)
def test_largest_remainder_is_exact_and_fair(groups: list[tuple[int, list[int]]]) -> None:
    amounts = _ints([amount for amount, _ in groups])
    key = _ints([weight for _, weights in groups for weight in weights])
    lengths = np.array([len(weights) for _, weights in groups])
    start = np.cumsum(lengths) - lengths
    parts = largest_remainder(amounts, key, start, lengths)
    for place, (amount, weights) in enumerate(groups):
        mine = [int(part) for part in parts[start[place] : start[place] + lengths[place]]]
        assert sum(mine) == amount
        quotas = [amount * weight / sum(weights) if amount < 2**50 else None for weight in weights]
        for part, weight, quota in zip(mine, weights, quotas, strict=True):
            floor = amount * weight // sum(weights)
            assert floor <= part <= floor + 1
            assert quota is None or abs(part - quota) < 1.001
        expected = _by_hand(amount, weights)
        assert mine == expected


def _ints(values: list[int]) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(values, dtype=np.int64 if max(values) < 2**62 else object)


def _by_hand(amount: int, weights: list[int]) -> list[int]:
    parts = [amount * weight // sum(weights) for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % sum(weights)), i))
    for place in order[: amount - sum(parts)]:
        parts[place] += 1
    return parts


@given(st.lists(st.decimals(min_value=Decimal(0), max_value=Decimal("99999999999999.99999"), places=5), min_size=1, max_size=30))
def test_scaled_and_back(values: list[Decimal]) -> None:
    array = pa.array(values, pa.decimal128(19, 5))
    assert unscaled(scaled(array)).to_pylist() == values
    assert [int(unit) for unit in scaled(array)] == [int(value * 100000) for value in values]
