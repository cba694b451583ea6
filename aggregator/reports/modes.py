"""What `modes` advises: for a person, a program, or a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from aggregator.jobs.modes import Advice
from aggregator.model.disk import put_in_place, refuse_odd
from aggregator.model.errors import CannotReadOrWrite
from aggregator.outputs.tables import guarded_cell, write_csv, write_parquet
from aggregator.schemas.column_names import column_name
from aggregator.schemas.modes.advice import ADVICE_FIELDS, ADVISED, GENERAL_TRADE, Condition
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.shown import padded, shown
from aggregator.schemas.sources import Cite
from aggregator.schemas.text import Lang, Text, counted

UNITS_SHOWN = 20
COLUMNS = ("unit", "mode", "fits", "reason", "missing")
_ADVICE = Text(
    "Advice from the sources named, not law: ask the broker or customs' hotline 12360 before you change a mode.",
    "以上为根据所列来源给出的建议，不是法律意见；变更监管方式前请咨询报关单位或海关热线12360。",
)
_FITS = {"yes": Text("yes", "可"), "no": Text("no", "不可"), "unknown": Text("unknown", "待定")}


def advice_lines(advice: Advice, lang: Lang) -> Iterator[str]:
    yield from _unit_lines(advice, lang)
    yield from ("", Text("By consignor: open / closed / not known, and the value (CNY) of what a mode is open to", "按收发货人：可 / 不可 / 待定，及可采用部分的金额（人民币）").in_lang(lang))
    for row in advice.consignors.to_dict("records"):
        worth = _yuan(row["value_fen"]) + (Text(f" + {row['value_unknown']} of unknown value", f"，另有 {row['value_unknown']} 个金额未知").in_lang(lang) if row["value_unknown"] else "")
        yield f"  {row['consignor_code'] or '-'} {row['consignor_name']}  {row['mode']:<7} {row['yes']} / {row['no']} / {row['unknown']}  {worth}"
    yield from ("", Text("Reasons", "理由").in_lang(lang))
    used = set(zip(advice.rows["mode"], advice.rows["reason"], strict=True))
    for mode, reason, text, cites in reasons():
        if (mode, reason) in used:
            said = "; ".join(cite.text.in_lang(lang) for cite in cites)
            yield f"  {mode:<7} {reason}{Text(': ', '：').in_lang(lang)}{text.in_lang(lang)} [{said}]"
    if advice.unnumbered:
        yield Text(f"{counted(advice.unnumbered, 'line has', 'lines have')} no number of an inventory, order or slip.", f"{advice.unnumbered} 行没有清单、订单或交易单编号。").in_lang(lang)
    yield _ADVICE.in_lang(lang)


def _unit_lines(advice: Advice, lang: Lang) -> Iterator[str]:
    shown = advice.rows.head(UNITS_SHOWN * len(ADVISED)).to_dict("records")
    for row in shown:
        lacks = _lacks(row["missing"].split(";"), lang) if row["missing"] else ""
        yield f"{row['unit']}  {row['mode']:<7} {padded(_FITS[row['fits']].in_lang(lang), 8)} {row['reason']}{lacks}"
    left = len(advice.units) - UNITS_SHOWN
    if left > 0:
        yield Text(f"… and {left:,} more; --format csv gives all.", f"…… 另有 {left:,} 个；用 --format csv 可输出全部。").in_lang(lang)


def _lacks(names: list[str], lang: Lang) -> str:
    """What is not known: keys of the config, and columns, which have names of their own in Chinese."""
    called = [_MISSING.get(name) or column_name(name, ADVICE_FIELDS, "zh") for name in names]
    told = [name if here == name else f"{here}({name})" for here, name in zip(called, names, strict=True)]
    return Text(f"; missing: {', '.join(names)}", f"；缺少：{'、'.join(told)}").in_lang(lang)


_MISSING = {"rates": "汇率表", "company.refund": "是否退税", "company.pilot_zone": "是否在综试区", "company.registered_operator": "是否备案经营者", "market": "市场", "market.name": "市场名称", "market.starts_on": "市场起始日"}


def reasons() -> Iterator[tuple[str, str, Text, tuple[Cite, ...]]]:
    """Every reason that can be given: mode, code, what it says, where it comes from."""
    for advised in ADVISED:
        for condition in advised.conditions:
            yield advised.mode, condition.reason, condition.text, condition.cites
            if condition.missing:
                yield advised.mode, f"unknown_{condition.fact}", _unknown(condition), condition.cites
        cites = tuple(dict.fromkeys(cite for condition in advised.conditions[1:] for cite in condition.cites)) or (GENERAL_TRADE,)
        yield advised.mode, advised.open_reason, advised.open_text, cites


def _unknown(condition: Condition) -> Text:
    lacks = ", ".join(condition.missing)
    return Text(f"Not known ({lacks}). It is closed if: {condition.text.en}", f"未知（{'、'.join(condition.missing)}）。如下情形则不可采用：{condition.text.zh}")


def advice_as_json(advice: Advice, lang: Lang) -> dict[str, Any]:
    consignors = [{**row, "value_cny": _yuan(row.pop("value_fen"))} for row in advice.consignors.to_dict("records")]
    return {
        "schema_version": 1,
        "units": [{**row, "missing": row["missing"].split(";") if row["missing"] else []} for row in advice.rows.to_dict("records")],
        "consignors": consignors,
        "reasons": [{"mode": mode, "reason": reason, "text": text.in_lang(lang), "sources": list(map(str, cites))} for mode, reason, text, cites in reasons()],
        "lines_without_number": advice.unnumbered,
        "note": _ADVICE.in_lang(lang),
    }


def write_advice(advice: Advice, path: Path, form: str, headings: Lang) -> None:
    """The table as a file: csv, parquet or xlsx. Parquet has our names."""
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    table = pa.table({name: pa.array(advice.rows[name].astype(str).tolist(), pa.string()) for name in COLUMNS}, schema=schema)
    part = path.with_name(f".{path.name}.part")
    try:
        refuse_odd(path)
        if form == "xlsx":
            from aggregator.outputs.xlsx import write_workbook

            named = table.rename_columns(_headings(headings))
            write_workbook(part, named.schema, [named])
        elif form == "parquet":
            write_parquet(part, schema, [table])
        else:
            write_csv(part, schema, [table], _headings(headings))
        put_in_place(part, path)
    except OSError as error:
        raise CannotReadOrWrite(f"{path} cannot be written: {error.strerror}.", f"无法写入 {path}：{error.strerror}。") from None
    finally:
        part.unlink(missing_ok=True)


def _headings(lang: Lang) -> list[str]:
    return [column_name(name, M9610.dictionary, lang) for name in COLUMNS]


def advice_as_csv(advice: Advice, headings: Lang) -> list[str]:
    """Lines of a table, in which no cell ends a line or is run by a spreadsheet."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(_headings(headings))
    writer.writerows([guarded_cell(shown(cell)) for cell in row] for row in advice.rows[list(COLUMNS)].itertuples(index=False))
    return sink.getvalue().rstrip("\n").split("\n")


def _yuan(fen: int) -> str:
    return str(Decimal(int(fen)).scaleb(-2))
