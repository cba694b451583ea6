"""Codes that are not about wrong input: exclusions (right, but not to be declared now) and our own checks."""

from __future__ import annotations

from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Cite, Status, ours, spec
from aggregator.schemas.text import Text

_LAW = Cite("GACC-2018-194", "summarising article (number not seen)", Status.READ_PARTIAL)


def _excluded(code: str, reason: str, message: Text, remedy: Text, *citations: Cite) -> Rule:
    return Rule(code, Scope.EXCLUSION, Severity.WARNING, (), message, remedy, citations, reason=reason)


EXCLUSIONS: tuple[Rule, ...] = (
    _excluded("X101", "other_mode", Text("Another trade mode than 9610.", "监管方式不是9610。"),
              Text("Declare it under its own procedure.", "请按相应监管方式办理。"), spec("tradeMode")),
    _excluded("X102", "simplified", Text("Declaration mode A: customs counts it itself.", "申报业务类型为A（简化申报），由海关汇总统计。"),
              Text("Nothing to do.", "无需处理。"), spec("statisticsFlag")),
    _excluded("X103", "not_cleared", Text("Not cleared: no status 899.", "未结关：没有状态899。"),
              Text("Run again when customs has cleared it.", "结关后请重新运行。"), _LAW,
              Cite("CEB-SPEC-202205", "table 2-42, 899", Status.READ)),
    _excluded("X104", "later_period", Text("Cleared after the period.", "结关时间晚于本申报期。"),
              Text("It is declared with its own period.", "将在其所属申报期申报。"), _LAW),
    _excluded("X105", "before_ledger", Text("Cleared before the first period the ledger answers for.", "结关时间早于台账的起始申报期。"),
              Text("Check that it was declared elsewhere; otherwise start the ledger earlier: --first-period of its first run, "
                   "or 'aggregator ledger first-period' as long as nothing was declared.",
                   "请确认已在别处申报；否则请提前台账起始申报期（首次运行时用 --first-period，尚未申报时用 aggregator ledger first-period）。"), ours("--first-period")),
    _excluded("X106", "late_held", Text("Cleared in an earlier period and held back by --no-late.", "在以前的申报期结关，因 --no-late 暂不申报。"),
              Text("Run without --no-late to declare it.", "如需申报，请去掉 --no-late 重新运行。"),
              Cite("GACC-2018-194", "late inventories", Status.UNVERIFIED)),
    _excluded("X107", "cancelled", Text("Cancelled or returned by customs.", "已撤单或被海关退单。"),
              Text("Nothing to do, unless the receipt is wrong.", "如回执无误则无需处理。"),
              Cite("CEB-SPEC-202205", "CEB606 status 399, CEB604 status 100", Status.READ)),
    _excluded("X108", "repeat", Text("The same line stood in the input before.", "同一行在输入中已出现过。"),
              Text("Nothing to do: it is declared once.", "无需处理：只申报一次。"), ours("declared once")),
    _excluded("X109", "known", Text("Declared before with the same content, or customs has it in a result.", "已申报过且内容相同，或已在海关汇总结果单中。"),
              Text("Nothing to do: it is declared once.", "无需处理：只申报一次。"), ours("declared once")),
)  # fmt: skip

OWN_RULES: tuple[Rule, ...] = (
    Rule("D101", Scope.DECLARATION, Severity.ERROR, (),
         Text("A file we made breaks its own schema; nothing was published.", "输出文件不符合其结构定义，未发布任何内容。"),
         Text("Internal error: report it with the message shown.", "内部错误：请将提示信息报告给我们。"),
         (ours("every frame is checked before it is written"),), fixed=True),
    Rule("C101", Scope.CONTROL, Severity.ERROR, (),
         Text("The control totals do not balance; nothing was published.", "控制合计不平衡，未发布任何内容。"),
         Text("Internal error: report it with the message shown.", "内部错误：请将提示信息报告给我们。"),
         (ours("read = declared + rejected + excluded"),), fixed=True),
)  # fmt: skip
