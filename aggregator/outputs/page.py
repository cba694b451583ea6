"""report.html: one run for people, in one file that needs nothing else. Every value is escaped; there is no script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from html import escape as escaped
from typing import Any

from aggregator.model.outcome import Outcome
from aggregator.model.repairs import REPAIRS
from aggregator.schemas.modes import Mode, Procedure
from aggregator.schemas.modes.m9710.reasons import REASONS
from aggregator.schemas.rule import RuleBook
from aggregator.schemas.shown import shown
from aggregator.schemas.text import Lang, Text

DECLARATIONS_SHOWN = 200

_STYLE = """
body{font:15px/1.5 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;margin:2rem auto;max-width:70rem;
padding:0 1rem;color:#1b1f24}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid #d8dee4;padding:.3rem .6rem;text-align:left;vertical-align:top}th{background:#f6f8fa}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.error{color:#b42318}.warning{color:#8a5a00}
.fates{display:flex;gap:1rem;flex-wrap:wrap}.fates div{border:1px solid #d8dee4;border-radius:6px;padding:.6rem 1rem;min-width:9rem}
.fates b{display:block;font-size:1.4rem}p.note{color:#57606a}
"""

_COLUMNS = (
    ("declaration_ref", Text("Declaration", "报关单")),
    ("consignor_name", Text("Consignor", "收发货人")),
    ("producer_seller_name", Text("Producer/seller", "生产销售单位")),
    ("exit_customs_code", Text("Exit customs", "出境关别")),
    ("arrival_country_code", Text("Arrival country", "运抵国")),
    ("item_count", Text("Items", "项数")),
    ("inventory_count", Text("Inventories", "清单数")),
    ("package_count", Text("Packages", "件数")),
    ("gross_weight_kg", Text("Gross kg", "毛重")),
    ("net_weight_kg", Text("Net kg", "净重")),
)


def page(outcome: Outcome, run_ref: str, declarations: list[dict[str, Any]], now: datetime, lang: Lang) -> str:
    """`declarations`: rows of the declarations table, at most DECLARATIONS_SHOWN of them."""

    def say(en: str, zh: str) -> str:
        return escape(Text(en, zh).in_lang(lang))

    counts = outcome.counts
    fates = [
        (say("read", "读入"), counts["inventories_read"]),
        (say("declared", "申报"), counts["inventories_declared"]),
        *([(say("of these late", "其中补报"), counts["inventories_late"])] if outcome.mode.waits_for_clearing else []),
        (say("rejected", "拒绝"), counts["inventories_rejected"]),
        (say("excluded", "排除"), counts["inventories_excluded"]),
    ]
    parts = [
        f"<h1>{escape(outcome.mode.wording.heading.in_lang(lang))} {escape(outcome.period)} · {escape(run_ref)}</h1>",
        f"<p class=note>{say('As of', '生成时间')} {escape(now.strftime('%Y-%m-%d %H:%M'))} {say('China time', '北京时间')}. "
        + escape(outcome.mode.wording.standing.in_lang(lang))
        + "</p>",
        "" if outcome.working_days_left is None else f"<p>{_deadline(outcome.deadline, outcome.working_days_left, say)}</p>",
        f"<h2>{escape(_capital(outcome.mode.wording.units.in_lang(lang)))}</h2><div class=fates>"
        + "".join(f"<div><b>{number:,}</b>{name}</div>" for name, number in fates)
        + "</div>",
        f"<h2>{say('Findings', '问题')}</h2>" + _findings(outcome.mode.rules, outcome.findings, lang, say("None.", "无。")),
        f"<h2>{say('Excluded', '排除')}</h2>" + _exclusions(outcome.mode.rules, outcome.excluded, lang, say("None.", "无。")),
        *_routes(outcome, say, lang),
        *_simplified(outcome, say, lang),
        *_reading(outcome, say, lang),
        f"<h2>{say('Control totals', '控制合计')}</h2>",
        f"<p class=note>{say('read = declared + rejected + excluded, in every row', '读入 = 申报 + 拒绝 + 排除（逐行平衡）')}</p>",
        _table(
            [say("Column", "列"), say("Unit", "单位/币制"), *(say(en, zh) for en, zh in (
                ("Read", "读入"), ("Declared", "申报"), ("Rejected", "拒绝"), ("Excluded", "排除"), ("Unreadable", "无法识别"),
                ("Difference", "差额")))],
            ([row[name] for name in ("column", "currency_or_unit", "read", "declared", "rejected", "excluded", "unreadable", "difference")]
             for row in outcome.totals),
            numbers_from=2,
        ),
        f"<h2>{say('Declarations', '报关单')} ({counts['declarations']:,})</h2>",
        _table(
            [escape(title.in_lang(lang)) for _, title in _columns(outcome.mode)],
            ([str(row[name]) for name, _ in _columns(outcome.mode)] for row in declarations),
            numbers_from=5,
        ),
    ]  # fmt: skip
    if counts["declarations"] > len(declarations):
        parts.append(f"<p class=note>{say('The rest stands in declarations.csv.', '其余见 declarations.csv。')}</p>")
    title = f"{escape(outcome.period)} {escape(run_ref)}"
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def escape(text: str) -> str:
    return escaped(shown(text))


def _columns(mode: Mode) -> tuple[tuple[str, Text], ...]:
    if mode.procedure is Procedure.MERGE:
        return _COLUMNS
    units = mode.wording.units
    named = {"inventory_count": ("inventory_count", Text(_capital(units.en), f"{units.zh}数"))}
    if mode.procedure is Procedure.ROUTE:
        named = {"producer_seller_name": ("order_no", Text("Order", "订单")), "inventory_count": ("value_cny", Text("RMB", "人民币金额"))}
    else:
        named["producer_seller_name"] = ("remark", Text("Remark", "备注"))
    return tuple(named.get(name, (name, title)) for name, title in _COLUMNS)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _deadline(day: str, left: int, say: Callable[[str, str], str]) -> str:
    days = say(f"{left} working days left", f"剩余 {left} 个工作日") if left >= 0 else say("past", "已过")
    return f"{say('Deadline of the period', '本期申报期限')}: <b>{escape(day)}</b> ({days})"


def _routes(outcome: Outcome, say: Callable[[str, str], str], lang: Lang) -> list[str]:
    """Why orders are declared or go as lists; nothing in other modes."""
    if not outcome.routes:
        return []
    rows = ([reason, f"{count:,}", REASONS[reason][0].in_lang(lang), "; ".join(map(str, REASONS[reason][1]))] for reason, count in outcome.routes.items())
    heads = [say("Reason", "理由"), say("Orders", "订单数"), say("What", "内容"), say("From", "依据")]
    return [f"<h2>{say('Routes', '通关方式')}</h2>", _table(heads, rows, numbers_from=9)]


def _simplified(outcome: Outcome, say: Callable[[str, str], str], lang: Lang) -> list[str]:
    """Declaration mode A against what may be simplified; nothing where no exchange rates are given."""
    if not outcome.simplified:
        return []
    rows = ([code, f"{count:,}", rules[code].message.in_lang(lang), ", ".join(first) + (" …" if count > len(first) else ""), "; ".join(map(str, rules[code].citations))]
            for rules in (outcome.mode.rules,) for code, (count, first) in outcome.simplified.items())  # fmt: skip
    heads = [say("Rule", "规则"), say("Inventories", "清单数"), say("What", "内容"), say("First", "前几份"), say("From", "依据")]
    return [f"<h2>{say('Declaration modes A and B', '申报业务类型A与B')}</h2>", _table(heads, rows, numbers_from=9)]


def _reading(outcome: Outcome, say: Callable[[str, str], str], lang: Lang) -> list[str]:
    """What was corrected in reading, and which rules could not run."""
    parts = [f"<h2>{say('Reading', '读取')}</h2>"]
    if outcome.repairs:
        parts.append(f"<p class=note>{say('Corrected or passed over; no value was changed.', '读取时的规范处理，未改变任何值。')}</p>")
        rows = ([REPAIRS[kind].in_lang(lang), f"{count:,}"] for kind, count in outcome.repairs.items())
        parts.append(_table([say("What", "内容"), say("How often", "次数")], rows, numbers_from=1))
    else:
        parts.append(f"<p>{say('Every cell was read as it stands.', '所有单元格均按原样读取。')}</p>")
    if outcome.not_run:
        parts.append(
            "<p class=warning>" + say(
                f"Not checked, for no tariff table is given (tariff in the config): {', '.join(outcome.not_run)}, whether commodity "
                "codes exist and statutory units are the tariff's.",
                f"未检查（配置中未提供税则表 tariff）：{'、'.join(outcome.not_run)}，即商品编码是否存在、法定计量单位是否与税则一致。",
            ) + "</p>"
        )  # fmt: skip
    return parts


def _findings(rules: RuleBook, findings: dict[str, int], lang: Lang, none: str) -> str:
    if not findings:
        return f"<p>{none}</p>"
    rows = []
    for code in sorted(findings, key=lambda code: (rules[code].severity != "error", code)):
        rule = rules[code]
        cites = "; ".join(str(cite) for cite in rule.citations)
        rows.append(
            f'<tr><td class="{escape(rule.severity)}">{code}</td><td class=n>{findings[code]:,}</td>'
            f"<td>{escape(rule.message.in_lang(lang))}<br><span class=note>{escape(rule.remedy.in_lang(lang))}</span></td>"
            f"<td>{escape(cites)}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _exclusions(rules: RuleBook, excluded: dict[str, int], lang: Lang, none: str) -> str:
    rows = ([reason, f"{count:,}", rules.exclusions[reason].message.in_lang(lang)] for reason, count in excluded.items())
    return _table([], rows, numbers_from=9) if excluded else f"<p>{none}</p>"


def _table(heads: list[str], rows: Iterable[list[str]], *, numbers_from: int) -> str:
    """`heads` are escaped already, cells are not."""
    head = f"<tr>{''.join(f'<th>{name}</th>' for name in heads)}</tr>" if heads else ""
    body = "".join(
        "<tr>" + "".join(f"<td{' class=n' if place >= numbers_from else ''}>{escape(cell)}</td>" for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f"<table>{head}{body}</table>"
