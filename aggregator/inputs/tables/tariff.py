"""Read the tariff table that the config names: any format that exports come in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.export import Export, Taken
from aggregator.inputs.open import open_exports, read_chunk
from aggregator.inputs.reading import Reading
from aggregator.inputs.sources.room import temporary_room
from aggregator.inputs.sources.unpack import sources_of
from aggregator.inputs.tables.canonical import canonical_column
from aggregator.inputs.tables.headings import Matched, normalised
from aggregator.model.errors import ChangedInput, StopRun, WrongConfiguration
from aggregator.schemas.field import Dictionary
from aggregator.schemas.patterns import COMMODITY_CODE, clearing_digits, matches
from aggregator.schemas.tariff import TARIFF

_OTHER_HEADINGS = {
    "valid_from": ("valid_from", "生效日期", "起始日期", "有效期起"),
    "valid_to": ("valid_to", "失效日期", "终止日期", "有效期止"),
    "statutory_unit_code": ("法定第一单位", "第一法定单位", "第一法定计量单位", "第一单位"),
    "inspection": ("inspection", "检验检疫类别", "检疫类别", "检验检疫"),
    "export_duty": ("export_duty", "出口关税率", "出口税率", "出口关税", "出口暂定税率"),
    "second_statutory_unit_code": ("法定第二单位", "第二法定单位", "第二单位"),
}
_FACTS = ("inspection", "export_duty")
_NONE = ("无", "/", "-", "－")
_ALWAYS = ("00000000", "99999999")


def read_tariff(path: Path, dictionary: Dictionary, chunk_bytes: int) -> tuple[pa.Table, tuple[Taken, ...]]:
    """Columns out: those of TARIFF; and the files it was read from. Raises WrongConfiguration naming the row that cannot be read."""
    try:
        with temporary_room() as room:
            exports = tuple(open_exports(sources_of([path], room), Reading(room, dictionary, (), chunk_bytes, least_known=1)))
            tables = [_rows(file) for file in map(_with_others, exports)]
    except (ChangedInput, WrongConfiguration):
        raise
    except StopRun as stop:
        raise WrongConfiguration(f"The tariff table: {stop.text.en}", f"税则表：{stop.text.zh}") from None
    return pa.concat_tables(tables).combine_chunks(), tuple(each for file in exports for each in file.taken)


def _with_others(file: Export) -> Export:
    names = [normalised(heading) for heading in file.headings]
    places = dict(file.matched.places)
    for column, headings in _OTHER_HEADINGS.items():
        for heading in headings:
            if column not in places and normalised(heading) in names:
                places[column] = names.index(normalised(heading))
    missing = [column for column in ("commodity_code", "statutory_unit_code") if column not in places]
    if missing:
        raise WrongConfiguration(
            f"The tariff table {file.name} lacks {', '.join(missing)}. It needs commodity_code (商品编码) and statutory_unit_code "
            "(法定计量单位), and may have second_statutory_unit_code (第二计量单位), valid_from and valid_to.",
            f"税则表 {file.name} 缺少 {'、'.join(missing)}。须有商品编码（commodity_code）、法定计量单位（statutory_unit_code），"
            "可有第二计量单位（second_statutory_unit_code）、生效日期（valid_from）、失效日期（valid_to）。",
        )
    return replace(file, matched=Matched(places, file.matched.unknown))


def _rows(file: Export) -> pa.Table:
    tables = [TARIFF.empty_table()]
    for block in file.blocks:
        chunk = read_chunk(file, block)
        length = chunk.lines.num_rows

        def text(name: str, lines: pa.Table = chunk.lines, length: int = length) -> pa.Array:
            if name not in lines.column_names:
                return pa.array([None if name in _FACTS else ""] * length, pa.string())
            values = lines[name].combine_chunks()
            known = name in ("commodity_code", "statutory_unit_code", "second_statutory_unit_code")
            values = canonical_column(values, file.dictionary[name]).cast(pa.string()) if known else pc.utf8_trim_whitespace(values)
            return pc.fill_null(pc.if_else(pc.is_in(values, pa.array(_NONE)), "", values), "")

        columns = {name: text(name) for name in TARIFF.names}
        _must_be(file, chunk.rows, columns["commodity_code"], matches(columns["commodity_code"], COMMODITY_CODE), chunk.wrong)
        for name, always in zip(("valid_from", "valid_to"), _ALWAYS, strict=True):
            given = pc.if_else(pc.equal(columns[name], ""), None, columns[name])
            days = pc.utf8_slice_codeunits(clearing_digits(given), 0, 8)
            _must_be(file, chunk.rows, columns[name], pc.or_(days.is_valid(), given.is_null()), {})
            columns[name] = pc.fill_null(days, always)
        tables.append(pa.table(columns, schema=TARIFF))
    return pa.concat_tables(tables)


def _must_be(file: Export, rows: Any, values: pa.Array, sound: pa.Array, wrong: dict[int, str]) -> None:
    good = sound.to_numpy(zero_copy_only=False).copy()
    good[list(wrong)] = False
    if not good.all():
        bad = int(np.flatnonzero(~good)[0])
        raise WrongConfiguration(
            f"The tariff table {file.name}, row {rows[bad]}: '{values[bad].as_py()}' is no ten-digit code or no day. Correct the row.",
            f"税则表 {file.name} 第 {rows[bad]} 行：“{values[bad].as_py()}”不是10位编码或不是日期。请修正该行。",
        )
