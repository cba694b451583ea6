"""The standing of the periods, and what the doctor found, on the screen and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aggregator.model.records import CLEARED_SINCE, DISMISSED, Waiting
from aggregator.reports.ledger import states_text
from aggregator.reports.orders import orders_text
from aggregator.schemas.modes import mode_of
from aggregator.schemas.rule import RuleBook
from aggregator.schemas.shown import padded
from aggregator.schemas.text import Lang, Text, counted

if TYPE_CHECKING:
    from aggregator.jobs.doctor import Check
    from aggregator.jobs.status import OtherMode, PeriodStatus, Standing


def status_lines(standing: Standing, warn_days: int, lang: Lang) -> list[str]:
    lines = []
    lines += [text.in_lang(lang) for text in standing.troubles]
    if standing.ledger is None and not standing.troubles:
        lines.append(Text("There is no ledger yet: nothing is known of what is declared.", "尚无台账：没有任何申报记录。").in_lang(lang))
    for one in standing.periods:
        lines += _period_lines(one, standing, warn_days, lang)
    if standing.orders:
        lines.append(Text("Orders (9710): ", "订单（9710）：").in_lang(lang) + orders_text(standing.orders, lang))
    return lines


def _period_lines(one: PeriodStatus, standing: Standing, warn_days: int, lang: Lang) -> list[str]:
    def say(en: str, zh: str) -> str:
        return Text(en, zh).in_lang(lang)

    warns = one.warns(standing.today, warn_days)
    lines = [f"{say('Period', '申报期')} {one.period}  {_deadline(one).in_lang(lang)}{say('  ACT NOW', '  请立即处理') if warns else ''}"]
    if standing.ledger is None:
        return lines
    late = say(f" ({one.late:,} late)", f"（其中补报 {one.late:,}）") if one.late else ""
    lines.append(
        say(f"  declared    {one.declared:,}{late}", f"  已申报      {one.declared:,}{late}")
        + (f"{say(': ', '：')}{states_text(one.states, lang)}" if one.states and standing.mode.waits_for_clearing else "")
    )
    if one.runs:
        lines.append(say(f"  runs        {', '.join(one.runs)}: {counted(one.declarations, 'declaration', 'declarations')}", f"  批次        {'、'.join(one.runs)}：报关单 {one.declarations:,} 份"))
    if one.cancelled:
        lines.append(
            say(
                f"  of these {counted(one.cancelled, 'was', 'were')} cancelled or sent back by customs since: have the {'declaration' if one.cancelled == 1 else 'declarations'} amended "
                "('aggregator ledger export' lists them)",
                f"  其中 {one.cancelled:,} 份之后被撤单或退单：请办理报关单修改（aggregator ledger export 可导出明细）",
            )
        )
    if one.cleared:
        lines.append(say(f"  cleared     {one.cleared:,} by the receipts received", f"  已结关      {one.cleared:,}（按已接收的回执）"))
    lines.append(say(f"  undeclared  {one.undeclared:,}", f"  未申报      {one.undeclared:,}"))
    if one.unseen:
        lines.append(say(f"    {one.unseen:,}  cleared by customs, and in no export yet", f"    {one.unseen:,}  海关已结关，但尚未出现在任何导出中"))
        lines += [f"        {number}" for number in one.unseen_examples]
    for each in one.waiting:
        lines.append(f"    {each.inventories:,}  {why(standing.mode.rules, each, lang)}")
        examples = [example for example in one.examples if (example.fate, example.reason) == (each.fate, each.reason)]
        for example in examples if each.open else ():
            lines.append(say(f"        {example.inventory_no}  last seen in {example.seen_in}", f"        {example.inventory_no}  最近见于 {example.seen_in}"))
        if each.open and examples and len(examples) < each.inventories:
            more = each.inventories - len(examples)
            lines.append(say(f"        … and {more:,} more (--max, or 'aggregator ledger export')", f"        …… 另有 {more:,} 份（--max，或 aggregator ledger export）"))
    return [*lines, *(line for other in one.others for line in _other_lines(other, lang))]


def _other_lines(other: OtherMode, lang: Lang) -> list[str]:
    """Another mode that shares the ledger; it has no deadline of its own."""
    mode, facts = mode_of(other.mode), other.facts
    units, runs = mode.wording.units, ", ".join(facts.runs)
    lines = [Text(
        f"  {other.mode}        {counted(facts.declared, mode.wording.unit.en, units.en)} declared, {counted(facts.declarations, 'declaration', 'declarations')}{f' ({runs})' if runs else ''}",
        f"  {other.mode}        {units.zh} {facts.declared:,} 份，报关单 {facts.declarations:,} 份{f'（{runs}）' if runs else ''}",
    ).in_lang(lang)]  # fmt: skip
    return lines + [f"    {each.inventories:,}  {why(mode.rules, each, lang)}" for each in facts.waiting]


def _deadline(one: PeriodStatus) -> Text:
    if one.earliest is None:
        return Text("no deadline", "无申报期限")
    if one.deadline is None or one.working_days_left is None:
        return Text(
            f"deadline {one.earliest} or the next working day (no calendar for that year)", f"期限 {one.earliest} 或其后首个工作日（缺该年工作日历）"
        )
    left = one.working_days_left
    if left < 0:
        return Text(f"deadline {one.deadline} (past)", f"期限 {one.deadline}（已过）")
    return Text(f"deadline {one.deadline} ({counted(left, 'working day', 'working days')} left)", f"期限 {one.deadline}（剩余 {left} 个工作日）")


def why(rules: RuleBook, waiting: Waiting, lang: Lang) -> str:
    """Why inventories wait: the fate, and the codes or reasons with their texts."""
    texts = [waiting.reason] if waiting.fate == DISMISSED else []
    for code in waiting.reason.split() if waiting.fate != DISMISSED else ():
        rule = rules.exclusions.get(code) or rules.by_code.get(code)
        texts.append(Text(f"{code} ({rule.message.en})", f"{code}（{rule.message.zh.removesuffix('。')}）").in_lang(lang) if rule else code)
    fate = {
        "rejected": Text("rejected", "被拒绝"),
        "excluded": Text("not to be declared", "不申报") if waiting.closed else Text("held", "暂缓"),
        DISMISSED: Text("dismissed", "不再申报"),
        "voided": Text("declared in a run that was voided", "所在批次已作废"),
        CLEARED_SINCE: Text("cleared by customs since, and in no run yet", "之后海关已结关，尚未申报"),
        "refused": Text("in an application that customs refused", "所在汇总申请单被海关退回"),
    }[waiting.fate].in_lang(lang)
    return f"{fate}{Text(': ', '：').in_lang(lang)}{' '.join(texts)}" if texts else fate


def status_as_json(standing: Standing, warn_days: int) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "as_of": str(standing.today),
        "problems": [vars(text) for text in standing.troubles],
        "ledger": str(standing.ledger) if standing.ledger else None,
        "periods": [
            {
                "period": str(one.period),
                "deadline": str(one.deadline) if one.deadline else None,
                "working_days_left": one.working_days_left,
                "act_now": one.warns(standing.today, warn_days),
                "inventories": one.states,
                "declared": one.declared,
                "late": one.late,
                "cancelled_since": one.cancelled,
                "runs": one.runs,
                "declarations": one.declarations,
                "undeclared": one.undeclared,
                "cleared": one.cleared,
                "unseen": one.unseen,
                "unseen_examples": one.unseen_examples,
                "waiting": [{**asdict(each), "open": each.open} for each in one.waiting],
                "examples": [asdict(each) for each in one.examples],
                "others": {
                    other.mode: {"units": other.facts.states, "declared": other.facts.declared, "runs": other.facts.runs, "declarations": other.facts.declarations,
                                 "waiting": [{**asdict(each), "open": each.open} for each in other.facts.waiting]}
                    for other in one.others
                },
                "orders": one.orders,
            }
            for one in standing.periods
        ],
        "orders": standing.orders,
    }


def doctor_lines(checks: list[Check], lang: Lang) -> list[str]:
    marks = {True: Text("ok", "正常"), False: Text("FAIL", "异常")}
    lines = []
    for check in checks:
        lines.append(f"{padded(marks[check.well].in_lang(lang), 6)} {check.name.in_lang(lang)}{Text(': ', '：').in_lang(lang)}{check.found.in_lang(lang)}")
        if not check.well:
            lines.append(f"       {check.remedy.in_lang(lang)}")
    return lines


def doctor_as_json(checks: list[Check]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "checks": [
            {"name": check.name.en, "well": check.well, "found": vars(check.found), "remedy": vars(check.remedy)} for check in checks
        ],
    }

