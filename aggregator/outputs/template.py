"""An empty workbook to be filled in: a column a field with the heading that is read back, text cells, drop-down code lists, and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from aggregator.model.disk import replacing
from aggregator.outputs.xlsx import SHEET_ROWS
from aggregator.outputs.xlsx_rows import letters
from aggregator.schemas.codes import CodeList, code_list
from aggregator.schemas.field import Field
from aggregator.schemas.modes import Mode
from aggregator.schemas.text import Lang, Text

_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - workbooks know no zone
_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_HEAD = {"bold": True, "num_format": "@", "border": 1, "border_color": "#9AA5B1", "text_wrap": True, "valign": "vcenter"}
_REQUIRED, _OTHER = {"bg_color": "#FFE8A3"}, {"bg_color": "#E8EDF3"}
_CODES, _NOTES = Text("codes", "代码表"), Text("notes", "填写说明")
_MOST_HINT = 255
_KINDS = {
    "text": Text("text", "文本"), "code": Text("code", "代码"), "no": Text("inventory number", "清单编号"), "given": Text("number as given by others", "编号，原样填写"),
    "decimal": Text("number, up to 5 decimals", "数值，最多5位小数"), "count": Text("whole number", "整数"), "time": Text("date or time, China time", "日期或时间（北京时间）"),
}  # fmt: skip
_HEADINGS = (
    Text("heading", "列标题"), Text("required", "必填"), Text("what it is", "内容"), Text("longest", "最大长度"), Text("one value for each", "每单一致"),
    Text("drop-down list", "下拉代码"), Text("example", "示例"),
)  # fmt: skip
_HOW = (
    Text("Fill in the first sheet: one row for each goods line. Values of the whole {unit} are repeated on each of its rows.",
         "请填写第一张工作表：每项商品一行；同一{unit}的表头内容在其每一行重复填写。"),
    Text("Yellow headings are required. Do not change a heading; columns without values may be removed.",
         "黄色列标题为必填项。请勿修改列标题；不用的列可以删除。"),
    Text("All cells are text, so that codes keep their leading zeros. Numbers are written plainly: 1234.56",
         "所有单元格均为文本格式，以保留代码前面的0。数字请直接填写，如 1234.56。"),
    Text("Where a cell has a drop-down list, choose from it or type the customs code. Code lists may be incomplete: another code is allowed.",
         "有下拉列表的单元格可选择，也可直接填写海关代码。代码表可能不全，允许填写其他代码。"),
    Text("Check it: aggregator check FILE.xlsx --mode {mode}", "校验：aggregator check 文件.xlsx --mode {mode}"),
)  # fmt: skip


@dataclass(frozen=True)
class Template:
    """`example`: a value for columns by name; `filled`: whether it stands on the first sheet too, as a row."""

    mode: Mode
    lang: Lang
    own_headings: bool
    example: Mapping[str, str]
    filled: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """But for those of imports, which are only looked at to refuse them, and a number that is made of other columns."""
        mode = self.mode.dictionary
        return tuple(field for field in mode.fields if (field.carried or not field.header) and not (mode.unit and field.column == "inventory_no"))

    def heading(self, field: Field) -> str:
        return field.shown if self.own_headings or not field.headings else field.headings[0]

    def values(self, field: Field) -> list[str]:
        """What its drop-down list offers: names where they are read back as the code, for whoever reads Chinese; else codes."""
        codes = code_list(field.codes)
        return [_name(codes, code) if self.lang == "zh" else code for code in sorted(codes.codes)]

    def shown_example(self, field: Field) -> str:
        value = self.example.get(field.column, "")
        return _name(code_list(field.codes), value) if field.codes and self.lang == "zh" and value else value


def write_template(path: Path, template: Template) -> None:
    with replacing(path) as file, xlsxwriter.Workbook(file, {**_OPTIONS, "in_memory": True}) as book:
        book.set_properties({"created": _EPOCH})
        unit = template.mode.wording.units.in_lang(template.lang)
        sheet, notes, codes = (book.add_worksheet(name) for name in (unit, _NOTES.in_lang(template.lang), _CODES.in_lang(template.lang)))
        ranges = _write_codes(book, codes, template)
        _write_sheet(book, sheet, template, ranges)
        _write_notes(book, notes, template)


def _name(codes: CodeList, code: str) -> str:
    name = codes.names.get(code, ("", ""))[0]
    return name if codes.to_code.get(name.upper()) == code else code


def _write_codes(book: Any, sheet: Any, template: Template) -> dict[str, str]:
    """Three columns a list: what to choose, its code, its name. The ranges of what to choose."""
    text, head = book.add_format({"num_format": "@"}), book.add_format({**_HEAD, **_OTHER})
    ranges: dict[str, str] = {}
    for place, field in enumerate({field.codes: field for field in template.fields if field.codes}.values()):
        first, values = place * 4, template.values(field)
        names = code_list(field.codes).names
        sheet.set_column(first, first + 2, 16, text)
        sheet.set_column(first + 3, first + 3, 3)
        for offset, title in enumerate((f"{template.heading(field)} ▾", "code", "name")):
            sheet.write_string(0, first + offset, title, head)
        for row, (value, code) in enumerate(zip(values, sorted(names), strict=True), 1):
            for offset, cell in enumerate((value, code, names[code][0] if template.lang == "zh" else names[code][1] or names[code][0])):
                sheet.write_string(row, first + offset, cell, text)
        column = letters(first)
        ranges[field.codes] = f"='{_CODES.in_lang(template.lang)}'!${column}$2:${column}${len(values) + 1}"
    sheet.freeze_panes(1, 0)
    return ranges


def _write_sheet(book: Any, sheet: Any, template: Template, ranges: Mapping[str, str]) -> None:
    text = book.add_format({"num_format": "@"})
    heads = {required: book.add_format({**_HEAD, **(_REQUIRED if required else _OTHER)}) for required in (True, False)}
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 0)
    for place, field in enumerate(template.fields):
        heading = template.heading(field)
        sheet.set_column(place, place, max(12, min(2 * len(heading) + 3, 26)), text)
        sheet.write_string(0, place, heading, heads[field.required])
        sheet.data_validation(1, place, SHEET_ROWS - 1, place, _validation(template, field, ranges))
        if template.filled and (value := template.shown_example(field)):
            sheet.write_string(1, place, value, text)


def _validation(template: Template, field: Field, ranges: Mapping[str, str]) -> dict[str, Any]:
    """A hint where the cell is chosen, and its list. Another value is warned of, not refused."""
    zh, example = template.lang == "zh", template.shown_example(field)
    kind = _KINDS[field.kind].in_lang(template.lang)
    parts = [("必填" if zh else "required") if field.required else ("选填" if zh else "optional"), kind, f"{'示例' if zh else 'example'}: {example}" if example else ""]
    hint = {"input_title": template.heading(field)[:32], "input_message": "\n".join(part for part in parts if part)[:_MOST_HINT]}
    if field.codes:
        wrong = "不在代码表中，确认后仍可使用。" if zh else "This is not in the code list, which may be incomplete."
        return {**hint, "validate": "list", "source": ranges[field.codes], "error_type": "warning", "error_title": template.heading(field)[:32], "error_message": wrong}
    return {**hint, "validate": "any"}


def _write_notes(book: Any, sheet: Any, template: Template) -> None:
    text, head = book.add_format({"num_format": "@", "valign": "top"}), book.add_format({**_HEAD, **_OTHER})
    strong, yes = book.add_format({"bold": True, "font_size": 13}), ("是" if template.lang == "zh" else "yes")
    mode, lang = template.mode, template.lang
    sheet.set_column(0, 6, 18, text)
    sheet.set_column(6, 6, 34, text)
    sheet.write_string(0, 0, f"{mode.code} · {mode.wording.title.in_lang(lang)}", strong)
    for row, line in enumerate(_HOW, 1):
        sheet.write_string(row, 0, line.in_lang(lang).format(mode=mode.code, unit=mode.wording.unit.in_lang(lang)))
    start = len(_HOW) + 2
    for place, heading in enumerate(_HEADINGS):
        sheet.write_string(start, place, heading.in_lang(lang), head)
    for row, field in enumerate(template.fields, start + 1):
        cells = (
            template.heading(field), yes if field.required else "", _KINDS[field.kind].in_lang(lang), str(field.length), yes if field.header else "",
            yes if field.codes else "", template.shown_example(field),
        )  # fmt: skip
        for place, cell in enumerate(cells):
            sheet.write_string(row, place, cell, text)
