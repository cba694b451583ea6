"""Rules on declaration mode A (simplified: customs counts the inventory, no declaration is made), where the user gives exchange rates."""

from __future__ import annotations

from aggregator.schemas.modes.advice_sources import PILOT, RATE, SIMPLIFIED
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Status, spec
from aggregator.schemas.text import Text

OVER_LIMIT, LICENCE_OR_DUTY, COULD_BE_SIMPLIFIED = "B209", "B210", "B211"

SIMPLIFIED_RULES: tuple[Rule, ...] = (
    Rule(
        code=OVER_LIMIT, scope=Scope.BATCH, severity=Severity.WARNING, columns=("total_price",), needs_rates=True,
        message=Text("Declaration mode A, but worth over RMB 5,000.00 (unrounded → rounded value in CNY).",
                     "申报业务类型为A，但单票价值超过人民币5000元（折算值 → 四舍五入至分）。"),
        remedy=Text("Ask the broker whether customs accepted it as A; over the limit an inventory belongs to mode B and the summary declaration.",
                    "请向报关单位确认海关是否按A放行；超过限额的清单应按B汇总申报。"),
        citations=(SIMPLIFIED, RATE),
    ),
    Rule(
        code=LICENCE_OR_DUTY, scope=Scope.BATCH, severity=Severity.WARNING, columns=("licence_no", "duty_flag"), needs_rates=True,
        message=Text("Declaration mode A, but with an export licence or export duty.", "申报业务类型为A，但涉及许可证件或出口关税。"),
        remedy=Text("Ask the broker: mode A is for goods without licence, export duty and tax refund.", "请咨询报关单位：A仅适用于不涉证、不涉出口关税、不涉出口退税的商品。"),
        citations=(SIMPLIFIED, spec("statisticsFlag A")),
    ),
    Rule(
        code=COULD_BE_SIMPLIFIED, scope=Scope.BATCH, severity=Severity.WARNING, columns=("declaration_mode_code",), needs_rates=True,
        message=Text("Declaration mode B, though within RMB 5,000.00 and without licence: A may have done, if no export duty is due, no refund is claimed "
                     "and the firm is in a pilot zone (value in CNY).",
                     "申报业务类型为B，但单票不超过人民币5000元且不涉证：如不涉出口关税、不申请退税且企业在综试区，本可按A申报（折算人民币）。"),
        remedy=Text("Nothing for this period; ask the broker whether such inventories may be filed as A from now on.",
                    "本期无需处理；可咨询报关单位今后此类清单能否按A申报。"),
        citations=(SIMPLIFIED, PILOT, RATE, spec("statisticsFlag", Status.INFERENCE)),
    ),
)  # fmt: skip
