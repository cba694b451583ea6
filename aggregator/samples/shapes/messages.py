"""Shapes of official messages (CEB603): as software writes them, and as they get damaged on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from aggregator.samples.shapes.formats import as_message, as_receipts, as_zip
from aggregator.samples.shapes.shape import Rows, Shape, exact, finding, lines, stop


def _rows(count: int | None = None) -> Rows:
    return lines()[:count]


def _message(change: Callable[[str], str] = str) -> Callable[[], bytes]:
    return lambda: change(as_message(_rows()).decode()).encode()


def _text(old: str, new: str, count: int = 1) -> Callable[[], bytes]:
    def change(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, count)

    return _message(change)


def _element(name: str, new: str, count: int = 1) -> Callable[[], bytes]:
    """The first elements of a name written anew; `\\1` is what they hold."""

    def change(text: str) -> str:
        changed, found = re.subn(rf"<ceb:{name}>([^<]*)</ceb:{name}>", new, text, count=count)
        assert found, name
        return changed

    return _message(change)


def _inventory(new: str) -> Callable[[], bytes]:
    """The first inventory, of two items, written anew."""
    return _message(lambda text: re.sub("<ceb:Inventory>.*?</ceb:Inventory>", new, text, count=1, flags=re.DOTALL))


_NUMBER = f"<ceb:invtNo>{lines()[0]['inventory_no']}</ceb:invtNo>"


def _declared_as(encoding: str) -> Callable[[], bytes]:
    return lambda: as_message(_rows()).decode().replace('encoding="UTF-8"', f'encoding="{encoding}"').encode(encoding)


def _folder(*kinds: str) -> bytes:
    """An archive of one message an inventory, with other messages among them."""
    numbers = list(dict.fromkeys(line["inventory_no"] for line in lines()))
    members = {f"CEB603_{number}.xml": as_message([line for line in lines() if line["inventory_no"] == number]) for number in numbers}
    others = {f"{kind}.xml": as_receipts([(number, "120", "20261001080000000") for number in numbers], kind) for kind in kinds}
    return as_zip({**members, **others})


_BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9)
) + "]>"
_XXE = '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_MESSAGES: tuple[Shape, ...] = (
    exact("message", "xml", _message()),
    exact("message-called-csv", "csv", _message()),
    exact("message-on-one-line", "xml", _message(lambda text: text.replace("\n", ""))),
    exact("message-indented", "xml", _message(lambda text: text.replace("><ceb:", ">\n\t\t<ceb:"))),
    exact("message-with-mark", "xml", lambda: b"\xef\xbb\xbf" + _message()()),
    exact("message-in-gb18030", "xml", _declared_as("GB18030")),
    exact("message-in-utf-16", "xml", _declared_as("UTF-16")),
    exact("message-of-another-prefix", "xml", _message(lambda text: text.replace("ceb:", "n0:").replace("xmlns:ceb", "xmlns:n0"))),
    exact("message-without-prefix", "xml", _message(lambda text: text.replace("ceb:", "").replace("xmlns:ceb", "xmlns"))),
    exact("message-with-comments", "xml", _element("invtNo", r"<!-- no --><ceb:invtNo>\1<!-- 1 --></ceb:invtNo>", 0)),
    exact("message-with-cdata", "xml", _element("gname", r"<ceb:gname><![CDATA[\1]]></ceb:gname>", 0)),
    exact("message-with-references", "xml", _element("invtNo", r"<ceb:invtNo>\1&#32;</ceb:invtNo>"), repair="outer_spaces"),
    exact("message-with-instructions", "xml", _text("<ceb:Inventory>", "<?note x?><ceb:Inventory>", 0)),
    exact("message-with-empty-optional-elements", "xml", _element("netWeight", r"<ceb:netWeight>\1</ceb:netWeight><ceb:note/>", 0)),
    exact("message-in-another-order", "xml", _message(
          lambda text: re.sub(r"(<ceb:gnum>\d+</ceb:gnum>)(<ceb:itemNo>[^<]*</ceb:itemNo>)", r"\2\1", text)), warns="F404"),
    exact("message-with-unknown-element", "xml", _element("packNo", r"<ceb:packNo>\1</ceb:packNo><ceb:colour>red</ceb:colour>"), warns="F401"),
    exact("message-without-sender", "xml", _message(lambda text: re.sub("<ceb:BaseTransfer>.*</ceb:BaseTransfer>", "", text)), warns="F401"),
    exact("message-with-two-senders", "xml", _text("</ceb:CEB603Message>", "<ceb:BaseTransfer/></ceb:CEB603Message>"), warns="F401"),
    exact("message-of-another-namespace", "xml", _text("http://www.chinaport.gov.cn/ceb", "urn:other"), warns="F401"),
    exact("message-without-guid", "xml", _message(lambda text: re.sub(' guid="[^"]*"', "", text)), warns="F401"),
    exact("message-without-required-elements", "xml", _element("ebpCode", "", 0), warns="F402"),
    exact("message-with-empty-required-elements", "xml", _element("ebpName", "<ceb:ebpName/>", 0), warns="F402"),
    exact("message-with-a-wrong-flag", "xml", _element("fFlag", "<ceb:fFlag>1</ceb:fFlag>"), warns="F403"),
    exact("messages-in-an-archive", "zip", lambda: _folder()),
    exact("messages-among-receipts", "zip", lambda: _folder("CEB604", "CEB606"), warns="F305"),
    finding("F204", "message-with-two-numbers", "xml", _element("invtNo", r"<ceb:invtNo>\1</ceb:invtNo><ceb:invtNo>22442026E000000999</ceb:invtNo>")),
    finding("F204", "message-with-an-element-in-an-element", "xml", _element("qty", r"<ceb:qty>\1<ceb:x>1</ceb:x></ceb:qty>")),
    finding("F204", "message-with-two-heads", "xml", _message(lambda text: re.sub("(<ceb:InventoryHead>.*?</ceb:InventoryHead>)", r"\1\1", text, count=1))),
    finding("F204", "message-without-head", "xml", _message(lambda text: re.sub("<ceb:InventoryHead>.*?</ceb:InventoryHead>", "", text, count=1))),
    finding("F204", "message-with-an-empty-inventory", "xml", _inventory("<ceb:Inventory/>")),
    finding("F204", "message-with-nothing-but-a-number", "xml", _inventory(f"<ceb:Inventory>{_NUMBER}</ceb:Inventory>")),
    finding("F204", "message-with-a-head-of-another-name", "xml", _inventory(f"<ceb:Inventory><ceb:Head>{_NUMBER}</ceb:Head></ceb:Inventory>")),
    finding("F204", "message-of-nothing-but-empty-inventories", "xml", _message(
            lambda text: re.sub("<ceb:Inventory>.*</ceb:Inventory>", "<ceb:Inventory/>", text, flags=re.DOTALL))),
    finding("R101", "message-with-an-empty-head", "xml", _inventory("<ceb:Inventory><ceb:InventoryHead/></ceb:Inventory>")),
    finding("F205", "message-that-deletes", "xml", _element("appType", "<ceb:appType>3</ceb:appType>")),
    finding("R101", "message-without-items", "xml", _message(lambda text: re.sub("<ceb:InventoryList>.*?</ceb:InventoryList>\n", "", text, count=2))),
    finding("R101", "message-without-number", "xml", _element("invtNo", "")),
    finding("R101", "message-with-empty-quantity", "xml", _element("qty", "<ceb:qty/>")),
    finding("R103", "message-with-thousands-separator", "xml", _element("totalPrice", "<ceb:totalPrice>1,234.5</ceb:totalPrice>")),
    finding("I103", "message-with-an-item-missing", "xml", _message(lambda text: re.sub("<ceb:InventoryList>.*?</ceb:InventoryList>\n", "", text, count=1))),
    stop("F112", "message-cut-off", "xml", _message(lambda text: text[: len(text) * 2 // 3])),
    stop("F112", "message-with-crossed-tags", "xml", _text("</ceb:qty>", "</ceb:qty1>")),
    stop("F112", "message-with-a-control-character", "xml", _element("gname", "<ceb:gname>\x01</ceb:gname>")),
    stop("F112", "message-with-a-bare-ampersand", "xml", _element("gname", "<ceb:gname>A & B</ceb:gname>")),
    stop("F112", "message-with-an-undefined-entity", "xml", _element("gname", "<ceb:gname>&nbsp;</ceb:gname>")),
    stop("F112", "message-of-the-wrong-encoding", "xml", lambda: as_message(_rows()).decode().encode("gb18030")),
    stop("F112", "message-with-a-document-type", "xml", _text(_DECLARATION, f"{_DECLARATION}<!DOCTYPE x>")),
    stop("F112", "message-with-an-external-entity", "xml", _text(_DECLARATION, _DECLARATION + _XXE)),
    stop("F112", "message-with-an-entity-bomb", "xml", _text(_DECLARATION, _DECLARATION + _BOMB)),
    stop("F112", "message-with-a-remote-document-type", "xml", _text(_DECLARATION, f'{_DECLARATION}<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">')),
    stop("F112", "message-of-great-depth", "xml", _element("gname", "<a>" * 5000 + "</a>" * 5000)),
    stop("F112", "message-with-a-huge-text", "xml", _element("gname", f"<ceb:gname>{'x' * (11 << 20)}</ceb:gname>")),
    stop("F112", "message-with-an-inventory-in-another-element", "xml", _message(
         lambda text: text.replace("<ceb:Inventory>", "<ceb:Batch><ceb:Inventory>", 1).replace("</ceb:Inventory>", "</ceb:Inventory></ceb:Batch>", 1))),
    stop("F112", "message-with-an-inventory-in-an-inventory", "xml", _text("<ceb:InventoryList>", "<ceb:Inventory></ceb:Inventory><ceb:InventoryList>")),
    stop("F112", "message-of-inventories-by-another-name", "xml", _text("ceb:Inventory>", "ceb:inventory>", -1)),
    stop("F112", "message-with-items-outside-of-inventories", "xml", _message(lambda text: re.sub("</?ceb:Inventory>", "", text))),
    stop("F112", "message-twice-in-a-file", "xml", lambda: _message()() + _message()()),
    stop("F113", "receipts-for-inventories", "xml", lambda: as_receipts([("22442026E000000001", "899", "20261015100000000")])),
    stop("F119", "message-for-import", "xml", _element("ieFlag", "<ceb:ieFlag>I</ceb:ieFlag>", 0)),
    stop("F119", "message-of-imports", "xml", _message(lambda text: text.replace("CEB603Message", "CEB621Message"))),
    finding("R127", "message-with-an-import", "xml", _element("ieFlag", "<ceb:ieFlag>I</ceb:ieFlag>")),
    stop("F113", "web-page", "xml", lambda: b"<html><head><title>x</title></head><body>x</body></html>"),
    exact("message-of-no-inventories", "xml", _message(lambda text: re.sub("<ceb:Inventory>.*</ceb:Inventory>", "", text, flags=re.DOTALL)),
          warns="F303", truth=list),
)  # fmt: skip

MESSAGES: tuple[Shape, ...] = tuple(replace(shape, says_cleared=False) for shape in _MESSAGES)
