"""Parts of a table that were written apart, joined: byte for byte what one writer makes of all its rows."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from aggregator.outputs import tables
from aggregator.outputs.parquet_parts import join_parquet
from aggregator.outputs.tables import write_parquet, write_parquet_to
from aggregator.outputs.thrift import read_struct, struct_bytes
from aggregator.pipeline import written
from tests.conftest import Runner, row

SCHEMA = pa.schema(
    [("inventory_no", pa.string()), ("declaration_ref", pa.string()), ("total_price", pa.decimal128(38, 5)), ("late", pa.bool_()), ("source_row", pa.int64()), ("blank", pa.string())]
)


def rows(count: int) -> pa.Table:
    numbers = np.random.default_rng(7).integers(0, 10**9, count)
    columns = [
        pa.array([f"5301{number}" for number in numbers]),
        pa.array([f"202610-01-{number % 97:06d}" if number % 5 else None for number in numbers], pa.string()),
        pa.array([Decimal(int(number)) / 100000 for number in numbers], pa.decimal128(38, 5)),
        pa.array(numbers % 3 == 0),
        pa.array(np.arange(count)),
        pa.nulls(count, pa.string()),
    ]
    return pa.table(columns, schema=SCHEMA)


@pytest.mark.parametrize("count", [1, 1000, 1001, 20_000])
def test_parts_joined_are_what_one_writer_makes(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 1000)
    table, parts = rows(count), []
    write_parquet(tmp_path / "whole", SCHEMA, [table])
    for begin in range(0, count, 1000):
        sink = io.BytesIO()
        write_parquet_to(sink, SCHEMA, [table.slice(begin, 1000)])
        parts.append(sink.getvalue())
    join_parquet(tmp_path / "joined", parts)
    assert (tmp_path / "joined").read_bytes() == (tmp_path / "whole").read_bytes()
    assert pq.read_table(tmp_path / "joined").equals(table)


@pytest.mark.parametrize("cut", [1, 7, 400, 1000])
def test_bytes_do_not_depend_on_how_rows_come(cut: int) -> None:
    """Whole or in pieces, as text or encoded, with values in the dictionary that no row has: the file is the same."""
    table = rows(1000)
    whole = io.BytesIO()
    write_parquet_to(whole, SCHEMA, [table])
    place, encoded = table.column_names.index("declaration_ref"), table["declaration_ref"].combine_chunks().dictionary_encode()
    turned = pa.DictionaryArray.from_arrays(
        pc.subtract(len(encoded.dictionary), encoded.indices), pa.concat_arrays([pa.array(["not there"]), encoded.dictionary.take(pa.array(np.arange(len(encoded.dictionary))[::-1]))])
    )  # fmt: skip
    assert turned.cast(pa.string()).equals(table["declaration_ref"].combine_chunks())
    apart = table.set_column(place, "declaration_ref", turned)
    cut_up = io.BytesIO()
    write_parquet_to(cut_up, SCHEMA, (apart.slice(begin, cut) for begin in range(0, 1000, cut)))
    assert cut_up.getvalue() == whole.getvalue()
    assert pq.read_table(io.BytesIO(cut_up.getvalue())).equals(table)
    assert b"not there" not in cut_up.getvalue()


def test_a_footer_is_written_as_it_was_read() -> None:
    sink = io.BytesIO()
    write_parquet_to(sink, SCHEMA, [rows(10)])
    whole = sink.getvalue()
    footer = whole[-8 - int.from_bytes(whole[-8:-4], "little") : -8]
    assert struct_bytes(read_struct(footer)) == footer


def test_a_footer_of_another_kind_is_no_footer() -> None:
    with pytest.raises(ValueError, match="no such type"):
        read_struct(bytes([0x1B, 0x00]))


def test_a_run_writes_the_same_whatever_the_chunks(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups that begin in one chunk and end in another; a chunk without a row; all formats."""
    monkeypatch.setattr(tables, "ROW_GROUP", 7)
    monkeypatch.setattr(written, "ROW_GROUP", 7)
    exported = [row(inventory_no=f"53012026E{number:09d}", status_code="899" if not 20 <= number < 30 else "800") for number in range(50)]
    path = runner.write(exported)
    made = {}
    for size in (10_000_000, 1000):
        out = runner.folder / f"out-{size}"
        runner.run(path, out=out, chunk_bytes=size, formats=("csv", "parquet"))
        [folder] = out.glob("2026-10/*-01")
        made[size] = {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix in (".parquet", ".csv")}
        audit_map = pq.ParquetFile(folder / "audit_map.parquet")
        assert [audit_map.metadata.row_group(place).num_rows for place in range(audit_map.num_row_groups)] == [7, 7, 7, 7, 7, 5]
    assert made[1000] == made[10_000_000]
    assert {"audit_map.csv", "excluded.parquet", "findings.parquet"} <= set(made[1000])
