"""Write summary applications as CEB701 messages (汇总申请单), streamed: the numbers of the inventories, never a time range.

Signing is the sending client's work, for the key never leaves its token: the Signature element is left out.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from aggregator.domain.applications import Application
from aggregator.model.answers import Sent
from aggregator.model.customs import Customs
from aggregator.model.errors import OurFault, UnusableInput
from aggregator.schemas.messages import NAMESPACE, NOT_IN_XML, Element
from aggregator.schemas.modes.m9610.messages import (
    BASE_TRANSFER,
    EDITIONS,
    INVENTORY_NUMBER,
    MOST_APPLICATIONS,
    SUMMARY_APPLY_HEAD,
)

FOLDER = "summary_applications"
NEW, DECLARED = "1", "2"
"""appType and appStatus: a new application, declared."""
_MARK_DIGITS = 12


@dataclass(frozen=True)
class Part:
    """One SummaryApply: a stretch of an application's inventories."""

    application: Application
    count: int
    seq_no: int
    inventories: int


@dataclass(frozen=True)
class Sending:
    """What all messages of a run share. `content`: a hash over all that the run declares."""

    customs: Customs
    edition: str
    ledger_id: str
    run_ref: str
    summary_flag: int
    item_name_flag: int
    recorded_at: datetime
    content: str = ""

    @property
    def mark(self) -> str:
        """Of this run and no other: one that a ledger restored from a backup makes under the same reference has another, unless
        it is the same run to the last inventory and second."""
        whole = "\n".join((self.ledger_id, self.run_ref, self.recorded_at.isoformat(), self.content))
        return hashlib.sha256(whole.encode()).hexdigest()

    def cop_no(self, application_ref: str) -> str:
        """The enterprise's number of an application: never used for another one, the same whenever the same run is made again."""
        return f"{self.mark[:_MARK_DIGITS].upper()}-{application_ref}"

    @property
    def transfer(self) -> dict[str, str]:
        """What every message says of who sends it."""
        customs = self.customs
        return {"copCode": customs.sender_code, "copName": customs.sender_name, "dxpMode": "DXP", "dxpId": customs.dxp_id}

    def guid(self, what: str) -> str:
        return str(uuid.uuid5(uuid.UUID(self.ledger_id), f"{self.mark}/{what}")).upper()

    def guids(self, whats: Iterable[str]) -> list[str]:
        """The same of many, without an object each."""
        home, mark = uuid.UUID(self.ledger_id).bytes, self.mark
        found = []
        for what in whats:
            name = hashlib.sha1(home + f"{mark}/{what}".encode(), usedforsecurity=False).hexdigest().upper()
            variant = "89AB"[int(name[16], 16) & 3]
            found.append(f"{name[:8]}-{name[8:12]}-5{name[13:16]}-{variant}{name[17:20]}-{name[20:32]}")
        return found


