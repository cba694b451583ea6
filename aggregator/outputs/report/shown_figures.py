"""The charts of a run, and the figures they show."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from aggregator.domain.figures import COUNTRY, DAY, EXIT_CUSTOMS
from aggregator.model.outcome import Figure, Outcome
from aggregator.outputs.report.charts import Chart, Value, bars, columns
from aggregator.outputs.report.names import Named, named
from aggregator.schemas.arrays import Ints
from aggregator.schemas.rule import Severity
from aggregator.schemas.text import Text

MOST_BARS, MOST_ROWS = 10, 60
SIZES = ((1, 1), (2, 5), (6, 10), (11, 20), (21, 30), (31, 40), (41, 50))
"""Declarations are counted by how many items they have, from and up to."""


@dataclass(frozen=True)
class Row:
    """One day, country or exit customs: how many inventories, and their value in each currency."""

    name: Text
    inventories: int
    amounts: tuple[tuple[Named, Decimal], ...]


@dataclass(frozen=True)
class Group:
    """What is declared by one thing: its charts and the figures. `more`: rows that are not shown. `unknown`: inventories of which the day
    is not known."""

    id: str
    title: Text
    head: Text
    charts: tuple[tuple[Text, Chart], ...]
    rows: tuple[Row, ...]
    more: int = 0
    unknown: int = 0


def groups(outcome: Outcome) -> list[Group]:
    made = [_by_day(outcome)] if outcome.mode.waits_for_clearing else []
    made += [
        _by_code(outcome, COUNTRY, "country", Text("By arrival country", "按运抵国（地区）"), Text("Country", "国家（地区）")),
        _by_code(outcome, EXIT_CUSTOMS, "customs_district", Text("By exit customs", "按出境关别"), Text("Exit customs", "出境关别")),
    ]
    return [group for group in made if group.rows]


def by_rule(outcome: Outcome) -> list[tuple[Text, Chart]]:
    """The rules with the most findings: errors, and warnings."""
    rules, made = outcome.mode.rules, []
    for severity, title in ((Severity.ERROR, Text("Errors by rule", "错误，按规则")), (Severity.WARNING, Text("Warnings by rule", "警告，按规则"))):
        codes = sorted((code for code in outcome.findings if rules[code].severity is severity), key=lambda code: (-outcome.findings[code], code))
        values = [
            Value(Text(f"{code} {rules[code].message.en}", f"{code} {rules[code].message.zh}"), outcome.findings[code], f"#rule-{code}", str(severity))
            for code in codes[:MOST_BARS]
        ]
        if values:
            made.append((title, bars(values, Text("findings", "个"))))
    return made


def by_size(item_counts: Ints) -> Chart | None:
    """Declarations by their items."""
    if not len(item_counts):
        return None
    counts = np.bincount(item_counts, minlength=SIZES[-1][1] + 1)
    values = []
    for low, high in SIZES:
        name = str(low) if low == high else f"{low}–{high}"
        values.append(Value(Text(name, name), int(counts[low : high + 1].sum())))
    while len(values) > 1 and not values[-1].amount:
        values.pop()
    return columns(values, Text("by number of items", "份，按商品项数"))


def _by_day(outcome: Outcome) -> Group:
    period = outcome.period
    year, month = int(period[:4]), int(period[5:])
    first, last = f"{year:04d}{month:02d}01", f"{year:04d}{month:02d}{monthrange(year, month)[1]:02d}"
    figures = outcome.figures.get(DAY, [])
    known = [each for each in figures if each.value != "0"]
    within = [each for each in known if first <= each.value <= last]
    earlier = [each for each in known if each.value < first]
    days = [f"{int(first) + day}" for day in range(int(last) - int(first) + 1)]
    names = {day: Text(str(int(day[6:])), str(int(day[6:]))) for day in days}
    sums = {day: [each for each in within if each.value == day] for day in days}
    if earlier:
        sums, names = {"earlier": earlier, **sums}, {"earlier": Text("late", "补报"), **names}
    full = {day: Text(f"{day[:4]}-{day[4:6]}-{day[6:]}", f"{day[:4]}-{day[4:6]}-{day[6:]}") for day in days} | {"earlier": Text("earlier months", "以前月份")}
    main = _main_currency(known)
    below = {"late" if earlier else "1", *map(str, range(5, 31, 5))}
    charts = []
    if known:
        charts = [
            (Text("Declared, by day", "已申报，按结关日"), columns([Value(names[day], _inventories(each)) for day, each in sums.items()], Text("inventories", "清单，份"), below)),
            (Text("Value, by day", "金额，按结关日"), columns([Value(names[day], _amount(each, main)) for day, each in sums.items()], main.text, below)),
        ]  # fmt: skip
    rows = [_row(full[day], each) for day, each in sums.items() if each]
    unknown = sum(each.inventories for each in figures if each.value == "0")
    return Group("days", Text("By day of clearance", "按结关日"), Text("Day", "日期"), tuple(charts), tuple(rows), 0, unknown)


def _by_code(outcome: Outcome, column: str, codes: str, title: Text, head: Text) -> Group:
    units = outcome.mode.wording.units
    found: dict[str, list[Figure]] = {}
    for each in outcome.figures.get(column, []):
        found.setdefault(each.value, []).append(each)
    order = sorted(found, key=lambda code: (-_inventories(found[code]), code))
    names = {code: named(codes, code).text if code else Text("not given", "未填写") for code in order}
    main = _main_currency(outcome.figures.get(column, []))
    charts = []
    if order:
        counted = [Value(names[code], _inventories(found[code])) for code in order]
        charts.append((Text("Declared", "已申报"), bars(_most(counted), Text(units.en, f"{units.zh}，份"))))
    valued = sorted((Value(names[code], _amount(found[code], main)) for code in order if _amount(found[code], main)), key=lambda each: -each.amount)
    if len(valued) > 1 or len(order) == 1:
        charts.append((Text("Value", "金额"), bars(_most(valued), main.text)))
    rows = [_row(names[code], found[code]) for code in order]
    return Group(column, title, head, tuple(charts), tuple(rows[:MOST_ROWS]), max(len(rows) - MOST_ROWS, 0))


def _most(values: list[Value]) -> list[Value]:
    """The first of them, and the others together."""
    if len(values) <= MOST_BARS:
        return values
    rest = values[MOST_BARS - 1 :]
    return [*values[: MOST_BARS - 1], Value(Text(f"{len(rest)} others", f"其余 {len(rest)} 个"), sum((each.amount for each in rest), Decimal(0)), kind="rest")]


def _main_currency(figures: list[Figure]) -> Named:
    """The one that most inventories are in: amounts of several currencies are never added up."""
    counts: dict[str, int] = {}
    for each in figures:
        counts[each.currency_code] = counts.get(each.currency_code, 0) + each.inventories
    return named("currency", min(counts, key=lambda code: (-counts[code], code)) if counts else "")


def _row(name: Text, figures: list[Figure]) -> Row:
    currencies = sorted({each.currency_code for each in figures})
    return Row(name, _inventories(figures), tuple((named("currency", code), _amount(figures, named("currency", code))) for code in currencies))


def _inventories(figures: list[Figure]) -> int:
    return sum(each.inventories for each in figures)


def _amount(figures: list[Figure], currency: Named) -> Decimal:
    return sum((each.amount for each in figures if each.currency_code == currency.code), Decimal(0)).quantize(Decimal("0.01"))
