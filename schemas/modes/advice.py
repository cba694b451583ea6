"""Which customs modes a unit (an inventory, an order, a trade slip) is fit for: what each mode excludes, with its source.

Advice, not law: customs and the broker decide. A mode is open unless a condition is known to close it; a fact that is not known leaves
it open and is named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from aggregator.schemas.field import Dictionary, Field, header, item
from aggregator.schemas.modes.advice_sources import PILOT, RATE, SIMPLIFIED
from aggregator.schemas.modes.m9610.fields import DICTIONARY as D9610
from aggregator.schemas.sources import Cite, Status, ours
from aggregator.schemas.text import Text

NO, YES, UNKNOWN = 0, 1, -1
CNY_LIMIT, USD_LIMIT = Decimal("5000.00"), Decimal(150_000)
"""Both inclusive: RMB of a simplified inventory or list, rounded to 0.01; USD of a declaration under 1039, not rounded."""

_2018 = Cite("GACC-2018-194", "9610 is retail through e-commerce platforms", Status.READ_PARTIAL)
_2020 = Cite("GACC-2020-75", "9710: business to business through a platform; 9810: to an overseas warehouse", Status.READ_PARTIAL)
_1039 = Cite("GACC-2014-54", "market procurement: registered operator, goods of a recognised market, at most USD 150,000 a declaration", Status.READ_PARTIAL)
_2019 = Cite("GACC-2019-221", "market procurement, simplified declarations", Status.READ_PARTIAL)
_IMPORT = Cite("GACC-2018-194", "imports are taxed inventory by inventory", Status.READ_PARTIAL)


@dataclass(frozen=True)
class Condition:
    """`closes`: the value of `fact` that closes the mode. `missing`: the columns, or names of the config, that would tell."""

    reason: str
    fact: str
    closes: int
    missing: tuple[str, ...]
    text: Text
    cites: tuple[Cite, ...]


@dataclass(frozen=True)
class Advised:
    """A mode, its name, and what is said where no condition closes it."""

    mode: str
    name: Text
    open_reason: str
    open_text: Text
    conditions: tuple[Condition, ...]


def _c(reason: str, fact: str, closes: int, missing: str, en: str, zh: str, *cites: Cite) -> Condition:
    return Condition(reason, fact, closes, tuple(missing.split()), Text(en, zh), cites)


_IMPORTED = _c("import", "import", YES, "", "An import: none of these export procedures applies.", "属于进口，不适用任何出口监管方式。", _IMPORT)
_FIRM = _c("buyer_is_firm", "firm", YES, "buyer_kind", "The buyer is a firm; 9610 is for consumers.", "买方为企业；9610适用于向个人消费者零售。", _2018, _2020)
_CONSUMER = _c("buyer_is_consumer", "firm", NO, "buyer_kind", "The buyer is a consumer; 9710 is for firms.", "买方为个人消费者；9710适用于企业对企业。", _2020)
_STORED = _c("to_warehouse", "warehouse", YES, "order_type_code", "The goods go to an overseas warehouse before they are sold: 9810.", "货物售出前先运往海外仓，应走9810。", _2020)
_SOLD = _c("not_to_warehouse", "warehouse", NO, "order_type_code", "The goods are sold already; 9810 is for stock of an overseas warehouse.", "货物已售出；9810适用于海外仓备货。", _2020)
_OFFLINE = _c("not_online", "online", NO, "platform_code order_no", "Not sold through an e-commerce platform.", "未通过跨境电商平台成交。", _2018, _2020)
_LICENCE_A = _c("licence", "licence", YES, "licence_no", "An export licence applies.", "涉及出口许可证件。", SIMPLIFIED)
_LICENCE_M = _c("licence", "licence", YES, "licence_flag", "An export licence applies: restricted goods are not for market procurement.", "涉及许可证件；限制出口的商品不得以市场采购方式出口。", _1039)
_DUTY = _c("duty", "duty", YES, "duty_flag", "Export duty is due.", "涉及出口关税。", SIMPLIFIED)
_REFUND = _c("refund", "refund", YES, "company.refund", "The firm claims a tax refund, which this mode excludes.", "企业申请出口退税，该方式不予退税。", SIMPLIFIED, _2019)
_ZONE = _c("outside_pilot_zone", "pilot_zone", NO, "company.pilot_zone", "The firm is outside the comprehensive pilot zones.", "企业不在跨境电商综合试验区。", PILOT)
_OVER = _c("over_limit", "over_cny", YES, "rates", "Over RMB 5,000.00.", "单票超过人民币5000元。", SIMPLIFIED, RATE)
_MARKET = _c("not_from_market", "market", NO, "trade_slip_no merchant_name", "Not shown to be bought in a recognised market (no trade slip with its merchant).", "无法证明在经认定的市场采购（无交易单及商户）。", _1039)
_OPERATOR = _c("no_registered_operator", "registered_operator", NO, "company.registered_operator", "The firm is not registered as an operator of the market.", "企业未备案为市场采购贸易经营者。", _1039)
_STARTED = _c("market_not_started", "market_started", NO, "market.name market.starts_on", "The market was not open to this mode on that day.", "该市场当日尚未开展市场采购贸易。", _1039)
_USD = _c("over_usd_limit", "over_usd", YES, "rates", "Over USD 150,000: more than one declaration may hold.", "超过15万美元，超出单份报关单限额。", _1039, RATE)

ADVISED: tuple[Advised, ...] = (
    Advised("9610-B", Text("retail export, monthly summary declaration", "零售出口（汇总申报）"), "retail", Text("Retail export with summary declaration.", "可按零售出口汇总申报。"),
            (_IMPORTED, _FIRM, _STORED, _OFFLINE)),
    Advised("9610-A", Text("retail export, simplified: statistics only", "零售出口（简化申报、汇总统计）"), "simplified", Text("Simplified: customs counts it, no declaration is made.", "可简化申报，由海关汇总统计，不再形成报关单。"),
            (_IMPORTED, _FIRM, _STORED, _OFFLINE, _OVER, _LICENCE_A, _DUTY, _REFUND, _ZONE)),
    Advised("9710", Text("direct export to firms", "跨境电商B2B直接出口"), "b2b_order", Text("Business-to-business order: list or declaration, 'run --mode 9710' says which.", "B2B订单：走清单还是报关单，由 run --mode 9710 判定。"),
            (_IMPORTED, _CONSUMER, _STORED, _OFFLINE)),
    Advised("9810", Text("export to an overseas warehouse", "跨境电商出口海外仓"), "warehouse", Text("Stock of an overseas warehouse. This tool makes no declarations for it.", "海外仓备货。本工具不生成该方式的报关单。"),
            (_IMPORTED, _SOLD)),
    Advised("1039", Text("market procurement", "市场采购贸易"), "market", Text("Market procurement, at most USD 150,000 a declaration.", "可按市场采购贸易申报，每份报关单不超过15万美元。"),
            (_IMPORTED, _MARKET, _OPERATOR, _STARTED, _LICENCE_M, _USD, _REFUND)),
    Advised("0110", Text("general trade", "一般贸易"), "general", Text("General trade is always open: a declaration of its own, by the broker.", "一般贸易均可采用，由报关单位单独报关。"),
            (_IMPORTED,)),
)  # fmt: skip
GENERAL_TRADE = ours("general trade is open to every export", Status.INFERENCE)


def _advice_fields() -> tuple[Field, ...]:
    more = {"total_price": ("货值", "金额"), "currency_code": ("币种",), "commodity_code": ("商品HS编码",), "export_on": ("出口时间",)}
    fields = [replace(field, required=False, headings=(*field.headings, *more.get(field.column, ()))) for field in D9610.fields]
    return (*fields, *(field for field in _EXTRA if field.column not in D9610))


# fmt: off
_EXTRA: tuple[Field, ...] = (
    header("order_type_code", "orderType", "订单类型", "code", 1),
    header("buyer_kind", "buyer_kind", "买家类型 买方类型", "code", 10),
    header("buyer_name", "buyer_name", "境外采购企业 采购商", "text", 250),
    header("trade_slip_no", "trade_slip_no", "交易单号 市场采购号", "given", 60),
    header("merchant_no", "merchant_no", "商户编号", "given", 60),
    header("merchant_name", "merchant_name", "商户 商户名称 供货商 所属商户", "text", 250),
    header("operator_code", "operator_code", "经营单位代码 外贸公司代码", "code", 18),
    header("operator_name", "operator_name", "经营单位 经营单位名称 外贸公司", "text", 100),
    item("inspection_flag", "inspection_flag", "涉检 是否涉检 涉通关单", "code", 5),
    item("duty_flag", "duty_flag", "涉税 是否涉税", "code", 5),
    item("licence_flag", "licence_flag", "涉证 是否涉证", "code", 5),
)
# fmt: on
ADVICE_FIELDS = Dictionary(_advice_fields(), D9610.unused_headings)
UNIT_COLUMNS = ("inventory_no", "trade_slip_no", "order_no")
"""What a line belongs to: the first of these that it has."""
YES_WORDS, NO_WORDS = ("1", "是", "Y", "YES", "TRUE"), ("0", "否", "N", "NO", "FALSE", "无")
FIRM_WORDS, CONSUMER_WORDS = ("FIRM", "企业", "B"), ("CONSUMER", "个人", "消费者", "C")
