"""The data dictionary of 9610: one line a field of the inventory (CEB603), in the order of the contract."""

from __future__ import annotations

from dataclasses import replace

from aggregator.schemas.field import Dictionary, Field, Use, header, item
from aggregator.schemas.imports import ENTRY_CUSTOMS, IMPORT_NUMBERS, IMPORT_ON
from aggregator.schemas.returned import RETURNED_HEADINGS

_ID, _HK, _BK, _SUM, _FATE, _CONTENT = (
    Use.IDENTITY,
    Use.HEADER_KEY,
    Use.BODY_KEY,
    Use.SUMMED,
    Use.FATE,
    Use.CONTENT,
)


def only_checked(field: Field) -> Field:
    """Of imports: looked at to refuse them, and of no use after that."""
    return replace(field, carried=False)


# One line a field, so that the table can be read down its columns.
# fmt: off
FIELDS: tuple[Field, ...] = (
    header("inventory_no", "invtNo", "清单编号 清单号", "no", 20, _ID, required=True),
    header("order_no", "orderNo", "订单编号 订单号 电商订单/海外仓订仓单编号 电商订单编号", "given", 60),
    header("waybill_no", "logisticsNo", "物流运单号 运单号 物流单号 物流运单编号", "given", 32),
    header("internal_no", "copNo", "企业内部编号 企业唯一编号", "given", 30),
    header("pre_entry_no", "preNo", "预录入编号 电子口岸编号", "given", 18),
    header("declaring_customs_code", "customsCode", "申报地海关代码 申报海关代码 申报地海关", "code", 4, _HK, "customs_district", required=True),
    header("exit_customs_code", "portCode", "出口口岸代码 进出口地海关代码 出境关别 出口口岸", "code", 4, _HK, "customs_district", required=True),
    header("export_on", "ieDate", "出口日期 进出口日期", "time", 19),
    header("declaration_mode_code", "statisticsFlag", "申报业务类型 申报业务类型(A/B)", "code", 1, _FATE, "declaration_mode", required=True),
    header("declarant_code", "agentCode", "申报企业代码 报关企业代码 申报单位代码", "code", 18, _HK),
    header("declarant_name", "agentName", "申报企业名称 报关企业名称 申报单位名称", "text", 100),
    header("platform_code", "ebpCode", "电商平台代码 电商平台海关编码", "code", 18),
    header("platform_name", "ebpName", "电商平台名称 电商平台名称/海外仓名称", "text", 100),
    header("consignor_code", "ebcCode", "收发货人代码 发货人代码 电商企业海关编码", "code", 18, _HK, required=True),
    header("consignor_name", "ebcName", "收发货人名称 发货人名称 电商企业名称", "text", 100, required=True),
    header("producer_seller_code", "ownerCode", "生产销售单位代码 生产销售企业代码 生产企业代码", "code", 18, _HK, required=True),
    header("producer_seller_name", "ownerName", "生产销售单位名称 生产销售企业名称 生产企业名称", "text", 100, _HK, required=True),
    header("logistics_company_code", "logisticsCode", "物流企业代码", "code", 18),
    header("logistics_company_name", "logisticsName", "物流企业名称", "text", 100),
    header("trade_mode_code", "tradeMode", "贸易方式 监管方式", "code", 4, _HK, "trade_mode", required=True),
    header("transport_mode_code", "trafMode", "运输方式 运输方式代码", "code", 1, _HK, "transport_mode", required=True),
    header("transport_name", "trafName", "运输工具名称 运输工具编号", "text", 100),
    header("voyage_no", "voyageNo", "航班航次号 航班班次号", "given", 32),
    header("bill_no", "billNo", "提运单号 提(运)单号", "given", 37),
    header("master_package_no", "totalPackageNo", "总包号 大包号 大包裹号", "given", 37),
    header("premises_code", "loctNo", "监管场所代码", "code", 10, _HK),
    header("licence_no", "licenseNo", "许可证号", "given", 19),
    header("arrival_country_code", "country", "运抵国(地区) 运抵国 运抵国(地区)代码", "code", 3, _HK, "country", required=True),
    header("destination_port_code", "POD", "指运港代码 指运港", "code", 4),
    header("freight", "freight", "运费", "decimal", 20),
    header("freight_currency_code", "fCurrency", "运费币制", "code", 3, codes="currency"),
    header("insurance", "insuredFee", "保费 保价费", "decimal", 20),
    header("insurance_currency_code", "iCurrency", "保费币制", "code", 3, codes="currency"),
    header("wrap_type_code", "wrapType", "包装种类代码 包装种类", "code", 1, codes="wrap_type"),
    header("package_count", "packNo", "件数", "count", 9, _SUM, required=True),
    header("gross_weight_kg", "grossWeight", "毛重(公斤) 订单毛重 毛重", "decimal", 20, _SUM, required=True, measured_in="kg"),
    header("net_weight_kg", "netWeight", "净重(公斤) 净重", "decimal", 20, _SUM, required=True, measured_in="kg"),
    only_checked(header("direction_code", "ieFlag", "进出口标记 进出口标志 进出口标识", "code", 1, codes="direction")),
    only_checked(header("import_on", "ieDate (I)", " ".join(IMPORT_ON), "text", 30)),
    only_checked(header("entry_customs_code", "portCode (I)", " ".join(ENTRY_CUSTOMS), "text", 30)),
    only_checked(header("import_inventory_no", "invtNo (I)", " ".join(IMPORT_NUMBERS), "given", 20)),
    header("status_code", "returnStatus", "回执状态 清单状态", "code", 10, _FATE, "receipt_status"),
    header("cleared_at", "returnTime", "结关时间 回执时间", "time", 35, _FATE),
    item("item_no", "gnum", "商品序号 商品项号", "count", 5, _ID, required=True),
    item("sku", "itemNo", "企业商品货号 企业商品编号", "given", 20, carried=False),
    item("enterprise_goods_name", "itemName", "企业商品品名 企业商品名称", "text", 250, _BK),
    item("commodity_code", "gcode", "商品编码 海关编码 海关商品编码", "code", 10, _BK, required=True),
    item("goods_name", "gname", "商品名称", "text", 250, _CONTENT, required=True),
    item("goods_spec", "gmodel", "商品规格型号 规格型号 申报要素", "text", 250, _CONTENT),
    item("barcode", "barCode", "条码 条形码", "given", 50, carried=False),
    item("destination_country_code", "list_country", "目的国(地区) 目的国 最终目的国(地区)代码 最终目的国(地区) 目的国(地区)代码", "code", 3, _BK, "country", required=True),
    item("currency_code", "currency", "币制 商品币制", "code", 3, _BK, "currency", required=True),
    item("declared_quantity", "qty", "数量 申报数量", "decimal", 20, _SUM, required=True, measured_in="declared_unit_code"),
    item("declared_unit_code", "unit", "计量单位 申报计量单位 数量单位", "code", 3, _BK, "unit", required=True),
    item("statutory_quantity", "qty1", "法定数量", "decimal", 20, _SUM, required=True, measured_in="statutory_unit_code"),
    item("statutory_unit_code", "unit1", "法定计量单位", "code", 3, _BK, "unit", required=True),
    item("second_statutory_quantity", "qty2", "第二数量 第二法定数量", "decimal", 20, _SUM, measured_in="second_statutory_unit_code"),
    item("second_statutory_unit_code", "unit2", "第二计量单位 第二法定计量单位", "code", 3, _BK, "unit"),
    item("duty_flag", "duty_flag", "涉税 是否涉税", "code", 5, codes="yes_no"),
    item("unit_price", "price", "单价 申报单价", "decimal", 20, _CONTENT, required=True),
    item("total_price", "totalPrice", "总价", "decimal", 20, _SUM, required=True, measured_in="currency_code"),
)
# fmt: on

_UNUSED_HEADINGS = (
    # Headings of real exports that say nothing we need; anything else unknown is reported.
    *RETURNED_HEADINGS, *["序号", "备注", "note", "list_note", "账册编号", "申报日期", "区内企业代码", "区内企业名称", "运费标志", "保费标志"],
    *["账册备案料号", "客户代码", "净重(单个商品净重kg)", "guid", "appType", "appTime", "appStatus", "fFlag", "iFlag", "iacCode", "iacName"],
    *["emsNo", "itemRecordNo", "批次号", "提交时间", "小包数量", "商品金额", "主要货物信息", "收货人名称", "赠品", "平台"],
)


DICTIONARY = Dictionary(FIELDS, _UNUSED_HEADINGS, ("status_code", "cleared_at"))
