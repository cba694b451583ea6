"""Tables of run folders that others have written to: no more is read than a file of the size can be, and what is odd is said with its place."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregator.model.errors import CannotReadOrWrite, NoInput, WrongUsage
from aggregator.outputs.run_tables import RunTables, table_in
from aggregator.schemas.modes.m9610 import M9610
from tests.conftest import Runner, row

Edit = Callable[[pa.Table], pa.Table]


@pytest.fixture
def run_folder(runner: Runner) -> Path:
    return Path(runner.run_rows([row(), row(inventory_no="22442026E000000002", order_no="DD2", waybill_no="LP2", goods_name="")]).folder)


def with_column(name: str, values: pa.Array) -> Edit:
    return lambda table: table.set_column(table.column_names.index(name), name, values)


def alike(table: pa.Table) -> pa.Table:
    return pa.table({name: pa.repeat(table[name][0], 1_000_000) for name in table.column_names})


def one_text(table: pa.Table) -> pa.Table:
    """300 GB, of which Parquet keeps one MB."""
    text = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 300_000), pa.array(["x" * 1_000_000]))
    few = {name: pa.repeat(table[name][0], 300_000) for name in ("inventory_no", "item_no", "declaration_ref", "declaration_item_no")}
    return pa.table({**few, "goods_name": text})


EDITS: dict[str, tuple[Edit, str]] = {
    "rows alike": (alike, "36,000,000 cells"),
    "one text": (one_text, "bytes of text"),
    "lists": (with_column("goods_name", pa.array([["a"]])), "of type list"),
    "another type": (with_column("total_price", pa.array(["x"])), "not as it was written"),
    "no number of an inventory": (with_column("inventory_no", pa.array([None], pa.string())), "blanks in the column 'inventory_no'"),
    "no column": (lambda table: table.drop_columns(["item_no"]), "0 columns are called 'item_no'"),
    "two columns": (lambda table: table.append_column("item_no", table["item_no"]), "2 columns are called 'item_no'"),
    "not in UTF-8": (with_column("goods_name", pa.array([b"\xff"]).view(pa.string())), "not as it was written"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_an_audit_map_that_is_none_of_ours(run_folder: Path, kind: str) -> None:
    edit, says = EDITS[kind]
    path = run_folder / "audit_map.parquet"
    pq.write_table(edit(pq.read_table(path)), path)
    begun = time.process_time()
    with pytest.raises(CannotReadOrWrite, match=says) as stopped:
        RunTables(run_folder).table("audit_map")
    assert time.process_time() - begun < 3
    assert re.search("[一-鿿]", stopped.value.text.zh)
    assert str(path) in stopped.value.text.en


def test_what_was_written_is_read_as_it_was_written(run_folder: Path) -> None:
    path = run_folder / "audit_map.parquet"
    assert table_in(path, M9610, "audit_map") == pq.read_table(path)
    # Runs of older versions lack what came later.
    pq.write_table(pq.read_table(path).drop_columns(["premises_code"]), path)
    assert table_in(path, M9610, "audit_map", ("inventory_no", "premises_code", "goods_name")).column_names == ["inventory_no", "goods_name"]


@pytest.mark.parametrize(("name", "data"), [("findings", b"\xff\xfe"), ("excluded", b"a,b\n1,2\n"), ("control_totals", b""), ("declarations", b"x" * 2_000_000), ("declaration_items", b"declaration_ref,total_price\n1,x\n")])
def test_a_table_that_is_none_of_ours(run_folder: Path, name: str, data: bytes) -> None:
    (run_folder / f"{name}.csv").write_bytes(data)
    with pytest.raises(CannotReadOrWrite, match=f"{name}.csv is not as it was written"):
        RunTables(run_folder).table(name)
    (run_folder / f"{name}.csv").unlink()
    with pytest.raises(NoInput):
        RunTables(run_folder).table(name)


@pytest.mark.parametrize("data", [
    "[" * 200_000, "[]", '{"run_ref": "1"}', '{"run_ref": "1", "period": 1}', '{"run_ref": "1", "period": "1", "counts": [1]}', '{"run_ref": "1", "period": "1", "counts": {"declarations": Infinity}}',
    '{"run_ref": "1", "period": "1", "parameters": []}', '{"run_ref": "1", "period": "1", "parameters": {"mode": []}}', '{"run_ref": "1", "period": "1", "parameters": {"mode": "x"}}', "\0",
])  # fmt: skip
def test_a_manifest_that_is_none(run_folder: Path, data: str) -> None:
    (run_folder / "manifest.json").write_text(data)
    with pytest.raises(WrongUsage, match="no readable manifest"):
        RunTables(run_folder)
