"""Rules that look at all inventories of the run, and at the ledger.

The stages gather what these need (key columns of everything); the tests are here where they are functions of frames.
B102 stands with the inventory rules: complete inventories are all it needs.
"""

from __future__ import annotations

from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.several import values_with_several
from aggregator.schemas.sources import Cite, Status, ours, spec
from aggregator.schemas.text import Text

_BATCH, _ERROR, _WARNING = Scope.BATCH, Severity.ERROR, Severity.WARNING

BATCH_RULES: tuple[Rule, ...] = (
    Rule(
        code="B101", scope=_BATCH, severity=_ERROR, columns=("inventory_no",), fixed=True,
        message=Text("The ledger knows this inventory as declared, with different content (declared → now @ declaration/item).",
                     "台账中该清单已申报，但内容不同（已申报 → 现在 @ 报关单/项号）。"),
        remedy=Text("Find out which content customs released; what was declared is changed by amending the declaration, not here.",
                    "请核实海关放行的内容；已申报的内容须通过修改报关单更正，不能在此更改。"),
        citations=(spec("invtNo"), ours("declared once", Status.OURS)),
    ),
    Rule(
        code="B103", scope=_BATCH, severity=_WARNING, columns=("status_code",), always_reported=True,
        message=Text("Declared already, and cancelled or sent back by customs since (status @ declaration/item).",
                     "已申报，之后被撤单或被海关退单（状态 @ 报关单/项号）。"),
        remedy=Text("Have the declaration amended or withdrawn; if it was not sent yet, void the run and run again.",
                    "请办理报关单修改或撤销；若尚未发送，请作废该批次后重新运行。"),
        citations=(Cite("CEB-SPEC-202205", "CEB606 status 399, CEB604 status 100", Status.READ),
                   Cite("GACC-2018-194", "cancelling an inventory after its declaration", Status.UNVERIFIED)),
    ),
    Rule(
        code="B104", scope=_BATCH, severity=_ERROR, columns=("inventory_no",), fixed=True,
        message=Text("A line that may be part of this inventory has no readable inventory number (its file and row).",
                     "有一行可能属于该清单，但其清单编号缺失或无法辨认（所列为其文件和行号）。"),
        remedy=Text("Give that line its inventory number, or take it out if it is of no inventory; then run again with all lines of this one.",
                    "请补全该行的清单编号；若该行不属于任何清单，请将其删除。然后连同该清单的全部表体行重新运行。"),
        citations=(spec("invtNo"), ours("an inventory is declared whole or not at all", Status.OURS)),
    ),
    Rule(
        code="B201", scope=_BATCH, severity=_WARNING, columns=("order_no",),
        message=Text("The same order number stands on two inventories.", "同一订单编号出现在两份清单上。"),
        remedy=Text("Check whether the parcel was listed twice.", "请检查包裹是否重复申报清单。"),
        citations=(Cite("CEB-SPEC-202205", "table 7-2, -301011", Status.READ),), test=values_with_several,
    ),
    Rule(
        code="B202", scope=_BATCH, severity=_WARNING, columns=("waybill_no",),
        message=Text("The same waybill stands on two inventories.", "同一运单编号出现在两份清单上。"),
        remedy=Text("Check whether the parcel was listed twice.", "请检查包裹是否重复申报清单。"),
        citations=(Cite("CEB-SPEC-202205", "table 7-2, -504016", Status.READ),), test=values_with_several,
    ),
    Rule(
        code="B203", scope=_BATCH, severity=_WARNING, columns=("declared_unit_code", "statutory_unit_code"),
        message=Text("One commodity of a declaration carries several units; it stays several items.",
                     "同一报关单下同一商品编码有多个计量单位，将分列为多项。"),
        remedy=Text("Check the units against the tariff and the purchase invoice.", "请与税则及进货发票核对计量单位。"),
        citations=(Cite("GACC-2018-194", "summarising article is silent on units", Status.UNVERIFIED),),
        test=values_with_several,
    ),
    Rule(
        code="B204", scope=_BATCH, severity=_WARNING, columns=("consignor_name",),
        message=Text("One consignor code stands under two names.", "同一收发货人代码对应多个名称。"),
        remedy=Text("Use the registered name; the declaration takes that of the first inventory by number.",
                    "请使用海关登记名称；报关单采用编号最小的清单上的名称。"),
        citations=(spec("ebcName"),), test=values_with_several,
    ),
    Rule(
        code="B205", scope=_BATCH, severity=_WARNING, columns=("consignor_code",),
        message=Text("One consignor name stands under two codes.", "同一收发货人名称对应多个代码。"),
        remedy=Text("Use one code for one firm: two codes make two declarations.", "同一企业请使用同一代码：两个代码会形成两份报关单。"),
        citations=(spec("ebcCode", Status.INFERENCE),), test=values_with_several,
    ),
    Rule(
        code="B206", scope=_BATCH, severity=_WARNING, columns=("package_count",),
        message=Text("A declaration is left with 0 packages: every inventory in it has its first line elsewhere.",
                     "报关单件数为0：其中各清单的首行均在其他报关单。"),
        remedy=Text("Ask the broker how the packages are to be declared.", "请向报关单位确认件数的填报方式。"),
        citations=(Cite("SW-PRACTICE", "package count is at least 1", Status.READ_PARTIAL),),
    ),
)  # fmt: skip
