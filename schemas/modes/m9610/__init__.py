"""9610, cross-border e-commerce retail export: inventories, merged once a month into summary declarations."""

from aggregator.schemas.file_rules import FILE_RULES
from aggregator.schemas.modes.m9610.declaration import OUTPUTS
from aggregator.schemas.modes.m9610.fields import DICTIONARY
from aggregator.schemas.modes.m9610.limits import (
    APPLICATION_KEY,
    BODY_KEY,
    DEADLINE_DAY,
    HEADER_KEY,
    ITEMS_PER_DECLARATION,
    TRADE_MODE,
)
from aggregator.schemas.modes.m9610.rules.batch import BATCH_RULES
from aggregator.schemas.modes.m9610.rules.inventory import inventory_rules
from aggregator.schemas.modes.m9610.rules.outcome import EXCLUSIONS, OWN_RULES
from aggregator.schemas.modes.m9610.rules.row import row_rules
from aggregator.schemas.modes.m9610.rules.simplified import SIMPLIFIED_RULES
from aggregator.schemas.modes.m9610.rules.tariff import TARIFF_RULES
from aggregator.schemas.modes.mode import Mode
from aggregator.schemas.rule import RuleBook

M9610 = Mode(
    code=TRADE_MODE,
    dictionary=DICTIONARY,
    rules=RuleBook.of(
        *FILE_RULES,
        *row_rules(DICTIONARY),
        *inventory_rules(DICTIONARY),
        *BATCH_RULES,
        *TARIFF_RULES,
        *SIMPLIFIED_RULES,
        *EXCLUSIONS,
        *OWN_RULES,
    ),
    header_key=HEADER_KEY,
    body_key=BODY_KEY,
    application_key=APPLICATION_KEY,
    items_per_declaration=ITEMS_PER_DECLARATION,
    deadline_day=DEADLINE_DAY,
    outputs=OUTPUTS,
)

__all__ = ["M9610"]
