"""What a run says at its end: a few lines for a person, or one JSON object for a program."""

from __future__ import annotations

from typing import Any

from aggregator.model.outcome import Outcome
from aggregator.model.repairs import REPAIRS
from aggregator.schemas.modes import Procedure
from aggregator.schemas.modes.m9710.reasons import REASONS
from aggregator.schemas.text import Lang, Text

_CODES_SHOWN = 10


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
        **({"routes": outcome.routes} if outcome.routes else {}),
        **({"simplified": {code: {"inventories": count, "first": list(first)} for code, (count, first) in outcome.simplified.items()}} if outcome.simplified else {}),
    }


def summary(outcome: Outcome, lang: Lang, *, dry_run: bool) -> list[str]:
    """Lines to print after a run."""
    counts, units, waits = outcome.counts, outcome.mode.wording.units, outcome.mode.waits_for_clearing
    late = Text(f" ({counts['inventories_late']:,} late)", f"（其中补报 {counts['inventories_late']:,} 份）") if waits else Text("", "")
    lists = Text(f" and {counts['lists']:,} lists", f"，清单 {counts['lists']:,} 份") if "lists" in counts else Text("", "")
    lines = [
        Text(
            f"Period {outcome.period}: {counts['lines_read']:,} lines of {counts['inventories_read']:,} {units.en} read.",
            f"申报期 {outcome.period}：读入 {counts['lines_read']:,} 行，{counts['inventories_read']:,} 份{units.zh}。",
        ),
        Text(
            f"  declared {counts['inventories_declared']:,} {units.en}{late.en} in "
            f"{counts['declarations']:,} declarations with {counts['declaration_items']:,} items{lists.en}",
            f"  申报 {counts['inventories_declared']:,} 份{units.zh}{late.zh}，"
            f"形成报关单 {counts['declarations']:,} 份、商品项 {counts['declaration_items']:,} 项{lists.zh}",
        ),
        Text(f"  rejected {counts['inventories_rejected']:,} {units.en}", f"  拒绝 {counts['inventories_rejected']:,} 份{units.zh}"),
        Text(f"  excluded {counts['inventories_excluded']:,} {units.en}", f"  排除 {counts['inventories_excluded']:,} 份{units.zh}"),
    ]
    shown = [line.in_lang(lang) for line in lines]
    shown[2:2] = [f"    {reason} {count:,}: {REASONS[reason][0].in_lang(lang)}" for reason, count in outcome.routes.items()]
    for reason, count in outcome.excluded.items():
        shown.append(f"    {reason} {count:,}: {outcome.mode.rules.exclusions[reason].message.in_lang(lang)}")
    shown.append(Text("  every line is accounted for: control totals balance", "  每一行均有去向：控制合计平衡").in_lang(lang))
    if outcome.repairs:
        listed = "; ".join(f"{REPAIRS.get(kind, Text(kind, kind)).in_lang(lang)} ({count:,})" for kind, count in outcome.repairs.items())
        shown.append(Text(f"  corrected in reading, no value changed: {listed}", f"  读取时的规范处理（未改变任何值）：{listed}").in_lang(lang))
    shown += [_severities(outcome).in_lang(lang)] if outcome.findings else []
    shown += findings_by_code(outcome, lang)
    shown += [f"  [{code}] {count:,} × {outcome.mode.rules[code].message.in_lang(lang)} ({', '.join(first)}{' …' if count > len(first) else ''})"
              for code, (count, first) in outcome.simplified.items()]  # fmt: skip
    if outcome.working_days_left is not None:
        shown.append(_deadline(outcome, outcome.working_days_left).in_lang(lang))
    if outcome.ledger_created:
        shown.append(
            Text(
                "A new ledger was made: it knows of nothing declared before. Keep it with the results.",
                "已新建台账：其中没有任何此前的申报记录。请与结果一并妥善保存。",
            ).in_lang(lang)
        )
    return shown + _ending(outcome, lang, dry_run=dry_run)


def _severities(outcome: Outcome) -> Text:
    errors = sum(count for code, count in outcome.findings.items() if outcome.mode.rules[code].severity == "error")
    warnings = sum(outcome.findings.values()) - errors
    return Text(f"  findings: {errors:,} errors, {warnings:,} warnings", f"  问题：错误 {errors:,} 个，警告 {warnings:,} 个")


def _deadline(outcome: Outcome, left: int) -> Text:
    undeclared = outcome.undeclared
    when = Text(f"{left} working days left", f"剩余 {left} 个工作日") if left > 0 else (
        Text("that is today", "即今天") if left == 0 else Text("that is past", "已过")
    )
    return Text(
        f"  deadline {outcome.deadline} ({when.en}); {undeclared:,} inventories of the period still undeclared",
        f"  申报期限 {outcome.deadline}（{when.zh}）；本期尚有 {undeclared:,} 份清单未申报",
    )


def findings_by_code(outcome: Outcome, lang: Lang) -> list[str]:
    """But for those that a note speaks of."""
    left = {code: more for code, count in outcome.findings.items() if (more := count - outcome.explained.get(code, 0)) > 0}
    codes = sorted(left, key=lambda code: (outcome.mode.rules[code].severity != "error", -left[code], code))
    lines = [f"  [{code}] {left[code]:,} × {outcome.mode.rules[code].message.in_lang(lang)}" for code in codes[:_CODES_SHOWN]]
    if len(codes) > _CODES_SHOWN:
        more = len(codes) - _CODES_SHOWN
        lines.append(Text(f"  … and {more} more codes", f"  …… 另有 {more} 种").in_lang(lang))
    return lines


def _ending(outcome: Outcome, lang: Lang, *, dry_run: bool) -> list[str]:
    if dry_run:
        return [Text("Dry run: nothing was written.", "试运行：未写入任何内容。").in_lang(lang)]
    if outcome.published:
        messages = [_messages(outcome)] if outcome.mode.procedure is not Procedure.PACK else []
        return [text.in_lang(lang) for text in (*messages, *_published(outcome))]
    if outcome.folder:
        return [Text(
            f"Nothing new to declare. The same lines were rejected before: see {outcome.folder}.",
            f"没有新的清单需要申报。相同的行此前已被拒绝：见 {outcome.folder}。",
        ).in_lang(lang)]  # fmt: skip
    return [Text("Nothing new to declare.", "没有新的清单需要申报。").in_lang(lang)]


def _messages(outcome: Outcome) -> Text:
    kinds = Text("CEB303 and CEB603", "CEB303、CEB603") if outcome.mode.procedure is Procedure.ROUTE else Text("CEB701", "CEB701")
    if outcome.messages is None:
        return Text(
            f"  no {kinds.en} messages: nothing to send, or no [customs] in the config that says who sends them",
            f"  未生成{kinds.zh}报文：无可发送内容，或配置中没有 [customs] 说明由谁发送",
        )
    return Text(f"  {outcome.messages:,} {kinds.en} messages to sign and send", f"  {kinds.zh}报文 {outcome.messages:,} 份，待签名发送")


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
