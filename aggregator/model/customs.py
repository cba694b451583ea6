"""Who sends the messages to customs, and how: the `[customs]` table of the config."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import pyarrow as pa

from aggregator.model.problems import Problems
from aggregator.schemas.modes.m9610.messages import BASE_TRANSFER, EDITIONS, SUMMARY_APPLY_HEAD

DEFAULT_EDITION = "202205"
_MOST = 5_000
_ELEMENTS = {element.name: element for element in (*BASE_TRANSFER, *SUMMARY_APPLY_HEAD)}
_ELEMENT_OF = {
    "sender_code": "copCode", "sender_name": "copName", "dxp_id": "dxpId", "broker_code": "declAgentCode", "broker_name": "declAgentName",
    "declarant_code": "agentCode", "declarant_name": "agentName",
}  # fmt: skip


@dataclass(frozen=True)
class Customs:
    """`sender_*`: the company whose client sends the messages, `dxp_id` its number there; `broker_*`: who will declare the
    declarations (报关单位); `declarant_*`: the declarant (申报单位) where the inventories do not say one; `declarants`: names of
    other declarants by code. `max_inventories_per_message`: longer applications go in parts."""

    sender_code: str
    sender_name: str
    dxp_id: str
    broker_code: str
    broker_name: str
    declarant_code: str = ""
    declarant_name: str = ""
    declarants: dict[str, str] = field(default_factory=dict)
    max_inventories_per_message: int = _MOST

    def most(self, edition: str) -> int:
        limit = EDITIONS[edition]
        return self.max_inventories_per_message if limit is None else min(limit, self.max_inventories_per_message)


def customs_of(table: dict[str, Any], problems: Problems) -> Customs | None:
    """From the config; what is wrong with it is added to the problems. None where there is no such table."""
    if not table:
        return None
    known = {each.name: each for each in fields(Customs)}
    before = len(problems)
    for name, value in table.items():
        if name not in known:
            problems.unknown(name, "[customs]", known, "customs", name)
        elif name == "declarants":
            if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
                problems.add("[customs.declarants] must be code = \"name\"", "[customs.declarants] 须为 代码 = \"名称\"", "customs", name)
        elif name == "max_inventories_per_message":
            if type(value) is not int or value < 1:
                problems.add(f"{name} in [customs] must be a whole number from 1 on", f"[customs] 中的 {name} 必须是不小于1的整数", "customs", name)
        elif not isinstance(value, str) or not value.strip() or _ELEMENTS[_ELEMENT_OF[name]].unsound(pa.array([value])):
            form = _ELEMENTS[_ELEMENT_OF[name]].forms[0]
            problems.add(f"{name} in [customs] must be text of {form}", f"[customs] 中的 {name} 必须是 {form} 的文本", "customs", name)
    for name, each in known.items():
        if name not in table and each.default is MISSING and each.default_factory is MISSING:
            problems.add(f"{name} is missing in [customs]", f"[customs] 缺少 {name}", "customs", name)
    return Customs(**table) if len(problems) == before else None
