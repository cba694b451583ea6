"""Read inventories from CEB603 messages: one file, or many of them as one export.

Every inventory is checked against the element tables by itself, and what departs from them is reported at its lines: the message
was accepted by customs, so most of it is for the user to know. What cannot be read in one way only rejects the inventory.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.ceb.elements import Message, kind_of, local_name, nested
from aggregator.inputs.export import Export, FileFinding, Source, Taken, unusable
from aggregator.inputs.formats.spool import SpoolWriter, reported_column
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.unchanged import held, taken_of
from aggregator.inputs.tables.headings import match_headings
from aggregator.schemas.imports import IMPORT_MESSAGES
from aggregator.schemas.messages import NAMESPACE, Element
from aggregator.schemas.modes.m9610.messages import (
    DELETES,
    INVENTORY_HEAD,
    INVENTORY_ITEM,
    MOST_INVENTORIES,
    ROOT_ELEMENTS,
)

ROOT = "CEB603Message"
_AT_ONCE = 5_000
"""Inventories held before they are written as columns."""
_LISTED = {"country": "list_country", "note": "list_note"}
"""Elements of both head and item, told apart in a flat table."""
HEADINGS = (*(each.name for each in INVENTORY_HEAD), *(_LISTED.get(each.name, each.name) for each in INVENTORY_ITEM))

Cells = tuple[str | None, ...]


def open_inventories(sources: Sequence[Source], how: Reading) -> Export:
    """All messages of the sources that are CEB603; those that are not are refused if they were named, and reported if not."""
    path, reported, taken, members = how.room.new_file(".arrow"), list[FileFinding](), list[Taken](), list[str]()
    with _uncollected(), SpoolWriter(path, len(HEADINGS), how.chunk_bytes) as spool:
        writing = _Writing(spool, frozenset(each.element for each in how.dictionary.fields if each.required))
        for source in sources:
            with held(source, how.room) as copy:
                root = kind_of(copy).root
                if root != ROOT:
                    if source.named:
                        raise _wrong_kind(source, root)
                    reported.append(FileFinding("F305", root, None, source.name))
                    continue
                taken.append(taken_of(copy))
                members.append(source.name)
                reported += _read(copy, len(members) - 1, writing)
        writing.flush()
    if not members:
        raise _wrong_kind(sources[0], reported[0].value)
    first = next(source for source in sources if source.name == members[0])
    name = members[0] if len(members) == 1 else first.origin
    return Export(
        name=name,
        path=path,
        dictionary=how.dictionary,
        format="ceb603",
        encoding="xml",
        headings=HEADINGS,
        matched=match_headings(how.dictionary, HEADINGS, ()),
        blocks=tuple(spool.blocks),
        taken=tuple(taken),
        reported=tuple(reported),
        members=tuple(members),
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Texts in tuples make no cycles: the collector would look through millions of them for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _wrong_kind(source: Source, root: str) -> Exception:
    if root in IMPORT_MESSAGES:
        return unusable("F119", source.name, f"It is {root}.", f"报文类型为 {root}。")
    hint_en, hint_zh = "", ""
    if root in ("CEB604Message", "CEB606Message"):
        hint_en, hint_zh = " Give receipts with --receipts.", "回执请用 --receipts 给出。"
    return unusable("F113", source.name, f"It is {root or 'empty'}.{hint_en}", f"该文件是 {root or '空文件'}。{hint_zh}")


def _read(source: Source, member: int, writing: _Writing) -> list[FileFinding]:
    message = Message(source)
    for inventory in message.documents("Inventory"):
        writing.add(inventory, member)
    return [FileFinding("F401", value, None, source.name) for value in _odd_root(message)]


def _odd_root(message: Message) -> Iterator[str]:
    """What of the message around its inventories is not as the spec has it."""
    if message.namespace != NAMESPACE:
        yield f"xmlns={message.namespace}"
    if len(message.attributes.get("guid", "")) != 36:
        yield f"guid={message.attributes.get('guid', '')}"
    counts = message.children
    yield from (f"{name} × {counts[name]}" for name in counts if name not in ROOT_ELEMENTS)
    if counts["Inventory"] > MOST_INVENTORIES:
        yield f"Inventory × {counts['Inventory']}"
    if counts["BaseTransfer"] != 1:
        yield f"BaseTransfer × {counts['BaseTransfer']}"


@dataclass(frozen=True)
class _Layout:
    """What follows from the names of an element's children in their order: how its texts come to stand under the
    headings, and what is odd about the names."""

    tags: list[str]
    arrange: Callable[[list[str | None]], Cells]
    odd: tuple[tuple[str, str], ...]


def _layout(tags: list[str], elements: tuple[Element, ...]) -> _Layout:
    names = [tag.rpartition("}")[2] for tag in tags]
    known = [element.name for element in elements]
    odd = [("F401", f"{name}") for name in dict.fromkeys(names) if name not in known]
    odd += [("F204", f"{name} × {names.count(name)}") for name in dict.fromkeys(names) if name in known and names.count(name) > 1]
    in_order = sorted((name for name in names if name in known), key=known.index)
    if in_order != [name for name in names if name in known]:
        odd.append(("F404", ""))
    places = [names.index(name) if name in names else -1 for name in known]
    return _Layout(tags, itemgetter(*places), tuple(odd))


@dataclass
class _Writing:
    """Inventories on their way to the spool."""

    spool: SpoolWriter
    required_by_rules: frozenset[str]
    layouts: dict[tuple[str, ...], _Layout] = field(default_factory=dict)
    latest: dict[str, _Layout] = field(default_factory=dict)
    heads: list[Cells] = field(default_factory=list)
    items: list[Cells] = field(default_factory=list)
    head_of: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    reported: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, inventory: Any, member: int) -> None:
        first_line = len(self.items)
        children = [(child.tag.rpartition("}")[2], child) for child in inventory]
        items = [child for name, child in children if name == "InventoryList"]
        heads = [child for name, child in children if name == "InventoryHead"]
        if len(heads) != 1 or len(items) + 1 != len(children):
            named = [name for name, _ in children]
            self._report(first_line, "F204", ", ".join(f"{name} × {named.count(name)}" for name in dict.fromkeys(named)))
        if nested(inventory):
            inner = [f"{local_name(child)} > {local_name(child[0])}" for _, part in children for child in part if len(child)]
            self._report(first_line, "F204", ", ".join(inner))
        self.heads.append(self._cells(heads[0], INVENTORY_HEAD, first_line) if heads else _number_alone(inventory))
        for item in items:
            self._line(self._cells(item, INVENTORY_ITEM, len(self.items)), item.sourceline, member)
        if not items:
            # Without an item it is still an inventory, and must not be forgotten: a line with nothing but its head.
            self._line((None,) * len(INVENTORY_ITEM), inventory.sourceline, member)
        if len(self.heads) >= _AT_ONCE:
            self.flush()

    def _line(self, cells: Cells, row: int, member: int) -> None:
        self.items.append(cells)
        self.head_of.append(len(self.heads) - 1)
        self.lines.append(row)
        self.members.append(member)

    def _cells(self, element: Any, elements: tuple[Element, ...], line: int) -> Cells:
        tags, texts = [], []
        for child in element:
            tags.append(child.tag)
            texts.append(child.text)
        # Nearly always an element has the names of the one before it, in the same order.
        layout = self.latest.get(elements[0].name)
        if layout is None or layout.tags != tags:
            layout = self.layouts.get(tuple(tags)) or self.layouts.setdefault(tuple(tags), _layout(tags, elements))
            self.latest[elements[0].name] = layout
        for code, value in layout.odd:
            self._report(line, code, value)
        texts.append(None)
        return layout.arrange(texts)

    def _report(self, line: int, code: str, value: str) -> None:
        self.reported.setdefault(line, []).append((code, value))

    def flush(self) -> None:
        """Columns of what is held, checked against the element tables."""
        if not self.items:
            return
        of_line = pa.array(self.head_of)
        first_lines = np.flatnonzero(np.diff(self.head_of, prepend=-1))
        cells = []
        for element, column in zip(INVENTORY_HEAD, zip(*self.heads, strict=True), strict=True):
            values = pa.array(column, pa.string())
            self._check(element, values, first_lines)
            cells.append(values.take(of_line))
        every_line = np.arange(len(self.items))
        for element, column in zip(INVENTORY_ITEM, zip(*self.items, strict=True), strict=True):
            values = pa.array(column, pa.string())
            self._check(element, values, every_line)
            cells.append(values)
        self.spool.add(cells, self.lines, self.members, reported_column(self.reported, len(self.items)) if self.reported else None)
        for waiting in (self.heads, self.items, self.head_of, self.lines, self.members):
            waiting.clear()
        self.reported.clear()

    def _check(self, element: Element, values: pa.Array, lines: np.ndarray[Any, Any]) -> None:
        """Report values that are not of the form the spec gives; required ones that a rule misses anyway are left to it."""
        for place in element.unsound(values):
            self._report(int(lines[place]), "F403", f"{element.name}={values[place].as_py()}")
        if element.required and element.name not in self.required_by_rules:
            for place in _where(pc.fill_null(values, ""), ""):
                self._report(int(lines[place]), "F402", element.name)
        if element.name == "appType":
            for place in _where(values, DELETES):
                self._report(int(lines[place]), "F205", f"appType={DELETES}")


def _number_alone(inventory: Any) -> Cells:
    """The head of an inventory that has none: only its number, where one stands somewhere in it."""
    seen = {(each.text or "").strip() for each in inventory.iter("{*}invtNo")} - {""}
    number = seen.pop() if len(seen) == 1 else None
    return tuple(number if element.name == "invtNo" else None for element in INVENTORY_HEAD)


def _where(values: pa.Array, value: str) -> list[int]:
    found: list[int] = pc.indices_nonzero(pc.fill_null(pc.equal(values, value), False)).to_pylist()
    return found
