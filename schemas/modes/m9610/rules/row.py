"""Rules that look at one item line: any chunk, stateless, vectorised.

Their vectorised tests are in row_tests.py.
"""

from __future__ import annotations

from aggregator.schemas.field import Dictionary, Field, Use
from aggregator.schemas.modes.m9610.rules.row_imports import import_rules
from aggregator.schemas.modes.m9610.rules.row_names import name_rules
from aggregator.schemas.row_tests import (
    KnownIfShaped,
    Shaped,
    could_be_inventory_number,
    could_be_premises,
    has_both_or_none,
    in_code_list,
    is_above_zero,
    is_cleared_with_time,
    is_firm,
    is_given,
    is_inventory_number,
    is_no_scientific_number,
    is_no_spreadsheet_error,
    is_not_longer,
    is_not_negative,
    is_not_zero,
    is_of_a_chapter,
    is_plain_decimal,
    is_status,
    is_ten_digits,
    is_total_explained_by_rounding,
    is_total_near_product,
    is_visible,
    is_whole_number,
)
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import Cite, Status, ours, spec
from aggregator.schemas.text import Text

_ROW, _ERROR, _WARNING = Scope.ROW, Severity.ERROR, Severity.WARNING
_CITED_BY_FIELD = (Cite("CEB-SPEC-202205", "table 2-38, the field named in the finding", Status.READ),)

_POSITIVE = ("declared_quantity", "statutory_quantity", "unit_price", "total_price", "gross_weight_kg")
_NOT_NEGATIVE = ("net_weight_kg", "second_statutory_quantity", "freight", "insurance")
_FIRMS = ("declarant_code", "consignor_code", "producer_seller_code")
_OWN_SHAPE = {"commodity_code", "premises_code", *_FIRMS}


def _limited_in_length(field: Field) -> bool:
    """A code with a code list or a shape of its own is wrong anyway if it is too long."""
    return field.kind in ("text", "no", "given") or (field.kind == "code" and not field.codes and field.column not in _OWN_SHAPE)


_PRICE_ARGUMENTS = (
    "declared_quantity",
    "unit_price",
    "total_price",
    "unit_price_decimals",
    "total_price_decimals",
)


_LOOKED_AT = ("code", "no", "given", "time")
"""Names are not looked at; of amounts and counts R103 and R104 say it: no such character is part of a number."""


def row_rules(dictionary: Dictionary) -> tuple[Rule, ...]:
    """The row rules of a mode whose lines have these fields."""
    limited = tuple(field.column for field in dictionary.fields if _limited_in_length(field))
    customs = dictionary.of_codes("customs_district")
    other_numbers = tuple(column for column in dictionary.of_kind("given") if dictionary[column].header and dictionary[column].use is not Use.IDENTITY)
    seen = [field for field in dictionary.fields if field.kind in _LOOKED_AT]
    used = tuple(field.column for field in seen if field.use is not Use.OTHER)
    unused = tuple(field.column for field in seen if field.use is Use.OTHER)
    return _row_rules(dictionary, limited, customs, other_numbers, used, unused)


