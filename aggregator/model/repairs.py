"""What was corrected or passed over in reading, in words: none of it changes a value."""

from __future__ import annotations

from aggregator.schemas.text import Text

REPAIRS: dict[str, Text] = {
    "apostrophes": Text("leading apostrophes taken off codes and numbers", "去掉编码、编号和数字前的单引号"),
    "blank_rows": Text("blank rows passed over", "略过空行"),
    "date_cells": Text("date cells of a workbook written as dates", "工作簿日期单元格转为日期文本"),
    "date_serials": Text("day counts of a workbook written as the days they stand for", "工作簿日期序列值转为日期"),
    "full_width": Text("codes and numbers made half-width", "编码和数字由全角转为半角"),
    "mac_line_ends": Text("files with the line ends of old Macs", "旧式Mac换行的文件"),
    "merged_cells": Text("cells merged downwards filled for all their rows", "向下合并的单元格按各行填充"),
    "names_to_codes": Text("names of code lists written as their codes", "代码表名称转为代码"),
    "note_rows": Text("rows of labels with their values passed over", "略过仅含标签及其值的行"),
    "numbered_by_line": Text("lines without a slip number declared by themselves (--by-line)", "没有交易单号的行按行申报（--by-line）"),
    "numbers_from_receipts": Text("inventory numbers taken from customs' receipts", "清单编号取自海关回执"),
    "outer_spaces": Text("white space taken off around cells", "去掉单元格首尾空白"),
    "repeated_headings": Text("repeated heading rows passed over", "略过重复的标题行"),
    "separator_line": Text("sep= lines followed", "按 sep= 行读取"),
    "text_formulas": Text('cells like ="0123" read as their text', '形如 ="0123" 的单元格按其文本读取'),
    "title_rows": Text("rows above the headings", "标题行上方的行"),
    "total_rows": Text("total rows passed over", "略过合计行"),
    "utf_16": Text("files in UTF-16", "UTF-16编码的文件"),
}
