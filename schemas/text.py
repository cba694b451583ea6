"""A text a user reads, in both languages of the tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lang = Literal["en", "zh"]


@dataclass(frozen=True)
class Text:
    en: str
    zh: str

    def in_lang(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


def counted(count: int, one: str, many: str) -> str:
    """How many of what, in English."""
    return f"{count:,} {one if count == 1 else many}"
