"""The one workbook of a run: its tables as sheets, headings in the run's language, names beside codes, amounts as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from aggregator.outputs.xlsx import Sheet, style_of, write_book
from aggregator.schemas.codes import code_list
from aggregator.schemas.column_names import SCOPES, SEVERITIES, SHEETS, beside, column_name, field_called
from aggregator.schemas.field import Dictionary
from aggregator.schemas.modes import Mode
from aggregator.schemas.text import Lang, Text

_FIRST = ("declarations", "declaration_items")
_LAST = ("weight_shares", "findings", "excluded", "control_totals", "audit_map")


def write_run_book(path: Path, mode: Mode, tables: Mapping[str, Callable[[], Iterator[pa.Table]]], lang: Lang) -> None:
    """`tables`: the outputs to be sheets, by name."""
    own = [name for name in mode.outputs.tables if name not in (*_FIRST, *_LAST)]
    names = [name for name in (*_FIRST, *own, *_LAST) if name in tables]
    write_book(path, [sheet_of(mode, name, tables[name](), lang) for name in names])


def sheet_of(mode: Mode, name: str, tables: Iterable[pa.Table], lang: Lang) -> Sheet:
    schema = mode.outputs[name]
    columns = [column for heading in schema.names for column in _columns(mode, name, heading, lang)]
    styles = [style_of(schema.field(each.source).type) if each.means is None else style_of(pa.string()) for each in columns]
    title = SHEETS[name].in_lang(lang) if name in SHEETS else name
    return Sheet(title, [each.heading for each in columns], styles, (_shown(table.cast(schema), columns) for table in tables))


@dataclass(frozen=True)
class _Column:
    """A column of a sheet: that of the table as it is, or what its values mean."""

    heading: str
    source: str
    means: Callable[[pa.Table, pa.Array], pa.Array] | None = None


def _columns(mode: Mode, name: str, source: str, lang: Lang) -> Iterator[_Column]:
    dictionary, heading = mode.dictionary, column_name(source, mode.dictionary, lang)
    words = {"severity": SEVERITIES, "scope": SCOPES}.get(source)
    if words is not None and lang == "zh":
        yield _Column(heading, source, _in_words(words, lang))
        return
    yield _Column(heading, source)
    field = field_called(source, dictionary)
    if field is not None and field.codes:
        yield _Column(beside(source, dictionary, lang), source, _named(field.codes, lang))
    elif source == "column" and lang == "zh":
        yield _Column("列名", source, _of_each(lambda value: column_name(value, dictionary, lang) if value else ""))
    elif source == "reason":
        texts = {reason: rule.message for reason, rule in mode.rules.exclusions.items()}
        yield _Column("reason_text" if lang == "en" else "原因说明", source, _in_words(texts, lang))
    elif source == "currency_or_unit":
        yield _Column("currency_or_unit_name" if lang == "en" else "币制或计量单位名称", source, _unit_names(dictionary, lang))


def _shown(table: pa.Table, columns: list[_Column]) -> pa.Table:
    arrays = []
    for each in columns:
        values = table[each.source].combine_chunks()
        arrays.append(values if each.means is None else each.means(table, values))
    return pa.table(arrays, names=list(map(str, range(len(arrays)))))


def _of_each(meaning: Callable[[str], str]) -> Callable[[pa.Table, pa.Array], pa.Array]:
    """Asked once for each different value."""

    def means(_: pa.Table, values: pa.Array) -> pa.Array:
        encoded = values.cast(pa.string()).dictionary_encode()
        return pa.array([meaning(value) for value in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)

    return means


def _named(codes: str, lang: Lang) -> Callable[[pa.Table, pa.Array], pa.Array]:
    names = code_list(codes).names
    return _of_each(lambda code: _name(names, code, lang))


def _name(names: Mapping[str, tuple[str, str]], code: str, lang: Lang) -> str:
    chinese, english = names.get(code, ("", ""))
    return chinese if lang == "zh" else english or chinese


def _in_words(words: Mapping[str, Text], lang: Lang) -> Callable[[pa.Table, pa.Array], pa.Array]:
    return _of_each(lambda value: words[value].in_lang(lang) if value in words else value)


def _unit_names(dictionary: Dictionary, lang: Lang) -> Callable[[pa.Table, pa.Array], pa.Array]:
    """What is summed is measured in a currency or in a unit; which of the two its column says."""

    def means(table: pa.Table, values: pa.Array) -> pa.Array:
        names = []
        for column, value in zip(table["column"].to_pylist(), values.to_pylist(), strict=True):
            field = field_called(column, dictionary)
            measured = field_called(field.measured_in, dictionary) if field is not None and field.measured_in else None
            names.append(_name(code_list(measured.codes).names, value, lang) if measured is not None and measured.codes else "")
        return pa.array(names, pa.string())

    return means

