"""Whether bytes are text of an encoding, and where they cease to be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


class Undecodable(Exception):  # noqa: N818 - not an error yet: another encoding may fit
    def __init__(self, offset: int, before: bytes) -> None:
        self.offset = offset
        self.line = before.count(b"\n") + 1
        self.non_ascii_before = len(before) - len(before.translate(None, bytes(range(0x80, 0x100))))


def must_decode(block: bytes, encoding: str, offset: int, row: int) -> None:
    try:
        if encoding == "utf-8":
            bounds = pa.py_buffer(np.array([0, len(block)], dtype=np.int32))
            pa.Array.from_buffers(pa.binary(), 1, [None, bounds, pa.py_buffer(block)]).cast(pa.string())
        else:
            block.decode(encoding)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        try:
            block.decode(encoding)
        except UnicodeDecodeError as error:
            failure = Undecodable(offset + error.start, block[: error.start])
            failure.line += row - 1
            raise failure from None
