"""What differs between an inventory as it was declared (in the audit map of its run) and as it stands in the input now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.model.errors import StopRun
from aggregator.model.records import Declared
from aggregator.model.remote import AnyPath
from aggregator.outputs.run_tables import as_written, table_in
from aggregator.places.at import place_at
from aggregator.schemas.codes import NO_PRODUCER_CODE
from aggregator.schemas.field import Dictionary
from aggregator.schemas.modes import Mode
from aggregator.schemas.units import shown_numbers, unit_numbers

_KEY = ["inventory_no", "item_no"]
_PLACE = ["declaration_ref", "declaration_item_no"]
CHANGES = pa.schema([("inventory_no", pa.string()), ("item_no", pa.string()), ("column", pa.string()), ("value", pa.string())])


def changes(lines: pa.Table, declared: dict[str, Declared], mode: Mode) -> pa.Table:
    """In: lines of inventories that are declared with other content, and how the ledger has them.

    Out (CHANGES): a row a value that differs, header values without item number; `value` says both, and where the first was
    declared. Where the audit map of then cannot be read, one row an inventory says where it was declared.
    """
    dictionary = mode.dictionary
    now = _texts(lines, dictionary)
    parts = []
    for run_ref, folder in sorted({(each.run_ref, each.folder) for each in declared.values()}, key=lambda each: each[0]):
        numbers = [number for number, each in declared.items() if each.run_ref == run_ref]
        then = _audited(folder / "audit_map.parquet", numbers, mode) if folder is not None else None
        if then is not None:
            parts.append(_differences(dictionary, _texts(then, dictionary, _PLACE), now[now["inventory_no"].isin(numbers)], run_ref))
    found = pd.concat(parts) if parts else pd.DataFrame({name: pd.Series(dtype="str") for name in CHANGES.names})
    missing = sorted(set(declared) - set(found["inventory_no"]))
    unlisted = pd.DataFrame(
        {
            "inventory_no": missing,
            "item_no": None,
            "column": "inventory_no",
            "value": [f"{number} @ {declared[number].places}" for number in missing],
        }
    )
    whole = pd.concat([found, unlisted]).sort_values(["inventory_no", "item_no", "column"], kind="stable", na_position="first")
    return pa.Table.from_pandas(whole, CHANGES, preserve_index=False)


def _audited(place: AnyPath, numbers: Sequence[str], mode: Mode) -> pa.Table | None:
    try:
        with as_written(place), place_at(place).local(place) as path:
            return _read(path, numbers, mode)
    except StopRun:
        return None


def _read(path: Path, numbers: Sequence[str], mode: Mode) -> pa.Table | None:
    dictionary = mode.dictionary
    own = pc.field("inventory_no").isin(shown_numbers(pa.array(numbers, pa.string()), dictionary))
    table = table_in(path, mode, "audit_map", dict.fromkeys((*_KEY, *_PLACE, *dictionary.unit, *dictionary.content)), own)
    columns = table.column_names
    if dictionary.unit:
        whole = unit_numbers(table, dictionary)
        table = table.set_column(columns.index("inventory_no"), "inventory_no", whole).filter(pc.is_in(whole, pa.array(numbers, pa.string())))
    return table if set(dictionary.content) <= set(columns) else None


def _texts(lines: pa.Table, dictionary: Dictionary, places: Sequence[str] = ()) -> pd.DataFrame:
    """Content as text, blank where missing; a producer's name only where it is content (where there is no code)."""
    frame = pd.DataFrame(
        {
            name: pc.fill_null(lines[name].combine_chunks().cast(pa.string()), "").to_pandas()
            if name in lines.column_names
            else pd.Series([""] * lines.num_rows, dtype="str")
            for name in (*_KEY, *places, *dictionary.content)
        }
    )
    if "producer_seller_name" in dictionary.content:
        frame["producer_seller_name"] = frame["producer_seller_name"].where(frame["producer_seller_code"] == NO_PRODUCER_CODE, "")
    return frame.drop_duplicates(_KEY)


def _differences(dictionary: Dictionary, then: pd.DataFrame, now: pd.DataFrame, run_ref: str) -> pd.DataFrame:
    """`run_ref`: where what is in no declaration was declared."""
    both = then.merge(now, on=_KEY, how="outer", suffixes=("", "_now"), indicator="side")
    place = both["declaration_ref"] + "/" + both["declaration_item_no"]
    place = place.where(both["declaration_ref"] != "", run_ref).where(both["declaration_ref"].notna())
    first = both["inventory_no"].map(place.groupby(both["inventory_no"]).first())
    paired = both["side"] == "both"
    parts = [
        _rows(dictionary, both, ~paired, "item_no", both["item_no"].where(both["side"] == "left_only", ""),
              both["item_no"].where(both["side"] == "right_only", ""), place.fillna(first)),
    ]  # fmt: skip
    for column in dictionary.content:
        differs = paired & (both[column] != both[f"{column}_now"])
        if dictionary[column].header:
            differs &= ~both["inventory_no"].where(differs).duplicated()
        parts.append(_rows(dictionary, both, differs, column, both[column], both[f"{column}_now"], place))
    return pd.concat(parts)


def _rows(dictionary: Dictionary, both: pd.DataFrame, which: pd.Series, column: str, then: pd.Series, now: pd.Series, place: pd.Series) -> pd.DataFrame:
    item = None if dictionary[column].header else both["item_no"]
    value = then + " → " + now + " @ " + place
    return pd.DataFrame({"inventory_no": both["inventory_no"], "item_no": item, "column": column, "value": value})[which]
