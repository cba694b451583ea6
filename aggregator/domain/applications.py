"""Which declarations one summary application (汇总申请单) asks for: those that share what an application holds once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aggregator.domain.grouping import group_codes
from aggregator.domain.split import Split
from aggregator.model.customs import Customs
from aggregator.model.errors import WrongConfiguration
from aggregator.model.records import application_ref
from aggregator.schemas.arrays import Ints


@dataclass(frozen=True)
class Application:
    """One summary application: its key and names, and how many inventories it asks for."""

    application_ref: str
    declaring_customs_code: str
    declarant_code: str
    declarant_name: str
    consignor_code: str
    consignor_name: str
    premises_code: str
    inventories: int


def applications(items: pa.Table, split: Split, key: Sequence[str]) -> tuple[pa.Table, Ints]:
    """In: merged items in the order of the key. Out: application_no (1, 2, …) and the application key, in the order of the key;
    and for each declaration the number of its application."""
    first_item = np.flatnonzero(np.diff(split.declaration, prepend=-1))
    keys = items.select(key).take(pa.array(first_item)).combine_chunks()
    groups, firsts = group_codes([column.combine_chunks() for column in keys.columns], keys.num_rows)
    distinct = keys.take(pa.array(firsts)).append_column("group", pa.array(np.arange(len(firsts))))
    distinct = distinct.sort_by([(name, "ascending") for name in key])
    numbers = np.empty(len(firsts), dtype=np.int64)
    numbers[distinct["group"].to_numpy()] = np.arange(1, len(firsts) + 1)
    table = distinct.drop_columns("group").add_column(0, "application_no", pa.array(np.arange(1, len(firsts) + 1)))
    return table, numbers[groups]


def applied_for(applications: pa.Table, declarations: pa.Table, tally: pa.Table, run_ref: str, customs: Customs) -> list[Application]:
    """The applications of a run as they are written, in their order. In: tables of `applications`, the declarations and the
    ledger's tally of the run. Raises WrongConfiguration naming what the config lacks."""
    names = dict(zip(declarations["consignor_code"].to_pylist(), declarations["consignor_name"].to_pylist(), strict=True))
    counts: dict[int, int] = {}
    for row in tally.to_pylist():
        counts[row["application_no"]] = counts.get(row["application_no"], 0) + row["inventories_sum"]
    found = []
    for row in applications.to_pylist():
        number = row["application_no"]
        code, name = _declarant(row["declarant_code"], customs)
        ref = application_ref(run_ref, number)
        consignor = row["consignor_code"]
        found.append(
            Application(ref, row["declaring_customs_code"], code, name, consignor, names[consignor], row["premises_code"], counts[number])
        )
    return found


def _declarant(code: str, customs: Customs) -> tuple[str, str]:
    """The declarant of an application, and its name."""
    known = {customs.declarant_code: customs.declarant_name, **customs.declarants}
    code = code or customs.declarant_code
    if code and known.get(code):
        return code, known[code]
    key = f"declarants.{code}" if code and code != customs.declarant_code else "declarant_name" if code else "declarant_code"
    raise WrongConfiguration(
        f"[customs] {key} is missing: the application needs the declarant's code and name. Add it and run again.",
        f"[customs] 缺少 {key}：汇总申请单须有申报单位代码和名称。请补充后重新运行。",
    )
