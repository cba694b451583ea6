"""Account for every line: control totals, and the audit map from each declared line to its declaration item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.grouping import codes_of_values, group_codes, sums_of_groups
from aggregator.model.errors import OurFault
from aggregator.schemas.arrays import Ints, constant
from aggregator.schemas.field import Dictionary
from aggregator.schemas.inventories import Inventories

AMOUNT = pa.decimal128(38, 5)
BUCKETS = ("read", "declared", "rejected", "excluded", "unreadable")
TOTALS = pa.schema(
    [("column", pa.string()), ("currency_or_unit", pa.string()), ("bucket", pa.string()), ("amount", AMOUNT)]
)


def count_total(column: str, bucket: str, count: int) -> pa.Table:
    return totals_of(column, [""], bucket, pa.array([count], pa.int64()).cast(AMOUNT))


def totals_of(column: str, units: Any, bucket: str, amounts: pa.Array) -> pa.Table:
    """Rows of TOTALS for one column and bucket: an amount a unit or currency."""
    length = len(amounts)
    return pa.table([pa.array([column] * length), pa.array(units, pa.string()), pa.array([bucket] * length), amounts], TOTALS)


def item_totals(lines: pa.Table, bucket: str, dictionary: Dictionary) -> pa.Table:
    """Sums of the summed item columns of these lines, by unit or currency as it stands (blank where missing)."""
    parts = [count_total("lines", bucket, lines.num_rows)]
    for column, unit in dictionary.summed_items.items():
        if column not in lines.column_names:
            continue
        units = units_of(lines, unit, dictionary)
        units = units if pa.types.is_dictionary(units.type) else units.dictionary_encode()
        sums = sums_of_groups(lines[column].combine_chunks(), *codes_of_values(units))
        names = pa.concat_arrays([units.dictionary.cast(pa.string()), pa.array([""])])
        parts.append(totals_of(column, names.filter(sums.is_valid()), bucket, sums.drop_null()))
    return pa.concat_tables(parts)


def units_of(lines: pa.Table, unit: str, dictionary: Dictionary) -> pa.Array:
    """What a summed column is measured in, for each line. In: the column that holds it, or the unit itself."""
    if unit in lines.column_names:
        return lines[unit].combine_chunks()
    if unit in dictionary or not unit:
        return pa.nulls(lines.num_rows, pa.string())
    return constant(unit, lines.num_rows)


def unreadable_totals(unreadable: dict[str, int], dictionary: Dictionary) -> pa.Table:
    """Given values that are no number, counted; header columns are counted by inventory elsewhere."""
    return pa.concat_tables(
        [TOTALS.empty_table()]
        + [
            count_total(column, "unreadable", count)
            for column, count in unreadable.items()
            if count and column in dictionary.summed_items
        ]
    )


def header_totals(inventories: Inventories, bucket_of_inventory: Ints, buckets: Sequence[str], dictionary: Dictionary) -> pa.Table:
    """Sums of the summed header columns: once per inventory and distinct value, though they stand on every line.

    `bucket_of_inventory`: the place of its bucket among `buckets`, which do not repeat.
    """
    parts = [TOTALS.empty_table()]
    for column, unit in dictionary.summed_headers.items():
        values = inventories.lines[column].combine_chunks()
        places = inventories.starts
        several = inventories.differs(column)
        if several.any():
            lines = np.flatnonzero(several[inventories.inventory_of])
            frame = pd.DataFrame(
                {
                    "inventory": inventories.inventory_of[lines],
                    "value": values.take(pa.array(lines)).cast(AMOUNT).cast(pa.string()).to_numpy(zero_copy_only=False),
                }
            )
            distinct = lines[~frame.duplicated().to_numpy()]
            places = np.concatenate([places[~several], distinct])
        of_value = bucket_of_inventory[inventories.inventory_of[places]]
        sums = sums_of_groups(values.take(pa.array(places)), of_value, len(buckets))
        parts += [totals_of(column, [unit], bucket, total) for place, bucket in enumerate(buckets) if (total := sums.slice(place, 1)).null_count == 0]
    return pa.concat_tables(parts)


def control_totals(parts: pa.Table) -> pa.Table:
    """One row a summed column and unit. Columns out: column, currency_or_unit, the BUCKETS, difference."""
    keys = ["column", "currency_or_unit"]
    summed = parts.group_by([*keys, "bucket"], use_threads=False).aggregate([("amount", "sum")])
    of_key, bucket_of, amounts = [summed[name].combine_chunks() for name in keys], summed["bucket"].combine_chunks(), summed["amount_sum"].combine_chunks()
    row, firsts = group_codes(of_key, summed.num_rows)
    zero = pa.scalar(0, pa.int64()).cast(AMOUNT)
    columns: dict[str, pa.Array] = {name: values.take(pa.array(firsts)) for name, values in zip(keys, of_key, strict=True)}
    for bucket in BUCKETS:
        at = np.flatnonzero(pc.equal(bucket_of, bucket).to_numpy(zero_copy_only=False))
        place = np.full(len(firsts), -1)
        place[row[at]] = at
        columns[bucket] = pc.fill_null(amounts.take(pa.array(place, mask=place < 0)).cast(AMOUNT), zero)
    read, declared, rejected, excluded = (columns[bucket].cast(pa.decimal256(44, 5)) for bucket in BUCKETS[:4])
    accounted = pc.add(pc.add(declared, rejected), excluded)
    columns["difference"] = pc.subtract(read, accounted).cast(AMOUNT)
    return pa.table(columns).sort_by([("column", "ascending"), ("currency_or_unit", "ascending")])


def must_balance(totals: pa.Table) -> None:
    """Raise OurFault unless read = declared + rejected + excluded in every row."""
    zero = pa.scalar(0, pa.int64()).cast(AMOUNT)
    off = totals.filter(pc.not_equal(totals["difference"], zero))
    if off.num_rows:
        rows = "; ".join(f"{row['column']} {row['currency_or_unit']}: {row['difference']}" for row in off.to_pylist()[:10])
        raise OurFault(
            f"[C101] The control totals do not balance: {rows}. Nothing was published.",
            f"[C101] 控制合计不平衡：{rows}。未发布任何内容。",
        )


def audit_rows(
    lines: pa.Table, late: Any, source_file: pa.Array, refs: pa.Array, declaration: Ints, item_no: Ints, schema: pa.Schema
) -> pa.Table:
    """In: declared lines in input order, with the declaration (0, 1, …) and item number of each; `refs`: null for what is declared
    and in no declaration. Out: what repeats is dictionary encoded."""
    length = lines.num_rows
    ref = refs.take(pa.array(declaration)).dictionary_encode()
    made = {
        "declaration_ref": ref,
        "declaration_item_no": pc.if_else(ref.is_valid(), pa.array(item_no.astype(np.int32)), None),
        "late": pa.array(late),
        "source_file": source_file,
    }
    columns = []
    for field in schema:
        if field.name in made:
            columns.append(made[field.name])
        elif field.name in lines.column_names:
            columns.append(lines[field.name].combine_chunks())
        else:
            columns.append(pa.nulls(length, field.type))
    return pa.table(columns, names=schema.names)
