"""Match the headings of an export to columns of the data dictionary."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from aggregator.model.errors import UnusableInput
from aggregator.schemas.field import Dictionary
from aggregator.schemas.file_rules import file_rule
from aggregator.schemas.invisible import without_invisible

_REMEMBERED, _SHORT = 1 << 14, 100
"""So many cells are remembered, of so many characters at the most: the first rows of many files hold the same."""


def normalised(heading: str) -> str:
    """Half-width, without outer white space, invisible characters or case: how headings are compared."""
    return _normalised(heading) if len(heading) <= _SHORT else _normalised.__wrapped__(heading)


@lru_cache(_REMEMBERED)
def _normalised(heading: str) -> str:
    if heading.isascii():
        return heading.strip().casefold()
    return without_invisible(unicodedata.normalize("NFKC", heading)).strip().casefold()


@cache
def known_headings(dictionary: Dictionary) -> dict[str, str]:
    """Every heading that is matched without a mapping, normalised, to its column."""
    headings: dict[str, str] = {}
    for field in dictionary.fields:
        for heading in filter(None, (field.shown, field.element, *field.headings)):
            headings.setdefault(normalised(heading), field.column)
    return headings


@cache
def unused_headings(dictionary: Dictionary) -> frozenset[str]:
    """Headings we know and do not use, normalised."""
    return frozenset(normalised(heading) for heading in dictionary.unused_headings)


@dataclass(frozen=True)
class Matched:
    """`places`: column to its position in the file. `unknown`: positions of headings nothing is known of. `ruled_out`:
    columns that the user says the file does not have."""

    places: dict[str, int]
    unknown: tuple[int, ...]
    ruled_out: tuple[str, ...] = ()


def match_headings(dictionary: Dictionary, headings: Sequence[str], mapping: Iterable[tuple[str, str]]) -> Matched:
    """Match headings; a mapping of (column, heading) wins over what would have matched by itself.

    Raises UnusableInput where two headings stand for one column.
    """
    names = [normalised(heading) for heading in headings]
    wanted = {column: normalised(heading) for column, heading in mapping}
    mapped = {name: column for column, name in wanted.items() if name in names or not name}
    placed = {column for column, name in wanted.items() if name in names or not name}
    places: dict[str, int] = {}
    unknown = []
    for position, name in enumerate(names):
        column = mapped.get(name) if name else None
        if column is None:
            column = known_headings(dictionary).get(name)
            if column in placed:
                column = None
            elif column is None and name and name not in unused_headings(dictionary):
                unknown.append(position)
        if column is None:
            continue
        if column in places:
            first, second = headings[places[column]].strip(), headings[position].strip()
            rule = file_rule("F103")
            raise UnusableInput(
                f"[F103] The headings '{first}' and '{second}' both stand for {dictionary[column].shown}. {rule.remedy.en}",
                f"[F103] 列标题“{first}”与“{second}”都对应 {dictionary[column].shown}。{rule.remedy.zh}",
            )
        places[column] = position
    return Matched(places, tuple(unknown), tuple(column for column, name in wanted.items() if not name))


def missing_columns(dictionary: Dictionary, given: Iterable[str], *, clearing_known: bool) -> list[str]:
    """Required columns that are not given, in the order of the data dictionary; with what says what is cleared, unless that
    is known otherwise."""
    wanted = dictionary.required if clearing_known else (*dictionary.required, *dictionary.status_columns)
    has = set(given)
    return [column for column in wanted if column not in has]


def require_columns(
    dictionary: Dictionary, file: str, headings: Sequence[str], columns: Iterable[str], *, clearing_known: bool
) -> None:
    """Raise UnusableInput naming what is missing, what would have matched and what was found."""
    missing = missing_columns(dictionary, columns, clearing_known=clearing_known)
    if not missing:
        return
    given = set(columns) if not isinstance(columns, set) else columns
    if {"inventory_no", "status_code", "cleared_at"} <= given and not {"commodity_code", "goods_name", "item_no"} & given:
        raise UnusableInput(
            f"[F102] {file}: these are receipts, not an export: they say what is cleared, and have no goods. Give the file with --receipts {file}.",
            f"[F102] {file}：这是回执而不是导出文件：说明了结关状态，而没有商品信息。请用 --receipts {file} 给出。",
        )
    found = ", ".join(heading.strip() for heading in headings if heading.strip())
    fields = [dictionary[column] for column in missing]
    wanted = "; ".join(f"{field.shown} ({' / '.join(filter(None, (field.element, *field.headings)))})" for field in fields)
    rule = file_rule("F102")
    clearing_en = clearing_zh = ""
    if set(missing) & set(dictionary.status_columns):
        clearing_en = " Instead of status_code and cleared_at you can give --receipts FILE, or --assume-cleared."
        clearing_zh = " 也可不提供 status_code 和 cleared_at，而用 --receipts 文件 或 --assume-cleared。"
    raise UnusableInput(
        f"[F102] {file}: missing column {wanted}. Headings found: {found}. {rule.remedy.en}{clearing_en}",
        f"[F102] {file}：缺少列 {wanted}。文件中的列标题：{found}。{rule.remedy.zh}{clearing_zh}",
    )
