"""Korean and Japanese text (EUC-KR, CP949, EUC-JP) reads as GB 18030 without a fault. Korean syllables are the everyday characters
whose sound begins with A to Q; Japanese kana stay what they are, and Japanese characters become those whose sound begins with A
to X. Where the headings do not confirm the encoding nothing else tells; no Chinese text of some length does without the rest."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

from aggregator.inputs.export import unusable
from aggregator.inputs.tables.headings import known_headings, normalised, unused_headings
from aggregator.schemas.field import Dictionary

_PIECE = 1 << 16
_ENOUGH, _PLENTY = 18, 200
"""Of so many different characters of Chinese text half are none that Korean text becomes, and a quarter none that Japanese becomes;
a tenth at most, hardly ever. A tenth is allowed for: Korean text has a Chinese character now and then, Japanese a rare one."""
_HANZI = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3041-\u306d\u306f-\u30fa]")
"""But for の, which Chinese brands are fond of."""


def _everyday(last: int) -> frozenset[str]:
    return frozenset(bytes((lead, trail)).decode("gb18030") for lead in range(0xB0, last + 1) for trail in range(0xA1, 0xFF))


_OF_KOREAN, _OF_JAPANESE = _everyday(0xC8), _everyday(0xCF)


def must_be_chinese(name: str, path: Path, headings: Sequence[str], dictionary: Dictionary) -> None:
    """In: a file that reads as GB 18030, and its headings. Raises UnusableInput where it is Korean or Japanese."""
    if _confirm(headings, dictionary):
        return
    seen, has_kana = _characters(path)
    seen.difference_update(*headings)
    if len(seen) >= _ENOUGH and _are_of(seen, _OF_KOREAN):
        raise _other(name, "Korean", "韩文")
    if len(seen) >= _ENOUGH and has_kana and _are_of(seen, _OF_JAPANESE):
        raise _other(name, "Japanese", "日文")


def _are_of(seen: set[str], characters: frozenset[str]) -> bool:
    return len(seen - characters) * 10 <= max(len(seen), 10)


def _confirm(headings: Sequence[str], dictionary: Dictionary) -> bool:
    """Whether some heading is Chinese, and one that is known: read in another encoding it would not be."""
    names = {normalised(heading) for heading in headings if not heading.isascii()}
    return not names.isdisjoint(known_headings(dictionary)) or not names.isdisjoint(unused_headings(dictionary))


def _characters(path: Path) -> tuple[set[str], bool]:
    """The hanzi of a file and whether it has kana, as far as it takes to see that they are Chinese."""
    seen: set[str] = set()
    has_kana = False
    decoder = codecs.getincrementaldecoder("gb18030")("replace")
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            text = decoder.decode(piece)
            seen.update(_HANZI.findall(text))
            has_kana = has_kana or _KANA.search(text) is not None
            if len(seen) >= _PLENTY and not _are_of(seen, _OF_JAPANESE):
                break
    return seen, has_kana


def _other(name: str, language_en: str, language_zh: str) -> Exception:
    return unusable(
        "F104", name, f"It may be {language_en} text: read as GB18030 it would be other characters.",
        f"内容可能是{language_zh}：按GB18030读取会变成其他文字。",
    )  # fmt: skip
