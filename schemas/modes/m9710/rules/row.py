"""Rules that look at one order item: those of an inventory's line that hold here too, in this mode's words, and its own."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.codes import CONSUMER, ORDER_B2B
from aggregator.schemas.field import Dictionary, Field
from aggregator.schemas.modes.m9610.rules.row import row_rules as rules_of_9610
from aggregator.schemas.patterns import is_firm_code, matches
from aggregator.schemas.row_tests import in_code_list, is_day
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

_ROW, _ERROR, _WARNING = Scope.ROW, Severity.ERROR, Severity.WARNING
_NOT_HERE = {"R117", "R118", "R124", "R201"}
"""About receipts, and numbers that customs gives to inventories."""
_OF_THE_NUMBER = {"R121"}
"""Looks at the number of the unit: here that of the order."""
_B2B = Cite("GACC-2020-75", "9710: business to business through a platform; 9810: to an overseas warehouse", Status.READ_PARTIAL)
_NO_PLATFORM_CODE = "无"
"""What stands for the code of a platform abroad that has none (CEB-SPEC-202205, ebpCode)."""

_TEXTS: dict[str, tuple[Text, Text]] = {
    "R102": (Text("The value is longer than its field in the customs message.", "内容超过海关报文规定的字段长度。"),
             Text("Check that the cell stands under the right heading; then shorten it in the shop's system.", "请核对该单元格是否对应正确的列标题，并在业务系统中缩短内容。")),
    "R105": (Text("The value must be above 0.", "数值必须大于0。"),
             Text("Put in the value of the order; goods that do not leave are not declared.", "请填写订单上的数值；不出口的商品不申报。")),
    "R106": (Text("The value must not be below 0.", "数值不得小于0。"), Text("Put in the value of the order.", "请填写订单上的数值。")),
    "R115": (Text("The trade mode is not a known one.", "监管方式代码未知。"),
             Text("Use the four-digit code, 9710 for business to business; a slip of the pen must not make an order vanish.",
                  "请使用4位监管方式代码（跨境电商B2B直接出口为9710）；笔误不得使订单被遗漏。")),
    "R116": (Text("The declaration mode is neither A (simplified) nor B (summary).", "申报业务类型既不是A（简化申报）也不是B（汇总申报）。"),
             Text("Ask the broker which one customs takes for a list of 9710.", "请向报关单位确认9710清单应填的申报业务类型。")),
    "R121": (Text("A spreadsheet has turned the order number into scientific notation; the original cannot be recovered.",
                  "订单编号已被表格软件转成科学计数法，无法还原。"),
             Text("Export again from the source system with this column as text.", "请从原系统以文本格式重新导出该列。")),
    "R127": (Text("A line of an import: this mode is for exports.", "该行属于进口数据：本监管方式仅适用于出口。"),
             Text("Take the imports out of the export; if it is an export, correct this value.", "请将进口数据移出；如确为出口，请更正该值。")),
    "R204": (Text("The net weight is 0.", "净重为0。"), Text("Check the weight of the order.", "请核对订单净重。")),
}  # fmt: skip


def row_rules(dictionary: Dictionary) -> tuple[Rule, ...]:
    """The row rules of a mode whose lines have these fields."""
    return (*filter(None, (_adapted(rule, dictionary) for rule in rules_of_9610(dictionary))), *_OWN)


def _adapted(rule: Rule, dictionary: Dictionary) -> Rule | None:
    # What stands for the unit is made here, of columns that have their own findings.
    columns = ("order_no",) if rule.code in _OF_THE_NUMBER else tuple(column for column in rule.columns if column in dictionary and column != "inventory_no")
    if rule.code in _NOT_HERE or not columns:
        return None
    message, remedy = _TEXTS.get(rule.code, (rule.message, rule.remedy))
    return replace(rule, columns=columns, message=message, remedy=remedy)


def is_b2b(values: pa.Array, field: Field | None = None) -> pa.Array:
    return pc.fill_null(pc.equal(values, ORDER_B2B), True)


def is_no_consumer(values: pa.Array, field: Field | None = None) -> pa.Array:
    return pc.fill_null(pc.not_equal(values, CONSUMER), True)


def is_platform(values: pa.Array, field: Field | None = None) -> pa.Array:
    return pc.fill_null(pc.or_(is_firm_code(values), matches(values, _NO_PLATFORM_CODE)), True)


_OWN: tuple[Rule, ...] = (
    Rule(
        code="R142", scope=_ROW, severity=_ERROR, columns=("inspection_flag", "duty_flag", "buyer_kind"), fixed=True,
        message=Text("Neither yes nor no; or, as the kind of buyer, neither firm nor consumer.", "既不是“是”也不是“否”；买家类型则既不是企业也不是个人。"),
        remedy=Text("Write 1 or 0, 是 or 否, Y or N; as the kind of buyer firm (企业) or consumer (个人). Leave it blank where it is not known.",
                    "请填 1 或 0、是 或 否、Y 或 N；买家类型请填企业（firm）或个人（consumer）。不清楚的请留空。"),
        citations=(ours("flags of an order item, kinds of buyer"),), test=in_code_list,
    ),
    Rule(
        code="R143", scope=_ROW, severity=_ERROR, columns=("export_on",), fixed=True,
        message=Text("The day of export cannot be read: it decides the exchange rate.", "出口日期无法识别：汇率按该日期确定。"),
        remedy=Text("Write it as 2026-10-31 or 20261031, or leave it blank for the day of the run (--as-of).",
                    "请写成 2026-10-31 或 20261031；留空则按运行日期（--as-of）。"),
        citations=(Cite("GACC-272", "article 14, the day of declaration decides the rate", Status.READ_PARTIAL),), test=is_day,
    ),
    Rule(
        code="R144", scope=_ROW, severity=_ERROR, columns=("order_type_code",), fixed=True,
        message=Text("The order is no business-to-business order (type B): E is of a consumer, W a booking of an overseas warehouse.",
                     "订单类型不是B（B2B出口订单）：E为B2C订单，W为海外仓订仓单。"),
        remedy=Text("Declare E under 9610 and W under 9810; leave the cell blank for B.", "E请按9610办理，W请按9810办理；留空视为B。"),
        citations=(Cite("CEB-SPEC-202205", "table 8.1, orderType", Status.READ), _B2B), test=is_b2b,
    ),
    Rule(
        code="R145", scope=_ROW, severity=_ERROR, columns=("buyer_kind",), fixed=True,
        message=Text("The buyer is a consumer: 9710 is from firm to firm.", "买方为个人：9710仅适用于企业对企业。"),
        remedy=Text("Declare the order as retail export (9610).", "请按零售出口（9610）办理该订单。"),
        citations=(_B2B,), test=is_no_consumer,
    ),
    Rule(
        code="R246", scope=_ROW, severity=_WARNING, columns=("platform_code",), once_per_value=True,
        message=Text("The platform's code is neither that of a firm nor 无, which stands for a platform abroad without one.",
                     "电商平台代码既不是企业代码，也不是“无”（境外平台无代码时填写）。"),
        remedy=Text("Check the code: customs knows the order by it.", "请核对该代码：海关据此识别订单。"),
        citations=(Cite("CEB-SPEC-202205", "table 8.1, ebpCode", Status.READ),), test=is_platform,
    ),
)  # fmt: skip
