"""All periods side by side: on the screen, as JSON, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator.model.names import told
from aggregator.outputs.report.charts import Value, columns
from aggregator.outputs.report.forms import amount
from aggregator.outputs.report.names import letters
from aggregator.outputs.report.template import rendered
from aggregator.schemas.shown import padded, width_of
from aggregator.schemas.text import Lang, Text, counted

if TYPE_CHECKING:
    from aggregator.jobs.months import Month, Months

_MOST = 36
"""Months in a chart."""
HEADS = (
    Text("period", "申报期"), Text("deadline", "申报期限"), Text("days left", "剩余工作日"), Text("cleared", "已结关"), Text("declared", "已申报"),
    Text("answered", "已回执"), Text("waiting", "待申报"), Text("declarations", "报关单"), Text("value", "金额"),
)  # fmt: skip


def months_lines(found: Months, lang: Lang) -> list[str]:
    """A table, and a mark where something presses."""
    rows = [[head.in_lang(lang) for head in HEADS[:-1]]]
    rows += [_cells(month, lang) for month in found.months]
    widths = [max(width_of(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [text.in_lang(lang) for text in found.standing.troubles]
    for place, row in enumerate(rows):
        shown = [padded(cell, width, right=2 <= column <= 7) for column, (cell, width) in enumerate(zip(row, widths, strict=True))]
        mark = Text("  ACT NOW", "  请立即处理").in_lang(lang) if place and found.months[place - 1].presses else ""
        lines.append(("  ".join(shown)).rstrip() + mark)
        if place and found.months[place - 1].value:
            lines.append(f"{' ' * 9}{HEADS[-1].in_lang(lang)}  {'; '.join(_values(found.months[place - 1]))}")
    return lines


def _cells(month: Month, lang: Lang) -> list[str]:
    one = month.status
    due = str(one.deadline or one.earliest or "")
    left = "" if one.working_days_left is None else str(one.working_days_left) if one.working_days_left >= 0 else Text("past", "已过").in_lang(lang)
    return [str(one.period), due, left, *(f"{each:,}" for each in (month.cleared, one.declared, month.answered, month.waiting, one.declarations))]


def _values(month: Month) -> list[str]:
    return [f"{letters(code)} {amount(value, 2)}" for code, value in month.value.items()]


def months_as_json(found: Months) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "as_of": str(found.standing.today),
        "problems": [vars(text) for text in found.standing.troubles],
        "months": [
            {
                "period": str(month.status.period),
                "deadline": str(month.status.deadline) if month.status.deadline else None,
                "working_days_left": month.status.working_days_left,
                "act_now": month.presses,
                "cleared": month.cleared,
                "declared": month.status.declared,
                "late": month.status.late,
                "answered": month.answered,
                "waiting": month.waiting,
                "runs": month.status.runs,
                "declarations": month.status.declarations,
                "value": {code: str(value) for code, value in month.value.items()},
                "unread_runs": list(month.unread),
            }
            for month in found.months
        ],
    }


def months_page(found: Months, target: Path, now: str, lang: Lang) -> str:
    """The page, with links to the reports of runs as they are reached from `target`."""
    shown = found.months[-_MOST:]
    names = [Text(f"{month.status.period}"[2:], f"{month.status.period}"[2:]) for month in shown]
    charts = []
    for title, numbers in (
        (Text("Declared", "已申报"), [month.status.declared for month in shown]),
        (Text("Answered by customs", "海关已回执"), [month.answered for month in shown]),
        (Text("Waiting to be declared", "待申报"), [month.waiting for month in shown]),
    ):
        values = [Value(name, number) for name, number in zip(names, numbers, strict=True)]
        charts.append((title, columns(values, Text("inventories", "清单，份"))))
    rows = [(month, _links(month, target), _values(month)) for month in reversed(found.months)]
    return rendered(
        "months.html.j2", lang, found=found, rows=rows, charts=charts if shown else [], now=now, heads=HEADS,
        next_step=next_step(found), title=Text("All periods", "各申报期"),
    )  # fmt: skip


def next_step(found: Months) -> Text:
    """One sentence."""
    pressing = [month for month in found.months if month.presses]
    if pressing:
        told_en, told_zh = [], []
        for month in pressing:
            one = month.status
            past = one.working_days_left is not None and one.working_days_left < 0
            day = one.deadline or one.earliest
            told_en.append(f"{counted(month.waiting, 'inventory', 'inventories')} of {one.period} (deadline {day}{', past' if past else ''})")
            told_zh.append(f"{one.period} 的 {month.waiting:,} 份清单（期限 {day}{'，已过' if past else ''}）")
        return Text(f"Declare what waits: {', '.join(told_en)}.", f"请申报待申报的清单：{'、'.join(told_zh)}。")
    waiting = sum(month.waiting for month in found.months)
    if waiting:
        return Text(f"{counted(waiting, 'inventory', 'inventories')} still to be declared; no deadline is near.", f"有 {waiting:,} 份清单待申报，期限均未临近。")
    return Text("Nothing waits to be declared.", "没有待申报的清单。")


def _links(month: Month, target: Path) -> list[tuple[str, str]]:
    """Reports of its runs: the run, and the address."""
    import os
    from urllib.parse import quote

    base = target.resolve().parent
    return [(told(folder.name), quote(os.fsencode(os.path.relpath(folder.resolve() / "report.html", base)))) for folder in month.folders if isinstance(folder, Path)]
