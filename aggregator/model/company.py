"""What the config says of the firm and of its market: facts that decide which customs modes are open to it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from aggregator.model.errors import WrongConfiguration
from aggregator.model.problems import Problems
from aggregator.schemas.modes import Mode


@dataclass(frozen=True)
class Company:
    """`pilot_zone`: it is in a comprehensive pilot zone (综试区); `refund`: it claims the refund of export tax; `registered_operator`:
    it is registered to export for a market (1039). None where nothing is said."""

    pilot_zone: bool | None = None
    refund: bool | None = None
    registered_operator: bool | None = None


@dataclass(frozen=True)
class Market:
    """The market cluster goods are bought in, and the day from which its exports may use 1039."""

    name: str = ""
    starts_on: date | None = None


def company_of(table: dict[str, Any], problems: Problems) -> Company:
    known = {field.name for field in fields(Company)}
    for key, value in table.items():
        if key not in known:
            problems.unknown(key, "[company]", known, "company", key)
        elif not isinstance(value, bool):
            problems.add(f"[company] {key} must be true or false", f"[company] {key} 必须是 true 或 false", "company", key)
    return Company(**{key: value for key, value in table.items() if key in known and isinstance(value, bool)})


def market_of(table: dict[str, Any], problems: Problems) -> Market:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == "name" and isinstance(value, str):
            found[key] = value.strip()
        elif key == "starts_on" and (day := _day(value)) is not None:
            found[key] = day
        elif key in ("name", "starts_on"):
            kind = ("text", "文本") if key == "name" else ("day", "日期")
            problems.add(f"[market] {key}: {value!r} is no {kind[0]}", f"[market] {key}：{value!r} 不是{kind[1]}", "market", key)
        else:
            problems.unknown(key, "[market]", ("name", "starts_on"), "market", key)
    return Market(**found)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def require_market(mode: Mode, company: Company, market: Market, last_day: date) -> None:
    """Raise WrongConfiguration naming the key that a mode of market procurement needs and the config lacks."""
    if mode.packing is None:
        return
    missing = [] if company.registered_operator else ["[company] registered_operator = true"]
    missing += [] if market.name else ["[market] name"]
    missing += [] if market.starts_on else ["[market] starts_on"]
    if missing:
        raise WrongConfiguration(
            f"The config lacks {', '.join(missing)}: market procurement is open to operators registered in an approved market, from the "
            "day its platform passed acceptance. Add it and run again.",
            f"配置中缺少 {'、'.join(missing)}：市场采购贸易须由在经认定的市场备案的经营者办理，并自其平台通过验收之日起施行。请补充后重新运行。",
        )
    assert market.starts_on is not None
    if market.starts_on > last_day:
        raise WrongConfiguration(
            f"[market] starts_on is {market.starts_on}, after the period: market procurement was not in effect there. Correct the day or the period.",
            f"[market] starts_on 为 {market.starts_on}，晚于本申报期：当时该市场尚未施行市场采购贸易。请更正日期或申报期。",
        )
