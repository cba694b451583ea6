"""`aggregator modes`: which customs modes each inventory, order or trade slip is fit for.

    open inputs  ->  facts of lines  ->  units, their value  ->  advice  ->  table by consignor
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.advice import advise, by_consignor, combined
from aggregator.domain.facts import Texts, facts_of
from aggregator.domain.unit_values import unit_values
from aggregator.inputs.export import Export, unusable
from aggregator.inputs.inputs import reading, refuse_imports
from aggregator.inputs.open import open_exports, read_chunk
from aggregator.inputs.sources.room import temporary_room
from aggregator.inputs.sources.unpack import sources_of
from aggregator.inputs.tables.canonical import Repairs, canonical
from aggregator.inputs.tables.rates import doubts_about, read_rates
from aggregator.model.settings import ModesSettings
from aggregator.schemas.lines import DECIMAL_TYPE
from aggregator.schemas.modes.advice import NO, UNIT_COLUMNS, UNKNOWN, YES
from aggregator.schemas.patterns import DECIMAL, clearing_digits
from aggregator.schemas.text import Text

_ROWS_NAMED = 10


@dataclass(frozen=True)
class Advice:
    """`units`: unit, kind, consignor_code, consignor_name, value_fen (-1: not known). `rows`: a unit and a mode. `consignors`: a
    consignor and a mode. `unnumbered`: lines that say of no unit."""

    units: pd.DataFrame
    rows: pd.DataFrame
    consignors: pd.DataFrame
    unnumbered: int
    notes: tuple[Text, ...]


def modes(settings: ModesSettings, today: date) -> Advice:
    rates = read_rates(settings.rates)[0] if settings.rates is not None else None
    notes, parts = doubts_about(rates) if rates is not None else [], list[pd.DataFrame]()
    with temporary_room(settings.reading.spool_limit, settings.reading.work_dir) as room:
        for file in open_exports(sources_of(settings.reading.inputs, room), replace(reading(settings.reading, room), dictionary=settings.dictionary)):
            refuse_imports(file)
            parts += _lines(file, settings, notes)
    lines = pd.concat(parts, ignore_index=True) if parts else _lines_of(pa.table({}), 0)
    known = lines[lines["unit"] != ""].reset_index(drop=True)
    key, first = pd.factorize(known["kind"] + "\x1f" + known["platform"].where(known["kind"] == "order_no", "") + "\x1f" + known["unit"])
    _, at = np.unique(key, return_index=True)
    units = known.loc[at, ["unit", "kind", "consignor_code", "consignor_name"]].reset_index(drop=True)
    as_of = settings.as_of or today
    facts = combined(known[list(_FACTS)], key, len(first))
    units = _with_config(pd.concat([units, facts, unit_values(known, key, len(first), rates, as_of)], axis=1), settings, as_of)
    rows = advise(units)
    return Advice(units, rows, by_consignor(units, rows), len(lines) - len(known), tuple(notes))


_FACTS = ("import", "firm", "warehouse", "online", "market", "licence", "duty")


def _lines(file: Export, settings: ModesSettings, notes: list[Text]) -> list[pd.DataFrame]:
    constants = settings.reading.constants
    given = {*file.columns, *(column for column, _ in constants)}
    if not given & set(UNIT_COLUMNS):
        wanted = "; ".join(f"{column} ({' / '.join(file.dictionary[column].headings)})" for column in UNIT_COLUMNS)
        raise unusable("F102", file.name, f"One of these is needed: {wanted}.", f"至少需要以下一列：{wanted}。")
    parts, rows = [], list[int]()
    for block in file.blocks:
        chunk = read_chunk(file, block)
        lines = canonical(chunk.lines, (*file.head_values, *constants), file.dictionary, Repairs())
        parts.append(_lines_of(lines, chunk.lines.num_rows))
        rows += chunk.rows[parts[-1]["import"].to_numpy() == YES].tolist()
    _tell_imports(file.name, rows, sum(map(len, parts)), notes)
    return parts


def _tell_imports(name: str, rows: list[int], lines: int, notes: list[Text]) -> None:
    if not rows:
        return
    shown = ", ".join(map(str, rows[:_ROWS_NAMED])) + (" …" if len(rows) > _ROWS_NAMED else "")
    if len(rows) == lines:
        raise unusable("F119", name, f"Rows {shown}.", f"第 {shown} 行。")
    notes.append(Text(f"{name}: import lines among exports, rows {shown}.", f"{name}：出口清单中混有进口清单，第 {shown} 行。"))


def _lines_of(lines: pa.Table, count: int) -> pd.DataFrame:
    text = Texts(lines if lines.num_columns else pa.table({"_": pa.nulls(count)}))
    unit, kind = np.full(count, "", dtype=object), np.full(count, "", dtype=object)
    for column in UNIT_COLUMNS:
        here = text.given(column) & (unit == "")
        unit[here], kind[here] = text.of(column)[here], column
    amount = pa.array(text.of("total_price"), pa.string())
    plain = pc.match_substring_regex(amount, rf"\A(?:{DECIMAL})\z")
    consignor, name = text.of("consignor_code"), text.of("consignor_name")
    written = pa.array(text.of("export_on"), pa.string())
    days = clearing_digits(pc.if_else(pc.equal(written, ""), None, written))
    made = pd.DataFrame({
        "unit": unit, "kind": kind, "platform": text.of("platform_code"),
        "consignor_code": np.where(consignor == "", text.of("operator_code"), consignor),
        "consignor_name": np.where(name == "", text.of("operator_name"), name),
        "amount": pd.Series(pc.if_else(plain, amount, None).cast(DECIMAL_TYPE).to_numpy(zero_copy_only=False), dtype=object),
        "currency": text.of("currency_code"),
        "day": pc.fill_null(pc.utf8_slice_codeunits(days, 0, 8), "").to_numpy(zero_copy_only=False),
        "day_given": text.given("export_on"),
    })  # fmt: skip
    return pd.concat([made, facts_of(text.lines)], axis=1)


def _with_config(units: pd.DataFrame, settings: ModesSettings, as_of: date) -> pd.DataFrame:
    """The facts that the config gives, the same for all but for the market's day."""
    company, market = settings.company, settings.market
    for name in ("refund", "pilot_zone", "registered_operator"):
        given = getattr(company, name)
        units[name] = UNKNOWN if given is None else YES if given else NO
    if not market.name or market.starts_on is None:
        units["market_started"] = UNKNOWN
    else:
        starts, today = f"{market.starts_on:%Y%m%d}", f"{as_of:%Y%m%d}"
        units["market_started"] = [YES if (day or today) >= starts else NO for day in units["last_day"]]
    return units
