"""Pandera decides: a breach planted in any check that a schema declares is seen, in lines and in outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aggregator.domain.validate import Validated, validate_lines
from aggregator.inputs.open import read_chunk
from aggregator.inputs.tables.canonical import Repairs, canonical
from aggregator.model.errors import OurFault
from aggregator.outputs.checked import checked, checked_by_values
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


def _row_of(name: str) -> Iterator[tuple[str, Any]]:
    """A sound row of an output."""
    sound = {
        "declaration_ref": "202610-01-000001", "trade_mode_code": "9610", "commodity_code": "6109100010",
        "declaring_customs_code": "2244", "exit_customs_code": "2248",
    }  # fmt: skip
    for field in M9610.outputs[name]:
        if pa.types.is_decimal(field.type):
            yield field.name, Decimal(1)
        elif pa.types.is_string(field.type):
            yield field.name, sound.get(field.name, "110")
        else:
            yield field.name, field.name != "late" and 1


CHECKED = [(name, column) for name in ("declarations", "declaration_items", "audit_map") for column in M9610.outputs[name].names if M9610.outputs.frames[name].columns[column].checks]


def _table(name: str, row: dict[str, Any], *, encoded: bool) -> pa.Table:
    schema = M9610.outputs[name]
    table = pa.table([pa.array([row[field.name]], field.type) for field in schema], schema=schema)
    columns = [column.dictionary_encode() if encoded and pa.types.is_string(column.type) else column for column in table.columns]
    return pa.table(columns, names=schema.names)


@pytest.mark.parametrize(("check", "encoded"), [(checked, False), (checked_by_values, False), (checked_by_values, True)])
@pytest.mark.parametrize(("name", "column"), CHECKED)
def test_a_breach_of_each_check_on_outputs(check: Callable[..., pa.Table], encoded: bool, name: str, column: str) -> None:
    sound = dict(_row_of(name))
    assert check(M9610, name, _table(name, sound, encoded=encoded)).num_rows == 1
    wrong: Any = "x" if isinstance(sound[column], str) else -1
    with pytest.raises(OurFault, match="D101"):
        check(M9610, name, _table(name, {**sound, column: wrong}, encoded=encoded))
    if column not in M9610.outputs.nullable:
        with pytest.raises(OurFault, match="D101"):
            check(M9610, name, _table(name, {**sound, column: None}, encoded=encoded))
