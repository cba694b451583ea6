"""Rules that compare lines with the tariff table that a user gives, as it was in force on the day of clearance.

No tariff is part of this project: the official one is amended several times a year. Without a table these rules do not run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Status, spec
from aggregator.schemas.text import Text

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


TARIFF_RULES: tuple[Rule, ...] = (
    Rule(
        code="B207", scope=Scope.BATCH, severity=Severity.WARNING, columns=("commodity_code",), once_per_value=True,
        message=Text("The commodity code is not in your tariff table on the day of clearance.", "结关当日，您提供的税则表中没有该商品编码。"),
        remedy=Text("Check the code, and that the table is up to date.", "请核对该编码，并确认税则表为最新。"),
        citations=(spec("gcode", Status.INFERENCE),), test=in_tariff,
    ),
    Rule(
        code="B208", scope=Scope.BATCH, severity=Severity.WARNING, columns=("statutory_unit_code",), once_per_value=True,
        message=Text("The statutory units are not those of your tariff table on the day of clearance (code: now → table).",
                     "法定计量单位与您提供的税则表（结关当日）不一致（编码：现值 → 税则表）。"),
        remedy=Text("Check both units; customs adds up by them.", "请核对第一、第二法定计量单位；海关按其汇总数量。"),
        citations=(spec("unit1, unit2", Status.INFERENCE),), test=in_tariff,
    ),
)  # fmt: skip
