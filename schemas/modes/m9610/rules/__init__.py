"""The rule book: every rule once, as a value in a list."""

from __future__ import annotations

from aggregator.schemas.file_rules import FILE_RULES
from aggregator.schemas.modes.m9610.rules.batch import BATCH_RULES
from aggregator.schemas.modes.m9610.rules.inventory import INVENTORY_RULES
from aggregator.schemas.modes.m9610.rules.outcome import EXCLUSIONS, OWN_RULES
from aggregator.schemas.modes.m9610.rules.row import ROW_RULES
from aggregator.schemas.modes.m9610.rules.tariff import TARIFF_RULES
from aggregator.schemas.rule import Rule, Scope, Severity

RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in sorted(
        (*FILE_RULES, *ROW_RULES, *INVENTORY_RULES, *BATCH_RULES, *TARIFF_RULES, *EXCLUSIONS.values(), *OWN_RULES),
        key=lambda rule: ("FRIBXDC".index(rule.code[0]), rule.code),
    )
}

__all__ = [
    "BATCH_RULES",
    "EXCLUSIONS",
    "FILE_RULES",
    "INVENTORY_RULES",
    "OWN_RULES",
    "ROW_RULES",
    "RULES",
    "TARIFF_RULES",
    "Rule",
    "Scope",
    "Severity",
]
