"""The table of exchange rates that a user gives: its columns, the rules on it, and how large a rate can be."""

from __future__ import annotations

from decimal import Decimal

from aggregator.schemas.field import Dictionary, item
from aggregator.schemas.rule import Rule, RuleBook, Scope, Severity
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

# fmt: off
RATE_FIELDS = Dictionary((
    item("currency_code", "currency_code", "币制 币种 币制代码 货币", "code", 3, codes="currency", required=True),
    item("cny_per_unit", "cny_per_unit", "汇率 人民币汇率 折人民币 每单位人民币 计征汇率", "decimal", 24, required=True),
    item("valid_from", "valid_from", "生效日期 起始日期 有效期起 开始日期", "given", 20, required=True),
    item("valid_to", "valid_to", "失效日期 终止日期 有效期止 截止日期 结束日期", "given", 20, required=True),
    item("source", "source", "来源 汇率来源 数据来源", "text", 250),
), ("序号", "备注", "货币名称", "币种名称"))
# fmt: on
RATE = r"[0-9]{1,9}(?:\.[0-9]{1,12})?"

_USUAL = {
    "USD": ("4", "12"), "EUR": ("5", "14"), "GBP": ("5", "18"), "JPY": ("0.03", "0.12"), "HKD": ("0.6", "1.5"), "MOP": ("0.6", "1.5"),
    "TWD": ("0.12", "0.4"), "KRW": ("0.003", "0.012"), "AUD": ("3", "9"), "CAD": ("3", "9"), "NZD": ("2.5", "8"), "SGD": ("3", "9"),
    "CHF": ("4", "13"), "SEK": ("0.4", "1.6"), "NOK": ("0.4", "1.6"), "DKK": ("0.6", "2"), "RUB": ("0.04", "0.35"), "PLN": ("1", "3.5"),
    "CZK": ("0.18", "0.6"), "HUF": ("0.01", "0.06"), "THB": ("0.1", "0.4"), "MYR": ("1", "3"), "IDR": ("0.0002", "0.001"), "PHP": ("0.08", "0.25"),
    "VND": ("0.00015", "0.0006"), "INR": ("0.04", "0.2"), "AED": ("1.2", "3.2"), "SAR": ("1.2", "3.2"), "ZAR": ("0.2", "1.2"), "BRL": ("0.7", "4.5"),
    "MXN": ("0.2", "0.8"), "ILS": ("1.1", "3.2"),
}  # fmt: skip
USUAL: dict[str, tuple[Decimal, Decimal]] = {letters: (Decimal(low), Decimal(high)) for letters, (low, high) in _USUAL.items()}
"""CNY for one unit, by ISO letters: wider than these currencies went from 2010 to 2026 [UNVERIFIED: from memory]. Only doubts come of it."""
USUAL_CHANGE = Decimal(3)
"""How many times as large as the one before a rate can be without being doubted."""
QUOTED_FOR = (100, 10, 1_000, 10_000)
"""How many units rates are quoted for elsewhere: JPY by customs, all currencies by banks for 100."""

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_OURS = ours("a rate is one figure for one currency and day, as the user gives it")
_QUOTED = Cite("GACC-272", "quotations for 100 units and indirect ones occur", Status.READ_PARTIAL)
_SIZE = ours("how large a rate can be", Status.INFERENCE)


def _rule(code: str, severity: Severity, column: str, message: Text, remedy: Text, *citations: Cite) -> Rule:
    return Rule(code, Scope.FILE, severity, (column,), message, remedy, citations or (_OURS,))


RATE_RULES = RuleBook((
    _rule("E101", _ERROR, "cny_per_unit", Text("Not readable: no known currency, no plain number or no day.", "无法识别：币制未知，或不是规范的数字或日期。"),
          Text("Write a currency code, a plain number such as 7.15, and days as YYYY-MM-DD.", "请填写币制代码、规范的数字（如 7.15）和 YYYY-MM-DD 格式的日期。")),
    _rule("E102", _ERROR, "cny_per_unit", Text("A rate is above 0.", "汇率必须大于0。"), Text("Correct the rate.", "请更正该汇率。")),
    _rule("E103", _ERROR, "valid_to", Text("The rate ends before it begins.", "截止日期早于起始日期。"), Text("Correct its days.", "请更正日期。")),
    _rule("E104", _ERROR, "valid_from", Text("Two rates of one currency overlap: which one counts is not known.", "同一币制的两条汇率有效期重叠，无法确定以哪条为准。"),
          Text("Let one end the day before the other begins; both ends are within.", "请使前一条在后一条生效的前一日截止（起止日均含在内）。")),
    _rule("E105", _ERROR, "valid_from", Text("Days of the period have no rate of this currency.", "申报期内有日期缺少该币制的汇率。"),
          Text("Add a rate for these days. A run that needs one stops (exit 78).", "请补充这些日期的汇率；运行时如需使用而缺少，将停止（退出码78）。")),
    _rule("E106", _WARNING, "cny_per_unit", Text("The rate looks as if it were for several units, not for one (times too large).", "该汇率似为多个单位的报价，而非1个单位（倍数）。"),
          Text("Write CNY for ONE unit: 4.62 for 100 JPY is 0.0462. Nothing is changed for you.", "请填写1个单位折合的人民币：100日元合4.62元，应填0.0462。本工具不代为更改。"), _QUOTED, _SIZE),
    _rule("E107", _WARNING, "cny_per_unit", Text("The rate looks indirect: units for one CNY, not CNY for one unit.", "该汇率似为间接标价（1元人民币折合的外币），而非1个单位外币折合的人民币。"),
          Text("Write CNY for one unit: 0.1399 USD for 1 CNY is 7.15. Nothing is changed for you.", "请填写1个单位外币折合的人民币：1元合0.1399美元，应填7.15。本工具不代为更改。"), _QUOTED, _SIZE),
    _rule("E108", _WARNING, "cny_per_unit", Text("The rate is far from what this currency is worth.", "该汇率明显偏离该币制的通常水平。"),
          Text("Check the decimal point and the currency.", "请核对小数点和币制。"), _SIZE),
    _rule("E109", _WARNING, "cny_per_unit", Text("The rate is more than three times the one before it, or less than a third.", "该汇率与前一条相差三倍以上。"),
          Text("Check both: one may be for another number of units.", "请核对这两条：其中之一的报价单位可能不同。"), _SIZE),
))  # fmt: skip
