"""Thrift's compact protocol, as far as the footers of Parquet files need it: structures read without knowing what they mean, and
written again to the same bytes."""

from __future__ import annotations

import struct
from typing import Any

Struct = dict[int, tuple[int, Any]]
"""Type and value by the number of a field, in their order. A list is (type, values); a structure that is only to be written may be its bytes."""
_TRUE, _FALSE, _BYTE, _I16, _I64, _DOUBLE, _BINARY, LIST, _SET, STRUCT = 1, 2, 3, 4, 6, 7, 8, 9, 10, 12
_SHORT = 15
"""A step to the next field, or a length of a list, that no longer fits half a byte."""


def read_struct(data: bytes) -> Struct:
    return _Reader(data).struct()


def struct_bytes(fields: Struct) -> bytes:
    out = bytearray()
    _write_struct(out, fields)
    return bytes(out)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        result, shift = 0, 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    def signed(self) -> int:
        number = self.number()
        return (number >> 1) ^ -(number & 1)

    def taken(self, length: int) -> bytes:
        self.at += length
        return self.data[self.at - length : self.at]

    def struct(self) -> Struct:
        fields: Struct = {}
        place = 0
        while head := self.byte():
            kind, step = head & 0xF, head >> 4
            place = place + step if step else self.signed()
            fields[place] = (kind, kind == _TRUE if kind in (_TRUE, _FALSE) else self.value(kind))
        return fields

    def value(self, kind: int) -> Any:
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, _SET):
            head = self.byte()
            length, each = head >> 4, head & 0xF
            return each, [self.value(each) for _ in range(self.number() if length == _SHORT else length)]
        if _I16 <= kind <= _I64:
            return self.signed()
        if kind in (_TRUE, _FALSE, _BYTE):
            return self.byte()
        if kind == _DOUBLE:
            return struct.unpack("<d", self.taken(8))[0]
        if kind == _BINARY:
            return self.taken(self.number())
        raise ValueError(f"no such type in a footer of Parquet: {kind}")


def _write_struct(out: bytearray, fields: Struct) -> None:
    before = 0
    for place, (kind, value) in fields.items():
        is_flag = kind in (_TRUE, _FALSE)
        kind = (_TRUE if value else _FALSE) if is_flag else kind
        if 0 < place - before <= _SHORT:
            out.append((place - before) << 4 | kind)
        else:
            out.append(kind)
            _write_signed(out, place)
        if not is_flag:
            _write(out, kind, value)
        before = place
    out.append(0)


def _write(out: bytearray, kind: int, value: Any) -> None:
    if kind == STRUCT and isinstance(value, bytes):
        out += value
    elif kind == STRUCT:
        _write_struct(out, value)
    elif kind in (LIST, _SET):
        each, values = value
        out.append(min(len(values), _SHORT) << 4 | each)
        if len(values) >= _SHORT:
            _write_number(out, len(values))
        for one in values:
            _write(out, each, one)
    elif _I16 <= kind <= _I64:
        _write_signed(out, value)
    elif kind == _DOUBLE:
        out += struct.pack("<d", value)
    elif kind == _BINARY:
        _write_number(out, len(value))
        out += value
    else:
        out.append(value)


def _write_number(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_signed(out: bytearray, value: int) -> None:
    _write_number(out, value << 1 if value >= 0 else (-value << 1) - 1)
