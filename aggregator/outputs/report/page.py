"""report.html: one run for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.model.outcome import Example, Outcome
from aggregator.model.repairs import REPAIRS
from aggregator.outputs.report.forms import Form, amount, forms
from aggregator.outputs.report.names import heading, named
from aggregator.outputs.report.next_step import next_step
from aggregator.outputs.report.shown_figures import by_rule, by_size, groups
from aggregator.outputs.report.template import rendered
from aggregator.schemas.modes import Mode, Procedure
from aggregator.schemas.modes.m9710.reasons import REASONS
from aggregator.schemas.rule import Rule
from aggregator.schemas.sources import SOURCES
from aggregator.schemas.text import Lang, Text

DECLARATIONS_SHOWN, FORMS_SHOWN, ITEMS_SHOWN, NUMBERS_SHOWN = 100, 20, 200, 120
"""What the page holds of the run at most; the tables beside it hold all. `NUMBERS_SHOWN`: rows of control totals."""
LINKS_SHOWN = 24
"""Files of rejected lines: there may be thousands of inputs."""
_VALUE_SHOWN, _FILE_SHOWN = 50, 32
"""Characters of a value, and of the name of a file, which is told by its end."""


@dataclass(frozen=True)
class RunFolder:
    """What the page tells of the folder it stands in: the files beside it, and of each input the files of its rejected lines, as addresses
    relative to the page. `headings`: of each input that is to be told of, the user's own heading of each column."""

    files: list[tuple[str, str]]
    rejected: dict[str, list[tuple[str, str]]]
    headings: dict[str, dict[str, str]]


def page(outcome: Outcome, run_ref: str, declarations: pa.Table, items: pa.Table, folder: RunFolder, now: datetime, lang: Lang) -> str:
    """In: what the run came to, and its two tables."""
    counts, mode = outcome.counts, outcome.mode
    shown = declarations.slice(0, DECLARATIONS_SHOWN).to_pylist()
    made = _forms(declarations, items)
    links = [link for theirs in folder.rejected.values() for link in theirs]
    return rendered(
        "report.html.j2",
        lang,
        outcome=outcome,
        mode=mode,
        counts=counts,
        wording=mode.wording,
        run_ref=run_ref,
        now=now.strftime("%Y-%m-%d %H:%M"),
        next_step=next_step(outcome),
        fates=_fates(outcome),
        groups=groups(outcome),
        rule_charts=by_rule(outcome),
        size_chart=by_size(declarations["item_count"].to_numpy()),
        found=[_found(outcome, code, folder) for code in _in_order(outcome)],
        exclusions=[(mode.rules.exclusions[reason], count) for reason, count in outcome.excluded.items()],
        routes=[(reason, count, *REASONS[reason]) for reason, count in outcome.routes.items()],
        simplified=[(mode.rules[code], count, first) for code, (count, first) in outcome.simplified.items()],
        repairs=[(REPAIRS[kind], count) for kind, count in outcome.repairs.items()],
        totals=[_total(mode, row) for row in outcome.totals[:NUMBERS_SHOWN]],
        more_totals=max(len(outcome.totals) - NUMBERS_SHOWN, 0),
        columns=[(title, name in _NUMBERS) for name, title, _ in _columns(mode)],
        declarations=[[(_cell(row[name], codes), name in _NUMBERS) for name, _, codes in _columns(mode)] for row in shown],
        forms=made,
        formed={form.ref for form in made},
        bar=_bar(counts),
        files=[(name, href, FILES.get(name.split(" ")[0], Text("", ""))) for name, href in folder.files],
        rejected=links[:LINKS_SHOWN],
        more_rejected=max(len(links) - LINKS_SHOWN, 0),
        capital=lambda text: Text(text.en[:1].upper() + text.en[1:], text.zh),
    )


@dataclass(frozen=True)
class Found:
    """Findings of a rule, as they are shown."""

    rule: Rule
    count: int
    sources: list[tuple[Text, Text]]
    examples: list[tuple[Example, str, Text, str]]
    """Each with as much of its file's name as is shown, the heading of its column, and as much of its value."""
    rejected: list[tuple[str, str]]


def _in_order(outcome: Outcome) -> list[str]:
    """Errors first, then by how often."""
    return sorted(outcome.findings, key=lambda code: (outcome.mode.rules[code].severity != "error", -outcome.findings[code], code))


def _found(outcome: Outcome, code: str, folder: RunFolder) -> Found:
    rule = outcome.mode.rules[code]
    sources = [(cite.text, SOURCES[cite.source].titled) for cite in rule.citations]
    examples = []
    for each in outcome.examples.get(code, []):
        value = each.value if len(each.value) <= _VALUE_SHOWN else f"{each.value[:_VALUE_SHOWN]}…"
        file = _end_of(each.file)
        own = folder.headings.get(each.file, {}).get(outcome.mode.dictionary.column_called(each.column) or "", "")
        examples.append((each, file, heading(outcome.mode.dictionary, each.column, own), value))
    files = dict.fromkeys(each.file for each in outcome.examples.get(code, [])) if rule.severity == "error" else {}
    return Found(rule, outcome.findings[code], sources, examples, [link for file in files for link in folder.rejected.get(file, [])[:1]][:1])


def _end_of(file: str) -> str:
    """The name of a file, with as many of the folders above it as there is room for."""
    if len(file) <= _FILE_SHOWN:
        return file
    cut = file.find("/", len(file) - _FILE_SHOWN)
    return f"…{file[cut:]}" if cut >= 0 else f"…{file.rpartition('/')[2][-_FILE_SHOWN:]}"


