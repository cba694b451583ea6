"""Characters that nobody sees: zero-width and formatting characters, control characters, fillers, spaces that are no plain space.

In a number or code one of them makes another value of what looks the same: it finds no partner, or a wrong one. Listed by
hand, so that no library's edition of Unicode decides: categories Cc, Cf, Zl, Zp and Zs (but for the plain space), and
what else draws nothing (combining grapheme joiner, Hangul fillers, variation selectors, tags, the blank Braille pattern).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_RANGES: tuple[tuple[int, int], ...] = (
    (0x0000, 0x001F), (0x007F, 0x00A0), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x0600, 0x0605), (0x061C, 0x061C),
    (0x06DD, 0x06DD), (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x115F, 0x1160), (0x1680, 0x1680),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x2800, 0x2800),
    (0x3000, 0x3000), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB),
    (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_CLASS = "[" + "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in _RANGES) + "]"
_VISIBLE = {code: f"<U+{code:04X}>" for first, last in _RANGES for code in range(first, last + 1)}
_NOTHING = dict.fromkeys(_VISIBLE)


def has_no_invisible(values: pa.Array) -> pa.Array:
    """True where every character of a value can be seen, and where there is no value."""
    if _all_printable_ascii(values):
        return pa.array(np.ones(len(values), dtype=bool))
    return pc.invert(pc.fill_null(pc.match_substring_regex(values, _CLASS), False))


def _all_printable_ascii(values: pa.Array) -> bool:
    """Whether all bytes of all values are those of printable ASCII: one look at them, with no value made of them."""
    _, offsets, data = values.buffers()
    if data is None or not len(values):
        return True
    bounds = np.frombuffer(offsets, dtype=np.int32)
    held = np.frombuffer(data, dtype=np.uint8)[bounds[values.offset] : bounds[values.offset + len(values)]]
    return not len(held) or bool(held.min() >= 0x20 and held.max() < 0x7F)


def made_visible(text: str) -> str:
    """With each invisible character as its code point: L123<U+200B>."""
    return text.translate(_VISIBLE)


def without_invisible(text: str) -> str:
    return text.translate(_NOTHING)