def parts_of(applications: Iterable[Application], most: int) -> Iterator[Part]:
    """Applications of more than `most` inventories in parts, numbered without a gap; every part but the last is full."""
    for application in applications:
        count = max(-(-application.inventories // most), 1)
        for seq_no in range(1, count + 1):
            size = min(most, application.inventories - (seq_no - 1) * most)
            yield Part(application, count, seq_no, size)


def sent_as(sending: Sending, applications: Iterable[Application]) -> list[Sent]:
    """In how many parts each application goes, and under which number."""
    parts = {part.application.application_ref: part.count for part in parts_of(applications, sending.customs.most(sending.edition))}
    return [Sent(ref, count, sending.cop_no(ref)) for ref, count in parts.items()]


def messages_of(parts: Iterable[Part], most: int) -> Iterator[list[Part]]:
    """Parts together in messages of at most 100 of them and at most `most` inventories."""
    message: list[Part] = []
    size = 0
    for part in parts:
        if message and (len(message) == MOST_APPLICATIONS or size + part.inventories > most):
            yield message
            message, size = [], 0
        message.append(part)
        size += part.inventories
    if message:
        yield message


def write_applications(folder: Path, sending: Sending, applications: Iterable[Application], numbers: Iterator[str]) -> list[str]:
    """Write the messages of a run; their names. `numbers`: inventory numbers of the applications, one after the other."""
    most = sending.customs.most(sending.edition)
    numbers = _sound(numbers, sending.edition)
    names = []
    for place, parts in enumerate(messages_of(parts_of(applications, most), most), 1):
        folder.mkdir(exist_ok=True)
        names.append(f"{sending.run_ref}-M{place:03d}.xml")
        with (folder / names[-1]).open("wb") as sink:
            _write(sink, sending, place, parts, numbers)
    if next(numbers, None) is not None:
        raise OurFault("more inventories are declared than applied for", "申报的清单多于汇总申请单所列")
    return names


def _sound(numbers: Iterator[str], edition: str) -> Iterator[str]:
    """Raises what to do where a number does not fit the edition: customs would refuse the whole message."""
    longest = INVENTORY_NUMBER.longest(tuple(EDITIONS).index(edition))
    for number in numbers:
        if len(number) > longest:
            raise UnusableInput(
                f"The inventory number '{number}' has {len(number)} characters, and a message of edition {edition} can carry {longest}. "
                "Nothing was published. Run again with --edition 202205, if customs takes it, or without this inventory.",
                f"清单编号“{number}”有 {len(number)} 位，而 {edition} 版报文最多为 {longest} 位。未发布任何内容。若海关支持，请加 --edition 202205 "
                "重新运行，或去掉该清单。",
            )
        yield number


def _write(sink: Any, sending: Sending, place: int, parts: list[Part], numbers: Iterator[str]) -> None:
    # A run that sends nothing does without it.
    from lxml import etree

    with etree.xmlfile(sink, encoding="UTF-8") as file:
        file.write_declaration()
        attributes = {"guid": sending.guid(f"message/{place}"), "version": "1.0"}
        with file.element(_tag("CEB701Message"), attributes, nsmap={"ceb": NAMESPACE}):
            for part in parts:
                with file.element(_tag("SummaryApply")):
                    _write_element(file, "SummaryApplyHead", _head(sending, part), SUMMARY_APPLY_HEAD)
                    written = 0
                    for number in islice(numbers, part.inventories):
                        with file.element(_LIST), file.element(_NUMBER):
                            file.write(number)
                        written += 1
                    if written != part.inventories:
                        raise OurFault("fewer inventories are declared than applied for", "申报的清单少于汇总申请单所列")
            _write_element(file, "BaseTransfer", sending.transfer, BASE_TRANSFER)


def _head(sending: Sending, part: Part) -> dict[str, str]:
    """Elements in the order of the spec."""
    application, customs = part.application, sending.customs
    head = {
        "guid": sending.guid(f"{application.application_ref}/{part.seq_no}"),
        "appType": NEW,
        "appTime": sending.recorded_at.strftime("%Y%m%d%H%M%S"),
        "appStatus": DECLARED,
        "customsCode": application.declaring_customs_code,
        "copNo": sending.cop_no(application.application_ref),
        "agentCode": application.declarant_code,
        "agentName": application.declarant_name,
        "ebcCode": application.consignor_code,
        "ebcName": application.consignor_name,
        "declAgentCode": customs.broker_code,
        "declAgentName": customs.broker_name,
        "loctNo": application.premises_code,
        "summaryFlag": str(sending.summary_flag),
        "itemNameFlag": str(sending.item_name_flag),
        "msgCount": str(part.count),
        "msgSeqNo": str(part.seq_no),
    }
    return {name: value for name, value in head.items() if value}


def lacking(name: str, element: Element) -> OurFault:
    return OurFault(f"{name} would lack {element.name}", f"{name} 将缺少 {element.name}")


def unfit(name: str, element: Element, value: str | None) -> UnusableInput:
    return UnusableInput(
        f"'{value}' cannot stand in {name} as {element.name} ({element.forms[0]}). Correct it in the export and run again.",
        f"“{value}”不能作为 {name} 的 {element.name}（{element.forms[0]}）。请在导出数据中修正后重新运行。",
    )


def _write_element(file: Any, name: str, content: dict[str, str], elements: tuple[Element, ...]) -> None:
    """Checked against the element table: what customs would refuse is not written."""
    for element in elements:
        value = content.get(element.name)
        if element.required and not value:
            raise lacking(name, element)
        if element.unsound(pa.array([value], pa.string())):
            raise unfit(name, element, value)
        if value and NOT_IN_XML.search(value):
            raise UnusableInput(
                f"{value!a} holds a character that no message can carry ({element.name}). Correct the name in the export and run again.",
                f"{value!a} 含有报文无法携带的字符（{element.name}）。请在导出数据中修正该名称后重新运行。",
            )
    with file.element(_tag(name)):
        for each, value in content.items():
            with file.element(_tag(each)):
                file.write(value)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


_LIST, _NUMBER = _tag("SummaryApplyList"), _tag("invtNo")
