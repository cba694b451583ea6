"""XML as it passes on to its parser: what would keep the parser busy for hours, or fill the memory, is refused on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

LONGEST_TAG = 1 << 16
"""Bytes; attributes of a tag are compared with one another, each with all."""
MOST_TAGS = 500_000
"""Of what is held at once: a document, or what stands beside documents. The largest real ones have some thousand."""
_LONG = re.compile(rb"<[^!<>][^<>]{%d}" % LONGEST_TAG)
_HALF = LONGEST_TAG // 2


class Tags:
    """A file for a parser. `refused`: makes what is raised, of the line and what is wrong there in English and Chinese."""

    def __init__(self, file: BinaryIO, refused: Callable[[int, str, str], Exception]) -> None:
        self._file, self._refused = file, refused
        self._before, self._held, self._line = b"", 0, 1

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._held += piece.count(b"<")
        self._line += piece.count(b"\n")
        if self._held > MOST_TAGS:
            raise self._refused(self._line, f"more than {MOST_TAGS:,} tags in one document", f"单个单证内的标签超过 {MOST_TAGS:,} 个")
        # Where every stretch of half its length has an end of a tag, none is so long.
        if piece.find(b">") < 0 or len(piece) > _HALF:
            whole = self._before + piece
            if any(whole.find(b">", start, start + _HALF) < 0 for start in range(0, len(whole), _HALF)) and _LONG.search(whole):
                raise self._refused(self._line, f"a tag longer than {LONGEST_TAG:,} bytes", f"标签长度超过 {LONGEST_TAG:,} 字节")
        self._before = (self._before + piece)[-2 * LONGEST_TAG :] if piece.find(b">") < 0 else piece
        return piece

    def forget(self) -> None:
        """What was held is dropped."""
        self._held = 0
