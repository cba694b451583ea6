"""Validate one chunk of item lines: row rules to findings, text to values. Knows nothing of other chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.distinct import broken_by_column
from aggregator.model.errors import OurFault
from aggregator.model.findings import findings_of, no_findings
from aggregator.schemas.arrays import Mask, compact, without
from aggregator.schemas.field import Field
from aggregator.schemas.invisible import has_no_invisible, made_visible
from aggregator.schemas.lines import CLEARED, COUNT_TYPE, DECIMAL_TYPE, WRITTEN_COLUMNS, WRITTEN_TYPE, broken
from aggregator.schemas.modes import Mode
from aggregator.schemas.pandera import pandera
from aggregator.schemas.patterns import ZERO, clearing_digits
from aggregator.schemas.statuses import STATUS_CLEARED

_LOST = "R206"
"""Numbers that lost their digits are not used: only their findings show them."""
_SPOILS_NUMBER = ("R103", "R104", "R105", "R106")


@dataclass(frozen=True)
class Validated:
    """`lines`: the typed columns, `error_bits` (int64) and, with a status, `cleared_digits`. `findings`: see FINDINGS.
    `unreadable`: column to how many given values are no number."""

    lines: pa.Table
    findings: pa.Table
    unreadable: dict[str, int]


def validate_lines(
    text: pa.Table, wrong: dict[int, str], reported: Sequence[tuple[str, int, str]], mode: Mode
) -> Validated:
    """In: canonical text columns; lines that are not rows of cells, with their code; what the reader found on lines (code,
    line, value). Out: see Validated."""
    columns = tuple(text.column_names)
    # Rows were passed over: what only they had is judged by nobody.
    text = pa.table({name: compact(text[name].combine_chunks()) for name in columns})
    wrong_lines = np.zeros(text.num_rows, dtype=bool)
    wrong_lines[list(wrong)] = True
    failures = list(_failures(mode, mode.lines.text(columns), text))
    typed, unreadable = _typed(text, failures, mode)
    if "status_code" in columns and "cleared_at" in columns:
        typed = typed.append_column(CLEARED, _cleared_digits(text))
    written = typed
    for column in WRITTEN_COLUMNS:
        written = written.append_column(column, _written_decimals(text[column.removesuffix("_decimals")]))
    failures += _failures(mode, mode.lines.typed(tuple(typed.column_names)), written)
    bits = np.zeros(text.num_rows, dtype=np.int64)
    found = []
    numbers, items = text["inventory_no"].combine_chunks(), text["item_no"].combine_chunks()
    for code, column, bad in failures:
        # A record that could not be read as cells has one finding; that its cells are missing says nothing more.
        places = np.flatnonzero(bad & ~wrong_lines)
        bits[places] |= mode.rules.error_bit(code)
        at = pa.array(places)
        value = pc.fill_null(text[column].combine_chunks().take(at).cast(pa.string()), "")
        shown = _shown(value, mode.dictionary[column]) if column in mode.dictionary else value
        found.append(findings_of(mode, code, column, places, shown, numbers.take(at), items.take(at)))
    for code in sorted(set(wrong.values())):
        places = np.array(sorted(place for place, other in wrong.items() if other == code))
        bits[places] |= mode.rules.error_bit(code)
        at, blank = pa.array(places), pa.nulls(len(places), pa.string())
        found.append(findings_of(mode, code, "", places, blank, numbers.take(at), items.take(at)))
    for code in sorted({code for code, _, _ in reported}):
        of_code = [(line, value) for each, line, value in reported if each == code]
        places = np.array([line for line, _ in of_code])
        bits[places] |= mode.rules.error_bit(code)
        at = pa.array(places)
        value = pa.array([value for _, value in of_code], pa.string())
        found.append(findings_of(mode, code, "", places, value, numbers.take(at), items.take(at)))
    lines = typed.append_column("error_bits", pa.array(bits))
    findings = pa.concat_tables(found) if found else no_findings()
    order = [("line", "ascending"), ("code", "ascending"), ("column", "ascending")]
    return Validated(lines.drop_columns([c for c in columns if c in mode.dictionary and not mode.dictionary[c].carried]), findings.sort_by(order), unreadable)


def _shown(values: pa.Array, field: Field) -> pa.Array:
    """Values as a finding shows them: in a number or code what cannot be seen is shown as its code point."""
    if field.kind == "text" or pc.all(has_no_invisible(values)).as_py() is not False:
        return values
    encoded = values.dictionary_encode()
    return pa.array([made_visible(value) for value in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)


def _failures(mode: Mode, schema: pandera.DataFrameSchema, lines: pa.Table) -> Iterator[tuple[str, str, Mask]]:
    """Rule code, blamed column and row mask of every check that fails.

    Pandera checks the structure; then each of the schema's checks is called by itself, on each different value once where a column
    is dictionary encoded (distinct.py). Its lazy report would build a table of failure cases for every failing check, which costs several times the
    checks; all we need is their row masks (lines.broken).
    """
    _must_have_structure(mode, schema, lines)
    for name, column in schema.columns.items():
        if column.checks:
            yield from ((code, name, bad) for code, bad in broken_by_column(mode, schema, name, lines[name].combine_chunks()))
    for check in schema.checks:
        rule = mode.rules[check.name]
        bad = broken(check, lines.select(dict.fromkeys(rule.compares)).to_pandas(types_mapper=pd.ArrowDtype))
        if bad is not None:
            yield check.name, rule.columns[0], bad


_SOUND_STRUCTURES: set[tuple[str, tuple[tuple[str, pa.DataType], ...]]] = set()


def _must_have_structure(mode: Mode, schema: pandera.DataFrameSchema, lines: pa.Table) -> None:
    """Check columns and types, once for each Arrow schema: it is all that they depend on."""
    key = (str(schema.name), tuple((field.name, field.type) for field in lines.schema))
    if key in _SOUND_STRUCTURES:
        return
    try:
        mode.lines.structure(schema).validate(lines.to_pandas(types_mapper=pd.ArrowDtype))
    except pandera.errors.SchemaError as error:
        raise OurFault(f"the lines break their own schema: {error}", f"数据行不符合自身的结构定义：{error}") from None
    _SOUND_STRUCTURES.add(key)


def _typed(text: pa.Table, failures: list[tuple[str, str, Mask]], mode: Mode) -> tuple[pa.Table, dict[str, int]]:
    arrays: dict[str, pa.Array] = {}
    unreadable: dict[str, int] = {}
    for column in text.column_names:
        values = text[column].combine_chunks()
        if column in mode.dictionary.decimals or column in mode.dictionary.counts:
            spoiled = np.zeros(len(values), dtype=bool)
            for code, blamed, bad in failures:
                if blamed == column and code in _SPOILS_NUMBER:
                    spoiled |= bad
            if spoiled.any() and column in mode.dictionary.decimals:
                # R105 also marks zeros, which are numbers: only what is no plain number is unreadable.
                zero = pc.fill_null(pc.match_substring_regex(values.dictionary, rf"\A(?:{ZERO})\z"), False).to_numpy(zero_copy_only=False)
                spoiled &= ~np.append(zero, False)[values.indices.fill_null(len(zero)).to_numpy()]
            unreadable[column] = int(spoiled.sum())
            values = _numbers(values, spoiled, DECIMAL_TYPE if column in mode.dictionary.decimals else COUNT_TYPE)
        for bad in (bad for code, blamed, bad in failures if (code, blamed) == (_LOST, column)):
            values = without(values, bad)
        arrays[column] = values
    return pa.table(arrays), unreadable


def _numbers(text: pa.Array, spoiled: Mask, kind: pa.DataType) -> pa.Array:
    """Text to numbers, each different one once; null where it is spoiled."""
    different, rows = text.dictionary, text.indices
    if spoiled.any():
        unusable = np.zeros(len(different), dtype=bool)
        unusable[rows.filter(pa.array(spoiled)).drop_null().to_numpy()] = True
        different = pc.if_else(pa.array(unusable), None, different)
    return different.cast(kind).take(rows)


def _written_decimals(text: pa.ChunkedArray) -> pa.Array:
    encoded = text.combine_chunks()
    values = encoded.dictionary
    point = pc.find_substring(values, ".")
    decimals = pc.subtract(pc.subtract(pc.binary_length(values), point), 1)
    decimals = pc.if_else(pc.less(point, 0), 0, decimals)
    return pc.fill_null(pc.min_element_wise(decimals, 5).cast(WRITTEN_TYPE).take(encoded.indices), 0)


def _cleared_digits(text: pa.Table) -> pa.Array:
    status = text["status_code"].combine_chunks()
    cleared = pc.fill_null(pc.equal(status.dictionary, STATUS_CLEARED).take(status.indices), False) if len(
        status.dictionary
    ) else pa.array(np.zeros(len(status), dtype=bool))
    encoded = pc.if_else(cleared, text["cleared_at"].combine_chunks(), None).dictionary_encode()
    return clearing_digits(encoded.dictionary).take(encoded.indices)
