"""The settings for people and programs: TOML lines with their origin, so that they can be copied into a config."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from aggregator.model.given import as_recorded
from aggregator.model.options import Options
from aggregator.schemas.modes import Mode
from aggregator.schemas.shown import shown_json
from aggregator.schemas.text import Lang, Text

_TABLES = ("columns", "constants", "severity")
_NOT_SETTINGS = ("inputs", "dry_run")
_FACTS = ("company", "market", "rate_rows")


def _plain(value: Any) -> Any:
    if isinstance(value, Mode):
        return value.code
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str | dict) else str(value)


def settings_as_json(options: Options, origins: dict[str, str]) -> dict[str, Any]:
    values = {f.name: _plain(getattr(options, f.name)) for f in fields(Options) if f.name not in _NOT_SETTINGS}
    values["customs"] = asdict(options.customs) if options.customs is not None else {}
    values |= {name: dict(getattr(options, name)) for name in _TABLES}
    values |= {name: as_recorded(getattr(options, name)) for name in _FACTS}
    # Values may be secrets.
    values["spark"] = [name for name, _ in options.spark]
    values["calendar_years"] = json.loads(json.dumps(dict(options.calendar_years), default=str))
    return {"schema_version": 1, "settings": {name: {"value": value, "from": origins[name]} for name, value in values.items()}}


_ORIGINS = {
    "command line": Text("command line", "命令行"), "environment": Text("environment", "环境变量"), "locale": Text("locale", "系统区域设置"), "default": Text("default", "默认"),
}  # fmt: skip


def settings_lines(options: Options, origins: dict[str, str], lang: Lang) -> list[str]:
    origins = {name: _ORIGINS[origin].in_lang(lang) if origin in _ORIGINS else origin for name, origin in origins.items()}
    lines = ["[run]"]
    tables = (*_TABLES, *_FACTS, "calendar_years", "customs", "spark")
    for field in fields(Options):
        name = field.name
        if name in _NOT_SETTINGS or name in tables:
            continue
        value = _plain(getattr(options, name))
        unset = Text(f"# {name} is not set ({origins[name]})", f"# {name} 未设置（{origins[name]}）").in_lang(lang)
        lines.append(f"{name} = {_toml(value)}  # {origins[name]}" if value is not None else unset)
    for name in _TABLES:
        if pairs := getattr(options, name):
            lines += ["", f"[{name}]  # {origins[name]}", *(f"{_toml(key)} = {_toml(value)}" for key, value in pairs)]
    if options.customs is not None:
        lines += _customs_lines(asdict(options.customs), origins["customs"])
    lines += _fact_lines(options, origins)
    if options.spark:
        lines += ["", f"[spark]  # {origins['spark']}", *(Text(f"# {_toml(name)} is set", f"# {_toml(name)} 已设置").in_lang(lang) for name, _ in options.spark)]
    for year, table in options.calendar_years:
        lines += ["", f"[calendar.{year}]  # {origins['calendar_years']}"]
        lines += [f"{key} = {_toml(_plain(tuple(value) if isinstance(value, list) else value))}" for key, value in table.items()]
    return lines


def _fact_lines(options: Options, origins: dict[str, str]) -> list[str]:
    """The firm, its market and exchange rates, as far as something is said of them."""
    lines = []
    for name in ("company", "market"):
        given = {key: value for key, value in as_recorded(getattr(options, name)).items() if value not in (None, "None", "")}
        lines += ["", f"[{name}]  # {origins[name]}", *(f"{key} = {_toml(value)}" for key, value in given.items())] if given else []
    for row in as_recorded(options.rate_rows):
        lines += ["", f"[[rates]]  # {origins['rate_rows']}", *(f"{key} = {_toml(value)}" for key, value in row.items())]
    return lines


def _customs_lines(customs: dict[str, Any], origin: str) -> list[str]:
    declarants = customs.pop("declarants")
    lines = ["", f"[customs]  # {origin}", *(f"{key} = {_toml(value)}" for key, value in customs.items() if value != "")]
    if declarants:
        lines += ["", "[customs.declarants]", *(f"{_toml(key)} = {_toml(value)}" for key, value in declarants.items())]
    return lines


def _toml(value: Any) -> str:
    """JSON writes strings, numbers, booleans and lists as TOML does."""
    return shown_json(value)
