"""The rule book: every rule once, as a value in a list."""

from __future__ import annotations

from schemas.rules.batch import BATCH_RULES
from schemas.rules.file import FILE_RULES
from schemas.rules.inventory import INVENTORY_RULES
from schemas.rules.outcome import EXCLUSIONS, OWN_RULES
from schemas.rules.row import ROW_RULES
from schemas.rules.rule import Rule, Scope, Severity
from schemas.rules.tariff import TARIFF_RULES

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
