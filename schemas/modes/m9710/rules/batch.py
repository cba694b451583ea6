"""Rules that look at all orders of the run, and at the ledger; and what excludes an order."""

from __future__ import annotations

from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.several import values_with_several
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

_BATCH, _ERROR, _WARNING = Scope.BATCH, Severity.ERROR, Severity.WARNING
_ONCE = ours("declared once")
_NAMES = Cite("CEB-SPEC-202205", "table 8.1, ebcCode, ebcName", Status.INFERENCE)

BATCH_RULES: tuple[Rule, ...] = (
    Rule(
        code="B101", scope=_BATCH, severity=_ERROR, columns=("order_no",), fixed=True,
        message=Text("The ledger knows this order as filed, with different content (filed → now @ declaration/item).",
                     "台账中该订单已申报，但内容不同（已申报 → 现在 @ 报关单/项号）。"),
        remedy=Text("Find out which content is right; what was filed is changed by a message of change, not here.",
                    "请核实哪一份内容正确；已申报的内容须通过变更报文更正，不能在此更改。"),
        citations=(Cite("CEB-SPEC-202205", "table 7-2, -301010: an order of that number is there", Status.READ), _ONCE),
    ),
    Rule(
        code="B104", scope=_BATCH, severity=_ERROR, columns=("order_no",), fixed=True,
        message=Text("A line that may be part of this order has no readable order number or platform (its file and row).",
                     "有一行可能属于该订单，但其订单编号或电商平台代码缺失或无法辨认（所列为其文件和行号）。"),
        remedy=Text("Give that line its order number and platform, or take it out if it is of no order; then run again with all lines of this one.",
                    "请补全该行的订单编号和电商平台代码；若该行不属于任何订单，请将其删除。然后连同该订单的全部行重新运行。"),
        citations=(ours("an order is declared whole or not at all"),),
    ),
    Rule(
        code="B204", scope=_BATCH, severity=_WARNING, about_firms=True, columns=("consignor_name",),
        message=Text("One consignor code stands under two names.", "同一收发货人代码对应多个名称。"),
        remedy=Text("Use the registered name: customs compares it in order and declaration.", "请使用海关登记名称：海关对订单与报关单比对该项。"),
        citations=(_NAMES,), test=values_with_several,
    ),
    Rule(
        code="B205", scope=_BATCH, severity=_WARNING, about_firms=True, columns=("consignor_code",),
        message=Text("One consignor name stands under two codes.", "同一收发货人名称对应多个代码。"),
        remedy=Text("Use one code for one firm.", "同一企业请使用同一代码。"),
        citations=(_NAMES,), test=values_with_several,
    ),
    Rule(
        code="B215", scope=_BATCH, severity=_WARNING, columns=("declaration_mode_code",), once_per_value=True, about_firms=True,
        message=Text("Which declaration mode (statisticsFlag) customs takes for a list of 9710 was read nowhere; it is sent as it stands.",
                     "9710清单的申报业务类型（statisticsFlag）应填何值尚未见到依据；按原值发送。"),
        remedy=Text("Ask the broker or customs' hotline 12360.", "请向报关单位或海关12360热线确认。"),
        citations=(Cite("CEB-SPEC-202205", "table 2-38, statisticsFlag of a list of 9710", Status.UNVERIFIED),),
    ),
)  # fmt: skip


def _excluded(code: str, reason: str, message: Text, remedy: Text, cite: Cite) -> Rule:
    return Rule(code, Scope.EXCLUSION, Severity.WARNING, (), message, remedy, (cite,), reason=reason)


EXCLUSIONS: tuple[Rule, ...] = (
    _excluded("X101", "other_mode", Text("Another trade mode than 9710.", "监管方式不是9710。"),
              Text("Declare it under its own procedure.", "请按相应监管方式办理。"), ours("a run is of one mode")),
    _excluded("X108", "repeat", Text("The same line stood in the input before.", "同一行在输入中已出现过。"),
              Text("Nothing to do: it is declared once.", "无需处理：只申报一次。"), _ONCE),
    _excluded("X109", "known", Text("Filed before with the same content.", "已申报过且内容相同。"),
              Text("Nothing to do: it is filed once.", "无需处理：只申报一次。"), _ONCE),
)  # fmt: skip
