"""Rules on text that lost characters, or was read in another encoding than it was written in."""

from __future__ import annotations

from aggregator.schemas.field import Dictionary
from aggregator.schemas.row_tests import is_plausible_text, is_whole_text
from aggregator.schemas.rule import Rule, Scope, Severity
from aggregator.schemas.sources import ours
from aggregator.schemas.text import Text


def name_rules(dictionary: Dictionary) -> tuple[Rule, ...]:
    """The rules on names of a mode whose lines have these fields."""
    names = dictionary.of_kind("text")
    return (
        Rule(
            code="R126", scope=Scope.ROW, severity=Severity.ERROR, columns=names, fixed=True,
            message=Text("The text is garbled: it lost characters, holds control characters, or was read in another encoding than it was written in.",
                         "文字为乱码：字符丢失、含控制字符，或读取时所用编码与写入时不同。"),
            remedy=Text("Export again from the source system as UTF-8, and open the file in no other program before.",
                        "请从来源系统以UTF-8编码重新导出，其间不要用其他程序打开并保存。"),
            citations=(ours("a name is declared as it was written, or not at all"),), test=is_whole_text,
        ),
        Rule(
            code="R208", scope=Scope.ROW, severity=Severity.WARNING, columns=(*names, *dictionary.of_kind("given")),
            message=Text("The text may be garbled: characters that nobody uses or can print, question marks or boxes in a row, codes in place of characters, or a number in scientific notation.",
                         "文字可能为乱码：含生僻或无法显示的字符、连续的问号或方框、以代码代替字符，或为科学计数法数字。"),
            remedy=Text("Compare it with the source system; if it is garbled, export again as UTF-8. It is declared as it stands.",
                        "请与来源系统核对；如为乱码，请以UTF-8编码重新导出。该值按原样申报。"),
            citations=(ours("a name is declared as it was written, or not at all"),), test=is_plausible_text, by_column=True,
        ),
    )  # fmt: skip
