"""Rules that compare lines with the tariff table that a user gives, as it was in force on the day of clearance.

No tariff is part of this project: the official one is amended several times a year. Without a table these rules do not run.
"""

from __future__ import annotations

from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Status, spec
from aggregator.schemas.tariff import in_tariff
from aggregator.schemas.text import Text

TARIFF_RULES: tuple[Rule, ...] = (
    Rule(
        code="B207", scope=Scope.BATCH, severity=Severity.WARNING, columns=("commodity_code",), once_per_value=True, needs_tariff=True,
        message=Text("The commodity code is not in your tariff table on the day of clearance.", "结关当日，您提供的税则表中没有该商品编码。"),
        remedy=Text("Check the code, and that the table is up to date.", "请核对该编码，并确认税则表为最新。"),
        citations=(spec("gcode", Status.INFERENCE),), test=in_tariff,
    ),
    Rule(
        code="B208", scope=Scope.BATCH, severity=Severity.WARNING, columns=("statutory_unit_code",), once_per_value=True, needs_tariff=True,
        message=Text("The statutory units are not those of your tariff table on the day of clearance (code: now → table).",
                     "法定计量单位与您提供的税则表（结关当日）不一致（编码：现值 → 税则表）。"),
        remedy=Text("Check both units; customs adds up by them.", "请核对第一、第二法定计量单位；海关按其汇总数量。"),
        citations=(spec("unit1, unit2", Status.INFERENCE),), test=in_tariff,
    ),
)  # fmt: skip
