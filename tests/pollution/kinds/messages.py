"""CEB603 messages whose elements are missing, doubled, moved or damaged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from aggregator.schemas.modes.m9610 import M9610
from tests.pollution.dialects import Dialect
from tests.pollution.pollution import Pollution, kind
from tests.pollution.truth import COLUMNS, ROWS, Rows, cleared_only

_CLEARED = cleared_only(ROWS)
_OF = {
    M9610.dictionary.by_column[column].element: column for column in COLUMNS
    if column not in ("status_code", "cleared_at", "destination_country_code")
}  # fmt: skip


def messages(dialect: Dialect) -> bool:
    return dialect.format == "message"


def _text(change: Callable[[str], str]) -> Callable[[bytes, Dialect], bytes]:
    return lambda data, _: change(data.decode()).encode("utf-8", "surrogatepass")


def _nth(text: str, pattern: str, place: int, new: str) -> str:
    found = list(re.finditer(pattern, text, re.DOTALL))
    if not found:
        return text
    match = found[place % len(found)]
    return text[: match.start()] + match.expand(new) + text[match.end() :]


def _without(column: str, place: int) -> tuple[Rows, ...]:
    """An element that need not be there may be missing: its cell is blank."""
    if M9610.dictionary.by_column[column].required:
        return (ROWS,)
    numbers = list(dict.fromkeys(row["inventory_no"] for row in _CLEARED))
    if M9610.dictionary.by_column[column].header:
        number = numbers[place % len(numbers)]
        return (ROWS, [{**row, column: ""} if row["inventory_no"] == number else row for row in ROWS], ROWS)
    given = [row for row in _CLEARED if row[column]]
    line = ROWS.index(given[place % len(given)])
    return (ROWS, [{**row, column: ""} if at == line else row for at, row in enumerate(ROWS)], ROWS)


@kind
def elements(round_no: int) -> Iterator[Pollution]:
    ways = {
        "dropped": "", "empty": r"<ceb:\1/>", "twice": r"<ceb:\1>\2</ceb:\1><ceb:\1>\2</ceb:\1>", "twice-other": r"<ceb:\1>\2</ceb:\1><ceb:\1>1</ceb:\1>", "nested": r"<ceb:\1><ceb:\1>\2</ceb:\1></ceb:\1>",
        "renamed": r"<ceb:\1x>\2</ceb:\1x>", "other-case": r"<ceb:\1_>\2</ceb:\1_>", "comment": r"<ceb:\1><!-- x -->\2</ceb:\1>", "cdata": r"<ceb:\1><![CDATA[\2]]></ceb:\1>", "split-cdata": r"<ceb:\1><![CDATA[\2]]><![CDATA[]]></ceb:\1>",
        "nil": r'<ceb:\1 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>', "attribute": r'<ceb:\1 value="\2"/>', "marked-up": r"<ceb:\1>\2<b/></ceb:\1>", "other-namespace": r'<x:\1 xmlns:x="urn:x">\2</x:\1>',
        "unclosed": r"<ceb:\1>\2", "no-prefix": r"<\1>\2</\1>", "text-outside": r"<ceb:\1></ceb:\1>\2", "spaces": "<ceb:\\1>\n  \\2\n </ceb:\\1>", "instruction": r"<ceb:\1><?x 1?>\2</ceb:\1>",
    }  # fmt: skip
    for number, (element, column) in enumerate(_OF.items()):
        for step, (way, new) in enumerate(ways.items()):
            if (number + step + round_no) % 3:
                continue
            place = number + step + round_no
            truths = _without(column, place) if way in ("dropped", "empty", "renamed", "other-case", "nil", "attribute", "text-outside", "other-namespace", "no-prefix") else (ROWS,)
            pattern = rf"<ceb:({element})>([^<]*)</ceb:{element}>"
            yield Pollution(f"{column}.{way}", data=_text(lambda text, pattern=pattern, place=place, new=new: _nth(text, pattern, place, new)), truths=truths, fits=messages)


@kind
def inventories_of_a_message(round_no: int) -> Iterator[Pollution]:
    head, item = r"<ceb:InventoryHead>.*?</ceb:InventoryHead>", r"<ceb:InventoryList>(?:(?!</ceb:InventoryList>).)*</ceb:InventoryList>"
    for place in (0, 2, 5, 7):
        changes: dict[str, Callable[[str], str]] = {
            "no-head": lambda text, place=place: _nth(text, head, place, ""), "empty-head": lambda text, place=place: _nth(text, head, place, "<ceb:InventoryHead/>"),
            "two-heads": lambda text, place=place: _nth(text, f"({head})", place, r"\1\1"), "head-below": lambda text, place=place: _nth(text, rf"({head})(.*?)(</ceb:Inventory>)", place, r"\2\1\3"),
            "renamed-head": lambda text, place=place: _nth(text, "ceb:InventoryHead", place * 2, "ceb:Head"), "empty-item": lambda text, place=place: _nth(text, item, place, "<ceb:InventoryList/>"),
            "item-outside": lambda text, place=place: _nth(text, rf"({item})\s*</ceb:Inventory>", place, r"</ceb:Inventory>\1"), "no-items": lambda text, place=place: _nth(text, rf"({head})\s*({item}\s*)+", place, r"\1"),
            "item-in-item": lambda text, place=place: _nth(text, rf"({item})\s*({item})", place, r"<ceb:InventoryList>\1\2</ceb:InventoryList>"), "nested": lambda text, place=place: _nth(text, r"<ceb:Inventory>(.*?)</ceb:Inventory>", place, r"<ceb:Inventory><ceb:Inventory>\1</ceb:Inventory></ceb:Inventory>"),
            "joined": lambda text, place=place: _nth(text, r"</ceb:Inventory>\s*<ceb:Inventory>", place, ""), "empty": lambda text, place=place: _nth(text, r"<ceb:Inventory>(.*?)</ceb:Inventory>", place, r"<ceb:Inventory/><ceb:Inventory>\1</ceb:Inventory>"),
            "twice": lambda text, place=place: _nth(text, r"(<ceb:Inventory>.*?</ceb:Inventory>)", place, r"\1\1"), "commented": lambda text, place=place: _nth(text, f"({item})(?=\\s*{item})", place, r"<!-- \1 -->"),
            "neither": lambda text, place=place: _nth(text, r"(<ceb:Inventory>).*?(<ceb:invtNo>.*?</ceb:invtNo>).*?(</ceb:Inventory>)", place, r"\1\2\3"), "deleting": lambda text, place=place: _nth(text, "<ceb:appType>1", place, "<ceb:appType>3"),
            "other-root-inside": lambda text, place=place: _nth(text, "</ceb:Inventory>", place, "</ceb:Inventory><ceb:CEB604Message/>"), "stray-text": lambda text, place=place: _nth(text, "</ceb:InventoryList>", place, "</ceb:InventoryList>abc"),
            "unclosed": lambda text, place=place: _nth(text, "</ceb:Inventory>", place, ""), "closed-early": lambda text, place=place: _nth(text, "</ceb:Inventory>", place, "</ceb:Inventory></ceb:CEB603Message>"),
        }  # fmt: skip
        for way, change in changes.items():
            yield Pollution(f"{place}.{way}", data=_text(change), fits=messages)


@kind
def message_as_a_whole(round_no: int) -> Iterator[Pollution]:
    changes: dict[str, Callable[[bytes], bytes]] = {
        "twice": lambda data: data + data, "twice-without-declaration": lambda data: data + data.split(b"\n", 1)[1], "says-gb18030": lambda data: data.replace(b"UTF-8", b"GB18030"), "says-latin-1": lambda data: data.replace(b"UTF-8", b"ISO-8859-1"),
        "says-ascii": lambda data: data.replace(b"UTF-8", b"US-ASCII"), "is-gb18030": lambda data: data.decode().encode("gb18030"), "is-gb18030-and-says-so": lambda data: data.decode().replace("UTF-8", "GB18030").encode("gb18030"),
        "is-gbk-and-says-gb2312": lambda data: data.decode().replace("UTF-8", "GB2312").encode("gbk"), "is-big5": lambda data: data.decode().encode("big5", "replace"), "utf-16": lambda data: data.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        "says-utf-16": lambda data: data.replace(b"UTF-8", b"UTF-16"), "says-nothing": lambda data: data.split(b"\n", 1)[1], "bom": lambda data: b"\xef\xbb\xbf" + data, "bom-inside": lambda data: data.replace(b"<ceb:Inventory>", b"\xef\xbb\xbf<ceb:Inventory>", 1),
        "one-wrong-byte": lambda data: data.replace("棉".encode(), b"\xa3\xff", 1), "nul": lambda data: data.replace(b"<ceb:gname>", b"<ceb:gname>\0", 1), "upper-case": lambda data: data.replace(b"invtNo", b"INVTNO"), "latin-1-twice": lambda data: data.decode("latin-1").encode(),
        "entities": lambda data: data.decode().encode("ascii", "xmlcharrefreplace").replace(b"UTF-8", b"ASCII"), "escaped": lambda data: b"<x>" + data.replace(b"<", b"&lt;") + b"</x>", "in-envelope": lambda data: b"<soap>" + data.split(b"\n", 1)[1] + b"</soap>",
        "doctype": lambda data: data.replace(b"?>\n", b'?>\n<!DOCTYPE a [<!ENTITY e "899">]>\n', 1), "other-version": lambda data: data.replace(b'version="1.0" xmlns', b'version="9.9" xmlns'), "single-line": lambda data: data.replace(b"\n", b""),
        "crlf": lambda data: data.replace(b"\n", b"\r\n"), "cr": lambda data: data.replace(b"\n", b"\r"), "xml-1.1": lambda data: data.replace(b'<?xml version="1.0"', b'<?xml version="1.1"'), "end-lost": lambda data: data.replace(b"</ceb:CEB603Message>", b""),
    }  # fmt: skip
    for name, change in changes.items():
        yield Pollution(name, data=lambda data, _, change=change: change(data), fits=messages)
