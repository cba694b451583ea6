"""What a run says at its end: a few lines for a person, or one JSON object for a program."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from aggregator.model.outcome import Outcome
from aggregator.model.repairs import REPAIRS
from aggregator.schemas.modes import Procedure
from aggregator.schemas.modes.m9710.reasons import REASONS
from aggregator.schemas.modes.mode import Wording
from aggregator.schemas.text import Lang, Text, counted

_CODES_SHOWN = 10


class Tone(StrEnum):
    PLAIN = "plain"
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    NEXT = "next"
    """What is to be done next, or where to look."""


class Table(StrEnum):
    FATES = "fates"
    FINDINGS = "findings"


HEADINGS = {
    Table.FATES: (Text("Fate", "去向"), Text("Count", "份数"), Text("", "说明")),
    Table.FINDINGS: (Text("Rule", "规则"), Text("Count", "个数"), Text("What is wrong", "问题")),
}
"""Over the three cells of each line of a table; the second is a number."""


class Line(NamedTuple):
    """A line of the summary; `cells`: the same as a row of the table it belongs to, where there is room for one."""

    text: str
    tone: Tone = Tone.PLAIN
    table: Table | None = None
    cells: tuple[str, ...] = ()


def as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "exit_code": int(outcome.exit_code),
        "period": outcome.period,
        "run_ref": outcome.run_ref,
        "folder": outcome.folder,
        "published": outcome.published,
        "counts": outcome.counts,
        "excluded": outcome.excluded,
        "findings": outcome.findings,
        "messages": outcome.messages,
        "rules_not_run": list(outcome.not_run),
        "repairs": outcome.repairs,
        "control_totals": outcome.totals,
        "ledger_created": outcome.ledger_created,
        "deadline": outcome.deadline,
        "working_days_left": outcome.working_days_left,
        "undeclared": outcome.undeclared,
        **({"headings": headings} if (headings := _headings(outcome)) else {}),
        **({"routes": outcome.routes} if outcome.routes else {}),
        **({"simplified": {code: {"inventories": count, "first": list(first)} for code, (count, first) in outcome.simplified.items()}} if outcome.simplified else {}),
    }


def _headings(outcome: Outcome) -> dict[str, dict[str, str]]:
    """By file and column, where they are not our names."""
    found: dict[str, dict[str, str]] = {}
    for (file, column), heading in outcome.headings.items():
        if heading != column:
            found.setdefault(file, {})[column] = heading
    return found


def summary(outcome: Outcome, lang: Lang, *, dry_run: bool) -> list[Line]:
    """Lines to print after a run."""
    counts, unit, units = outcome.counts, outcome.mode.wording.unit, outcome.mode.wording.units
    lines = [
        Line(Text(
            f"Period {outcome.period}: {counted(counts['lines_read'], 'line', 'lines')} of {counted(counts['inventories_read'], unit.en, units.en)} read.",
            f"申报期 {outcome.period}：读入 {counts['lines_read']:,} 行，{counts['inventories_read']:,} 份{units.zh}。",
        ).in_lang(lang)),
        *_fates(outcome, lang),
        Line(Text("  every line is accounted for: control totals balance", "  每一行均有去向：控制合计平衡").in_lang(lang)),
    ]  # fmt: skip
    if outcome.repairs:
        listed = "; ".join(f"{REPAIRS.get(kind, Text(kind, kind)).in_lang(lang)} ({count:,})" for kind, count in outcome.repairs.items())
        lines.append(Line(Text(f"  corrected in reading, no value changed: {listed}", f"  读取时的规范处理（未改变任何值）：{listed}").in_lang(lang)))
    lines += [Line(_severities(outcome).in_lang(lang))] if outcome.findings else []
    lines += findings_by_code(outcome, lang)
    lines += [_finding(outcome, code, count, lang, f" ({', '.join(first)}{' …' if count > len(first) else ''})") for code, (count, first) in outcome.simplified.items()]
    if outcome.working_days_left is not None:
        lines.append(Line(_deadline(outcome, outcome.working_days_left).in_lang(lang), Tone.DOUBTFUL if outcome.undeclared else Tone.PLAIN))
    if outcome.ledger_created:
        lines.append(Line(Text(
            "A new ledger was made: it knows of nothing declared before. Keep it with the results.",
            "已新建台账：其中没有任何此前的申报记录。请与结果一并妥善保存。",
        ).in_lang(lang)))  # fmt: skip
    return lines + _ending(outcome, lang, dry_run=dry_run)


def _fates(outcome: Outcome, lang: Lang) -> list[Line]:
    counts, wording = outcome.counts, outcome.mode.wording
    declared, rejected, excluded = (counts[f"inventories_{fate}"] for fate in ("declared", "rejected", "excluded"))
    reasons = [(name, count, REASONS[name][0]) for name, count in outcome.routes.items()]
    lines = [
        _fate(Text("declared", "申报"), declared, wording, _of_declared(outcome), lang, Tone.GOOD),
        *(_reason(name, count, text, lang) for name, count, text in reasons),
        _fate(Text("rejected", "拒绝"), rejected, wording, Text("", ""), lang, Tone.BAD),
        _fate(Text("excluded", "排除"), excluded, wording, Text("", ""), lang, Tone.PLAIN),
    ]
    return lines + [_reason(name, count, outcome.mode.rules.exclusions[name].message, lang) for name, count in outcome.excluded.items()]


def _of_declared(outcome: Outcome) -> Text:
    counts = outcome.counts
    late = Text(f" ({counts['inventories_late']:,} late)", f"（其中补报 {counts['inventories_late']:,} 份）") if outcome.mode.waits_for_clearing else Text("", "")
    lists = Text(f" and {counted(counts['lists'], 'list', 'lists')}", f"，清单 {counts['lists']:,} 份") if "lists" in counts else Text("", "")
    return Text(
        f"{late.en} in {counted(counts['declarations'], 'declaration', 'declarations')} with {counted(counts['declaration_items'], 'item', 'items')}{lists.en}",
        f"{late.zh}，形成报关单 {counts['declarations']:,} 份、商品项 {counts['declaration_items']:,} 项{lists.zh}",
    )


def _fate(name: Text, count: int, wording: Wording, more: Text, lang: Lang, tone: Tone) -> Line:
    """`more`: what became of them."""
    units = (wording.unit if count == 1 else wording.units).en
    what = Text(f"{units}{more.en}", f"{wording.units.zh}{more.zh}").in_lang(lang)
    said = Text(f"  {name.en} {count:,} {what}", f"  {name.zh} {count:,} 份{what}").in_lang(lang)
    return Line(said, tone if count else Tone.PLAIN, Table.FATES, (name.in_lang(lang), f"{count:,}", what))


def _reason(name: str, count: int, why: Text, lang: Lang) -> Line:
    return Line(f"    {name} {count:,}: {why.in_lang(lang)}", table=Table.FATES, cells=(f"  {name}", f"{count:,}", why.in_lang(lang)))


def _severities(outcome: Outcome) -> Text:
    errors = sum(count for code, count in outcome.findings.items() if outcome.mode.rules[code].severity == "error")
    warnings = sum(outcome.findings.values()) - errors
    return Text(f"  findings: {counted(errors, 'error', 'errors')}, {counted(warnings, 'warning', 'warnings')}", f"  问题：错误 {errors:,} 个，警告 {warnings:,} 个")


def _deadline(outcome: Outcome, left: int) -> Text:
    undeclared = outcome.undeclared
    when = Text(f"{counted(left, 'working day', 'working days')} left", f"剩余 {left} 个工作日") if left > 0 else (
        Text("that is today", "即今天") if left == 0 else Text("that is past", "已过")
    )
    return Text(
        f"  deadline {outcome.deadline} ({when.en}); {counted(undeclared, 'inventory', 'inventories')} of the period still undeclared",
        f"  申报期限 {outcome.deadline}（{when.zh}）；本期尚有 {undeclared:,} 份清单未申报",
    )


def findings_by_code(outcome: Outcome, lang: Lang) -> list[Line]:
    """But for those that a note speaks of."""
    left = {code: more for code, count in outcome.findings.items() if (more := count - outcome.explained.get(code, 0)) > 0}
    codes = sorted(left, key=lambda code: (outcome.mode.rules[code].severity != "error", -left[code], code))
    lines = [_finding(outcome, code, left[code], lang) for code in codes[:_CODES_SHOWN]]
    if len(codes) > _CODES_SHOWN:
        more = len(codes) - _CODES_SHOWN
        lines.append(Line(Text(f"  … and {counted(more, 'more code', 'more codes')}", f"  …… 另有 {more} 种").in_lang(lang)))
    return lines


def _finding(outcome: Outcome, code: str, count: int, lang: Lang, more: str = "") -> Line:
    rule = outcome.mode.rules[code]
    said = f"{rule.message.in_lang(lang)}{more}"
    return Line(f"  [{code}] {count:,} × {said}", Tone.BAD if rule.severity == "error" else Tone.DOUBTFUL, Table.FINDINGS, (code, f"{count:,}", said))


def _ending(outcome: Outcome, lang: Lang, *, dry_run: bool) -> list[Line]:
    if dry_run:
        return [Line(Text("Dry run: nothing was written.", "试运行：未写入任何内容。").in_lang(lang), Tone.NEXT)]
    if outcome.published:
        messages = [Line(_messages(outcome).in_lang(lang))] if outcome.mode.procedure is not Procedure.PACK else []
        return [*messages, *(Line(text.in_lang(lang), Tone.NEXT) for text in _published(outcome))]
    if outcome.folder:
        return [Line(Text(
            f"Nothing new to declare. The same lines were rejected before: see {outcome.folder}.",
            f"没有新的清单需要申报。相同的行此前已被拒绝：见 {outcome.folder}。",
        ).in_lang(lang), Tone.NEXT)]  # fmt: skip
    return [Line(Text("Nothing new to declare.", "没有新的清单需要申报。").in_lang(lang), Tone.NEXT)]


def _messages(outcome: Outcome) -> Text:
    kinds = Text("CEB303 and CEB603", "CEB303、CEB603") if outcome.mode.procedure is Procedure.ROUTE else Text("CEB701", "CEB701")
    if outcome.messages is None:
        return Text(
            f"  no {kinds.en} messages: nothing to send, or no [customs] in the config that says who sends them",
            f"  未生成{kinds.zh}报文：无可发送内容，或配置中没有 [customs] 说明由谁发送",
        )
    return Text(f"  {counted(outcome.messages, f'{kinds.en} message', f'{kinds.en} messages')} to sign and send", f"  {kinds.zh}报文 {outcome.messages:,} 份，待签名发送")


def _published(outcome: Outcome) -> list[Text]:
    texts = [
        Text(f"Published {outcome.folder}", f"已发布 {outcome.folder}"), Text(f"Report {outcome.folder}/report.html", f"报告 {outcome.folder}/report.html"),
    ]  # fmt: skip
    if outcome.counts["lines_rejected"]:
        texts.append(Text(
            f"Correct the lines in {outcome.folder}/rejected and run them again; findings.csv says what is wrong with each.",
            f"请修正 {outcome.folder}/rejected 中的行后重新运行；findings.csv 说明每一行的问题。",
        ))  # fmt: skip
    return texts
