"""The schemas: no float anywhere, code lists sound, the check character as an independent library computes it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc  # type: ignore[import-untyped]

from aggregator.domain.totals import TOTALS, control_totals, must_balance
from aggregator.domain.validate import validate_lines
from aggregator.model.errors import OurFault
from aggregator.outputs.checked import checked
from aggregator.schemas import patterns as shapes
from aggregator.schemas.codes import CODE_LISTS, FOLDER, code_list
from aggregator.schemas.lines import text_type
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import SOUND

COLUMNS = M9610.dictionary.columns


def test_no_float_column_in_any_schema() -> None:
    types = {
        f"{name}.{column}": str(definition.dtype)
        for name, schema in (("text", M9610.lines.text(COLUMNS)), ("typed", M9610.lines.typed((*COLUMNS, "cleared_digits"))))
        for column, definition in schema.columns.items()
    }
    types |= {f"{name}.{field.name}": str(field.type) for name, schema in M9610.outputs.tables.items() for field in schema}
    assert len(types) > 150
    assert not [name for name, dtype in types.items() if "float" in dtype or "double" in dtype]


def test_no_float_column_in_the_lines_themselves() -> None:
    text = pa.table({column: pa.array([SOUND[column]]).cast(text_type(M9610.dictionary[column])) for column in M9610.dictionary.in_order(SOUND)})
    validated = validate_lines(text, {}, (), M9610)
    assert validated.findings.num_rows == 0
    assert not [field.name for field in validated.lines.schema if pa.types.is_floating(field.type)]
    assert validated.lines.schema.field("total_price").type == pa.decimal128(19, 5)


@pytest.mark.parametrize("name", CODE_LISTS)
def test_code_lists(name: str) -> None:
    table = code_list(name)
    assert table.codes
    assert "Taken 2026-11-2" in table.provenance
    assert set(table.to_code.values()) <= table.codes
    assert not set(table.to_code) & table.codes
    rows = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()[2:]
    assert len({line.split(",")[0] for line in rows}) == len(rows)


@given(st.text(alphabet=shapes.USCC_ALPHABET, min_size=17, max_size=17), st.sampled_from(shapes.USCC_ALPHABET))
def test_credit_code_check_character(start: str, check: str) -> None:
    right = uscc.calc_check_digit(start + "0")
    assert shapes.is_uscc(pa.array([start + right])).to_pylist() == [True]
    assert shapes.is_uscc(pa.array([start + check])).to_pylist() == [check == right]


@pytest.mark.parametrize("value", ["６１０９１０００１０", "6109100010\n", "٦١٠٩١٠٠٠١٠", " 6109100010"])
def test_shapes_match_whole_and_ascii_only(value: str) -> None:
    assert shapes.matches(pa.array([value]), shapes.COMMODITY_CODE).to_pylist() == [False]


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("20261031235959", "20261031235959000"), ("20261031235959123", "20261031235959123"), ("20261031", "20261031000000000"),
        ("2026-10-31", "20261031000000000"), ("2026-10-31 23:59:59", "20261031235959000"), ("2026-10-31T23:59", "20261031235900000"),
        ("2026-10-31T15:59:59Z", "20261031235959000"), ("2026-10-31T23:59:59.5+08:00", "20261031235959500"),
        ("2026-02-30", None), ("2026-10-31 24:00:00", None), ("31/10/2026", None), ("46326", None), ("2026/10/31", None),
    ],
)  # fmt: skip
def test_times(written: str, digits: str | None) -> None:
    assert shapes.clearing_digits(pa.array([written, None])).to_pylist() == [digits, None]
    assert shapes.clearing_digits(pa.array(["x", written, written]).slice(1)).to_pylist() == [digits, digits]


@pytest.mark.parametrize(
    "other", ["2026-10-31 23:59:5a", "2026-10-31 23:59:60", "2026-1O-31 23:59:59", "9026-99-31 23:59:59", "31/10-2026 23:59:59", "2026-10-3１ 23:59", ""]
)
def test_a_time_is_read_alike_beside_whatever_others(other: str) -> None:
    usual = "2026-10-31 23:59:59"
    [alone] = shapes.clearing_digits(pa.array([other])).to_pylist()
    assert alone is None
    assert shapes.clearing_digits(pa.array([usual, other, usual])).to_pylist() == ["20261031235959000", None, "20261031235959000"]


def test_output_that_breaks_its_schema_is_our_fault() -> None:
    names = M9610.outputs.tables["excluded"].names
    table = pa.table({name: pa.array([None]) for name in names})
    with pytest.raises(OurFault, match="D101"):
        checked(M9610, "excluded", table)


def test_control_totals_that_do_not_balance_are_our_fault() -> None:
    amount = pa.array([1, 2], pa.int64()).cast(pa.decimal128(38, 5))
    parts = pa.table([pa.array(["lines", "lines"]), pa.array(["", ""]), pa.array(["read", "declared"]), amount], schema=TOTALS)
    with pytest.raises(OurFault, match="C101"):
        must_balance(control_totals(parts))
