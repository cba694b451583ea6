"""1039, market procurement: whole trade slips, packed into declarations of at most USD 150,000, simplified."""

from aggregator.schemas.file_rules import FILE_RULES
from aggregator.schemas.modes.m1039.declaration import OUTPUTS
from aggregator.schemas.modes.m1039.fields import DICTIONARY
from aggregator.schemas.modes.m1039.limits import (
    APPLICATION_KEY,
    BODY_KEY,
    HEADER_KEY,
    ITEMS_PER_DECLARATION,
    KEPT_ONE_BY_ONE,
    MOST_USD,
    SIMPLIFIED_ABOVE,
    TRADE_MODE,
)
from aggregator.schemas.modes.m1039.rules.batch import BATCH_RULES, EXCLUSIONS
from aggregator.schemas.modes.m1039.rules.row import row_rules
from aggregator.schemas.modes.m1039.rules.slip import SLIP_RULES
from aggregator.schemas.modes.m9610.rules.outcome import OWN_RULES
from aggregator.schemas.modes.m9610.rules.tariff import TARIFF_RULES
from aggregator.schemas.modes.mode import Mode, Packing, Procedure, Wording
from aggregator.schemas.rule import RuleBook
from aggregator.schemas.text import Text

M1039 = Mode(
    code=TRADE_MODE,
    dictionary=DICTIONARY,
    rules=RuleBook.of(*FILE_RULES, *row_rules(DICTIONARY), *SLIP_RULES, *BATCH_RULES, *TARIFF_RULES, *EXCLUSIONS, *OWN_RULES),
    header_key=HEADER_KEY,
    body_key=BODY_KEY,
    application_key=APPLICATION_KEY,
    items_per_declaration=ITEMS_PER_DECLARATION,
    deadline_day=None,
    outputs=OUTPUTS,
    procedure=Procedure.PACK,
    packing=Packing(MOST_USD, SIMPLIFIED_ABOVE, KEPT_ONE_BY_ONE),
    wording=Wording(
        Text("market procurement", "市场采购贸易"), Text("Market procurement declarations", "市场采购贸易申报"),
        Text(
            "Drafts for the broker. How goods are simplified, and which rate the limit is meant in, was read in part or not at all "
            "[UNVERIFIED]: ask the broker or customs' hotline 12360.",
            "本结果为供报关单位使用的草稿。简化申报的具体方法及限额适用的汇率尚未见到原文[UNVERIFIED]：请向报关单位或海关12360热线确认。",
        ),
        Text("trade slip", "交易单"), Text("trade slips", "交易单"),
    ),
)

__all__ = ["M1039"]
