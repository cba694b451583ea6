"""Text that was read in another encoding than it was written in, or lost characters on its way.

Certain are characters that no text has (control characters, the replacement character), what such characters become in the next
wrong turn (锟斤拷), and text whose bytes are UTF-8 of Chinese in the encoding it was read in. In doubt are characters nobody can
print, question marks or boxes in a row, escapes of other formats, and Chinese of characters that nobody uses. Names in plain
Chinese, simplified or traditional, are neither: every character that GB 2312, the everyday half of Big5 or of JIS X 0208 has
is plain.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import cache
from itertools import chain, product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_LOST = re.compile(rf"[{_CONTROLS}\ufffd\ufdd0-\ufdef\ufffe\uffff]|锟斤|斤拷|~\{{(?:[!-}}][!-~])+~\}}")
"""The last is Chinese in the encoding HZ."""
_UTF_8 = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}|\xe2[\x80-\xbf]{2}|\xef[\xbc\xbd][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]|\xf0\x9f[\x80-\xbf]{2})")
"""Chinese, its punctuation, and emoji, also as halves of pairs."""
_CHINESE_UTF_8 = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}|\xef[\xbc\xbd][\x80-\xbf]")
_SHARE = 0.6
"""Of the bytes of a text; the rest fell to the replacement of what did not decode."""
_CP1252 = {bytes([byte]).decode("cp1252"): byte for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
_SINGLE_BYTE = {**{chr(byte): byte for byte in range(0x80, 0x100)}, **_CP1252}
_SINGLE_BYTES = re.compile("[" + "".join(map(re.escape, _SINGLE_BYTE)) + "]{2,}")

_DOUBT = re.compile(r"\?\?|□□|&#x?[0-9A-Fa-f]{2,6};|\\u[0-9A-Fa-f]{4}|%E[2-9]%[89AB][0-9A-F]", re.IGNORECASE)
_UTF_7 = re.compile(r"\+([A-Za-z0-9+/]{5,})-?")
_PRIVATE = (0xE000, 0xF8FF)
_HANZI = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF))
_PHONETIC = re.compile("[\u3041-\u306d\u306f-\u30fa\u3105-\u312f\uff66-\uff9d]")
"""Kana and Bopomofo, but for の, which Chinese brands are fond of."""
_MANY_RARE = 0.4
_NO_CHANCE = 4
"""Characters of Chinese as Big5: of fewer nothing is said."""


def is_whole(values: pa.Array) -> pa.Array:
    """True where a value is certainly not text that was garbled, and where there is no value."""
    return _sound(values, is_certainly_garbled)


def is_plausible(values: pa.Array) -> pa.Array:
    return _sound(values, is_doubtful)


def is_certainly_garbled(text: str) -> bool:
    return _LOST.search(text) is not None or _is_utf_8_as_single_bytes(text) or _is_utf_8_as_gb18030(text)


def is_doubtful(text: str) -> bool:
    """Whether a text may be garbled."""
    if _DOUBT.search(text) or any(map(_is_utf_7, _UTF_7.findall(text))) or _is_gb18030_as_single_bytes(text) or _is_gb18030_as_big5(text):
        return True
    kinds = _kinds()[_points(text)]
    rare, hanzi = int((kinds == _RARE).sum()), int(((kinds == _RARE) | (kinds == _EVERYDAY)).sum())
    if (kinds == _NOT_PRINTED).any() or (rare >= 2 and rare >= _MANY_RARE * hanzi):
        return True
    return rare > 0 and _PHONETIC.search(text) is not None


def _is_utf_8_as_single_bytes(text: str) -> bool:
    return any(_CHINESE_UTF_8.search(bytes(_SINGLE_BYTE[each] for each in run)) for run in _SINGLE_BYTES.findall(text))


def _is_utf_8_as_gb18030(text: str) -> bool:
    points = _points(text)
    if not (_kinds()[points] > _EVERYDAY).any():
        return False
    raw = "".join(each for each in text if not each.isascii()).encode("gb18030", "replace")
    found = list(map(len, _UTF_8.findall(raw)))
    return len(found) > 1 and sum(found) >= _SHARE * len(raw)


def _is_gb18030_as_single_bytes(text: str) -> bool:
    """Two characters at least, of everyday Chinese."""
    for run in _SINGLE_BYTES.findall(text):
        try:
            read = bytes(_SINGLE_BYTE[each] for each in run).decode("gb2312")
        except UnicodeDecodeError:
            continue
        if len(read) > 1 and (_kinds()[_points(read)] == _EVERYDAY).all():
            return True
    return False


def _is_gb18030_as_big5(text: str) -> bool:
    """Whether it stands for everyday Chinese, as of real text one character in four does by chance."""
    kinds = _as_big5()[_points(text)]
    return not (kinds == _NOT_PRINTED).any() and int((kinds == _EVERYDAY).sum()) >= _NO_CHANCE


def _is_utf_7(encoded: str) -> bool:
    """Whether it stands for everyday Chinese, as it does not by chance."""
    raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4)) if len(encoded) % 4 != 1 else b""
    points = np.frombuffer(raw[: len(raw) // 2 * 2], ">u2").astype(np.int64)
    punctuation = (points >> 8 == 0xFF) | (points >> 6 == 0x3000 >> 6)
    return len(points) > 1 and bool(((_kinds()[points] == _EVERYDAY) | punctuation).all())


# ---------------------------------------------------------------------------------------------------- kinds of characters

_EVERYDAY, _RARE, _NOT_PRINTED, _ODD = 1, 2, 3, 4
"""Kinds of characters that matter here: hanzi of the everyday sets and others, private use, and what has to be looked at."""


@cache
def _kinds() -> Any:
    """The kind of each character of the basic plane; 0 for all that do not matter."""
    kinds = np.zeros(0x10000, dtype=np.uint8)
    for first, last in _HANZI:
        kinds[first : last + 1] = _RARE
    kinds[_everyday()] = _EVERYDAY
    kinds[_PRIVATE[0] : _PRIVATE[1] + 1] = _NOT_PRINTED
    odd = re.compile(rf"[{_CONTROLS}\u00c0-\u00ff\ufdd0-\ufdef\ufffd\ufffe\uffff□锟拷]")
    kinds[list(map(ord, odd.findall("".join(map(chr, range(0x10000))))))] = _ODD
    return kinds


@cache
def _as_big5() -> Any:
    """What each character of the basic plane would be if its bytes in Big5 were of GB 2312: everyday where it is a hanzi there and
    here, 0 where it is one neither there nor here (or ASCII); not printed where it cannot be so."""
    kinds = np.full(0x10000, _NOT_PRINTED, dtype=np.uint8)
    kinds[:0x80] = 0
    for raw in map(bytes, product(range(0xA1, 0xF8), range(0xA1, 0xFF))):
        try:
            raw.decode("gb2312")
            each = raw.decode("big5")
            if each.encode("big5") != raw:
                continue
        except UnicodeError:
            continue
        hanzi = "\u4e00" <= each <= "\u9fff" or each in "々〇"
        if hanzi == (0xB0 <= raw[0] <= 0xD7):
            kinds[ord(each)] = _EVERYDAY if hanzi else 0
    return kinds


def make_tables() -> None:
    """Before they are asked for."""
    _kinds()
    _as_big5()


def _everyday() -> Any:
    """All hanzi of GB 2312, the frequent half of those of Big5, the first level of JIS X 0208: by their first byte of two."""
    hanzi = "".join(map(chr, chain.from_iterable(range(first, last + 1) for first, last in _HANZI)))
    found = []
    for encoding, first, last in (("gb2312", 0xB0, 0xF7), ("big5", 0xA4, 0xC6), ("euc_jp", 0xB0, 0xCF)):
        pairs = re.sub(rb"\x8f..", b"", hanzi.encode(encoding, "ignore"), flags=re.DOTALL)
        leads = np.frombuffer(pairs, np.uint8)[::2]
        found.append(_points(pairs.decode(encoding))[(leads >= first) & (leads <= last)])
    return np.concatenate(found)


def _points(text: str) -> Any:
    """Characters as numbers; those beyond the basic plane as two that are of no kind."""
    return np.frombuffer(text.encode("utf-16-le", "replace"), np.uint16)


# --------------------------------------------------------------------------------------------------------- of whole columns

_ODD_PIECES = {b"?": rb"\?\?", b"&": b"&#", b"\\": rb"\\u", b"~": rb"~\{", b"%": b"%[Ee]", b"+": rb"\+[A-Za-z0-9+/]{5}"}


def _sound(values: pa.Array, is_bad: Callable[[str], bool]) -> pa.Array:
    """Distinct values that something is odd about are looked at one by one."""
    if not _any_odd(values):
        return pa.array(np.ones(len(values), dtype=bool))
    encoded = values.dictionary_encode()
    sound = np.ones(len(encoded.dictionary) + 1, dtype=bool)
    suspects = _suspects(encoded.dictionary)
    sound[suspects] = [not is_bad(text) for text in encoded.dictionary.take(pa.array(suspects)).to_pylist()]
    return pa.array(sound).take(pc.fill_null(encoded.indices, len(sound) - 1))


def _suspects(values: pa.Array) -> Any:
    """Places of the values that something is odd about, by one look at all their characters."""
    text = _bytes_of(values).to_pybytes()
    bounds = np.frombuffer(values.buffers()[1], np.int32)[values.offset : values.offset + len(values) + 1]
    bounds = bounds - bounds[0]
    suspect = np.zeros(len(values), dtype=bool)
    for mark, piece in _ODD_PIECES.items():
        spans = np.array([found.span() for found in re.finditer(piece, text)] if mark in text else [], np.int64).reshape(-1, 2)
        of_value = np.searchsorted(bounds, spans[:, 0], side="right") - 1
        suspect[of_value[spans[:, 1] <= bounds[of_value + 1]]] = True
    held = np.frombuffer(text, np.uint8)
    if len(held) and not (held.min() >= ord(" ") and held.max() < 0x7F):
        # Where each value ends among 16-bit units: a character is one, or two where UTF-8 takes four bytes.
        units = np.cumsum((held & 0xC0 != 0x80).astype(np.int32) + (held >= 0xF0))
        ends = np.append(0, units)[bounds]
        points = _points(text.decode())
        suspect |= _any_of_each(_kinds().take(points) > _EVERYDAY, ends) > 0
        # Chinese as Big5 may be of everyday characters alone: it is looked for where other values of the column are odd.
        as_big5 = _as_big5().take(points)
        suspect |= (_any_of_each(as_big5 == _EVERYDAY, ends) >= _NO_CHANCE) & (_any_of_each(as_big5 == _NOT_PRINTED, ends) == 0)
    return np.flatnonzero(suspect)


def _any_of_each(mask: Any, ends: Any) -> Any:
    """How many are marked between one end and the next."""
    return np.diff(np.append(0, np.cumsum(mask))[ends])


_last: list[tuple[pa.Array, bool]] = []
"""Two rules look at the same column one after the other. The array is held, so that nothing else comes to stand in its place."""


def _any_odd(values: pa.Array) -> bool:
    held = _bytes_of(values)
    for before, answer in _last:
        if (known := _bytes_of(before)).address == held.address and known.size == held.size:
            return answer
    _last[:] = [(values, _is_odd(held.to_pybytes()))]
    return _last[0][1]


def _bytes_of(values: pa.Array) -> pa.Buffer:
    """All values as one text."""
    _, offsets, data = values.buffers()
    if data is None or not len(values):
        return pa.py_buffer(b"")
    bounds = np.frombuffer(offsets, dtype=np.int32)
    start = int(bounds[values.offset])
    return data.slice(start, int(bounds[values.offset + len(values)]) - start)


def _is_odd(text: bytes) -> bool:
    if any(mark in text and re.search(piece, text) for mark, piece in _ODD_PIECES.items()):
        return True
    held = np.frombuffer(text, np.uint8)
    if not len(held) or (held.min() >= ord(" ") and held.max() < 0x7F):
        return False
    return bool(_kinds().take(_points(text.decode("utf-8", "replace"))).max() > _EVERYDAY)
