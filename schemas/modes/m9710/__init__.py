"""9710, business to business: one order, one declaration or one list."""

from aggregator.schemas.file_rules import FILE_RULES
from aggregator.schemas.modes.m9610.rules.outcome import OWN_RULES
from aggregator.schemas.modes.m9610.rules.tariff import TARIFF_RULES
from aggregator.schemas.modes.m9710.declaration import OUTPUTS
from aggregator.schemas.modes.m9710.fields import DICTIONARY
from aggregator.schemas.modes.m9710.limits import (
    APPLICATION_KEY,
    ATTACHED_CATEGORY,
    BODY_KEY,
    HEADER_KEY,
    ITEMS_PER_DECLARATION,
    LIST_CNY,
    SKU_ON_A_LIST,
    TRADE_MODE,
)
from aggregator.schemas.modes.m9710.rules.batch import BATCH_RULES, EXCLUSIONS
from aggregator.schemas.modes.m9710.rules.order import order_rules
from aggregator.schemas.modes.m9710.rules.row import row_rules
from aggregator.schemas.modes.mode import Mode, Procedure, Routing, Wording
from aggregator.schemas.rule import RuleBook
from aggregator.schemas.text import Text

M9710 = Mode(
    code=TRADE_MODE,
    dictionary=DICTIONARY,
    rules=RuleBook.of(*FILE_RULES, *row_rules(DICTIONARY), *order_rules(DICTIONARY), *BATCH_RULES, *TARIFF_RULES, *EXCLUSIONS, *OWN_RULES),
    header_key=HEADER_KEY,
    body_key=BODY_KEY,
    application_key=APPLICATION_KEY,
    items_per_declaration=ITEMS_PER_DECLARATION,
    deadline_day=None,
    outputs=OUTPUTS,
    procedure=Procedure.ROUTE,
    routing=Routing(LIST_CNY, ATTACHED_CATEGORY, SKU_ON_A_LIST),
    wording=Wording(
        Text("cross-border e-commerce, business to business", "跨境电商B2B直接出口"), Text("Orders, declarations and lists", "订单、报关单与清单"),
        Text(
            "Drafts for the broker, and messages to sign and send. What counts as one consignment (单票), which rate its limit is meant in and how "
            "far order and declaration may differ was read in part or not at all [UNVERIFIED]: ask the broker or customs' hotline 12360.",
            "本结果为供报关单位使用的草稿及待签名发送的报文。“单票”的定义、限额适用的汇率及订单与报关单允许的差异尚未见到原文[UNVERIFIED]：请向报关单位或海关12360热线确认。",
        ),
        Text("order", "订单"), Text("orders", "订单"),
    ),
)  # fmt: skip

__all__ = ["M9710"]
