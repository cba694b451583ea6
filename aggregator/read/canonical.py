"""Bring cells to canonical form, and no more than this: outer white space stripped; codes and numbers half-width and
upper-case; known names of code lists to their codes; the guard of a formula cell taken off; blank to null.

Names are never touched, and no value is repaired: what is not a code or a plain number stays as it is, for the rules.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.codes import code_list
from schemas.fields import FIELD
from schemas.inventory import known_columns, text_type

FORMULA_START = "=+\\-@\t\r"
_GUARDED = f"^'('*[{FORMULA_START}])"
_HALF_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}


def canonical(lines: pa.Table, constants: tuple[tuple[str, str], ...]) -> pa.Table:
    """Raw text columns in, canonical text columns out, in the order of the data dictionary; constants added where lacking."""
    given = {name: lines[name].combine_chunks() for name in lines.column_names}
    for column, value in constants:
        if column not in given:
            given[column] = _constant(value, len(lines), text_type(column))
    columns = known_columns(given)
    return pa.table({column: canonical_column(given[column], column) for column in columns})


def _constant(value: str, length: int, dtype: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(dtype):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(length, dtype=np.int32)), pa.array([value], pa.string()))
    return pa.array([value] * length, pa.string())


def canonical_column(values: pa.Array, column: str) -> pa.Array:
    if not pa.types.is_dictionary(values.type):
        return _canonical_text(values, column)
    distinct = _canonical_text(values.dictionary, column).dictionary_encode()
    if len(distinct) == 0:
        return pa.nulls(len(values), text_type(column))
    # Two spellings may have become one value: the dictionary must hold it once, for values are compared by index.
    indices = distinct.indices.take(values.indices)
    return pa.DictionaryArray.from_arrays(indices, distinct.dictionary)


def _canonical_text(values: pa.Array, column: str) -> pa.Array:
    field = FIELD[column]
    values = pc.utf8_trim_whitespace(values)
    if pc.any(pc.starts_with(values, "'")).as_py():
        values = pc.replace_substring_regex(values, _GUARDED, r"\1")
    if field.kind != "text":
        values = _half_width(values)
        if field.kind in ("code", "no"):
            values = pc.utf8_upper(values)
    if field.codes:
        values = _names_to_codes(values, field.codes)
    return pc.if_else(pc.equal(values, ""), None, values) if pc.any(pc.equal(values, "")).as_py() else values


def _half_width(values: pa.Array) -> pa.Array:
    if pc.all(pc.string_is_ascii(values)).as_py() is not False:
        return values
    encoded = values.dictionary_encode()
    folded = [
        value if value is None or value.isascii() else value.translate(_HALF_WIDTH).strip()
        for value in encoded.dictionary.to_pylist()
    ]
    return pa.array(folded, pa.string()).take(encoded.indices)


def _names_to_codes(values: pa.Array, codes: str) -> pa.Array:
    to_code = code_list(codes).to_code
    names = pa.array(list(to_code), pa.string())
    place = pc.index_in(values, value_set=names)
    if place.null_count == len(place):
        return values
    return pc.coalesce(pa.array(list(to_code.values()), pa.string()).take(place), values)
