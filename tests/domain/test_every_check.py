"""Pandera decides: a breach planted in any check that a schema declares is seen, in lines. Of outputs: tests/outputs/test_tables.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aggregator.domain.validate import Validated, validate_lines
from aggregator.inputs.open import read_chunk
from aggregator.inputs.tables.canonical import Repairs, canonical
from aggregator.samples.sample import Sample, write_sample
from aggregator.schemas.modes import Mode
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.rule import Rule, RuleBook, Scope
from tests.conftest import opened

RULES = M9610.rules.of_scope(Scope.ROW)
CASES = [(rule, column) for rule in RULES if rule.test is not None for column in (rule.columns if not rule.compares else rule.columns[:1])]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Canonical text of a sound chunk with every column."""
    [path] = write_sample(Sample(lines=60, seed=4), tmp_path_factory.mktemp("sample"))
    file = opened(path)
    given = read_chunk(file, file.blocks[0]).lines
    others = {"freight": "1.5", "freight_currency_code": "502", "insurance": "0.5", "insurance_currency_code": "502"}
    rest = [column for column in M9610.dictionary.columns if column not in given.column_names and column not in others]
    return canonical(given, (*others.items(), *((column, "") for column in rest)), M9610.dictionary, Repairs())


def validated(lines: pa.Table, mode: Mode) -> Validated:
    return validate_lines(lines, {}, (), mode)


def broken_by(rule: Rule, column: str) -> Mode:
    """The mode in which this rule finds one value (or row) of this column wrong and nothing else."""

    def one_is_wrong(*arguments: Any) -> pa.Array:
        sound = np.ones(len(arguments[0]), dtype=bool)
        if rule.compares or arguments[1] is None or arguments[1].column == column:
            sound[-1] = False
        return pa.array(sound)

    rules = RuleBook(tuple(replace(each, test=one_is_wrong) if each.code == rule.code else each for each in M9610.rules))
    return replace(M9610, rules=rules)


def test_the_chunk_is_sound(lines: pa.Table) -> None:
    assert validated(lines, M9610).findings.num_rows == 0


@pytest.mark.parametrize(("rule", "column"), CASES, ids=[f"{rule.code} {column}" for rule, column in CASES])
def test_a_breach_of_each_check_on_lines(lines: pa.Table, rule: Rule, column: str) -> None:
    mode = broken_by(rule, column)
    for _ in range(2):
        # What was found sound before is not asked again: what was not, is.
        codes = {mode.rules.codes[code] for code in validated(lines, mode).findings["code"].to_pylist()}
        assert codes == {rule.code}
