"""The table `[spark]` of the config: settings of Spark's own, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aggregator.model.problems import Problems

_NAME = re.compile(r"spark(\.[A-Za-z0-9_-]+)+")
_LONGEST = 4095
_SAID_ELSEWHERE = {
    "spark.master": ("say it with --spark-master, or spark_master in [run]", "请用 --spark-master 或 [run] 中的 spark_master 指定"),
    "spark.submit.deployMode": ("the driver runs here", "驱动程序在本机运行"),
}


def spark_of(table: Mapping[str, Any], problems: Problems) -> tuple[tuple[str, str], ...]:
    """Names and values as Spark takes them; what is no such setting goes to the problems. Values may be secrets: no problem shows one."""
    found = dict[str, str]()
    for name, value in _flat(table, ""):
        if (wrong := _wrong(name, value)) is not None:
            problems.add(f"[spark] {name[:100]}: {wrong[0]}", f"[spark] {name[:100]}：{wrong[1]}", "spark", name)
        else:
            found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return tuple(found.items())


def _flat(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    """TOML reads a name with points that is not quoted as tables in tables."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _wrong(name: str, value: Any) -> tuple[str, str] | None:
    if not _NAME.fullmatch(name):
        return 'its name does not begin with "spark."', "名称须以“spark.”开头"
    if name in _SAID_ELSEWHERE:
        return _SAID_ELSEWHERE[name]
    if not isinstance(value, str | int | float):
        return "the value must be text, a number, true or false", "值必须是文本、数字、true 或 false"
    if isinstance(value, str) and (len(value) > _LONGEST or any(ord(each) < 32 for each in value)):
        return "it is too long, or holds a control character", "值过长或含有控制字符"
    return None
