"""Traced lines on stdout or in a file, as CSV, JSON or a workbook."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.inputs.sources.files import standard_input
from aggregator.inputs.tables.canonical import folded
from aggregator.jobs.trace import TRACE
from aggregator.jobs.undeclared import MOST_BYTES
from aggregator.model.disk import put_in_place, refuse_odd
from aggregator.model.errors import CannotReadOrWrite, UnusableInput, cannot_be_read
from aggregator.model.small import MOST_LINES, read_small
from aggregator.outputs.tables import csv_bytes, write_csv
from aggregator.schemas.column_names import column_name
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.shown import HIDDEN, shown
from aggregator.schemas.text import Lang, Text

_NUMBERED = ("inventory_no", "order_no", "waybill_no", "declaration_ref", "summary_seq_no", "declaration_no", "refund_key", "list_no")
_BOM = b"\xef\xbb\xbf"
"""Without it a spreadsheet takes Chinese for something else; a terminal would show it."""
BY_OTHER_NUMBERS = Text(
    f"Orders and waybills of what is not declared are looked for in {MOST_BYTES >> 20} MiB of files, the last runs first; the number of an inventory is always found.",
    f"未申报的，其订单号、运单号仅在最近批次的 {MOST_BYTES >> 20} MiB 文件中查找；清单编号则均可查到。",
)
_NEVER = Text(f"Never seen by a run. {BY_OTHER_NUMBERS.en}", f"从未被任何批次读入。{BY_OTHER_NUMBERS.zh}")
_FATES = {
    "declared": "已申报", "rejected": "被拒绝", "excluded": "被排除", "waiting": "待申报", "dismissed": "不再申报", "refused": "海关退单", "voided": "批次已作废",
    "never_seen": "从未读入",
}  # fmt: skip


def numbers_in(path: Path) -> set[str]:
    """The numbers of a file, one a line; - is standard input."""
    try:
        data = standard_input().read(MOST_LINES + 1) if str(path) == "-" else read_small(path, MOST_LINES, pipes=True)
        if len(data) > MOST_LINES:
            raise OSError(errno.EFBIG, f"more than {MOST_LINES:,} bytes came")
        return {line.strip() for line in data.decode("utf-8-sig").splitlines() if line.strip()}
    except UnicodeDecodeError:
        raise UnusableInput(f"{path}: the numbers are not UTF-8. Save it again as UTF-8.", f"{path}：编号文件不是UTF-8编码。请另存为UTF-8。") from None
    except OSError as error:
        raise cannot_be_read(str(path), error) from None


class Printer(Protocol):
    """What prints; see cli."""

    def print_json(self, value: Any) -> None: ...

    def print_bytes(self, table: bytes) -> None: ...

    def to_terminal(self) -> bool: ...


def print_trace(tables: Iterable[pa.Table], wanted: set[str], to: Printer, lang: Lang, headings: Lang, *, as_json: bool, output: Path | None = None) -> list[str]:
    """Prints what was found, or writes it to a file; the numbers that stand for nothing, in order. JSON has the names of the columns in
    English, for programs; what people open has them in their language, or as they ask (`headings`)."""
    numbers = sorted(wanted)
    asked = folded(pa.array(numbers, pa.string()))
    found, made = set[str](), []
    for table in tables:
        found |= _named(table, asked)
        made.append(table)
    absent = [number for number, sought in zip(numbers, asked.to_pylist(), strict=True) if sought not in found]
    whole = pa.concat_tables([TRACE.empty_table(), *made])
    form = "json" if as_json else (output.suffix.lower().removeprefix(".") if output is not None else "csv")
    if form == "json":
        answer = {"schema_version": 1, "lines": whole.to_pylist(), "never_seen": absent}
        _written(output, lambda path: path.write_text(json.dumps(answer, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")) if output is not None else to.print_json(answer)
        return absent
    whole = pa.concat_tables([whole, _never_seen(absent, lang)])
    called = [column_name(name, M9610.dictionary, headings) for name in TRACE.names]
    whole = _in_words(whole, headings).rename_columns(called)
    if output is None:
        mark = b"" if to.to_terminal() else _BOM
        to.print_bytes(mark + csv_bytes(whole.schema.empty_table(), header=True) + csv_bytes(_shown(whole), header=False))
    elif form == "xlsx":
        from aggregator.outputs.xlsx import write_workbook

        _written(output, lambda path: write_workbook(path, whole.schema, [whole]))
    else:
        _written(output, lambda path: write_csv(path, whole.schema, [whole]))
    return absent


def _never_seen(numbers: list[str], lang: Lang) -> pa.Table:
    told = {"inventory_no": numbers, "fate": ["never_seen"] * len(numbers), "explanation": [_NEVER.in_lang(lang)] * len(numbers)}
    return pa.table({name: pa.array(told.get(name, [""] * len(numbers)), pa.string()) for name in TRACE.names})


def _in_words(table: pa.Table, lang: Lang) -> pa.Table:
    if lang == "en":
        return table
    place = table.column_names.index("fate")
    return table.set_column(place, "fate", pa.array([_FATES.get(fate, fate) for fate in table["fate"].to_pylist()], pa.string()))


def _written(path: Path, write: Callable[[Path], Any]) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        refuse_odd(path)
        write(part)
        put_in_place(part, path)
    except OSError as error:
        raise CannotReadOrWrite(f"{path} cannot be written: {error.strerror}.", f"无法写入 {path}：{error.strerror}。") from None
    finally:
        part.unlink(missing_ok=True)


def _shown(table: pa.Table) -> pa.Table:
    """With what stands in a cell and is no plain text made visible: this goes to a terminal."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and pc.any(pc.match_substring_regex(table[field.name], f"[{HIDDEN}]")).as_py():
            cells = [None if cell is None else shown(cell) for cell in table[field.name].to_pylist()]
            table = table.set_column(place, field.name, pa.array(cells, pa.string()))
    return table


def _named(table: pa.Table, asked: pa.Array) -> set[str]:
    """Which of the numbers asked for the lines carry, without regard to case and width."""
    columns = [folded(table[name].combine_chunks()) for name in _NUMBERED]
    for one, other in (("declaration_ref", "declaration_item_no"), ("platform_code", "order_no")):
        columns.append(folded(pc.binary_join_element_wise(table[one].combine_chunks(), table[other].combine_chunks(), "/")))
    return {value for column in columns for value in column.filter(pc.is_in(column, asked)).unique().to_pylist()}
