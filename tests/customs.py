"""A customs for tests: takes our CEB701 messages, merges the inventories it released by the law's key, written anew here, and
answers with CEB702 and CEB792; if asked to, wrongly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from aggregator.schemas.messages import NAMESPACE

MOST_ITEMS = 50
_HEADER = ("declaring_customs_code", "trade_mode_code", "consignor_code", "producer_seller_code", "producer_seller_name",
           "transport_mode_code", "arrival_country_code", "exit_customs_code")  # fmt: skip
_BODY = ("commodity_code", "destination_country_code", "currency_code", "declared_unit_code", "statutory_unit_code",
         "second_statutory_unit_code", "enterprise_goods_name")  # fmt: skip
Line = dict[str, str]


@dataclass
class Asked:
    """An application as it came: its parts with their numbers."""

    head: dict[str, str]
    parts: dict[int, list[str]] = field(default_factory=dict)

    @property
    def numbers(self) -> list[str]:
        return [number for part in sorted(self.parts) for number in self.parts[part]]


@dataclass(frozen=True)
class Made:
    """A declaration of customs: lines of (inventory, item number, item of the declaration, commodity code)."""

    summary_seq_no: str
    consignor_code: str
    customs_code: str
    lines: tuple[tuple[str, int, int, str], ...]
    gross: Decimal
    net: Decimal


class SimulatedCustoms:
    def __init__(self, released: Iterable[Line]) -> None:
        self.released: dict[str, list[Line]] = defaultdict(list)
        for line in released:
            self.released[line["inventory_no"]].append(line)
        self.asked: dict[str, Asked] = {}
        self._serial = 0

    def take(self, folder: Path) -> None:
        """All messages of a run."""
        for path in sorted((folder / "summary_applications").iterdir()):
            for apply in etree.parse(path).getroot().iter(f"{{{NAMESPACE}}}SummaryApply"):
                head = {etree.QName(child).localname: child.text for child in apply[0]}
                asked = self.asked.setdefault(head["copNo"], Asked(head))
                asked.parts[int(head["msgSeqNo"])] = [child[0].text for child in apply[1:]]
        for asked in self.asked.values():
            assert sorted(asked.parts) == list(range(1, int(asked.head["msgCount"]) + 1))

    def merge(self, cop_no: str) -> list[Made]:
        """The declarations of one application."""
        asked = self.asked[cop_no]
        declarations: dict[tuple[str, ...], dict[tuple[str, ...], list[Line]]] = defaultdict(lambda: defaultdict(list))
        for number in asked.numbers:
            for line in self.released[number]:
                header = tuple(line[name] for name in _HEADER)
                declarations[header][tuple(line[name] for name in _BODY)].append(line)
        made = []
        for _, items in sorted(declarations.items()):
            ordered = sorted(items.items())
            for start in range(0, len(ordered), MOST_ITEMS):
                some = ordered[start : start + MOST_ITEMS]
                lines = [
                    (line["inventory_no"], int(line["item_no"]), item, line["commodity_code"])
                    for item, (_, of_item) in enumerate(some, 1) for line in of_item
                ]  # fmt: skip
                heads = {number: self.released[number][0] for number, *_ in lines}
                gross, net = (sum((Decimal(head[name]) for head in heads.values()), Decimal(0)) for name in ("gross_weight_kg", "net_weight_kg"))
                self._serial += 1
                made.append(Made(f"{self._serial:018d}", asked.head["ebcCode"], asked.head["customsCode"], tuple(sorted(lines)), gross, net))
        return made


def _message(kind: str, documents: Sequence[str]) -> bytes:
    body = "\n".join(documents)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ceb:{kind} guid="{"0" * 36}" version="1.0" xmlns:ceb="{NAMESPACE}">\n{body}\n</ceb:{kind}>\n'.encode()


def _tags(cells: dict[str, str]) -> str:
    return "".join(f"<ceb:{name}>{escape(value)}</ceb:{name}>" for name, value in cells.items() if value)


def receipts(asked: Asked, status: str, at: str, *, parts: Iterable[int] | None = None) -> bytes:
    """A CEB702 for each part."""
    return _message(
        "CEB702Message",
        [
            "<ceb:SummaryReturn>"
            + _tags({
                "guid": "0" * 36, "agentCode": asked.head["agentCode"], "ebcCode": asked.head["ebcCode"], "copNo": asked.head["copNo"],
                "preNo": "B" + "0" * 17, "sumNo": "S" * 18, "msgSeqNo": str(part), "returnStatus": status, "returnTime": at,
                "returnInfo": f"[Code:{status};Desc:x]",
            })
            + "</ceb:SummaryReturn>"
            for part in (sorted(asked.parts) if parts is None else parts)
        ],
    )  # fmt: skip


def results(made: Made, at: str, *, parts: int = 1, entry: str = "", body: bool = True, edition: str = "202205") -> list[bytes]:
    """A CEB792 in so many parts; `entry`: the number of the declaration; without a body only the head."""
    size = -(-len(made.lines) // parts)
    cut = [made.lines[start : start + size] for start in range(0, len(made.lines), size)] if body else [()]
    messages = []
    for place, lines in enumerate(cut, 1):
        head = _tags({
            "guid": "0" * 36, "customsCode": made.customs_code, "sumNo": "S" * 18, "opDate": at, "declSeqNo": made.summary_seq_no,
            "entryId": entry, "decState": "A", "ebcCode": made.consignor_code, "grossWeight": str(made.gross), "netWeight": str(made.net),
            "msgCount": str(len(cut)) if body else "", "msgSeqNo": str(place) if body else "",
        })  # fmt: skip
        listed = "\n".join(
            "<ceb:SummaryResultList>"
            + _tags({"invtNo": number, "logisticsNo": "L", "gseqno": str(item) if edition == "202205" else "", "gnum": str(line), "gcode": code})
            + "</ceb:SummaryResultList>"
            for number, line, item, code in lines
        )
        messages.append(_message("CEB792Message", [f"<ceb:SummaryResult><ceb:SummaryResultHead>{head}</ceb:SummaryResultHead>{listed}</ceb:SummaryResult>"]))
    return messages


# ------------------------------------------------------------------------------------------------------------- deviations


def without_inventory(made: Made, number: str) -> Made:
    left = tuple(line for line in made.lines if line[0] != number)
    return replace(made, lines=left) if left else made


def with_other_code(made: Made, place: int) -> Made:
    number, line, item, _ = made.lines[place]
    return replace(made, lines=(*made.lines[:place], (number, line, item, "9999999999"), *made.lines[place + 1 :]))


def with_a_line_apart(made: Made) -> Made:
    """A line of an item of several in an item of its own; as it was where there is no such item."""
    counts = Counter(item for _, _, item, _ in made.lines)
    place = next((place for place, line in enumerate(made.lines) if counts[line[2]] > 1), None)
    if place is None:
        return made
    number, line, _, code = made.lines[place]
    own = max(item for _, _, item, _ in made.lines) + 1
    return replace(made, lines=(*made.lines[:place], (number, line, own, code), *made.lines[place + 1 :]))


def with_items_joined(made: Made, one: int, other: int) -> Made:
    return replace(made, lines=tuple((number, line, one if item == other else item, code) for number, line, item, code in made.lines))


def with_a_stranger(made: Made, number: str) -> Made:
    return replace(made, lines=(*made.lines, (number, 1, 1, made.lines[0][3])))
