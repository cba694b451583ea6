"""Commands, options and arguments whose help is there in both languages, and what holds for all of them."""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import click

from aggregator.cli.language import LANGUAGES, VARIABLE, chosen, lang_now, speak, spoken, teach_click, words_of
from aggregator.cli.wrapping import Formatter
from aggregator.schemas.text import Text

F = TypeVar("F", bound=Callable[..., Any])
_EXAMPLE = re.compile(r"\n\n\x08\nExample:\n")
_METAVARS = {
    "OPTIONS": "选项", "COMMAND": "命令", "ARGS": "参数", "INPUT": "输入", "FILE": "文件", "DIR": "文件夹", "FOLDER": "文件夹", "PATH": "路径", "URL": "网址",
    "DATE": "日期", "SECONDS": "秒数", "NAME": "名称", "TEXT": "文字", "CODE": "代码", "NUMBER": "编号", "INVENTORY_NO": "清单编号", "RUN": "批次",
    "APPLICATION": "汇总申请单", "INTEGER RANGE": "整数", "INTEGER": "整数", "FLOAT RANGE": "小数", "FLOAT": "小数",
}  # fmt: skip
_METAVAR = re.compile(r"[A-Z][A-Z_]+(?: RANGE)?")


def _metavar(text: str) -> str:
    return _METAVAR.sub(lambda found: _METAVARS.get(found[0], found[0]), text) if lang_now() == "zh" else text


LANGUAGE = Text(
    f"Language of messages. [default: {VARIABLE}, the config's, the locale's]", f"提示信息的语言。[默认：依次按 {VARIABLE}、配置、系统区域设置]"
)


class Context(click.Context):
    formatter_class = Formatter


class _Helped:
    """`help` in the language spoken. What has no Text has its English."""

    texts: Text

    @property
    def help(self) -> str | None:
        return self.texts.in_lang(lang_now()) or None

    @help.setter  # noqa: A003
    def help(self, value: str | Text | None) -> None:
        self.texts = value if isinstance(value, Text) else Text(value or "", "")


class Option(_Helped, click.Option):
    def __init__(self, *args: Any, help: Text, **settings: Any) -> None:  # noqa: A002 - as click calls it
        super().__init__(*args, **settings)
        self.help = help

    def make_metavar(self, ctx: click.Context) -> str:
        return _metavar(super().make_metavar(ctx))


class Argument(click.Argument):
    def make_metavar(self, ctx: click.Context) -> str:
        return _metavar(super().make_metavar(ctx))


class Command(_Helped, click.Command):
    """`zh`: the help in Chinese. In English it is the function's own text, whose examples serve for both."""

    context_class = Context

    def __init__(self, *args: Any, zh: str = "", help: str | None = None, **settings: Any) -> None:  # noqa: A002
        super().__init__(*args, **settings)
        english = inspect.cleandoc(help or "")
        prose, *example = _EXAMPLE.split(english)
        self.help = Text(english, zh + "".join(f"\n\n\b\n示例：\n{lines}" for lines in example) if prose else zh)

    def get_short_help_str(self, limit: int = 45) -> str:
        if lang_now() != "zh":
            return super().get_short_help_str(limit)
        begin = re.split(r"[。：；]|\n", re.sub("（.*?）", "", self.texts.zh), maxsplit=1)[0]
        return f"{begin}。"

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = words_of("Show this message and exit.")
        return option

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [_metavar(piece) for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        _refuse_twice(self, ctx, args)
        return super().parse_args(ctx, args)


class Group(Command, click.Group):
    """Of commands that are made alike."""

    command_class = Command


class Root(Group):
    """The whole command line: here it is settled which language is spoken."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        speak(chosen(args))
        context = super().make_context(info_name, args, parent, **extra)
        if (named := os.environ.get(VARIABLE)) and spoken().by == "locale":
            context.fail(Text(f"{VARIABLE} is '{named}': say en or zh.", f"{VARIABLE} 的值是“{named}”：应为 en 或 zh。").in_lang(lang_now()))
        return context

    def _main_shell_completion(self, ctx_args: Any, prog_name: str, complete_var: str | None = None) -> None:
        """What a shell asks for oddly (no words, a name that is not UTF-8) completes nothing: a trace would stand in the line that is typed."""
        try:
            super()._main_shell_completion(ctx_args, prog_name, complete_var)
        except (LookupError, ValueError):
            sys.exit(0)


def _refuse_twice(command: click.Command, ctx: click.Context, args: list[str]) -> None:
    """An option that takes one value and is given two: click takes the last, and nobody learns of the first."""
    if ctx.resilient_parsing or not args:
        return
    _, _, order = command.make_parser(ctx).parse_args(list(args))
    for option, times in Counter(order).items():
        if times > 1 and isinstance(option, click.Option) and not (option.multiple or option.is_flag or option.count):
            name = max(option.opts, key=len)
            ctx.fail(Text(f"Option '{name}' is given {times} times: say it once.", f"选项 '{name}' 给出了 {times} 次，只能给出一次。").in_lang(lang_now()))


def option(*names: str, help: Text, **settings: Any) -> Callable[[F], F]:  # noqa: A002
    return click.option(*names, cls=Option, help=help, **settings)


def argument(*names: str, **settings: Any) -> Callable[[F], F]:
    return click.argument(*names, cls=Argument, **settings)


def command(name: str | None = None, *, zh: str, **settings: Any) -> Callable[[Callable[..., Any]], Command]:
    return click.command(name, cls=Command, zh=zh, **settings)


def group(name: str | None = None, *, zh: str, cls: type[Group] = Group, **settings: Any) -> Callable[[Callable[..., Any]], Group]:
    """Its commands take the language before their name, too."""
    made = click.command(name, cls=cls, zh=zh, **settings)
    asked = option("--lang", type=click.Choice(LANGUAGES), expose_value=False, help=LANGUAGE)
    return lambda function: made(asked(function))


teach_click()
