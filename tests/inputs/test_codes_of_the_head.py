"""The codes of the declarant and of the supervised place stand in the header key: what can be no such code is reported, and its
inventory is rejected; the others are declared as they are."""

from __future__ import annotations

import pyarrow as pa
import pytest

from aggregator.inputs.formats.parquet import _decimal_text, _floating_text
from aggregator.inputs.tables.cells import number_text
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import Runner, row

OTHER = row(inventory_no="22442026E000000002", order_no="DD2", waybill_no="LP2")
NO_DECLARANT = (
    "440318000", "04403180001", "4403180001.0", "-4403180001", "4.40E+09", "440318-0001", "4403180001件", "4403180001&amp;",
    "深圳通达报关行有限公司", "2026-10-02", "N/A", "〃", "2.50", "@4403180001", "=Sheet2!B7", "91440300MA5F0A1B2M", "5304",
)  # fmt: skip
NO_PREMISES = ("无", "N/A", "NULL", "01", "1.50", "-530401", "530401&amp;", "=Sheet2!B7", "530401 A001", "530401A00123", "監管區01", "〃")


@pytest.mark.parametrize(("column", "value", "code"), [
    *(("declarant_code", value, "R114") for value in NO_DECLARANT), *(("premises_code", value, "R125") for value in NO_PREMISES),
])  # fmt: skip
def test_what_is_no_code_rejects_its_inventory(column: str, value: str, code: str, runner: Runner) -> None:
    outcome = runner.run_rows([{**row(), "premises_code": "", column: value}, {**OTHER, "premises_code": ""}])
    assert outcome.exit_code == 3
    assert (outcome.counts["inventories_declared"], outcome.counts["inventories_rejected"]) == (1, 1)
    [found] = runner.results(outcome, "findings")
    assert (found["code"], found["column"]) == (code, column)


@pytest.mark.parametrize(("column", "value"), [
    ("declarant_code", "4403960q7x"), ("declarant_code", "91440300MA5F0A1B2N"), ("declarant_code", ""), ("declarant_code", "４４０３１８０００１"),
    ("premises_code", "5304"), ("premises_code", "4403A001"), ("premises_code", "cnszx53s01"), ("premises_code", ""),
])  # fmt: skip
def test_what_may_be_one_is_declared(column: str, value: str, runner: Runner) -> None:
    outcome = runner.run_rows([{**row(), column: value}])
    assert (outcome.exit_code, outcome.findings) == (0, {})


@pytest.mark.parametrize(("column", "value", "code"), [
    ("declarant_code", "4403180001\u200b", "R122"), ("premises_code", "5304\u200b01", "R122"), ("declarant_code", "#N/A", "R123"), ("premises_code", "#REF!", "R123"),
])  # fmt: skip
def test_one_fault_is_reported_once(column: str, value: str, code: str, runner: Runner) -> None:
    assert runner.run_rows([{**row(), column: value}]).findings == {code: 1}


def test_a_floating_number_is_whole_and_exact_or_shows_that_it_is_not() -> None:
    assert _floating_text(pa.array([5.0, 2**24 - 1.0, None, 2.5], pa.float32())).to_pylist() == ["5", "16777215", "", "2.5"]
    assert all("E+" in text for text in _floating_text(pa.array([2.0**24, 6109100010.0, -(2.0**25)], pa.float32())).to_pylist())
    assert all("E+" in text for text in _floating_text(pa.array([2048.0, 30000.0], pa.float16())).to_pylist())
    assert _floating_text(pa.array([6109100010.0, 2.0**40, 2.0**53], pa.float64())).to_pylist()[:2] == ["6109100010", "1099511627776"]
    assert "E+" in number_text(2.0**53)


def test_zeros_of_a_decimal_type_are_no_digits_of_a_code() -> None:
    texts = pa.array(["6109100010.000000", "1.500000", "12", "0.000000"])
    assert _decimal_text(texts, M9610.dictionary["commodity_code"]).to_pylist() == ["6109100010", "1.500000", "12", "0"]
    assert _decimal_text(texts, M9610.dictionary["unit_price"]).to_pylist() == ["6109100010.00000", "1.50000", "12", "0.00000"]
