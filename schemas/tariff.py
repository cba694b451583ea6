"""The tariff table that a user gives, and how lines are compared with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

TARIFF = pa.schema(
    [(name, pa.string()) for name in ("commodity_code", "statutory_unit_code", "second_statutory_unit_code", "valid_from", "valid_to")]
)
"""Days as yyyymmdd, both within; a table without days is always in force. Units blank where the tariff has none."""
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
