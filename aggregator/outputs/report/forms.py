"""Declarations as the export declaration form (出口货物报关单) has them: what stands in its boxes, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aggregator.outputs.report.names import Named, named
from aggregator.schemas.text import Text

_NOT_KNOWN = Text("", "")


@dataclass(frozen=True)
class Box:
    """A box of the form, with its official title, and how many of the twelve columns it takes."""

    title: Text
    value: Text
    columns: int


@dataclass(frozen=True)
class Item:
    no: int
    commodity_code: str
    goods: tuple[str, ...]
    quantities: tuple[tuple[str, Text], ...]
    unit_price: str
    total_price: str
    currency: Named
    destination: Named


@dataclass(frozen=True)
class Form:
    ref: str
    customs: Named
    rows: tuple[tuple[Box, ...], ...]
    items: tuple[Item, ...]
    declarant: str


def forms(declarations: list[dict[str, Any]], items: list[dict[str, Any]]) -> list[Form]:
    """In: rows of the two tables, the items of each declaration together and in order."""
    of_ref: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        of_ref.setdefault(item["declaration_ref"], []).append(item)
    return [
        Form(
            row["declaration_ref"],
            named("customs_district", row["declaring_customs_code"]),
            _boxes(row),
            tuple(map(_item, of_ref.get(row["declaration_ref"], []))),
            row.get("declarant_code") or "",
        )
        for row in declarations
    ]


def _boxes(row: dict[str, Any]) -> tuple[tuple[Box, ...], ...]:
    """The head of the form, row by row. What a declaration of ours does not say is left blank."""

    def of(en: str, zh: str, columns: int, value: Text | str | None = "") -> Box:
        return Box(Text(en, zh), value if isinstance(value, Text) else _plain(value), columns)

    def code(codes: str, column: str) -> Text:
        return named(codes, row.get(column)).text

    attached = " ".join(filter(None, (row.get("attached_document_category_code"), row.get("attached_document_no"))))
    return (
        (
            of("Domestic consignor", "境内发货人", 4, _firm(row, "consignor")),
            of("Exit customs", "出境关别", 2, code("customs_district", "exit_customs_code")),
            of("Export date", "出口日期", 2), of("Declaration date", "申报日期", 2), of("Record no.", "备案号", 2),
        ),
        (
            of("Overseas consignee", "境外收货人", 4, row.get("buyer_name")),
            of("Transport mode", "运输方式", 2, code("transport_mode", "transport_mode_code")),
            of("Conveyance and voyage", "运输工具名称及航次号", 3), of("Bill of lading no.", "提运单号", 3),
        ),
        (
            of("Producer/seller", "生产销售单位", 4, _firm(row, "producer_seller")),
            of("Trade mode", "监管方式", 3, code("trade_mode", "trade_mode_code")),
            of("Nature of levy", "征免性质", 2), of("Licence no.", "许可证号", 3, row.get("licence_no")),
        ),
        (
            of("Contract no.", "合同协议号", 4, row.get("order_no")), of("Trading country", "贸易国（地区）", 2),
            of("Arrival country", "运抵国（地区）", 2, code("country", "arrival_country_code")),
            of("Destination port", "指运港", 2), of("Port of exit", "离境口岸", 2),
        ),
        (
            of("Packing", "包装种类", 2), of("Packages", "件数", 1, f"{row['package_count']:,}"),
            of("Gross weight (kg)", "毛重（千克）", 2, amount(row["gross_weight_kg"])),
            of("Net weight (kg)", "净重（千克）", 2, amount(row["net_weight_kg"])),
            of("Terms", "成交方式", 1), of("Freight", "运费", 1), of("Insurance", "保费", 1), of("Other charges", "杂费", 2),
        ),
        (of("Attached documents and numbers", "随附单证及编号", 12, attached),),
        (of("Marks and remarks", "标记唛码及备注", 12, _remarks(row)),),
    )  # fmt: skip


def _remarks(row: dict[str, Any]) -> Text:
    premises, remark = row.get("premises_code"), row.get("remark") or ""
    if not premises:
        return _plain(remark)
    return Text(f"{remark} Supervised premises {premises}".strip(), f"{remark} 监管场所 {premises}".strip())


def _plain(value: str | None) -> Text:
    return Text(value, value) if value else _NOT_KNOWN


def _firm(row: dict[str, Any], kind: str) -> str:
    return " ".join(filter(None, (row.get(f"{kind}_code"), row.get(f"{kind}_name"))))


def _item(row: dict[str, Any]) -> Item:
    quantities = []
    for name in ("statutory", "second_statutory", "declared"):
        quantity, unit = row.get(f"{name}_quantity"), row.get(f"{name}_unit_code")
        if quantity is not None:
            quantities.append((amount(quantity), _unit(unit)))
    goods = (row["goods_name"] or "", row.get("goods_spec") or "")
    return Item(
        row["declaration_item_no"], row["commodity_code"], tuple(filter(None, goods)), tuple(quantities),
        amount(row["unit_price"], 2) if row.get("unit_price") is not None else "", amount(row["total_price"], 2),
        named("currency", row["currency_code"]), named("country", row["destination_country_code"]),
    )  # fmt: skip


def _unit(code: str | None) -> Text:
    """As the form has it: the name first."""
    name = named("unit", code).name
    return Text(f"{name.en} ({code})", f"{name.zh} ({code})") if name.zh else Text(code or "", code or "")


def amount(value: Decimal, least: int = 0) -> str:
    """All its digits, but for zeros at the end, of which at least so many places are kept."""
    whole, _, places = f"{value:,f}".partition(".")
    kept = places.rstrip("0").ljust(least, "0")
    return f"{whole}.{kept}" if kept else whole
