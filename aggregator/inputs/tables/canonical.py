"""Bring cells to canonical form, and no more than this: outer white space stripped; codes, inventory numbers and amounts
half-width, codes and inventory numbers upper-case; known names of code lists to their codes; the wrapping that spreadsheets
put text in (`="0123"`, a leading apostrophe) and the guard of a formula cell taken off; blank to null.

Names are never touched, nor are the letters of numbers that others gave: a user joins by them. No value is repaired: what is
not a code or a plain number stays as it is, for the rules. What was done is counted by kind.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints, Mask, constant
from aggregator.schemas.codes import code_list
from aggregator.schemas.field import Dictionary, Field
from aggregator.schemas.lines import text_type

FORMULA = "(?:[\t\r\n]|[ \t\r\n\f\v\u00a0\u3000]*[=+\\-@＝＋－＠])"
"""How a cell begins that a spreadsheet may run: what is no cell's beginning, or blanks and a sign, full-width ones too."""
GUARDED = f"^'('*{FORMULA})"
_HALF_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}


@dataclass
class Repairs:
    """Counts cells by what was done to them, for each part of the rows. `part_of`: the part of each row, where there are several;
    `weights`: in how many cells of each part each of the values looked at stands, where these are not the rows themselves."""

    part_of: Ints | None = None
    parts: int = 1
    counts: dict[str, Ints] = dataclasses.field(default_factory=dict)
    weights: Ints | None = None

    def note(self, kind: str, before: pa.Array, after: pa.Array) -> None:
        if _size(before) == _size(after) and before.equals(after):
            return
        changed = pc.fill_null(pc.not_equal(before, after), False).to_numpy(zero_copy_only=False)
        self.add(kind, changed)

    def add(self, kind: str, changed: Mask) -> None:
        """In: which of the rows, or of the values that `weights` weighs."""
        if self.weights is not None:
            count = self.weights[changed].sum(axis=0)
        elif self.part_of is None:
            count = np.array([changed.sum()])
        else:
            count = np.bincount(self.part_of[changed], minlength=self.parts)
        self.counts[kind] = self.counts.get(kind, 0) + count

    def weigh(self, indices: pa.Array, values: int) -> None:
        """From here on values of a dictionary are looked at. In: where the rows have them."""
        at = pc.fill_null(indices, values).to_numpy().astype(np.int64)
        of_part = at if self.part_of is None else at * self.parts + self.part_of
        self.weights = np.bincount(of_part, minlength=(values + 1) * self.parts).reshape(-1, self.parts)[:-1]

    def of(self, part: int) -> dict[str, int]:
        """What was done to one part, by kind; nothing that was not done."""
        return {kind: int(counts[part]) for kind, counts in sorted(self.counts.items()) if counts[part]}


def _size(values: pa.Array) -> int:
    """Bytes of all values together."""
    begin, end = _bounds(values)
    return end - begin


def _bounds(values: pa.Array) -> tuple[int, int]:
    """Where the bytes of all values begin and end."""
    if not len(values) or values.buffers()[1] is None:
        return 0, 0
    bounds = np.frombuffer(values.buffers()[1], dtype=np.int32)
    return int(bounds[values.offset]), int(bounds[values.offset + len(values)])


def canonical(lines: pa.Table, constants: tuple[tuple[str, str], ...], dictionary: Dictionary, repairs: Repairs) -> pa.Table:
    """Raw text columns in, canonical text columns out, in the order of the data dictionary; constants added where lacking."""
    given = {name: lines[name].combine_chunks() for name in lines.column_names}
    for column, value in constants:
        if column not in given:
            given[column] = _constant(value, len(lines), text_type(dictionary[column]))
    columns = dictionary.in_order(given)
    return pa.table({column: canonical_column(given[column], dictionary[column], repairs) for column in columns})


def _constant(value: str, length: int, dtype: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(dtype):
        return constant(value, length)
    return pa.array([value] * length, pa.string())


def canonical_column(values: pa.Array, field: Field, repairs: Repairs | None = None) -> pa.Array:
    repairs = repairs or Repairs()
    if not pa.types.is_dictionary(values.type):
        repairs.weights = None
        return _canonical_text(values, field, repairs)
    counted = Repairs()
    changed = _canonical_text(values.dictionary, field, counted)
    if changed.equals(values.dictionary):
        # Most columns of most exports: nothing to count, and each value is still there once.
        return values
    if counted.counts:
        repairs.weigh(values.indices, len(values.dictionary))
        _canonical_text(values.dictionary, field, repairs)
    distinct = changed.dictionary_encode()
    if len(distinct) == 0:
        return pa.nulls(len(values), text_type(field))
    # Two spellings may have become one value: the dictionary must hold it once, for values are compared by index.
    return pa.DictionaryArray.from_arrays(distinct.indices.take(values.indices), distinct.dictionary)


def _canonical_text(given: pa.Array, field: Field, repairs: Repairs) -> pa.Array:
    if _is_canonical(given, field):
        return _blank_as_null(given)
    values = pc.utf8_trim_whitespace(given)
    repairs.note("outer_spaces", given, values)
    if pc.any(pc.starts_with(values, "'")).as_py():
        values = pc.utf8_trim_whitespace(pc.replace_substring_regex(values, GUARDED, r"\1"))
        if field.kind != "text":
            plain = pc.replace_substring_regex(values, "^'+", "")
            repairs.note("apostrophes", values, plain)
            values = plain
    if pc.any(pc.starts_with(values, '="')).as_py():
        plain = pc.replace_substring_regex(values, '(?s)^="(.*)"$', r"\1")
        repairs.note("text_formulas", values, plain)
        values = plain
    if field.kind not in ("text", "given"):
        half_width = _half_width(values)
        repairs.note("full_width", values, half_width)
        values = pc.utf8_upper(half_width) if field.kind in ("code", "no") else half_width
    if field.codes:
        codes = _names_to_codes(values, field.codes)
        repairs.note("names_to_codes", values, codes)
        values = codes
    return _blank_as_null(values)


def _blank_as_null(values: pa.Array) -> pa.Array:
    blank = pc.equal(values, "")
    return pc.if_else(blank, None, values) if pc.any(blank).as_py() else values


def _is_canonical(values: pa.Array, field: Field) -> bool:
    """Whether no byte of all values is one that anything would be done about; of other values each has to be looked at. Nearly all numbers
    that customs or others gave are so."""
    if field.codes:
        return False
    begin, end = _bounds(values)
    data = np.frombuffer(values.buffers()[2] or b"", dtype=np.uint8)[begin:end]
    if not len(data):
        return True
    last = "`" if field.kind in ("code", "no") else "~"
    if data.min() <= ord(" ") or data.max() > ord(last):
        return False
    return not ((data == ord("'")) | (data == ord("="))).any()


def folded(values: pa.Array) -> pa.Array:
    """Numbers without regard to case and width: to look them up, never to keep them so."""
    return pc.utf8_upper(_half_width(values))


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
