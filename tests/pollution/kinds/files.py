"""The file as a whole: cut off, with a hole, with more behind it, pasted together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

from tests.pollution.dialects import TEXT, Dialect, encoded, grid_of, records_of, text_of
from tests.pollution.pollution import Pollution, kind, text_only
from tests.pollution.truth import ROWS, Rows, by_inventory

_NUMBERS = list(by_inventory(ROWS))
_ENOUGH = 40


def _ends(data: bytes, dialect: Dialect) -> list[int]:
    """Where records end."""
    mark = encoded(dialect.line_end, dialect.encoding.removesuffix("-sig").replace("utf-16", "utf-16-le"))
    found, at = [0], data.find(mark)
    while at >= 0:
        found.append(at + len(mark))
        at = data.find(mark, at + 1)
    return found


def _cut(share: float) -> Callable[[bytes, Dialect], bytes]:
    """At a share of the length, but within a record, for nobody misses lines of whole inventories."""

    def change(data: bytes, dialect: Dialect) -> bytes:
        at = int(len(data) * share)
        if dialect.format != "text":
            return data[:at]
        ends = _ends(data, dialect)
        before = max(end for end in ends if end <= at)
        after = min((end for end in ends if end > at), default=len(data))
        if at - before < _ENOUGH or after - at < _ENOUGH:
            at = (before + after) // 2
        return data[:at]

    return change


@kind
def truncated(round_no: int) -> Iterator[Pollution]:
    for number in range(60):
        share = (number + 0.5 + round_no * 0.31 % 0.5) / 60
        yield Pollution(f"at-{share:.4f}", data=_cut(share))


@kind
def cut_at_the_front(round_no: int) -> Iterator[Pollution]:
    """The beginning is lost."""
    for number in range(20):
        share = (number + 0.5) / 20
        yield Pollution(f"at-{share:.3f}", data=lambda data, _, share=share: data[int(len(data) * share) :])


def _hole(share: float, length: int, fill: bytes | None) -> Callable[[bytes, Dialect], bytes]:
    def change(data: bytes, dialect: Dialect) -> bytes:
        ends = _ends(data, dialect) if dialect.format == "text" else [0, len(data)]
        at = int(len(data) * share)
        before = max(end for end in ends if end <= at)
        after = min((end for end in ends if end > at), default=len(data))
        if dialect.format == "text":
            # Within one row, or from one into the next but not to the same place there: what is left is no whole row.
            at = before + (after - before) // 3
            length_here = length if length < (after - before) // 3 else (after - before) * 5 // 4
        else:
            length_here = length
        return data[:at] + (b"" if fill is None else fill * (length_here // len(fill))) + data[at + length_here :]

    return change


@kind
def hole(round_no: int) -> Iterator[Pollution]:
    """Bytes lost, or overwritten, in the middle."""
    for number in range(30):
        share = 0.15 + 0.8 * (number + round_no * 0.37 % 1) / 30
        for length, fill in ((7, None), (2000, None), (64, b"\0"), (2000, b"\0"), (2000, b"\xff"), (16, b"\x1a"))[number % 3 :: 3]:
            called = f"{share:.3f}.{length}.{'lost' if fill is None else fill.hex()}"
            yield Pollution(called, data=_hole(share, length, fill))


_GARBAGE: dict[str, bytes] = {
    "nul": b"\0", "many-nul": b"\0" * 4096, "end-of-file": b"\x1a", "words": b"Done.\r\n", "html": b"<html><body>502 Bad Gateway</body></html>\n", "traceback": b"Traceback (most recent call last):\n  File \"a.py\", line 3\n",
    "noise": bytes((number * 73 + 41) % 256 for number in range(500)), "warning": b"\nWarning: mysql_fetch_array() expects parameter 1\n", "gb18030": "导出完毕".encode("gb18030"), "utf-8": "导出完毕".encode(),
    "commas": b",,,,,,,,\n", "quote": b'"', "open-quote": b'\n"', "xml": b"<?xml version='1.0'?><a/>", "zip": b"PK\x03\x04" + bytes(60), "spaces": b" " * 300, "returns": b"\r\r\r", "json": b'{"code":0,"msg":"ok"}',
}  # fmt: skip


@kind
def more_behind(round_no: int) -> Iterator[Pollution]:
    for name, more in _GARBAGE.items():
        for times in (1, 3):
            yield Pollution(f"{name}.{times}", data=lambda data, _, more=more, times=times: data + more * times)


@kind
def more_before(round_no: int) -> Iterator[Pollution]:
    for name, more in _GARBAGE.items():
        yield Pollution(name, data=lambda data, _, more=more: more + data)


@kind
def more_in_between(round_no: int) -> Iterator[Pollution]:
    """What another program wrote into the same file, at the border of two rows or in one."""
    for number, (name, more) in enumerate(_GARBAGE.items()):
        for within in (False, True):

            def change(data: bytes, dialect: Dialect, more: bytes = more, number: int = number + round_no, within: bool = within) -> bytes:
                ends = _ends(data, dialect)
                place = 4 + number % (len(ends) - 8)
                at = (ends[place] + ends[place + 1]) // 2 if within else ends[place]
                return data[:at] + more + data[at:]

            yield Pollution(f"{name}.{'within' if within else 'border'}", data=change, fits=text_only)


def _export(rows: Rows, dialect: Dialect, *, headed: bool) -> bytes:
    grid = grid_of(rows, dialect)
    records = records_of(grid, dialect)
    return encoded(text_of(records if headed else records[grid.first :], dialect), dialect.encoding)


@kind
def pasted_together(round_no: int) -> Iterator[Pollution]:
    """Two exports in one file, of one dialect or two, with and without headings, with and without a line end between."""
    others = cycle(TEXT[(round_no + 1) * 53 :: 29])
    for line in (3, 8, 13, 21):
        for way in ("headings", "no-headings", "no-line-end", "mark", "other-dialect", "other-dialect-no-headings", "twice", "blank"):
            other = next(others)

            def change(data: bytes, dialect: Dialect, line: int = line, way: str = way, other: Dialect = other) -> bytes:
                first = _export(ROWS[:line], dialect, headed=True)
                rest = _export(ROWS[line:], other if way.startswith("other") else dialect, headed="no-headings" not in way)
                if way == "no-line-end":
                    first = first.removesuffix(encoded(dialect.line_end, dialect.encoding).removeprefix(b"\xff\xfe"))
                if way == "mark":
                    rest = b"\xef\xbb\xbf" + rest
                if way == "blank":
                    rest = encoded(dialect.line_end * 3, dialect.encoding.removesuffix("-sig")) + rest
                return first + rest if way != "twice" else data + data

            yield Pollution(f"{line}.{way}.{other.name if way.startswith('other') else 'same'}", data=change, fits=text_only)
