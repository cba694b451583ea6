"""Columns on the screen and as JSON, with a config block that can be copied."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aggregator.jobs.columns import FileColumns
from aggregator.schemas.column_names import called
from aggregator.schemas.field import Dictionary
from aggregator.schemas.shown import shown_json
from aggregator.schemas.text import Lang, Text, counted

_VALUE_LENGTH = 24


def columns_lines(found: FileColumns, dictionary: Dictionary, lang: Lang) -> list[str]:
    def say(en: str, zh: str) -> str:
        return Text(en, zh).in_lang(lang)

    used = sum(bool(each.column) for each in found.headings)
    what = " ".join(part for part in (found.format, found.encoding, say(f"sheet {found.sheet}", f"工作表 {found.sheet}") if found.sheet else "") if part)
    lines = [say(f"{found.file}: {what}, {counted(len(found.headings), 'heading', 'headings')}, {used} used", f"{found.file}：{what}，{len(found.headings)} 个列标题，使用 {used} 个")]
    lines += [say(f"  above the headings: {value}", f"  标题上方：{value}") for value in found.above]
    for each in found.headings:
        target = called(each.column, dictionary, lang) if each.column else (say("(not used)", "（未使用）") if each.known else say("(NOT KNOWN)", "（无法识别）"))
        config = say(" by the config", "（按配置）") if each.by_config and each.column else ""
        values = " | ".join(_short(value) for value in each.values)
        lines.append(f"  {each.heading} → {target}{config}    {values}".rstrip())
    if not found.missing:
        return [*lines, say("Nothing is missing.", "无缺少的列。")]
    lines.append(say("Missing:", "缺少："))
    for column, heading in found.missing.items():
        names = " / ".join((dictionary[column].element, *dictionary[column].headings))
        perhaps = say(f"; perhaps '{heading}'", f"；可能是“{heading}”") if heading else ""
        lines.append(f"  {column} ({names}){perhaps}")
    lines += ["", say("For aggregator.toml, to be checked:", "可写入 aggregator.toml（请核对）："), "", "[columns]"]
    for column, heading in found.missing.items():
        lines.append(f"{column} = {shown_json(heading)}" if heading else f'# {column} = ""')
    return lines


def _short(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= _VALUE_LENGTH else f"{value[:_VALUE_LENGTH]}…"


def columns_as_json(found: FileColumns) -> dict[str, Any]:
    return {"schema_version": 1, **asdict(found)}