def _fates(outcome: Outcome) -> list[tuple[Text, dict[str, str]]]:
    """What was read and where it went, in each thing that is counted or is money; `difference` is what went nowhere."""
    named_rows = {"inventories": outcome.mode.wording.units, "lines": Text("lines", "行")}
    rows = []
    for column in ("inventories", "lines", "total_price"):
        for row in outcome.totals:
            if row["column"] == column:
                unit = named("currency", row["currency_or_unit"])
                name = named_rows.get(column) or Text(f"value, {unit.text.en}", f"金额，{unit.text.zh}")
                rows.append((name, {key: amount_of(value, 2 if column == "total_price" else 0) for key, value in row.items() if key not in ("column", "currency_or_unit")}))
    return rows


FILES = {
    "declarations.csv": Text("the declarations", "报关单"),
    "declaration_items.csv": Text("their items", "报关单商品项"),
    "audit_map.parquet": Text("where every declared line went", "每一申报行的去向"),
    "weight_shares.csv": Text("how weights of inventories in several declarations were shared", "分属多份报关单的清单的重量分摊"),
    "findings.csv": Text("all findings", "全部问题"),
    "excluded.csv": Text("what is excluded, and why", "被排除的及原因"),
    "control_totals.csv": Text("read = declared + rejected + excluded", "读入 = 申报 + 拒绝 + 排除"),
    "rejected/": Text("rejected lines, to be corrected", "被拒绝的行，待修正"),
    "summary_applications/": Text("CEB701 messages to sign and send", "CEB701报文，待签名发送"),
    "routes.csv": Text("which orders are declared, which go as lists, and why", "订单的通关方式及理由"),
    "packing.csv": Text("which trade slip is in which declaration", "交易单所在的报关单"),
    "packing_groups.csv": Text("how many declarations were needed", "所需报关单份数"),
    "simplified_goods.csv": Text("the list of simplified goods", "简化申报商品清单"),
    "manifest.json": Text("versions, settings, hashes of all files", "版本、参数及全部文件的哈希值"),
}
"""What the files of a run folder are."""


def _bar(counts: dict[str, int]) -> list[tuple[str, float, float]]:
    """The fates of all inventories as parts of a thousand: kind, where it begins, how long it is."""
    parts, x = [], 0.0
    for kind, name in (("bar", "declared"), ("error", "rejected"), ("rest", "excluded")):
        width = 1000 * counts[f"inventories_{name}"] / max(counts["inventories_read"], 1)
        parts.append((kind, round(x, 1), round(width, 1)))
        x += width
    return [part for part in parts if part[2]]


def amount_of(text: str, least: int = 0) -> str:
    return amount(Decimal(text), least)


def _total(mode: Mode, row: dict[str, str]) -> tuple[Text, Text, list[str]]:
    column, unit = row["column"], row["currency_or_unit"]
    codes = "currency" if column == "total_price" else "unit"
    name = named(codes, unit).text if unit.isdigit() else Text(unit, unit)
    called = {"lines": Text("lines", "行数"), "inventories": Text(mode.wording.units.en, f"{mode.wording.units.zh}数")}
    numbers = [amount_of(row[key], 2 if column == "total_price" else 0) for key in ("read", "declared", "rejected", "excluded", "unreadable", "difference")]
    return called.get(column) or heading(mode.dictionary, column), name, numbers


def _forms(declarations: pa.Table, items: pa.Table) -> list[Form]:
    """The first declarations with all their items, as many as there is room for."""
    first = declarations.slice(0, FORMS_SHOWN).to_pylist()
    room = ITEMS_SHOWN
    taken: list[dict[str, Any]] = []
    for row in first:
        room -= row["item_count"]
        if room < 0 and taken:
            break
        taken.append(row)
    refs = pa.array([row["declaration_ref"] for row in taken], pa.string())
    theirs = items.filter(pc.is_in(items["declaration_ref"], value_set=refs)).to_pylist() if taken else []
    return forms(taken, theirs)


_COLUMNS = (
    ("declaration_ref", Text("Declaration", "报关单"), ""),
    ("consignor_name", Text("Consignor", "收发货人"), ""),
    ("producer_seller_name", Text("Producer/seller", "生产销售单位"), ""),
    ("exit_customs_code", Text("Exit customs", "出境关别"), "customs_district"),
    ("arrival_country_code", Text("Arrival country", "运抵国"), "country"),
    ("item_count", Text("Items", "项数"), ""),
    ("inventory_count", Text("Inventories", "清单数"), ""),
    ("package_count", Text("Packages", "件数"), ""),
    ("gross_weight_kg", Text("Gross kg", "毛重（千克）"), ""),
    ("net_weight_kg", Text("Net kg", "净重（千克）"), ""),
)


_NUMBERS = frozenset({"item_count", "inventory_count", "package_count", "gross_weight_kg", "net_weight_kg", "value_cny"})


def _columns(mode: Mode) -> tuple[tuple[str, Text, str], ...]:
    if mode.procedure is Procedure.MERGE:
        return _COLUMNS
    units = mode.wording.units
    other = {"inventory_count": ("inventory_count", Text(units.en[:1].upper() + units.en[1:], f"{units.zh}数"), "")}
    if mode.procedure is Procedure.ROUTE:
        other = {"producer_seller_name": ("order_no", Text("Order", "订单"), ""), "inventory_count": ("value_cny", Text("RMB", "人民币金额"), "")}
    else:
        other["producer_seller_name"] = ("remark", Text("Remark", "备注"), "")
    return tuple(other.get(name, (name, title, codes)) for name, title, codes in _COLUMNS)


def _cell(value: Any, codes: str) -> Text:
    if codes:
        return named(codes, value).text
    text = f"{value:,}" if isinstance(value, int) else str(value if value is not None else "") if isinstance(value, str | None) else amount(value)
    return Text(text, text)
