"""What `rates check` found, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aggregator.domain.rate_findings import RateFinding
from aggregator.domain.rates import letters_of
from aggregator.jobs.rates import CheckedRates
from aggregator.schemas.column_names import SEVERITIES
from aggregator.schemas.rates import RATE_RULES
from aggregator.schemas.text import Lang, Text, counted


def rates_lines(checked: CheckedRates, lang: Lang) -> Iterator[str]:
    for finding in checked.findings:
        rule = RATE_RULES[finding.code]
        where = f"{finding.place} " if finding.place else ""
        yield f"{where}{finding.currency} \"{finding.value}\" [{finding.code} {SEVERITIES[rule.severity].in_lang(lang)}] {rule.said.in_lang(lang)}"
    currencies = ", ".join(sorted({letters_of(rate.currency_code) for rate in checked.rates})) or "-"
    count, found = len(checked.rates), len(checked.findings)
    yield Text(
        f"{counted(count, 'rate', 'rates')} of {currencies}; period {checked.period}: " + (f"{counted(found, 'finding', 'findings')}." if found else "every day has one rate, none is doubtful."),
        f"{currencies} 共 {count} 条汇率；申报期 {checked.period}：" + (f"发现 {found} 个问题。" if found else "每日均有且仅有一条汇率，未见可疑。"),
    ).in_lang(lang)


def rates_as_json(checked: CheckedRates, lang: Lang) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "exit_code": int(checked.exit_code),
        "period": str(checked.period),
        "rates": [
            {"currency": letters_of(rate.currency_code), "currency_code": rate.currency_code, "cny_per_unit": str(rate.cny_per_unit),
             "valid_from": str(rate.valid_from), "valid_to": str(rate.valid_to), "source": rate.source}
            for rate in checked.rates
        ],
        "findings": [_finding(each, lang) for each in checked.findings],
    }  # fmt: skip


def _finding(finding: RateFinding, lang: Lang) -> dict[str, Any]:
    rule = RATE_RULES[finding.code]
    return {
        "code": finding.code, "severity": str(rule.severity), "place": finding.place, "currency": finding.currency, "value": finding.value,
        "first": str(finding.first or ""), "last": str(finding.last or ""), "message": rule.message.in_lang(lang), "remedy": rule.remedy.in_lang(lang),
    }  # fmt: skip
