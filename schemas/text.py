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
