"""The tariff table that a user gives, and how lines are compared with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

TARIFF = pa.schema(
    [
        (name, pa.string())
        for name in ("commodity_code", "statutory_unit_code", "second_statutory_unit_code", "valid_from", "valid_to", "inspection", "export_duty")
    ]
)
"""Days as yyyymmdd, both within; a table without days is always in force. Units blank where the tariff has none. `inspection`
(检验检疫类别), `export_duty` (出口关税率): blank where there is none, null where the table does not have the column."""
NO_DUTY = r"0+(?:\.0+)?%?"
"""A rate of export duty that is none."""
NOT_KNOWN, NO, YES = -1, 0, 1
"""What is known of a fact."""
_KEY = ["commodity_code", "statutory_unit_code", "second_statutory_unit_code", "day"]


def in_tariff(lines: pa.Table, tariff: pa.Table) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[str]]:
    """In: string columns commodity_code, statutory_unit_code, second_statutory_unit_code (blank where there is none) and day
    (yyyymmdd; blank where it is not known, then nothing is said). Out, for each line: whether the code exists, whether its
    units are those of the tariff (so, too, where it does not exist), and the units of the tariff as text."""
    wanted = lines.select(_KEY).to_pandas()
    pairs = wanted.drop_duplicates().reset_index(drop=True)
    joined = pairs.reset_index().merge(tariff.to_pandas(), on="commodity_code", suffixes=("", "_tariff"))
    joined = joined[(joined["valid_from"] <= joined["day"]) & (joined["day"] <= joined["valid_to"])]
    exists = pairs.index.isin(joined["index"]) | (pairs["day"] == "").to_numpy()
    same = (joined["statutory_unit_code"] == joined["statutory_unit_code_tariff"]) & (
        joined["second_statutory_unit_code"] == joined["second_statutory_unit_code_tariff"]
    )
    fits = pairs.index.isin(joined["index"][same]) | ~pairs.index.isin(joined["index"])
    units = joined["statutory_unit_code_tariff"] + "/" + joined["second_statutory_unit_code_tariff"]
    of_pair = units.groupby(joined["index"]).agg(lambda each: " | ".join(sorted(set(each)))).reindex(pairs.index, fill_value="")
    place = wanted.merge(pairs.reset_index(), on=_KEY, how="left")["index"].to_numpy()
    return exists[place], fits[place], of_pair.to_numpy()[place].tolist()


def facts_of_tariff(lines: pa.Table, tariff: pa.Table) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """In: string columns commodity_code and day (yyyymmdd). Out, for each line: whether inspection and whether export duty
    applies to the code on that day (YES, NO, NOT_KNOWN)."""
    wanted = lines.select(["commodity_code", "day"]).to_pandas()
    pairs = wanted.drop_duplicates().reset_index(drop=True)
    rows = tariff.to_pandas()
    joined = pairs.reset_index().merge(rows, on="commodity_code")
    joined = joined[(joined["valid_from"] <= joined["day"]) & (joined["day"] <= joined["valid_to"])]
    place = wanted.merge(pairs.reset_index(), on=["commodity_code", "day"], how="left")["index"].to_numpy()
    found = []
    for column in ("inspection", "export_duty"):
        given, text = joined[column].notna(), joined[column].fillna("")
        applies = (text != "") & ~(text.str.fullmatch(NO_DUTY) if column == "export_duty" else text == "0")
        facts = np.where(given, applies.astype("int64"), NOT_KNOWN)
        # Several rows of a code: it applies if one says so; it does not if all say so.
        of_pair = pd.Series(facts, index=joined["index"]).groupby(level=0).agg(lambda each: YES if (each == YES).any() else each.min())
        found.append(of_pair.reindex(pairs.index, fill_value=NOT_KNOWN).to_numpy(dtype=np.int64)[place])
    return found[0], found[1]
