"""The rule book for people: a table, and one rule in full."""

from __future__ import annotations

from typing import Any

from aggregator.schemas.column_names import SCOPES, SEVERITIES
from aggregator.schemas.rule import Rule, RuleBook
from aggregator.schemas.shown import padded
from aggregator.schemas.sources import SOURCES
from aggregator.schemas.text import Lang, Text


def rule_as_json(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "scope": str(rule.scope),
        "severity": str(rule.severity),
        "reason": rule.reason or None,
        "columns": list(rule.columns),
        "message": {"en": rule.message.en, "zh": rule.message.zh},
        "remedy": {"en": rule.remedy.en, "zh": rule.remedy.zh},
        "citations": [
            {"source": cite.source, "article": cite.article, "status": str(cite.status)} for cite in rule.citations
        ],
        "can_be_lowered": not rule.fixed,
        "in_force_from": rule.in_force_from.isoformat(),
        "in_force_to": rule.in_force_to.isoformat() if rule.in_force_to else None,
    }


def rule_table(rules: RuleBook, lang: Lang) -> list[str]:
    return [
        f"{rule.code}  {padded(SCOPES[rule.scope].in_lang(lang), 11)} {padded(SEVERITIES[rule.severity].in_lang(lang), 8)} {rule.message.in_lang(lang)}"
        for rule in rules
    ]


def rule_in_full(rule: Rule, lang: Lang) -> list[str]:
    def label(en: str, zh: str) -> str:
        return Text(en, zh).in_lang(lang)

    colon, kind = label(": ", "："), (SCOPES[rule.scope].in_lang(lang), SEVERITIES[rule.severity].in_lang(lang))
    lines = [
        label(f"{rule.code} ({', '.join(kind)})", f"{rule.code}（{'，'.join(kind)}）"),
        f"  {label('What', '问题')}{colon}{rule.message.in_lang(lang)}",
        f"  {label('Do', '处理')}{colon}{rule.remedy.in_lang(lang)}",
    ]
    if rule.columns:
        lines.append(f"  {label('Columns', '列')}{colon}{label(', ', '、').join(rule.columns)}")
    for cite in rule.citations:
        source = SOURCES[cite.source]
        lines.append(f"  {label('From', '依据')}{colon}{cite.said.in_lang(lang)} — {source.named.in_lang(lang)}")
    lines.append(f"  {label('In force', '生效')}{colon}{rule.in_force_from} – {rule.in_force_to or ''}")
    lines.append(
        label("  The config can lower it to a warning.", "  可在配置中降为警告。")
        if rule.severity == "error" and not rule.fixed
        else label("  The config cannot lower it.", "  不能在配置中降级。")
        if rule.severity == "error"
        else ""
    )
    return [line for line in lines if line]
