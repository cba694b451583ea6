"""A config file, and where in it each key stands: what is wrong with it is said with file and line."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from aggregator.model.errors import WrongConfiguration
from aggregator.model.names import told
from aggregator.model.small import read_small

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ALIKE = 0.6
_DEEPEST = 100
_MOST_READ = 512 << 10
"""Characters that are read again to find out in which lines problems stand."""
Key = tuple[str | int, ...]


class _Enough(Exception):  # noqa: N818 - nothing is wrong
    """So much was read that the line is not told."""


class Config(dict[str, Any]):
    """What a file says, and its text. A plain mapping, as programs give it, has no lines."""

    def __init__(self, values: dict[str, Any], path: Path | str = "", text: str = "") -> None:
        super().__init__(values)
        self.path, self.text, self._left = path, text, _MOST_READ

    def at(self, key: Key) -> str:
        """`FILE:LINE: ` of a key; blank where nothing is known of it."""
        if not self.path:
            return ""
        line = line_of(self.text, key, self._may_read) if self._left >= 0 else None
        return f"{told(self.path)}{f':{line}' if line else ''}: "

    def _may_read(self, size: int) -> bool:
        self._left -= size
        return self._left >= 0


def load(path: Path) -> Config:
    """Raises WrongConfiguration naming the line that is no TOML; OSError where the file cannot be read."""
    try:
        text = read_small(path).decode("utf-8-sig")
        _refuse_deep_keys(path, text)
        return Config(tomllib.loads(text), path, text)
    except tomllib.TOMLDecodeError as error:
        where, why = _place(str(error), text)
        raise _no_toml(f"{told(path)}{where}", why) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _no_toml(f"{told(path)}:{line}", f"it is not UTF-8 (byte {error.object[error.start]:#04x})") from None


def _refuse_deep_keys(path: Path, text: str) -> None:
    """A key of thousands of parts takes the parser gigabytes."""
    for number, line in enumerate(_LINE.findall(text), 1):
        if line.split("=", 1)[0].count(".") > _DEEPEST:
            raise _no_toml(f"{told(path)}:{number}", f"a key of more than {_DEEPEST} parts")


def _no_toml(where: str, why: str) -> WrongConfiguration:
    return WrongConfiguration(
        f"The config is not TOML: {where}: {why}. Correct it, or name another with --config.",
        f"配置文件不是有效的TOML：{where}：{why}。请修正，或用 --config 指定其他文件。",
    )


def _place(message: str, text: str) -> tuple[str, str]:
    """`:LINE:COLUMN`, as the parser says, and what it says of it."""
    found = _AT.search(message)
    if found is None:
        return "", message
    return f":{found[1]}:{found[2]}" if found[1] else f":{len(_LINE.findall(text))}", message[: found.start()]


def line_of(text: str, key: Key, may_read: Callable[[int], bool] = lambda size: True) -> int | None:
    """The line on which the statement begins that gives `key`, or what stands above it. Found by reading more and more of the file, so
    that what counts as a statement is what the parser takes for one. None where that would be more than may be read."""
    lines = _LINE.findall(text)
    while key:

        def given(end: int, key: Key = key) -> bool:
            """Whether so many lines, and as many more as it takes to end a statement, give it."""
            for last in range(end, len(lines) + 1):
                some = "".join(lines[:last])
                if not may_read(len(some)):
                    raise _Enough
                with suppress(tomllib.TOMLDecodeError):
                    return _has(tomllib.loads(some), key)
            return False

        try:
            first = bisect_left(range(len(lines) + 1), True, key=given)
        except _Enough:
            return None
        if first <= len(lines):
            return max(first, 1)
        key = key[:-1]
    return None


def _has(value: Any, key: Key) -> bool:
    for part in key:
        if not (part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int) and part < len(value)):
            return False
        value = value[part]
    return True


def nearest(name: str, known: Iterable[str]) -> str | None:
    """What was probably meant: names differ in letters, in - for _, or in an s at the end."""
    return next(iter(get_close_matches(str(name).strip().lower().replace("-", "_"), list(known), 1, _ALIKE)), None)
