"""One Parquet file of parts that were written apart, each a file of whole row groups: their bytes one after the other, and one footer.
It is byte for byte the file that one writer would have made of all rows. Nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aggregator.outputs.thrift import LIST, STRUCT, Struct, read_struct, struct_bytes

_MAGIC = b"PAR1"
_LENGTH = 4
_ROWS, _GROUPS = 3, 4
"""Fields of FileMetaData."""
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
"""Fields of RowGroup."""
_COLUMN_META = 3
_COLUMN_OFFSETS, _META_OFFSETS = (2, 4, 6), (9, 10, 11, 14)
"""Fields of ColumnChunk and of its ColumnMetaData that say where in the file something lies."""


def join_parquet(path: Path, parts: Iterable[bytes]) -> None:
    """In: files of the same schema, one at least."""
    whole: Struct | None = None
    # Their bytes: as structures those of many million lines would take tens of megabytes.
    written = list[bytes]()
    with path.open("wb") as sink:
        sink.write(_MAGIC)
        for part in parts:
            body, footer = _taken_apart(part)
            for group in footer[_GROUPS][1][1]:
                _shift(group, sink.tell() - len(_MAGIC))
                if _ORDINAL in group:
                    group[_ORDINAL] = (group[_ORDINAL][0], len(written))
                written.append(struct_bytes(group))
            sink.write(body)
            if whole is None:
                whole = footer
            else:
                whole[_ROWS] = (whole[_ROWS][0], whole[_ROWS][1] + footer[_ROWS][1])
        assert whole is not None, "no parts"
        whole[_GROUPS] = (whole[_GROUPS][0], (STRUCT, written))
        metadata = struct_bytes(whole)
        sink.write(metadata + len(metadata).to_bytes(_LENGTH, "little") + _MAGIC)


def _taken_apart(part: bytes) -> tuple[memoryview, Struct]:
    end = len(part) - len(_MAGIC) - _LENGTH
    begin = end - int.from_bytes(part[end : end + _LENGTH], "little")
    return memoryview(part)[len(_MAGIC) : begin], read_struct(part[begin:end])


def _shift(group: Struct, by: int) -> None:
    _moved(group, (_GROUP_OFFSET,), by)
    kind, (each, columns) = group[_COLUMNS]
    assert (kind, each) == (LIST, STRUCT)
    for column in columns:
        _moved(column, _COLUMN_OFFSETS, by)
        _moved(column[_COLUMN_META][1], _META_OFFSETS, by)


def _moved(fields: Struct, places: Iterable[int], by: int) -> None:
    """Add to these fields, where they are given: 0 is where nothing lies."""
    for place in places:
        if place in fields and fields[place][1] > 0:
            fields[place] = (fields[place][0], fields[place][1] + by)
