"""What can be wrong with a file, or with a row as a row of cells. Established by the readers."""

from __future__ import annotations

from schemas.rules.rule import Rule, Scope, Severity
from schemas.sources import ours
from schemas.text import Text

_FILE, _ERROR, _WARNING = Scope.FILE, Severity.ERROR, Severity.WARNING
_CITE = (ours("a file is read whole or not at all; a row is read whole or rejected"),)


def _file(code: str, severity: Severity, message: Text, remedy: Text) -> Rule:
    return Rule(code, _FILE, severity, (), message, remedy, _CITE, fixed=severity is _ERROR)


FILE_RULES: tuple[Rule, ...] = (
    _file("F101", _ERROR,
          Text("No known heading in the first row.", "首行没有可识别的列标题。"),
          Text("Put the headings in the first row, or map them in [columns] of the config.", "请将列标题放在首行，或在配置的 [columns] 中指定对应关系。")),
    _file("F102", _ERROR,
          Text("A required column is missing.", "缺少必需的列。"),
          Text("Add the column, map its heading in [columns], or give a header value in [constants] of the config.",
               "请补充该列，或在配置的 [columns] 中指定列标题，或在 [constants] 中给出表头固定值。")),
    _file("F103", _ERROR,
          Text("Two headings stand for one column.", "两个列标题对应同一列。"),
          Text("Remove one of them, or say in [columns] of the config which is meant.", "请删除其中之一，或在配置的 [columns] 中指明。")),
    _file("F104", _ERROR,
          Text("The file is neither UTF-8 nor GB18030.", "文件既不是UTF-8也不是GB18030编码。"),
          Text("Save it again as \"CSV UTF-8\".", "请另存为“CSV UTF-8”格式。")),
    _file("F105", _ERROR,
          Text("The file is empty.", "文件为空。"),
          Text("Export it again.", "请重新导出。")),
    _file("F106", _ERROR,
          Text("The file is cut off in the middle of its last row.", "文件在最后一行中途被截断。"),
          Text("Export or copy it again.", "请重新导出或复制文件。")),
    _file("F107", _ERROR,
          Text("A row is longer than any inventory line can be.", "某一行过长，不可能是清单数据。"),
          Text("Check that the file is a CSV export with line ends.", "请确认该文件是带换行的CSV导出文件。")),
    _file("F201", _ERROR,
          Text("The row has another number of cells than the headings.", "该行单元格数与列标题数不一致。"),
          Text("Mend the row: a cell is missing, or a comma in a value is not quoted.", "请修正该行：缺少单元格，或值中的逗号未加引号。")),
    _file("F202", _ERROR,
          Text("A quote in the row is not closed, or stands inside an unquoted cell.", "该行的引号未闭合，或出现在未加引号的单元格中。"),
          Text("Quote the whole cell and double the quotes inside it.", "请用引号括住整个单元格，并将其中的引号写成两个。")),
    _file("F203", _ERROR,
          Text("The row holds a control character (NUL or a lone carriage return).", "该行含有控制字符（NUL或单独的回车符）。"),
          Text("Export again; such a character is the mark of a damaged file.", "请重新导出；此类字符说明文件已损坏。")),
    _file("F301", _WARNING,
          Text("This heading is not known; the column is not used.", "无法识别该列标题，该列未使用。"),
          Text("Map it in [columns] of the config if it is needed.", "如需使用，请在配置的 [columns] 中指定。")),
    _file("F302", _WARNING,
          Text("The file does not end with a line end: its last value may be cut.", "文件末尾没有换行，最后一个值可能被截断。"),
          Text("Check the last row.", "请检查最后一行。")),
    _file("F303", _WARNING,
          Text("The file has headings but no rows.", "文件只有列标题，没有数据行。"),
          Text("Check that the export is of the right month.", "请检查导出的月份是否正确。")),
)  # fmt: skip
