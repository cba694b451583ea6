"""The rule that keeps import lines out of export declarations: 9610 is the trade mode of retail import too."""

from __future__ import annotations

from aggregator.schemas.field import Dictionary
from aggregator.schemas.imports import CITES, is_no_import
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import spec
from aggregator.schemas.text import Text

IMPORT_RULE = "R127"
IMPORT_COLUMNS = ("direction_code", "import_on", "entry_customs_code", "import_inventory_no", "inventory_no")


def import_rules(dictionary: Dictionary) -> tuple[Rule, ...]:
    """The rules on imports of a mode whose lines have these fields."""
    return (
        Rule(
            code=IMPORT_RULE, scope=Scope.ROW, severity=Severity.ERROR, fixed=True,
            columns=tuple(column for column in IMPORT_COLUMNS if column in dictionary),
            message=Text("A line of an import inventory: imports are taxed inventory by inventory and have no summary declaration.",
                         "该行属于进口清单：进口清单逐单征税，不汇总申报。"),
            remedy=Text("Take the import inventories out of the export, and file them by the import procedure; if it is an export, correct this value.",
                        "请将进口清单移出，按进口流程办理；如确为出口，请更正该值。"),
            citations=(spec("ieFlag, invtNo"), *CITES), test=is_no_import,
        ),
    )  # fmt: skip
