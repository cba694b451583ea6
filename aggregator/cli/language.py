"""The language a command speaks: what the command line asks for, else AGGREGATOR_LANG, else the locale; and the words of click,
which it takes from gettext, in Chinese."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from gettext import gettext, ngettext
from typing import Literal, get_args

import click
import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.parser
import click.types

from aggregator.schemas.text import Lang

VARIABLE = "AGGREGATOR_LANG"
LANGUAGES: tuple[Lang, ...] = get_args(Lang)


@dataclass(frozen=True)
class Spoken:
    """`by`: who chose it. The locale is overruled by a config; the others are not."""

    lang: Lang
    by: Literal["command line", "environment", "locale"]


def locale_lang() -> Lang:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return _lang_of(value) or "en"
    return _lang_of(locale.getlocale()[0] or "") or "en"


def _lang_of(name: str) -> Lang | None:
    """By a language's code, or a locale's name."""
    begin = name.strip().lower().replace("chinese", "zh").replace("english", "en")
    return next((lang for lang in LANGUAGES if begin == lang or begin.startswith((f"{lang}_", f"{lang}-", f"{lang}."))), None)


def chosen(arguments: Sequence[str]) -> Spoken:
    """By the words of a command line: it has to be known before they are understood, to say what is wrong with them."""
    found: Lang | None = None
    for place, word in enumerate(arguments):
        if word == "--":
            break
        name, given, value = word.partition("=")
        if name == "--lang":
            asked = value if given else arguments[place + 1] if place + 1 < len(arguments) else ""
            found = next((lang for lang in LANGUAGES if lang == asked), found)
    if found:
        return Spoken(found, "command line")
    if named := _lang_of(os.environ.get(VARIABLE, "")):
        return Spoken(named, "environment")
    return Spoken(locale_lang(), "locale")


_SPOKEN: ContextVar[Spoken | None] = ContextVar("spoken", default=None)


def speak(spoken: Spoken) -> None:
    _SPOKEN.set(spoken)


def spoken() -> Spoken:
    return _SPOKEN.get() or chosen(())


def asked_for() -> Lang | None:
    """The language of the command line, if it says one."""
    return spoken().lang if spoken().by == "command line" else None


def lang_now() -> Lang:
    return spoken().lang


_WORDS = {
    "Usage:": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Positional arguments": "参数",
    "default: {default}": "默认：{default}",
    "env var: {var}": "环境变量：{var}",
    "required": "必填",
    "(dynamic)": "（动态）",
    "deprecated": "已弃用",
    "Show this message and exit.": "显示本帮助并退出。",
    "Show the version and exit.": "显示版本号并退出。",
    "Error: {message}": "错误：{message}",
    "Try '{command} {option}' for help.": "运行 {command} {option} 查看帮助。",
    "Invalid value: {message}": "值无效：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 的值无效：{message}",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Missing {param_type}": "缺少 {param_type}",
    "Missing parameter: {param_name}": "缺少参数：{param_name}",
    "Missing command.": "缺少命令。",
    "No such option {name!r}.": "没有选项 {name!r}。",
    "No such command {name!r}.": "没有命令 {name!r}。",
    "Did you mean {possibility}?": "是否指 {possibility}？",
    "(Did you mean one of: {possibilities}?)": "是否指以下之一：{possibilities}？",
    "Option {name!r} does not take a value.": "选项 {name!r} 不带值。",
    "Option {name!r} requires an argument.": "选项 {name!r} 需要一个值。",
    "Option {name!r} requires {nargs} arguments.": "选项 {name!r} 需要 {nargs} 个值。",
    "Argument {name!r} takes {nargs} values.": "参数 {name!r} 需要 {nargs} 个值。",
    "Takes {nargs} values but 1 was given.": "需要 {nargs} 个值，只给出 1 个。",
    "Takes {nargs} values but {len} were given.": "需要 {nargs} 个值，给出了 {len} 个。",
    "Value must be an iterable.": "值必须是列表。",
    "Got unexpected extra argument ({args})": "多余的参数（{args}）",
    "Got unexpected extra arguments ({args})": "多余的参数（{args}）",
    "Choose from:\n\t{choices}": "可选值：\n\t{choices}",
    "{value!r} is not {choice}.": "{value!r} 不是 {choice}。",
    "{value!r} is not one of {choices}.": "{value!r} 不在可选值 {choices} 之中。",
    "{value!r} is not a valid {number_type}.": "{value!r} 不是有效的数值。",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 之内。",
    "Could not open file {filename!r}: {message}": "无法打开文件 {filename!r}：{message}",
    "unknown error": "未知错误",
    "Aborted!": "已中止。",
}
"""What click says, and in Chinese. What is not here it says in English."""


def stopped_as_written(text: str) -> str:
    """Usage errors in Chinese, of which click writes the stops and the blanks between sentences itself."""
    return re.sub(r"(?m)^(错误：缺少.*)\.$", r"\1。", text.replace("。 是否指", "。是否指"))


def words_of(message: str) -> str:
    return _WORDS.get(message, message) if lang_now() == "zh" else gettext(message)


def numbered_words_of(one: str, several: str, count: int) -> str:
    return words_of(one if count == 1 else several) if lang_now() == "zh" else ngettext(one, several, count)


def teach_click() -> None:
    """Its modules have taken gettext's functions under these names, and there is no other door: gettext itself asks for files of
    a binary form, by the locale alone."""
    for module in (click.core, click.decorators, click.exceptions, click.formatting, click.parser, click.types):
        for name, ours in (("_", words_of), ("ngettext", numbered_words_of)):
            if hasattr(module, name):
                setattr(module, name, ours)
