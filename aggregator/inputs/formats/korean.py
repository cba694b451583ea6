"""Korean text (EUC-KR, CP949) reads as GB 18030 without a fault: its syllables are the everyday characters whose sound begins with
A to Q. Where headings are ASCII nothing else tells; no Chinese text of some length does without the other half."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from aggregator.inputs.export import unusable

_PIECE = 1 << 16
_ENOUGH = 18
"""Of so many different characters of Chinese text about half have a sound from R to Z; one at most, hardly ever. One is allowed
for: Korean text has a Chinese character now and then."""
_HANZI = re.compile("[\u4e00-\u9fff]")
_SYLLABLES = frozenset(
    bytes((lead, trail)).decode("gb18030") for lead in range(0xB0, 0xC9) for trail in range(0xA1, 0xFF)
)  # fmt: skip


def must_be_chinese(name: str, path: Path, above: bytes) -> None:
    """In: a file that reads as GB 18030, and its bytes up to the headings. Raises UnusableInput where it is Korean."""
    if not above.isascii():
        return
    seen: set[str] = set()
    decoder = codecs.getincrementaldecoder("gb18030")("replace")
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            seen.update(_HANZI.findall(decoder.decode(piece)))
            if len(seen - _SYLLABLES) > 1:
                return
    if len(seen) >= _ENOUGH:
        raise unusable(
            "F104", name, "It may be Korean text: read as GB18030 it would be other characters.",
            "内容可能是韩文：按GB18030读取会变成其他文字。",
        )  # fmt: skip
