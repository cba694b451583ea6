"""What citations say of their source, in Chinese: articles, tables of fields, and our own decisions."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TABLE = re.compile(r"tables? ([0-9][0-9.\-]*)(?: and ([0-9][0-9.\-]*))?")
_WORDS: Mapping[str, str] = {
    # Of a table of fields, after its number.
    "the field named in the finding": "问题中所列的字段",
    "InventoryHead: one an inventory": "InventoryHead：每份清单一个",
    "gnum: contiguous from 1": "gnum：从1起连续编号",
    "gnum: from 1 on, the same in order and inventory": "gnum：从1起，订单与清单一致",
    "statisticsFlag of a list of 9710": "9710清单的 statisticsFlag",
    "goodsValue: FOB, without freight": "goodsValue：FOB价，不含运费",
    "orderNo: unique on its platform": "orderNo：在其平台内唯一",
    "-301010: an order of that number is there": "-301010：该编号的订单已存在",
    # Of messages.
    "CEB606 status 399, CEB604 status 100": "CEB606 状态399，CEB604 状态100",
    "OrderList 1..100, InventoryList 1..100": "OrderList、InventoryList 各 1..100 项",
    "OrderHead: one an order": "OrderHead：每份订单一个",
    "itemNo: C..30 in the order, C..20 in the inventory": "itemNo：订单中为 C..30，清单中为 C..20",
    # Of texts of law.
    "9610 is retail through e-commerce platforms": "9610 适用于通过电商平台的零售",
    "cancelling an inventory after its declaration": "清单申报后的撤销",
    "imports are taxed inventory by inventory": "进口按清单逐单征税",
    "imports are taxed inventory by inventory; only exports are summarised": "进口按清单逐单征税；仅出口汇总申报",
    "late inventories": "逾期清单",
    "summarising article (number not seen)": "汇总申报条款（条号未见）",
    "summarising article is silent on units": "汇总申报条款未涉及计量单位",
    "article 5, remark: the buyer's name, nationality and document number": "第五条，备注：采购人姓名、国籍及证件号码",
    "goods are bought in the approved cluster": "商品须在经认定的市场集聚区采购",
    "market procurement: registered operator, goods of a recognised market, at most USD 150,000 a declaration": "市场采购：备案的经营者、经认定市场的商品、每份报关单不超过15万美元",
    "prohibited and restricted goods are kept out": "禁止、限制类商品除外",
    "at most USD 150,000 a declaration, inclusive": "每份报关单不超过15万美元（含）",
    "kind, leader of a chapter's line, order, what is kept out": "种类、按章归并的首项、次序及除外商品",
    "market procurement, simplified declarations": "市场采购的简化申报",
    "9710: business to business through a platform": "9710：通过平台的企业对企业出口",
    "9710: business to business through a platform; 9810: to an overseas warehouse": "9710：通过平台的企业对企业出口；9810：出口海外仓",
    "article 13, rate for taxable value; its use for the USD limit is our reading": "第十三条，计征汇率；用于美元限额为本工具的理解",
    "article 14, the day of declaration decides the rate": "第十四条，按申报日适用汇率",
    "quotations for 100 units and indirect ones occur": "存在以100外币单位及间接标价的汇率",
    "a list of up to RMB 5,000.00, without licence, export duty or inspection": "不超过人民币5000.00元、不涉证、不涉税、不涉检的清单",
    "list verification without declarations is for pilot zones": "仅凭清单核放、不汇总申报限于综试区",
    "simplified inventories: up to RMB 5,000, without licence, export duty or refund, in a pilot zone": "简化申报清单：不超过人民币5000元、不涉证、不涉税、不退税，且在综试区",
    # Of code lists and standards.
    "check character": "校验码", "countries and regions": "国家和地区", "currencies": "币制", "transport modes": "运输方式", "units": "计量单位", "customs districts": "关区",
    # Of practice.
    "a trade slip is one deal, and stands whole in one packing and one declaration": "一份交易单即一笔交易，整份装箱、整份报关",
    "goods that need inspection are not merged": "须检验的商品不归并",
    "platform and customs hold slips together": "联网信息平台与海关按交易单对应",
    "what one declaration and its remark hold one of; no text of a key was found": "一份报关单及其备注中唯一的项目；未见规定归并条件的文本",
    "at most 50 items a declaration": "每份报关单至多50项",
    "package count is at least 1": "件数至少为1",
    # Decisions of this tool.
    "a file is read whole or not at all; a row is read whole or rejected": "文件整个读入或不读，行整行读入或拒绝",
    "a name is declared as it was written, or not at all": "名称按原文申报，或不申报",
    "a number or code is what is seen of it": "数字和代码以所见为准",
    "a number that lost digits is no number": "丢失位数的数字不是数字",
    "a rate is one figure for one currency and day, as the user gives it": "每个币制每日一个汇率，以用户给出的为准",
    "a run is of one mode": "一个批次只有一种监管方式",
    "a slip is declared whole or not at all": "交易单整份申报或不申报",
    "an error is no value": "错误值不是值",
    "an inventory is declared whole or not at all": "清单整份申报或不申报",
    "an order is declared whole or not at all": "订单整份申报或不申报",
    "at least as long as the customs district that gives it: no text states the shape": "不短于所属关区代码；未见规定其格式的文本",
    "declared once": "只申报一次",
    "every frame is checked before it is written": "每张表写出前均经核对",
    "exchange rate of the limits: the user's table": "限额所用汇率：以用户的汇率表为准",
    "fields of a trade slip: no text gives their types": "交易单字段；未见规定其类型的文本",
    "flags of a trade-slip line": "交易单行的标志",
    "flags of an order item, kinds of buyer": "订单商品的标志、买方类别",
    "general trade is open to every export": "一般贸易适用于任何出口",
    "how large a rate can be": "汇率的合理范围",
    "item numbers of a slip are the user's own": "交易单的商品序号由用户自定",
    "net weight is never above gross weight": "净重不大于毛重",
    "package count of a line": "行的件数",
    "packing: the fewest is proven up to 20 slips of a group": "组单：每组20份以内可证明为最少",
    "read = declared + rejected + excluded": "读入 = 申报 + 拒绝 + 排除",
    "the consignor is the operator": "收发货人即经营单位",
    "the latest time counts, as with receipts": "以最晚时间为准，与回执相同",
    "the month is that of the 899 receipt": "月份以899回执为准",
    "tolerance: no text states one": "容差；未见规定容差的文本",
    "which headings, numbers and messages are of imports": "哪些列标题、编号和报文属于进口",
}  # fmt: skip
SECONDARY: Mapping[str, str] = {
    "brokers and local customs": "报关单位和地方海关",
    "guides to 9610, 9710 and 9810 by brokers and local customs, secondary": "报关单位和地方海关关于9610、9710、9810的指南（二手资料）",
    "limits seen in Single Window software for bonded goods; an analogy for 9610": "单一窗口保税货物软件中的限制，对9610类推适用",
    "brokers and market platforms": "报关单位和市场联网信息平台",
    "what programs and papers of market procurement (Yiwu, Guangzhou) do: practice of their place and time, never law": "市场采购（义乌、广州）的软件和单证的做法：当地当时的惯例，不是法规",
    "SAC": "国家标准化管理委员会",
    "this project": "本工具",
    "decisions of this tool: docs/ARCHITECTURE.md": "本工具的规定，见 docs/ARCHITECTURE.md",
}  # fmt: skip
"""Issuers and titles that are not in Chinese in themselves."""


def article_in_chinese(article: str) -> str:
    """Names of fields, elements and types are the same in both languages."""
    if article in _WORDS:
        return _WORDS[article]
    table = _TABLE.match(article)
    if table is None:
        return article
    rest = article[table.end() :].removeprefix(", ")
    where = f"表{table[1]}" + (f"、{table[2]}" if table[2] else "")
    return "，".join(filter(None, (where, _WORDS.get(rest, rest))))
