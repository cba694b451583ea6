"""What the steps leave for one another: the schema of every kind of shard, declared once."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from aggregator.engines.engine import ShardKind
from aggregator.model.findings import FINDINGS, MARKS
from aggregator.schemas.lines import CLEARED, typed_type
from aggregator.schemas.modes import Mode
from aggregator.schemas.outputs import AMOUNT
from aggregator.schemas.tariff import TARIFF

PLACE, MEMBER, PART = "place", "member", "part"
"""Columns of ingested lines: where a line lies in its spool, the message of a set it came from, and the part of a chunk that has several."""
FACTS, UNKNOWN = ("by_itself", "priced_on", "route", "value_cny", "reasons"), "unknown_"
"""Columns of judged lines that only some modes have: what their partial items need, and (by column) where nothing says whether a
flag applies."""
_AT = [("chunk", pa.int32()), ("line", pa.int64())]
"""Where a row belongs: a line of a chunk."""

BY_DECLARATION = pa.schema(
    [
        ("declaration", pa.int64()),
        ("package_count", pa.int64()),
        ("gross_weight_kg", AMOUNT),
        ("net_weight_kg", AMOUNT),
        ("inventory_count", pa.int64()),
    ]
)
SPREAD = pa.schema(
    [("inventory_no", pa.string()), ("declaration", pa.int64()), ("gross_weight_kg", AMOUNT), ("net_weight_kg", AMOUNT)]
)
EXCLUDED = pa.schema(
    [
        *_AT,
        ("inventory_no", pa.string()),
        ("reason", pa.string()),
        ("item_lines", pa.int64()),
        ("detail", pa.string()),
    ]
)
PLACED = FINDINGS.append(pa.field("chunk", pa.int32()))
_DECISIONS = pa.schema([*_AT, ("verdict", pa.int8()), ("bits", pa.int64())])
INVENTORIES = pa.schema(
    [
        ("inventory_no", pa.string()),
        ("verdict", pa.int8()),
        ("reasons", pa.int64()),
        ("bits", pa.int64()),
        ("content", pa.binary()),
        ("cleared_period", pa.string()),
        *_AT,
        ("order_no", pa.string()),
        ("waybill_no", pa.string()),
        ("internal_no", pa.string()),
        ("live", pa.bool_()),
        ("newly_undone", pa.bool_()),
        ("released", pa.bool_()),
        ("lines", pa.int32()),
        ("cleared_on", pa.int64()),
        ("naming", pa.int8()),
    ]
)
DECLARED = pa.schema([*((name, INVENTORIES.field(name).type) for name in ("inventory_no", "content", "cleared_period")), ("released", pa.bool_()), ("late", pa.bool_()), ("keys", pa.list_(pa.int64()))])
UNDECLARED = pa.schema([INVENTORIES.field(name) for name in ("inventory_no", "cleared_period", "reasons", "live", "verdict", "bits")])
SHARING = pa.schema([("inventory_no", pa.string()), ("value", pa.string()), *_AT])
"""Inventories with a number that others seem to have too, and their first lines."""
LEARNT = pa.schema(
    [
        *((name, pa.string()) for name in ("inventory_no", "run_ref")),
        ("content", pa.binary()),
        ("items", pa.string()),
        ("cancelled", pa.bool_()),
        *((name, pa.string()) for name in ("result", "message", "status", "at")),
        ("refused", pa.bool_()),
    ]
)
"""What the ledger knows of an inventory: how it is declared, if it is (Declared), and what customs said (Customs)."""
TIED = pa.schema([(name, pa.string()) for name in ("inventory_no", "item_no", "column", "value")])
"""Inventories that a line without a number may belong to, as findings: `item_no` is null, `value` file and row of that line."""


@dataclass(frozen=True)
class Shards:
    """The kinds of shards of a run of one mode.

    By chunk: `lines` (ingested), `row_findings`, `spilled` (in parts, by partition: lines of inventories seen in more than one
    chunk), `audit_map`, `published` (findings), `listed` (excluded), `marks` (what is wrong with the rejected lines). By unit, a chunk or a partition: `inventories`, `judged`
    (lines), `findings` and `excluded` once resolved; `tied` where something is; `declared` and `undeclared` (inventories), `partials` (of the
    merge), `decisions` (on lines) and `settled_findings` once settled; `spread`. By partition, in parts by chunk: what was decided there and
    goes `back`. By range of hashes: `sharing` (inventories with a number that may stand twice), `batch` (findings at those, in parts by chunk),
    `learnt` (of the ledger, in parts by unit; by file of it, in parts by range, before). By run: `tariff`."""

    lines: ShardKind
    row_findings: ShardKind
    spilled: ShardKind
    inventories: ShardKind
    judged: ShardKind
    declared: ShardKind
    undeclared: ShardKind
    partials: ShardKind
    decisions: ShardKind
    findings: ShardKind
    settled_findings: ShardKind
    excluded: ShardKind
    tied: ShardKind
    back_decisions: ShardKind
    back_findings: ShardKind
    back_excluded: ShardKind
    sharing: ShardKind
    batch: ShardKind
    spread: ShardKind
    audit_map: ShardKind
    published: ShardKind
    listed: ShardKind
    marks: ShardKind
    learnt: ShardKind
    tariff: ShardKind


def shards_of(mode: Mode) -> Shards:
    """The kinds of shards of a run of this mode."""
    dictionary = mode.dictionary
    typed = [(column, typed_type(dictionary[column])) for column in dictionary.columns]
    read = [("error_bits", pa.int64()), ("source_row", pa.int64()), ("naming", pa.int8())]
    optional = pa.schema([*typed, (CLEARED, pa.string()), (PLACE, pa.int64()), (MEMBER, pa.string()), (PART, pa.int32())])
    key = [(column, pa.string()) for column in mode.key]
    sums = [(column, AMOUNT) for column in dictionary.summed_items]
    first = [("first_inventory_no", pa.string()), ("first_item_no", pa.int32())]
    names = [(name, pa.string()) for name in ("goods_name", "goods_spec", "consignor_name", "firm_name") if name not in mode.key]
    partials = pa.schema([*key, *sums, ("inventory_item_count", pa.int64()), *first, *names])
    decided = _DECISIONS.append(pa.field("item_no", pa.int32())) if mode.numbers_items else _DECISIONS
    decisions = decided.append(pa.field("item", pa.int64()))
    judged = pa.schema([field for field in decided if field.name != "bits"])
    facts = pa.schema([*((name, pa.string()) for name in FACTS), *((f"{UNKNOWN}{name}", pa.bool_()) for name in dictionary.columns)])
    published = pa.schema([*(field for field in FINDINGS if field.name != "line"), ("source_file", pa.string()), ("source_row", pa.int64())])
    return Shards(
        lines=ShardKind("lines", pa.schema(read), optional),
        row_findings=ShardKind("row-findings", FINDINGS),
        spilled=ShardKind("spilled", pa.schema([*read, *_AT]), optional),
        inventories=ShardKind("inventories", INVENTORIES),
        judged=ShardKind("judged", judged, facts),
        declared=ShardKind("declared", DECLARED),
        undeclared=ShardKind("undeclared", UNDECLARED),
        partials=ShardKind("partials", partials),
        decisions=ShardKind("decisions", decided.append(pa.field("key", pa.int64()))),
        findings=ShardKind("findings", PLACED),
        settled_findings=ShardKind("settled-findings", PLACED),
        excluded=ShardKind("excluded", EXCLUDED),
        tied=ShardKind("tied", TIED),
        back_decisions=ShardKind("back-decisions", decisions),
        back_findings=ShardKind("back-findings", PLACED),
        back_excluded=ShardKind("back-excluded", EXCLUDED),
        sharing=ShardKind("sharing", SHARING),
        batch=ShardKind("batch-findings", PLACED),
        spread=ShardKind("spread", SPREAD),
        audit_map=ShardKind("audit-map", mode.outputs["audit_map"]),
        published=ShardKind("published", published),
        listed=ShardKind("listed", mode.outputs["excluded"]),
        marks=ShardKind("marks", MARKS),
        learnt=ShardKind("learnt", LEARNT),
        tariff=ShardKind("tariff", TARIFF),
    )
