"""Elements of the messages of 9610 (see schemas/messages.py for the notation)."""

from __future__ import annotations

import re
from enum import StrEnum

from aggregator.schemas.messages import elements

_ALLOWED = {"appType": ("1", "2", "3"), "appStatus": ("1", "2"), "ieFlag": ("E",), "statisticsFlag": ("A", "B"), "fFlag": ("3",), "iFlag": ("3",)}
"""What an element of an export inventory may hold; that fFlag and iFlag are always 3 is said by the XSD of 202205 alone."""

# CEB-SPEC-202205, tables 2-38 and 2-42; the XSD of both editions.
INVENTORY_HEAD = elements(
    "guid:C36 appType:C1 appTime:C14 appStatus:C1 customsCode:C4 ebpCode:C..18|C..50 ebpName:C..100 orderNo:C..60 "
    "logisticsCode:C..18 logisticsName:C..100 logisticsNo:C..32|C..80 copNo:C..30 preNo?:C18 invtNo?:C..20|C18 "
    "ieFlag:C1 portCode:C4 ieDate:C8 statisticsFlag:C1 agentCode:C..18 agentName:C..100 ebcCode:C..18 "
    "ebcName:C..100 ownerCode:C..18 ownerName:C..100 iacCode?:C..18 iacName?:C..100 emsNo?:C..30 tradeMode:C4 "
    "trafMode:C1 trafName?:C..100 voyageNo?:C..32 billNo?:C..37 totalPackageNo?:C..37|C..60 loctNo?:C..10 "
    "licenseNo?:C..19 country:C3 POD:C3..4 freight:N19,5 fCurrency:C3 fFlag:C1 insuredFee:N19,5 iCurrency:C3 "
    "iFlag:C1 wrapType:C1 packNo:N9 grossWeight:N19,5 netWeight:N19,5 note?:C..1000",
    _ALLOWED,
)
INVENTORY_ITEM = elements(
    "gnum:N5 itemNo:C..20 itemRecordNo?:C..30 itemName?:C..250 gcode:C10 gname:C..250 gmodel:C..250 barCode:C..50 "
    "country:C3 currency:C3 qty:N19,5 qty1:N19,5 qty2?:N19,5 unit:C3 unit1:C3 unit2?:C..3|C3 price:N19,5 "
    "totalPrice:N19,5 note?:C..1000"
)
# Tables 2-39, 2-73; the declaring company's own fields are the same in both editions.
BASE_TRANSFER = elements("copCode:C..18 copName:C..100 dxpMode:C3 dxpId:C..30 note?:C..1000")
SUMMARY_APPLY_HEAD = elements(
    "guid:C36 appType:C1 appTime:C14 appStatus:C1 customsCode:C4 copNo:C..30 preNo?:C..18 sumNo?:C..18 "
    "agentCode:C..18 agentName:C..100 ebcCode:C..18 ebcName:C..100 declAgentCode:C..18 declAgentName:C..100 "
    "startTime?:C14 endTime?:C14 loctNo?:C..10 summaryFlag:C1 itemNameFlag:C1 msgCount:N9 msgSeqNo:N9 note?:C..1000"
)
ROOT_ELEMENTS = ("Inventory", "BaseTransfer", "BaseSubscribe", "Signature", "ExtendMessage")
"""In this order; one BaseTransfer, at most five BaseSubscribe, one of each of the others."""
MOST_INVENTORIES = 100
MOST_APPLICATIONS = 100
"""In one CEB701 message."""
INVENTORY_NUMBER = elements("invtNo:C18..20|C18")[0]
"""Of a batch of inventories; 20 characters only from 202205 on."""
EDITIONS = {"202205": None, "2018-113": 100}
"""Editions of the message spec, with how many inventory numbers an application may hold in them."""
DELETES = "3"
"""appType of a message that asks to delete its inventory."""


class Says(StrEnum):
    """What a receipt of a summary application (CEB702) says of it. Only acceptance and refusal decide anything."""

    UNDERWAY = "underway"
    HELD = "held"
    ACCEPTED = "accepted"
    REFUSED = "refused"


_ACCEPTS = ("120", "399", "800", "899")
_REFUSES = ("4", "100")
_HELD_CODES = ("-304001", "-301010", "-301011", "-301014", "-504015", "-504016")
_HELD_TEXT = re.compile("业务主键重复|重复入库|已存在|旧报文|已汇总")


def says(status: str, info: str) -> Says:
    """What a status (returnStatus) says with its text (returnInfo).

    The names of 1, 2, 3, 4, 100, 120, 399, 800, 899 are READ (tables 2-42, 2-77); that 120 and those after it accept an application
    and that 4, 100 and negative numbers refuse it is INFERENCE. What says "we have it already" refuses nothing: -301010, -301011,
    -301014, -504015, -504016 are READ of orders and waybills (table 7-2), -304001 of applications is UNVERIFIED (a simulator),
    the texts are INFERENCE. Any other status is on the way: 1, 2, 3, 300, 500."""
    if status in _ACCEPTS:
        return Says.ACCEPTED
    if status not in _REFUSES and not status.startswith("-"):
        return Says.UNDERWAY
    return Says.HELD if status in _HELD_CODES or _HELD_TEXT.search(info) else Says.REFUSED
