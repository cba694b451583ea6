"""Stream the documents of a message: one element at a time, whatever the size of the file.

All input is hostile: nothing outside the file is loaded, no entity is expanded, and a document type refuses the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from aggregator.inputs.export import Source, unusable
from aggregator.inputs.sources.tags import Tags
from aggregator.schemas.text import Text

_NESTED = etree.XPath("boolean(*/*/*)")
_OF_DOCUMENTS = {"inventory", "inventoryhead", "inventorylist", "inventoryreturn", "invtcancelreturn", "summaryreturn", "summaryresult", "invtno", "orderreturn"}
"""Names, in lower case, of documents that are read and of what only they hold."""


@dataclass
class Message:
    """`root`: what the message is; complete once all documents are taken: `children` of the root by name, and how many
    documents there were."""

    source: Source
    root: str = ""
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: Counter[str] = field(default_factory=Counter)

    def documents(self, *names: str) -> Iterator[Any]:
        """The elements of these names right under the root; each is emptied once the next is asked for."""
        try:
            yield from self._documents(names)
        except etree.XMLSyntaxError as error:
            raise self._not_well_formed(error) from None

    def _documents(self, names: tuple[str, ...]) -> Iterator[Any]:
        wanted = [f"{{*}}{name}" for name in names]
        with self.source.path.open("rb") as file:
            passing = Tags(file, self._too_much)
            events = etree.iterparse(
                passing, events=("end",), tag=wanted, resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False,
                remove_comments=True, remove_pis=True,
            )  # fmt: skip
            root = None
            for _, element in events:
                root = root if root is not None else self._open(element.getroottree())
                if element.getparent() is not root:
                    raise self._out_of_place(element)
                yield element
                self._forget(root, element)
                passing.forget()
            self._open(events.root.getroottree())
            for child in events.root:
                self._pass_over(child)
            for tag in [tag for tag in self.children if "}" in tag]:
                self.children[tag.rpartition("}")[2]] += self.children.pop(tag)

    def _open(self, tree: Any) -> Any:
        if tree.docinfo.internalDTD is not None:
            raise unusable("F112", self.source.name, "It has a document type (DOCTYPE).", "文件含有 DOCTYPE 声明。")
        root = tree.getroot()
        self.root, self.namespace = local_name(root), str(root.tag).rpartition("}")[0].lstrip("{")
        self.attributes = dict(root.attrib)
        return root

    def _forget(self, root: Any, element: Any) -> None:
        """Drop the element and what stands before it: memory stays with one document."""
        while (before := element.getprevious()) is not None:
            self._pass_over(before)
            root.remove(before)
        self.children[element.tag] += 1
        # Emptied first: removing it would look at the namespace of everything in it.
        element.clear()
        root.remove(element)

    def _pass_over(self, child: Any) -> None:
        """Of what stands under the root and is no document asked for, count the name; refuse what a document may be lost in."""
        self.children[local_name(child)] += 1
        names = (local_name(part).rpartition(":")[2].casefold() for part in child.iter(etree.Element))
        if any(name in _OF_DOCUMENTS for name in names):
            raise self._out_of_place(child)

    def _out_of_place(self, element: Any) -> Exception:
        name, line = local_name(element), element.sourceline
        return unusable(
            "F112", self.source.name, f"Line {line}: {name} stands where the message has no such element; what it holds would be lost.",
            f"第 {line} 行：{name} 所在位置不符合报文结构，其中内容会丢失。",
        )  # fmt: skip

    def _too_much(self, line: int, what: str, what_zh: str) -> Exception:
        return unusable("F112", self.source.name, f"Line {line}: {what}.", f"第 {line} 行：{what_zh}。")

    def _not_well_formed(self, error: etree.XMLSyntaxError) -> Exception:
        line, column = error.position
        where = f"Line {line}, column {column}: {error.msg}."
        return unusable("F112", self.source.name, where, f"第 {line} 行第 {column} 列：{error.msg}。")


def local_name(element: Any) -> str:
    """Its name without the namespace; what is no sound name (a prefix of no namespace) as it stands."""
    return str(element.tag).rpartition("}")[2]


class NotOnce(Exception):  # noqa: N818 - not an error: who asked says what becomes of it
    """An element that is there twice, or holds elements where a value should stand: which one counts would be a guess."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.text = Text(f"{name} is given twice, or holds other elements.", f"{name} 重复出现，或其中含有其他元素。")


def cells_of(element: Any) -> dict[str, str]:
    """The values of an element by name. Raises NotOnce."""
    cells: dict[str, str] = {}
    for child in element:
        name = local_name(child)
        if name in cells or len(child):
            raise NotOnce(name)
        cells[name] = (child.text or "").strip()
    return cells


def kind_of(source: Source) -> Message:
    """The message with its root looked at, and nothing read of it."""
    message = Message(source)
    try:
        with source.path.open("rb") as file:
            events = etree.iterparse(Tags(file, message._too_much), events=("start",), resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
            for _, element in events:
                message._open(element.getroottree())
                return message
    except etree.XMLSyntaxError as error:
        raise message._not_well_formed(error) from None
    return message


def nested(element: Any) -> bool:
    """Whether grandchildren of the element have children of their own."""
    return bool(_NESTED(element))
