"""What columns are called in files for people: in English as everywhere, in Chinese as the trade calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from aggregator.schemas.field import Dictionary, Field
from aggregator.schemas.text import Lang, Text

Headings = Literal["own", "zh"]
"""What the columns of files for people are called: our names, as in files for programs, or Chinese ones."""

_CHINESE: Mapping[str, str] = {
    # Of declarations and their items.
    "declaration_ref": "报关单批次号", "declaration_item_no": "报关单项号", "item_count": "商品项数", "inventory_count": "清单份数",
    "inventory_item_count": "清单商品行数", "attached_document_category_code": "随附单据类别代码", "attached_document_no": "随附单据编号",
    "value_cny": "人民币金额", "remark": "备注", "simplified": "简化申报", "chapter": "税则章",
    "order_no": "订单编号", "waybill_no": "物流运单编号", "inventory_no": "清单编号", "late": "补报",
    "declarant_code": "申报企业代码", "premises_code": "监管场所代码", "producer_seller_code": "生产销售单位代码", "producer_seller_name": "生产销售单位名称",
    # Of routes and packing.
    "route": "申报方式", "reasons": "原因", "total_usd": "美元总值", "slips": "交易单份数", "declarations": "报关单份数", "lower_bound": "最少可能份数", "proven": "已证明最少",
    # Of findings, exclusions and control totals.
    "code": "规则代码", "severity": "级别", "scope": "范围", "column": "列", "value": "值", "message": "说明", "source_file": "来源文件", "source_row": "来源行号",
    "reason": "原因代码", "item_lines": "商品行数", "detail": "详情", "currency_or_unit": "币制或计量单位", "read": "读入", "declared": "申报", "rejected": "拒绝",
    "excluded": "排除", "unreadable": "无法识别", "difference": "差额", "lines": "行数", "inventories": "清单份数",
    # Of what customs answered.
    "kind": "差异类型", "subject": "对象", "ours": "我方", "customs": "海关",
    # Of advice on modes.
    "unit": "清单、订单或交易单", "mode": "监管方式", "fits": "是否适用", "missing": "缺少的信息",
    # Of what is traced.
    "refund_key": "退税项号", "declaration_no": "报关单号", "customs_item_no": "海关项号", "summary_seq_no": "汇总申请编号", "list_no": "海关清单编号",
    "platform_code": "电商平台代码", "number": "查询编号", "fate": "去向", "run_ref": "批次", "explanation": "说明",
}  # fmt: skip
"""Of columns that no field of an export stands for, and of those that stand in other modes only."""


def field_called(name: str, dictionary: Dictionary) -> Field | None:
    """The field that users know by this name."""
    column = name if name in dictionary else dictionary.column_called(name)
    return None if column is None else dictionary[column]


def column_name(name: str, dictionary: Dictionary, lang: Lang) -> str:
    """Of an output's column; as it is where there is no other."""
    if lang == "en":
        return name
    field = field_called(name, dictionary)
    return field.headings[0] if field is not None and field.headings else _CHINESE.get(name, name)


def called(name: str, dictionary: Dictionary, lang: Lang, own: str = "") -> str:
    """A column in a sentence: our name, with the user's own heading of it or, in Chinese, what the trade calls it."""
    heading = own if own and own != name else column_name(name, dictionary, lang)
    return name if heading == name else Text(f"{name} ({heading})", f"{heading}({name})").in_lang(lang)


def headings_in(headings: Headings | None, otherwise: Lang) -> Lang:
    """The language of headings; `otherwise` where nothing was asked for."""
    return otherwise if headings is None else "zh" if headings == "zh" else "en"


def own_names(headings: Sequence[str], names: Sequence[str], dictionary: Dictionary) -> list[str]:
    """Our names of columns that a file has in either language; what is none of `names` stays as it is."""
    ours = {column_name(name, dictionary, "zh"): name for name in names} | {name: name for name in names}
    return [ours.get(heading, heading) for heading in headings]


def beside(name: str, dictionary: Dictionary, lang: Lang) -> str:
    """The heading of what the codes of a column mean."""
    if lang == "en":
        return f"{name.removesuffix('_code')}_name"
    return f"{column_name(name, dictionary, lang).removesuffix('代码')}名称"


SHEETS: Mapping[str, Text] = {
    "declarations": Text("Declarations", "报关单"), "declaration_items": Text("Items", "报关单商品项"), "findings": Text("Findings", "校验结果"),
    "excluded": Text("Excluded", "排除"), "control_totals": Text("Control totals", "控制合计"), "weight_shares": Text("Weight shares", "重量分摊"),
    "routes": Text("Routes", "申报方式"), "packing": Text("Packing", "组单明细"), "packing_groups": Text("Packing groups", "组单分组"),
    "simplified_goods": Text("Simplified goods", "简化申报商品"), "audit_map": Text("Audit map", "归并对应关系"),
}  # fmt: skip
"""Output to its sheet, in the order of a workbook; those of other modes stand after the items."""

SEVERITIES: Mapping[str, Text] = {"error": Text("error", "错误"), "warning": Text("warning", "警告")}
SCOPES: Mapping[str, Text] = {
    "file": Text("file", "文件"), "row": Text("row", "行"), "inventory": Text("inventory", "清单"), "batch": Text("batch", "整批"),
    "exclusion": Text("exclusion", "排除"), "declaration": Text("declaration", "报关单"), "control": Text("control", "控制"),
}  # fmt: skip
