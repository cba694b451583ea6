"""Kinds of values that options take. What can be no such value is wrong usage, whatever it is."""

from __future__ import annotations

import math
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from aggregator.cli.language import lang_now
from aggregator.schemas.text import Text

if TYPE_CHECKING:
    import click.shell_completion

Param: TypeAlias = "click.Parameter | None"
Context: TypeAlias = "click.Context | None"
_PATH_BYTES, _NAME_BYTES = 4095, 255
"""What Linux takes."""
_TEXT_LENGTH = 1000


class Day(click.ParamType[Any]):
    name = "date"

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:
        from aggregator.model.period import YEARS

        try:
            day = datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            day = None
        if day is None or day.year not in YEARS:
            self.fail(_said(f"'{_begin(value)}' is not a day. Write it as YYYY-MM-DD.", f"“{_begin(value)}”不是日期。请写成 YYYY-MM-DD。"), param, ctx)
        return day


class Month(click.ParamType[Any]):
    name = "month"

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:
        from aggregator.model.errors import WrongUsage
        from aggregator.model.period import Period

        try:
            return Period.parse(value)
        except WrongUsage as error:
            self.fail(error.in_lang(lang_now()), param, ctx)


class Words(click.ParamType[Any]):
    """Text, in whatever encoding it was typed."""

    name = "text"

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:
        from aggregator.model.names import told

        text = told(value)
        if len(text) > _TEXT_LENGTH or "\0" in text:
            self.fail(_said(f"'{_begin(text)}' is no text of at most {_TEXT_LENGTH:,} characters.", f"“{_begin(text)}”不是 {_TEXT_LENGTH:,} 字以内的文字。"), param, ctx)
        return text


class PathName(click.ParamType[Any]):
    """`anywhere`: also in object storage."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[click.shell_completion.CompletionItem]:
        """The shell knows the files."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]

    def __init__(self, *, anywhere: bool = False) -> None:
        self._anywhere = anywhere

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:
        from aggregator.model.errors import WrongUsage
        from aggregator.model.remote import any_path_of, is_remote, local_path_of, without_scheme

        value = without_scheme(value) if isinstance(value, str) else value
        if not isinstance(value, str) or not is_remote(value):
            refuse_no_path(self, value, param, ctx)
            return Path(value)
        try:
            return any_path_of(value) if self._anywhere else local_path_of(value)
        except WrongUsage as error:
            self.fail(error.in_lang(lang_now()), param, ctx)


class LedgerName(click.ParamType[Any]):
    name = "ledger"

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:
        from aggregator.model.errors import WrongConfiguration
        from aggregator.model.place import place_of

        try:
            place = place_of(value) if isinstance(value, str) else value
        except WrongConfiguration as error:
            self.fail(error.in_lang(lang_now()), param, ctx)
        if isinstance(place, Path):
            refuse_no_path(self, os.fspath(place), param, ctx)
        return place


class Number(click.FloatRange):
    """A finite one."""

    def convert(self, value: Any, param: Param, ctx: Context) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(_said(f"'{_begin(value)}' is not a number.", f"“{_begin(value)}”不是数值。"), param, ctx)
        return number


def refuse_no_path(kind: click.ParamType[Any], value: str, param: Param, ctx: Context) -> None:
    """Fail for what can be the path of no file: blank, too long, or with a character that ends it."""
    try:
        held = os.fsencode(value) if "\0" not in value else b""
    except UnicodeEncodeError:
        held = b""
    if not held or len(held) > _PATH_BYTES or any(len(part) > _NAME_BYTES for part in held.split(b"/")):
        kind.fail(_said(f"'{_begin(value)}' is no path.", f"“{_begin(value)}”不是路径。"), param, ctx)


def _said(en: str, zh: str) -> str:
    return Text(en, zh).in_lang(lang_now())


def _begin(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


COUNT = click.IntRange(0, 1_000_000_000)
SECONDS = Number(0, 31_536_000)
WORKERS = click.IntRange(1, 1024)
