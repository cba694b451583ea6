"""Compare what customs made of a run's applications with our forecast: lines, not numbers, for numbers are customs' own.

Pure functions of frames. `ours`: the declared lines of a run (columns of the audit map). `theirs`: result lines of the same
inventories: inventory_no, item_no, summary_seq_no, customs_item_no (0: not said), commodity_code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd

LINE = ["inventory_no", "item_no"]
_SUMMED = ("declared_quantity", "statutory_quantity", "second_statutory_quantity", "total_price")
_SAME_IN_AN_ITEM = (
    "commodity_code", "destination_country_code", "currency_code", "declared_unit_code", "statutory_unit_code", "second_statutory_unit_code",
)  # fmt: skip


class Kind(StrEnum):
    """How customs' answer differs."""

    NOT_IN_RESULT = "not_in_result"
    ITEM_NOT_IN_RESULT = "item_not_in_result"
    ITEM_UNKNOWN = "item_unknown"
    NOT_APPLIED = "not_applied"
    IN_TWO_RESULTS = "in_two_results"
    OTHER_COMMODITY = "other_commodity"
    CUT = "cut"
    JOINED = "joined"
    WEIGHT = "weight"
    PART_MISSING = "part_missing"
    ANSWER_AFTER_REFUSAL = "answer_after_refusal"
    ANSWER_AFTER_VOID = "answer_after_void"
    PART_REFUSED = "part_refused"
    HEADERS_JOINED = "headers_joined"
    OTHER_CONSIGNOR = "other_consignor"
    OTHER_CUSTOMS = "other_customs"
    TWO_RUNS = "two_runs"
    NUMBER_CHANGED = "number_changed"
    NUMBER_TWICE = "number_twice"


@dataclass(frozen=True)
class Difference:
    """`subject`: the inventory, declaration or application it is about; `item_no` blank where it is about no line."""

    kind: Kind
    subject: str
    item_no: str
    ours: str
    customs: str


def line_differences(ours: pa.Table, theirs: pa.Table) -> list[Difference]:
    """Inventories and items that are on one side only or twice, and other commodity codes."""
    mine = ours.select([*LINE, "commodity_code", "declaration_ref", "declaration_item_no"]).to_pandas()
    customs = theirs.to_pandas()
    found = []
    answered = set(customs["inventory_no"])
    for number in sorted(set(mine["inventory_no"]) - answered):
        found.append(Difference(Kind.NOT_IN_RESULT, number, "", "applied", ""))
    joined = mine[mine["inventory_no"].isin(answered)].merge(customs, on=LINE, how="outer", suffixes=("", "_customs"), indicator=True)
    for row in _sorted(joined[joined["_merge"] == "left_only"]):
        found.append(Difference(Kind.ITEM_NOT_IN_RESULT, row.inventory_no, str(row.item_no), row.commodity_code, ""))
    for row in _sorted(joined[joined["_merge"] == "right_only"]):
        found.append(Difference(Kind.ITEM_UNKNOWN, row.inventory_no, str(row.item_no), "", row.commodity_code_customs))
    both = joined[joined["_merge"] == "both"]
    for row in _sorted(both[both["commodity_code"] != both["commodity_code_customs"]]):
        found.append(Difference(Kind.OTHER_COMMODITY, row.inventory_no, str(row.item_no), row.commodity_code, row.commodity_code_customs))
    twice = customs[customs.duplicated(LINE, keep=False)]
    for (number, item), group in twice.groupby(LINE, sort=True):
        found.append(Difference(Kind.IN_TWO_RESULTS, number, str(item), "", " ".join(sorted(group["summary_seq_no"]))))
    return found


def _sorted(frame: pd.DataFrame) -> Iterable[Any]:
    return frame.sort_values(LINE).itertuples(index=False)


def group_differences(ours: pa.Table, theirs: pa.Table) -> list[Difference]:
    """Items that customs cut or joined: the partition of the lines both sides have. Where customs does not say items (edition
    2018-113) nothing can be compared."""
    mine = ours.select([*LINE, "declaration_ref", "declaration_item_no"]).to_pandas()
    customs = theirs.to_pandas()
    customs = customs[customs["customs_item_no"] > 0]
    pairs = mine.merge(customs, on=LINE)
    pairs["ours"] = pairs["declaration_ref"] + "/" + pairs["declaration_item_no"].astype(str)
    pairs["customs"] = pairs["summary_seq_no"] + "/" + pairs["customs_item_no"].astype(str)
    pairs = pairs[["ours", "customs"]].drop_duplicates()
    found = []
    for key, other, kind in (("ours", "customs", Kind.CUT), ("customs", "ours", Kind.JOINED)):
        several = pairs[pairs.duplicated(key, keep=False)].groupby(key, sort=True)[other].agg(lambda each: " ".join(sorted(each)))
        for name, others in several.items():
            ours_text, customs_text = (name, others) if kind is Kind.CUT else (others, name)
            found.append(Difference(kind, name, "", ours_text, customs_text))
    return found


