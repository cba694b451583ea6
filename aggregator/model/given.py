"""Facts that the config gives as tables: exchange rates, the firm, its market."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from aggregator.model.company import Company, Market
from aggregator.model.errors import WrongUsage
from aggregator.model.problems import Problems, meant
from aggregator.schemas.codes import code_list
from aggregator.schemas.rates import RATE_FIELDS


def rate_rows_of(rows: list[Any], problems: Problems, *, file_too: bool, overruled: bool) -> tuple[Mapping[str, Any], ...]:
    """`[[rates]]`. `file_too`: the config names a file of rates besides; `overruled`: the command line names one, which stands in
    their place."""
    for place, row in enumerate(rows, 1):
        for key in sorted(set(row) - set(RATE_FIELDS.columns)) if isinstance(row, dict) else [str(row)]:
            said = meant(key, RATE_FIELDS.columns)
            en, zh = f"unknown key '{key}' in [[rates]] {place}{said.en}", f"[[rates]] 第 {place} 条中未知的键“{key}”{said.zh}"
            problems.add(en, zh, "rates", place - 1, key)
    if rows and file_too and not overruled:
        problems.add(
            "rates are given twice, as a file in [run] and as [[rates]]: which ones count is not known",
            "汇率给出了两次（[run] 中的文件和 [[rates]]），无法确定以哪个为准",
            "run", "rates",
        )  # fmt: skip
    return () if overruled else tuple(row for row in rows if isinstance(row, dict))


def as_recorded(value: Any) -> Any:
    """As the manifest records it."""
    if isinstance(value, tuple):
        return [{name: str(each) for name, each in row.items()} for row in value]
    if isinstance(value, Company | Market):
        return {name: each if isinstance(each, bool | None) else str(each) for name, each in asdict(value).items()}
    return str(value)


def currency_codes(given: Iterable[str]) -> list[str]:
    """Customs' codes of currencies that a user names by code, ISO letters or name."""
    known, codes = code_list("currency"), []
    for name in given:
        codes.append(known.to_code.get(name.strip().upper(), name.strip()))
        if codes[-1] not in known.codes:
            raise WrongUsage(f"'{name}' is no currency. Write its code or ISO letters.", f"“{name}”不是币制。请填写币制代码或字母代码。")
    return codes
