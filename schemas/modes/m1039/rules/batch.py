"""Rules that look at all slips of the run, at the ledger, and at what was packed; and what excludes a slip."""

from __future__ import annotations

from aggregator.schemas.modes.m1039.limits import SIMPLIFICATION
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.several import values_with_several
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

_BATCH, _ERROR, _WARNING = Scope.BATCH, Severity.ERROR, Severity.WARNING
_ONCE = ours("declared once")

BATCH_RULES: tuple[Rule, ...] = (
    Rule(
        code="B101", scope=_BATCH, severity=_ERROR, columns=("inventory_no",), fixed=True,
        message=Text("The ledger knows this slip as declared, with different content (declared → now @ declaration/item).",
                     "台账中该交易单已申报，但内容不同（已申报 → 现在 @ 报关单/项号）。"),
        remedy=Text("Find out which content is right; what was declared is changed by amending the declaration, not here.",
                    "请核实哪一份内容正确；已申报的内容须通过修改报关单更正，不能在此更改。"),
        citations=(_ONCE,),
    ),
    Rule(
        code="B104", scope=_BATCH, severity=_ERROR, columns=("inventory_no",), fixed=True,
        message=Text("A line that may be part of this slip has no readable slip number (its file and row).",
                     "有一行可能属于该交易单，但其交易单号缺失或无法辨认（所列为其文件和行号）。"),
        remedy=Text("Give that line its slip number, or take it out if it is of no slip; then run again with all lines of this one.",
                    "请补全该行的交易单号；若该行不属于任何交易单，请将其删除。然后连同该交易单的全部行重新运行。"),
        citations=(ours("a slip is declared whole or not at all"),),
    ),
    Rule(
        code="B204", scope=_BATCH, severity=_WARNING, columns=("consignor_name",),
        message=Text("One operator code stands under two names.", "同一经营单位代码对应多个名称。"),
        remedy=Text("Use the registered name; the declaration takes that of the first slip by number.", "请使用海关登记名称；报关单采用编号最小的交易单上的名称。"),
        citations=(ours("the consignor is the operator", Status.INFERENCE),), test=values_with_several,
    ),
    Rule(
        code="B205", scope=_BATCH, severity=_WARNING, columns=("consignor_code",),
        message=Text("One operator name stands under two codes.", "同一经营单位名称对应多个代码。"),
        remedy=Text("Use one code for one firm: two codes make two declarations.", "同一企业请使用同一代码：两个代码会形成两份报关单。"),
        citations=(ours("the consignor is the operator", Status.INFERENCE),), test=values_with_several,
    ),
    Rule(
        code="B211", scope=_BATCH, severity=_WARNING, columns=("inspection_flag", "duty_flag"), once_per_value=True,
        message=Text("Whether the good needs inspection, or bears export duty, is not known: it stands on a line of its own (its commodity code).",
                     "商品是否涉检或涉税未知：单独列项（所示为商品编码）。"),
        remedy=Text("Fill the flag in, or give a tariff table that says it (检验检疫类别, 出口关税率).", "请填写该标志，或提供含检验检疫类别、出口关税率的税则表。"),
        citations=(SIMPLIFICATION, Cite("MARKET-PRACTICE", "goods that need inspection are not merged", Status.READ)),
    ),
    Rule(
        code="B212", scope=_BATCH, severity=_WARNING, columns=("statutory_unit_code",),
        message=Text("A good has another statutory unit, destination or currency than the line of its chapter, and stands by itself (declaration/item: code, unit).",
                     "商品的法定计量单位、目的国或币制与所属章的归类项不同，单独列项（报关单/项号：编码、单位）。"),
        remedy=Text("Check the units against the tariff.", "请与税则核对计量单位。"),
        citations=(SIMPLIFICATION,),
    ),
    Rule(
        code="B213", scope=_BATCH, severity=_WARNING, columns=("inventory_no",), once_per_value=True,
        message=Text("Lines without a slip number are declared by line (--by-line): equal lines count as one slip, and slips are not kept whole (how many lines).",
                     "没有交易单号的行按行申报（--by-line）：内容相同的行视为一单，且不保证交易单完整（所示为行数）。"),
        remedy=Text("Export the slip numbers too.", "请一并导出交易单号。"),
        citations=(Cite("MARKET-PRACTICE", "platform and customs hold slips together", Status.INFERENCE),),
    ),
    Rule(
        code="B214", scope=_BATCH, severity=_WARNING, columns=("declaration_group_no",),
        message=Text("More declarations than the lower bound, and not proven to be the fewest (group: declarations, lower bound).",
                     "报关单份数多于下限，且未能证明为最少（分组：份数、下限）。"),
        remedy=Text("Nothing is wrong; look at packing_groups.csv if one declaration fewer matters.", "数据无误；如需减少份数，请查看 packing_groups.csv。"),
        citations=(ours("packing: the fewest is proven up to 20 slips of a group"),),
    ),
)  # fmt: skip


def _excluded(code: str, reason: str, message: Text, remedy: Text, cite: Cite) -> Rule:
    return Rule(code, Scope.EXCLUSION, Severity.WARNING, (), message, remedy, (cite,), reason=reason)


EXCLUSIONS: tuple[Rule, ...] = (
    _excluded("X101", "other_mode", Text("Another trade mode than 1039.", "监管方式不是1039。"),
              Text("Declare it under its own procedure.", "请按相应监管方式办理。"), ours("a run is of one mode")),
    _excluded("X108", "repeat", Text("The same line stood in the input before.", "同一行在输入中已出现过。"),
              Text("Nothing to do: it is declared once.", "无需处理：只申报一次。"), _ONCE),
    _excluded("X109", "known", Text("Declared before with the same content.", "已申报过且内容相同。"),
              Text("Nothing to do: it is declared once.", "无需处理：只申报一次。"), _ONCE),
)  # fmt: skip