def head_differences(
    ours: pa.Table, theirs: pa.Table, heads: dict[str, dict[str, str]], results: dict[str, dict[str, str]]
) -> list[Difference]:
    """Declarations of customs that join what must not mix, or are of another consignor or customs than ours. `heads`: the header
    key of each of our declarations, by its reference."""
    placed = _placed(ours, theirs).select(["summary_seq_no", "declaration_ref"])
    pairs = placed.group_by(["summary_seq_no", "declaration_ref"], use_threads=False).aggregate([])
    of_result: dict[str, list[str]] = {}
    for seq_no, ref in sorted(zip(*(column.to_pylist() for column in pairs.columns), strict=True)):
        of_result.setdefault(seq_no, []).append(ref)
    found = []
    for seq_no, refs in of_result.items():
        first_of = {tuple(heads[ref].items()): ref for ref in reversed(refs)}
        if len(first_of) > 1:
            differ = [name for name in heads[refs[0]] if len({heads[ref][name] for ref in refs}) > 1]
            found.append(Difference(Kind.HEADERS_JOINED, seq_no, "", " ".join(sorted(first_of.values())), " ".join(differ)))
        for kind, stated, name in (
            (Kind.OTHER_CONSIGNOR, "consignor_code", "consignor_code"), (Kind.OTHER_CUSTOMS, "customs_code", "declaring_customs_code"),
        ):  # fmt: skip
            says, mine = results[seq_no].get(stated, ""), sorted({heads[ref][name] for ref in refs})
            if says and says not in mine:
                found.append(Difference(kind, seq_no, "", " ".join(mine), says))
    return found


def weight_differences(ours: pa.Table, theirs: pa.Table, results: dict[str, dict[str, str]]) -> list[Difference]:
    """Weights of customs' declarations against those of our lines in them, of declarations all of whose inventories are whole."""
    made = customs_weights(ours, theirs)
    found = []
    for row in made:
        stated = results.get(row["summary_seq_no"], {})
        for name in ("gross_weight_kg", "net_weight_kg"):
            value = stated.get(name, "")
            if value and pa.scalar(value).cast(pa.decimal128(38, 5)) != pa.scalar(row[name], pa.decimal128(38, 5)):
                found.append(Difference(Kind.WEIGHT, row["summary_seq_no"], "", f"{name} {row[name]}", f"{name} {value}"))
    return found


def customs_weights(ours: pa.Table, theirs: pa.Table) -> list[dict[str, Any]]:
    """Our weights on customs' declarations: summary_seq_no, gross_weight_kg, net_weight_kg; of inventories all of whose lines
    are in results, as lines of other ones cannot be apportioned."""
    placed = _placed(ours, theirs)
    if placed.num_rows == 0:
        return []
    counts = ours.group_by("inventory_no").aggregate([("item_no", "count")])
    have = placed.group_by("inventory_no").aggregate([("item_no", "count")])
    whole = counts.join(have, keys="inventory_no", join_type="inner", right_suffix="_placed")
    whole = whole.filter(pc.equal(whole["item_no_count"], whole["item_no_count_placed"]))
    partial = set(placed["summary_seq_no"].filter(pc.invert(pc.is_in(placed["inventory_no"], whole["inventory_no"].combine_chunks()))).to_pylist())
    lines = placed.filter(pc.is_in(placed["inventory_no"], whole["inventory_no"].combine_chunks())).sort_by([("inventory_no", "ascending"), ("item_no", "ascending")])
    if not lines.num_rows:
        return []
    from aggregator.domain.weights import share_weights

    numbers = lines["inventory_no"].combine_chunks().dictionary_encode()
    declarations = lines["summary_seq_no"].combine_chunks().dictionary_encode()
    lines = lines.append_column("inventory", numbers.indices)
    shares = share_weights(lines, declarations.indices.to_numpy().astype("int64")).by_declaration
    names = declarations.dictionary.to_pylist()
    return [
        {"summary_seq_no": names[row["declaration"]], "gross_weight_kg": row["gross_weight_kg"], "net_weight_kg": row["net_weight_kg"]}
        for row in shares.sort_by("declaration").to_pylist()
        if names[row["declaration"]] not in partial
    ]


def _placed(ours: pa.Table, theirs: pa.Table) -> pa.Table:
    """Our lines with where customs put them; a line in two results where the first has it."""
    first = theirs.sort_by([("inventory_no", "ascending"), ("item_no", "ascending"), ("summary_seq_no", "ascending")])
    first = first.select([*LINE, "summary_seq_no", "customs_item_no"]).group_by(LINE, use_threads=False).aggregate(
        [("summary_seq_no", "first"), ("customs_item_no", "first")]
    )
    first = first.rename_columns([*LINE, "summary_seq_no", "customs_item_no"])
    return ours.join(first, keys=LINE, join_type="inner").combine_chunks()


def customs_items(ours: pa.Table, theirs: pa.Table) -> pa.Table:
    """Customs' declaration items rebuilt from our lines, with our exact sums: summary_seq_no, customs_item_no, what is the
    same in an item, the sums, inventory_item_count."""
    placed = _placed(ours, theirs)
    keys = ["summary_seq_no", "customs_item_no"]
    placed = placed.filter(pc.greater(placed["customs_item_no"], 0)).sort_by([(key, "ascending") for key in [*keys, *LINE]])
    same = [name for name in _SAME_IN_AN_ITEM if name in placed.column_names]
    summed = [name for name in _SUMMED if name in placed.column_names]
    made = placed.group_by(keys, use_threads=False).aggregate(
        [*((name, "first") for name in same), *((name, "sum") for name in summed), ("item_no", "count")]
    )
    made = made.rename_columns([*keys, *same, *summed, "inventory_item_count"])
    return made.sort_by([(key, "ascending") for key in keys])
