"""Text from outside as it may stand before a person: on a terminal, in a log, in a report.

A name or a cell may hold what moves the cursor, ends the line or turns the writing around: it would forge what we say. Such
characters are shown as escapes (\\x1b, \\u202e), and nothing else is touched.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

HIDDEN = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f"
"""Control characters, ends of lines, and what sets the direction of writing: a class of characters."""
_HIDDEN = re.compile(f"[{HIDDEN}\ud800-\udfff]")
_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_BYTES = range(0xDC80, 0xDD00)
"""Bytes of a file name that are not UTF-8, as Python holds them."""


def shown(text: str) -> str:
    """On one line, and with nothing in it that acts."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code in _BYTES:
        code -= 0xDC00
    return _NAMED.get(found[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


_PASSWORD = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s:/@\"]*:)[^\s/?#\"]+(?=@)|([?&](?:ssl)?password=)[^\s&#\"]+")


def without_passwords(text: str) -> str:
    """Of URLs, wherever they were written: also in the place of something else."""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", text) if ":/" in text else text


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The longest first: one may hold another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def width_of(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    blank = " " * (width - width_of(text))
    return blank + text if right else text + blank


def shown_json(value: Any) -> str:
    """As JSON on one line; what `shown` would escape is escaped as JSON does, so that the value stays what it is."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
