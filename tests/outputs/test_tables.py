"""Pandera decides what is written: a breach planted in any check that an output's schema declares is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from aggregator.inputs.tables.canonical import Repairs, canonical_column
from aggregator.model.errors import OurFault
from aggregator.outputs.checked import checked, checked_by_values
from aggregator.outputs.tables import csv_bytes, guarded, guarded_cell
from aggregator.schemas.modes.m9610 import M9610

OUTPUTS = [
    (name, column)
    for name in ("declarations", "declaration_items", "audit_map")
    for column in M9610.outputs[name].names
    if M9610.outputs.frames[name].columns[column].checks
]


def sound_row(name: str) -> Iterator[tuple[str, Any]]:
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


def table_of(name: str, row: dict[str, Any], *, encoded: bool) -> pa.Table:
    schema = M9610.outputs[name]
    table = pa.table([pa.array([row[field.name]], field.type) for field in schema], schema=schema)
    columns = [column.dictionary_encode() if encoded and pa.types.is_string(column.type) else column for column in table.columns]
    return pa.table(columns, names=schema.names)


@pytest.mark.parametrize(("check", "encoded"), [(checked, False), (checked_by_values, False), (checked_by_values, True)])
@pytest.mark.parametrize(("name", "column"), OUTPUTS)
def test_a_breach_of_each_check(check: Callable[..., pa.Table], encoded: bool, name: str, column: str) -> None:
    sound = dict(sound_row(name))
    assert check(M9610, name, table_of(name, sound, encoded=encoded)).num_rows == 1
    wrong: Any = "x" if isinstance(sound[column], str) else -1
    with pytest.raises(OurFault, match="D101"):
        check(M9610, name, table_of(name, {**sound, column: wrong}, encoded=encoded))
    if column not in M9610.outputs.nullable:
        with pytest.raises(OurFault, match="D101"):
            check(M9610, name, table_of(name, {**sound, column: None}, encoded=encoded))


@pytest.mark.parametrize(("name", "column"), [(name, column) for name, schema in M9610.outputs.tables.items() for column in schema.names])
def test_nothing_is_blank_but_what_may_be(name: str, column: str) -> None:
    blank = table_of(name, {**dict(sound_row(name)), column: None}, encoded=False)
    if column in M9610.outputs.nullable:
        assert checked(M9610, name, blank)[column].null_count == 1
    else:
        with pytest.raises(OurFault, match="D101"):
            checked(M9610, name, blank)


@pytest.mark.parametrize(("name", "column", "other"), [("declarations", "declaration_ref", "202610-01-000002"), ("declaration_items", "declaration_item_no", 2)])
def test_nothing_is_declared_under_one_number_twice(name: str, column: str, other: Any) -> None:
    sound = dict(sound_row(name))
    one = table_of(name, sound, encoded=False)
    with pytest.raises(OurFault, match="D101"):
        checked(M9610, name, pa.concat_tables([one, one]))
    assert checked(M9610, name, pa.concat_tables([one, table_of(name, {**sound, column: other}, encoded=False)])).num_rows == 2


def test_csv_of_a_column_in_an_empty_and_another_piece() -> None:
    """Arrow's writer takes memory that is not the table's for the cells of such columns."""
    nothing = pa.chunked_array([pa.array([], pa.string()), pa.nulls(2, pa.string())])
    assert csv_bytes(pa.table({"a": nothing, "b": ["u", "v"]}), header=False) == b',"u"\n,"v"\n'


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t1", "\r1", "'=1", "''@", "\n=1", "\nx", "  =1", " \u3000+1", "\u00a0-1", "＝1", "＋1", "－1", "＠a"])
@pytest.mark.parametrize("offset", [0, 1])
def test_cells_that_a_spreadsheet_would_run_are_guarded(cell: str, offset: int) -> None:
    table = pa.table({"a": [None, "", "x", "数", cell], "b": ["=", "x", "y", "z", None]})
    assert guarded(table.slice(offset))["a"].to_pylist() == [None, "", "x", "数", "'" + cell][offset:]
    assert guarded(pa.table({"a": ["x", "1=", None]}))["a"].to_pylist() == ["x", "1=", None]
    assert guarded_cell(cell) == "'" + cell
    repairs = Repairs()
    read = canonical_column(pa.array(["'" + cell]), M9610.dictionary["enterprise_goods_name"], repairs)
    assert (read.to_pylist(), dict(repairs.counts)) == ([cell.strip()], {}), "the reader takes it off again"


@pytest.mark.parametrize("cell", ["　", "（棉）", " x", "。", "é", "数=1", "1-2"])
def test_other_cells_are_left_alone(cell: str) -> None:
    assert guarded(pa.table({"a": [cell, None]}))["a"].to_pylist() == [cell, None]
    assert guarded_cell(cell) == cell
