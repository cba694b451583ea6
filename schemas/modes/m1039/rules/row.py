"""Rules that look at one trade-slip line: those of an inventory's line that hold here too, in this mode's words, and its own."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.codes import YES
from aggregator.schemas.field import Dictionary, Field
from aggregator.schemas.modes.m9610.rules.row import row_rules as rules_of_9610
from aggregator.schemas.row_tests import in_code_list, is_day, is_given
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

_ROW, _ERROR, _WARNING = Scope.ROW, Severity.ERROR, Severity.WARNING
_NOT_HERE = {"R116", "R117", "R118", "R124", "R125", "R127", "R201"}
"""About declaration mode, receipts, imports, and numbers that customs gives to inventories."""
_FIELD_TABLE = (ours("fields of a trade slip: no text gives their types", Status.INFERENCE),)
_CITED_AS_THERE = {"R108", "R109", "R110", "R111", "R112", "R113", "R120", "R122", "R123", "R126", "R202", "R203", "R205", "R206", "R207", "R208"}
_FLAGS = ("inspection_flag", "duty_flag", "licence_flag")

_TEXTS: dict[str, tuple[Text, Text]] = {
    "R102": (Text("The value is longer than its field.", "内容超过字段长度。"),
             Text("Check that the cell stands under the right heading; then shorten it.", "请核对该单元格是否对应正确的列标题，并缩短内容。")),
    "R105": (Text("The value must be above 0.", "数值必须大于0。"),
             Text("Put in what was traded; goods that do not leave are not declared.", "请填写实际成交的数值；不出口的商品不申报。")),
    "R106": (Text("The value must not be below 0.", "数值不得小于0。"), Text("Put in the value of the trade slip.", "请填写交易单上的数值。")),
    "R114": (Text("Neither a ten-character customs registration nor an 18-character unified social credit code with a right check character.",
                  "既不是10位海关注册编码，也不是校验码正确的18位统一社会信用代码。"),
             Text("Check the code of the operator (经营单位).", "请核对经营单位代码。")),
    "R115": (Text("The trade mode is not a known one.", "监管方式代码未知。"),
             Text("Use the four-digit code, 1039 for market procurement; a slip of the pen must not make a trade slip vanish.",
                  "请使用4位监管方式代码（市场采购为1039）；笔误不得使交易单被遗漏。")),
    "R121": (Text("A spreadsheet has turned the trade-slip number into scientific notation; the original cannot be recovered.",
                  "交易单号已被表格软件转成科学计数法，无法还原。"),
             Text("Export again from the market's platform with this column as text.", "请从市场采购平台以文本格式重新导出该列。")),
    "R204": (Text("The net weight is 0.", "净重为0。"), Text("Check the weight of the line.", "请核对该行净重。")),
}  # fmt: skip


def row_rules(dictionary: Dictionary) -> tuple[Rule, ...]:
    """The row rules of a mode whose lines have these fields."""
    return (*filter(None, (_adapted(rule, dictionary) for rule in rules_of_9610(dictionary))), *_OWN)


def _adapted(rule: Rule, dictionary: Dictionary) -> Rule | None:
    columns = tuple(column for column in rule.columns if column in dictionary)
    if rule.code in _NOT_HERE or not columns:
        return None
    message, remedy = _TEXTS.get(rule.code, (rule.message, rule.remedy))
    citations = rule.citations if rule.code in _CITED_AS_THERE else _FIELD_TABLE
    return replace(rule, columns=columns, message=message, remedy=remedy, citations=citations)


def needs_no_licence(values: pa.Array, field: Field | None = None) -> pa.Array:
    return pc.fill_null(pc.not_equal(values, YES), True)


_OWN: tuple[Rule, ...] = (
    Rule(
        code="R141", scope=_ROW, severity=_ERROR, columns=("licence_flag",),
        message=Text("The good needs a licence: it cannot leave as market procurement.", "商品涉证，不得以市场采购贸易方式出口。"),
        remedy=Text("Declare the slip under another trade mode, or take the good off it.", "请以其他监管方式申报该交易单，或从中剔除该商品。"),
        citations=(Cite("GACC-2014-54", "prohibited and restricted goods are kept out", Status.READ_PARTIAL),), test=needs_no_licence,
    ),
    Rule(
        code="R142", scope=_ROW, severity=_ERROR, columns=_FLAGS, fixed=True,
        message=Text("Neither yes nor no.", "既不是“是”也不是“否”。"),
        remedy=Text("Write 1 or 0, 是 or 否, Y or N; leave it blank where it is not known.", "请填 1 或 0、是 或 否、Y 或 N；不清楚的请留空。"),
        citations=(ours("flags of a trade-slip line"),), test=in_code_list,
    ),
    Rule(
        code="R143", scope=_ROW, severity=_ERROR, columns=("export_on",), fixed=True,
        message=Text("The day of export cannot be read: it decides the exchange rate.", "出口日期无法识别：汇率按该日期确定。"),
        remedy=Text("Write it as 2026-10-31 or 20261031, or leave it blank for the day of the run (--as-of).",
                    "请写成 2026-10-31 或 20261031；留空则按运行日期（--as-of）。"),
        citations=(Cite("GACC-272", "article 14, the day of declaration decides the rate", Status.READ_PARTIAL),), test=is_day,
    ),
    Rule(
        code="R241", scope=_ROW, severity=_WARNING, columns=("buyer_id_no",),
        message=Text("The buyer's identity or passport number is missing: the remark of the declaration lacks it.",
                     "缺少采购商证件号码：报关单备注栏将缺少该项。"),
        remedy=Text("Put in the number of the buyer's identity document.", "请填写采购商的身份证件或护照号码。"),
        citations=(Cite("GACC-2014-54", "article 5, remark: the buyer's name, nationality and document number", Status.READ_PARTIAL),), test=is_given,
    ),
)  # fmt: skip