def _row_rules(
    dictionary: Dictionary,
    limited: tuple[str, ...],
    customs: tuple[str, ...],
    other_numbers: tuple[str, ...],
    used: tuple[str, ...],
    unused: tuple[str, ...],
) -> tuple[Rule, ...]:
    return (
        Rule(
            code="R101", scope=_ROW, severity=_ERROR, columns=dictionary.required, fixed=True,
            message=Text("A required value is missing.", "必填项为空。"),
            remedy=Text("Fill the cell in the export and run again.", "请在导出表中补填该单元格后重新运行。"),
            citations=_CITED_BY_FIELD, test=is_given,
        ),
        Rule(
            code="R102", scope=_ROW, severity=_ERROR, columns=limited,
            message=Text("The value is longer than its field in the customs message.", "内容超过海关报文规定的字段长度。"),
            remedy=Text(
                "Check that the cell stands under the right heading; then shorten it to what customs released.",
                "请核对该单元格是否对应正确的列标题，并改为海关放行时的内容。",
            ),
            citations=_CITED_BY_FIELD, test=is_not_longer,
        ),
        Rule(
            code="R103", scope=_ROW, severity=_ERROR, columns=dictionary.decimals, fixed=True,
            message=Text(
                "Not a plain decimal number (up to 14 digits, up to 5 decimals, no sign, no exponent, no thousands separator).",
                "不是规范的数字（整数最多14位、小数最多5位，不得带符号、指数或千位分隔符）。",
            ),
            remedy=Text(
                "Export the column as plain numbers, for example 1234.50.", "请以普通数字格式导出该列，例如 1234.50。"
            ),
            citations=(Cite("CEB-SPEC-202205", "table 2-38, N19,5", Status.READ),), test=is_plain_decimal,
        ),
        Rule(
            code="R104", scope=_ROW, severity=_ERROR, columns=dictionary.counts, fixed=True,
            message=Text("Not a whole number.", "不是整数。"),
            remedy=Text("Write the number with digits only, for example 1.", "请只用数字填写，例如 1。"),
            citations=(spec("gnum N5, packNo N9"),), test=is_whole_number,
        ),
        Rule(
            code="R105", scope=_ROW, severity=_ERROR, columns=_POSITIVE, fixed=True,
            message=Text("The value must be above 0.", "数值必须大于0。"),
            remedy=Text(
                "Put in the value of the released inventory; goods that did not leave are not declared.",
                "请填写海关放行清单上的数值；未出口的商品不申报。",
            ),
            citations=(spec("qty, qty1, price, totalPrice, grossWeight", Status.INFERENCE),), test=is_above_zero,
        ),
        Rule(
            code="R106", scope=_ROW, severity=_ERROR, columns=_NOT_NEGATIVE, fixed=True,
            message=Text("The value must not be below 0.", "数值不得小于0。"),
            remedy=Text("Put in the value of the released inventory.", "请填写海关放行清单上的数值。"),
            citations=(spec("netWeight, qty2", Status.INFERENCE),), test=is_not_negative,
        ),
        Rule(
            code="R107", scope=_ROW, severity=_ERROR, columns=("commodity_code",), fixed=True,
            message=Text("The commodity code is not ten digits.", "商品编码不是10位数字。"),
            remedy=Text(
                "Export the column as text: a number cell loses leading zeros.",
                "请以文本格式导出该列：数字单元格会丢失前导零。",
            ),
            citations=(spec("gcode"),), test=is_ten_digits,
        ),
        Rule(
            code="R108", scope=_ROW, severity=_ERROR, columns=("commodity_code",),
            message=Text("The commodity code is of no chapter of the tariff (01 to 98 without 77).",
                         "商品编码不属于税则任何一章（01至98章，无77章）。"),
            remedy=Text("Check the code in the tariff.", "请在税则中核对该编码。"),
            citations=(spec("gcode", Status.INFERENCE),), test=is_of_a_chapter,
        ),
        Rule(
            code="R109", scope=_ROW, severity=_ERROR, columns=dictionary.of_codes("country"), fixed=True,
            message=Text("Neither a customs country code nor an ISO code nor a known name.",
                         "不是海关国别（地区）代码、ISO代码或已知名称。"),
            remedy=Text("Use the three-digit customs code or the ISO letters, for example 502 or USA.",
                        "请使用三位海关代码或ISO字母代码，例如 502 或 USA。"),
            citations=(Cite("JGS-20", "countries and regions", Status.READ_PARTIAL),), test=in_code_list,
        ),
        Rule(
            code="R110", scope=_ROW, severity=_ERROR, columns=dictionary.of_codes("currency"), fixed=True,
            message=Text("Neither a customs currency code nor an ISO code nor a known name.",
                         "不是海关币制代码、ISO代码或已知名称。"),
            remedy=Text("Use the three-digit customs code or the ISO letters, for example 502 or USD.",
                        "请使用三位海关代码或ISO字母代码，例如 502 或 USD。"),
            citations=(Cite("JGS-20", "currencies", Status.READ_PARTIAL),), test=in_code_list,
        ),
        Rule(
            code="R111", scope=_ROW, severity=_ERROR, columns=dictionary.of_codes("unit"), fixed=True,
            message=Text("Not a unit of the customs code list.", "不在海关计量单位代码表中。"),
            remedy=Text("Use the three-digit customs code or the unit's name, for example 035 or 千克; a number cell loses leading zeros.",
                        "请使用三位海关代码或单位名称，例如 035 或 千克；数字单元格会丢失前导零。"),
            citations=(Cite("JGS-20", "units", Status.READ_PARTIAL),), test=in_code_list,
        ),
        Rule(
            code="R112", scope=_ROW, severity=_ERROR, columns=("transport_mode_code",), fixed=True,
            message=Text("The transport mode is not one digit or letter.", "运输方式不是一位数字或字母。"),
            remedy=Text("Use the customs code, for example 5 for air.", "请使用海关代码，例如 5（航空运输）。"),
            citations=(spec("trafMode"),), test=Shaped("[0-9A-Z]"),
        ),
        Rule(
            code="R113", scope=_ROW, severity=_ERROR, columns=customs, fixed=True,
            message=Text("The customs code is not four digits.", "关区代码不是4位数字。"),
            remedy=Text("Use the four-digit code and export the column as text: a number cell loses leading zeros.",
                        "请使用4位关区代码，并以文本格式导出该列：数字单元格会丢失前导零。"),
            citations=(spec("customsCode, portCode"),), test=Shaped("[0-9]{4}"),
        ),
        Rule(
            code="R114", scope=_ROW, severity=_ERROR, columns=_FIRMS,
            message=Text(
                "Neither a ten-character customs registration nor an 18-character unified social credit code with a right check character.",
                "既不是10位海关注册编码，也不是校验码正确的18位统一社会信用代码。",
            ),
            remedy=Text(
                "Check the code with the firm; a producer not registered with customs is written NO.",
                "请与企业核对代码；未在海关登记的生产销售单位填 NO。",
            ),
            citations=(spec("agentCode, ebcCode, ownerCode"), Cite("GB-32100", "check character", Status.READ)), test=is_firm,
        ),
        Rule(
            code="R115", scope=_ROW, severity=_ERROR, columns=("trade_mode_code",), fixed=True,
            message=Text("The trade mode is not a known one.", "监管方式代码未知。"),
            remedy=Text("Use the four-digit code, 9610 for retail export; a slip must not make an inventory vanish.",
                        "请使用4位监管方式代码（零售出口为9610）；笔误不得使清单被遗漏。"),
            citations=(spec("tradeMode", Status.READ_PARTIAL),), test=in_code_list,
        ),
        Rule(
            code="R116", scope=_ROW, severity=_ERROR, columns=("declaration_mode_code",), fixed=True,
            message=Text("The declaration mode is neither A (simplified) nor B (summary).",
                         "申报业务类型既不是A（简化申报）也不是B（汇总申报）。"),
            remedy=Text("Use the value of the released inventory.", "请填写海关放行清单上的申报业务类型。"),
            citations=(spec("statisticsFlag"),), test=in_code_list,
        ),
        Rule(
            code="R117", scope=_ROW, severity=_ERROR, columns=("status_code",), fixed=True,
            message=Text("The receipt status is not a known one.", "回执状态未知。"),
            remedy=Text("Use the customs status, for example 899 for cleared; leave it blank where no answer came yet.",
                        "请使用海关回执状态，例如 899（结关）；尚无回执时留空。"),
            citations=(Cite("CEB-SPEC-202205", "table 2-42, returnStatus", Status.READ),), test=is_status,
        ),
        Rule(
            code="R118", scope=_ROW, severity=_ERROR, columns=("cleared_at",), fixed=True,
            message=Text("Status 899 (cleared) without a readable time of clearance, or a status in the place of the time.",
                         "状态为899（结关）但结关时间缺失或无法识别，或结关时间处为状态代码。"),
            remedy=Text("Give the time of status 899 in China time, for example 2026-10-31 23:59:59 or 20261031235959.",
                        "请填写状态899的北京时间，例如 2026-10-31 23:59:59 或 20261031235959。"),
            citations=(Cite("CEB-SPEC-202205", "table 2-42, returnTime", Status.READ),
                       ours("the month is that of the 899 receipt", Status.INFERENCE)),
            test=is_cleared_with_time, compares=("cleared_digits", "status_code", "cleared_at"), typed=True,
        ),
        Rule(
            code="R119", scope=_ROW, severity=_ERROR,
            columns=("second_statutory_quantity",), fixed=True,
            message=Text("A second statutory quantity without its unit, or the other way round.",
                         "第二法定数量与第二法定计量单位缺少其一。"),
            remedy=Text("Give both or neither, as the tariff asks for this code.", "请按税则要求同时填写或同时留空。"),
            citations=(spec("qty2, unit2", Status.INFERENCE),), test=has_both_or_none,
            compares=("second_statutory_quantity", "second_statutory_unit_code"),
        ),
        Rule(
            code="R120", scope=_ROW, severity=_ERROR, columns=("total_price",), typed=True,
            message=Text("The total price is not declared quantity times unit price, beyond the tolerance.",
                         "总价与申报数量乘以单价之差超出容差。"),
            remedy=Text("Check the decimal points and the currency of the line.", "请检查该行的小数点和币制。"),
            citations=(spec("totalPrice"), ours("tolerance: no text states one", Status.INFERENCE)),
            test=is_total_near_product, compares=_PRICE_ARGUMENTS,
        ),
        Rule(
            code="R121", scope=_ROW, severity=_ERROR, columns=("inventory_no",), fixed=True,
            message=Text("A spreadsheet has turned the inventory number into scientific notation; the original cannot be recovered.",
                         "清单编号已被表格软件转成科学计数法，无法还原。"),
            remedy=Text("Export again from the source system with this column as text.", "请从原系统以文本格式重新导出该列。"),
            citations=(spec("invtNo"),), test=is_no_scientific_number,
        ),
        Rule(
            code="R122", scope=_ROW, severity=_ERROR, columns=used, fixed=True,
            message=Text("A character that cannot be seen stands in the value (shown as its code point): it is another value than it looks.",
                         "值中含有不可见字符（以其码位表示），实际内容与所见不同。"),
            remedy=Text("Type the value anew, or export the column without such characters; copying it from a web page or chat brings them along.",
                        "请重新键入该值，或导出不含此类字符的列；从网页或聊天工具复制时常会带入。"),
            citations=(ours("a number or code is what is seen of it"),), test=is_visible,
        ),
        Rule(
            code="R123", scope=_ROW, severity=_ERROR, columns=tuple(field.column for field in dictionary.fields), fixed=True,
            message=Text("The cell holds an error of the spreadsheet (#N/A and the like), a formula whose value was not saved (#FORMULA?), or nothing but #.",
                         "单元格为表格软件的错误值（如 #N/A）、未保存计算结果的公式（显示为 #FORMULA?）或仅为 # 号。"),
            remedy=Text("Correct the formula, or widen the column; then open the file in its own program, let it calculate and save it again.",
                        "请修正公式或加宽该列，然后用原程序打开文件、重新计算并保存。"),
            citations=(ours("an error is no value"),), test=is_no_spreadsheet_error,
        ),
        Rule(
            code="R124", scope=_ROW, severity=_ERROR, columns=("inventory_no",), fixed=True,
            message=Text("This cannot be an inventory number: one has letters A to Z and digits only, and at least one digit.",
                         "该值不可能是清单编号：清单编号只含大写字母A至Z和数字，且至少有一位数字。"),
            remedy=Text("Give the line its number from customs' receipt; check that the cell stands under the right heading.",
                        "请按海关回执填写该行的清单编号，并核对该单元格是否对应正确的列标题。"),
            citations=(spec("invtNo", Status.INFERENCE),), test=could_be_inventory_number,
        ),
        Rule(
            code="R125", scope=_ROW, severity=_ERROR, columns=("premises_code",), fixed=True,
            message=Text("This cannot be the code of a supervised place: one is 4 to 10 letters A to Z and digits, with at least one digit.",
                         "该值不可能是监管场所代码：监管场所代码为4至10位大写字母A至Z或数字，且至少有一位数字。"),
            remedy=Text("Check that the cell stands under the right heading; leave it blank where customs' inventory has no such code.",
                        "请核对该单元格是否对应正确的列标题；海关清单上无此代码的，请留空。"),
            citations=(spec("loctNo C..10"), ours("at least as long as the customs district that gives it: no text states the shape", Status.INFERENCE)),
            test=could_be_premises,
        ),
        Rule(
            code="R201", scope=_ROW, severity=_WARNING, columns=("inventory_no",),
            message=Text("The inventory number has another shape than 4 digits customs, 4 digits year, E, 9 to 11 digits.",
                         "清单编号不是“4位关区+4位年份+E+9至11位流水号”的格式。"),
            remedy=Text("Check the number against customs' receipt.", "请与海关回执核对该编号。"),
            citations=(spec("invtNo"),), test=is_inventory_number,
        ),
        Rule(
            code="R202", scope=_ROW, severity=_WARNING, once_per_value=True, columns=("transport_mode_code",),
            message=Text("The transport mode is not in our table, which may be incomplete.", "运输方式不在本工具的代码表中（该表可能不全）。"),
            remedy=Text("Check the code; nothing is changed.", "请核对代码；数据未作改动。"),
            citations=(Cite("JGS-20", "transport modes", Status.READ_PARTIAL),), test=KnownIfShaped("[0-9A-Z]"),
        ),
        Rule(
            code="R203", scope=_ROW, severity=_WARNING, once_per_value=True, columns=customs,
            message=Text("The customs district is not in our table, which is incomplete.", "关区代码不在本工具的代码表中（该表不全）。"),
            remedy=Text("Check the code; nothing is changed.", "请核对代码；数据未作改动。"),
            citations=(Cite("JGS-T-18", "customs districts", Status.READ_PARTIAL),), test=KnownIfShaped("[0-9]{4}"),
        ),
        Rule(
            code="R204", scope=_ROW, severity=_WARNING, columns=("net_weight_kg",), typed=True,
            message=Text("The net weight is 0.", "净重为0。"),
            remedy=Text("Check the weight of the inventory.", "请核对清单净重。"),
            citations=(spec("netWeight", Status.INFERENCE),), test=is_not_zero,
        ),
        Rule(
            code="R205", scope=_ROW, severity=_WARNING, columns=("total_price",), typed=True,
            message=Text("The total price is off declared quantity times unit price by more than rounding explains, within the tolerance.",
                         "总价与申报数量乘以单价之差超过四舍五入所能解释的范围，但仍在容差之内。"),
            remedy=Text("Check the price of the line; the total is declared as it stands.", "请核对单价；总价按原值申报。"),
            citations=(spec("totalPrice"), ours("tolerance: no text states one", Status.INFERENCE)),
            test=is_total_explained_by_rounding, compares=_PRICE_ARGUMENTS,
        ),
        Rule(
            code="R206", scope=_ROW, severity=_WARNING, columns=other_numbers,
            message=Text("A spreadsheet has turned the number into scientific notation; the original cannot be recovered.",
                         "该编号已被表格软件转成科学计数法，无法还原。"),
            remedy=Text("The value is not used; export the column as text if it is needed.", "该值未使用；如需使用，请以文本格式重新导出该列。"),
            citations=(ours("a number that lost digits is no number"),), test=is_no_scientific_number,
        ),
        Rule(
            code="R207", scope=_ROW, severity=_WARNING, columns=unused,
            message=Text("A character that cannot be seen stands in the value (shown as its code point).",
                         "值中含有不可见字符（以其码位表示）。"),
            remedy=Text("The value is kept as it is, and found only with that character in it; take it out in the source system.",
                        "该值按原样保留，且须带该字符才能查到；请在来源系统中删除该字符。"),
            citations=(ours("a number or code is what is seen of it"),), test=is_visible,
        ),
        *name_rules(dictionary),
        *import_rules(dictionary),
    )  # fmt: skip
