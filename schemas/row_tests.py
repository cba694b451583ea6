"""The vectorised tests of the row rules.

A test takes one column as an Arrow array and its name, or, where the rule compares columns, those as arrays, and returns
a boolean array, true where the line is sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas import patterns
from aggregator.schemas.codes import NO_PRODUCER_CODE, code_list
from aggregator.schemas.decimals import SCALE, scaled
from aggregator.schemas.field import Field
from aggregator.schemas.garbled import is_plausible, is_whole
from aggregator.schemas.invisible import has_no_invisible
from aggregator.schemas.statuses import STATUS_CLEARED
from aggregator.schemas.tolerances import TOTAL_TOLERANCE_ABSOLUTE, TOTAL_TOLERANCE_SHARE

RowTest = Callable[..., pa.Array]


def is_given(values: pa.Array, field: Field) -> pa.Array:
    return values.is_valid()


def is_not_longer(values: pa.Array, field: Field) -> pa.Array:
    return patterns.at_most(values, field.length)


def is_plain_decimal(values: pa.Array, field: Field | None = None) -> pa.Array:
    # A minus sign alone is for R105 and R106 to report: "below 0" says more than "not a plain decimal".
    return patterns.matches(values, f"-?{patterns.DECIMAL}")


def is_whole_number(values: pa.Array, field: Field) -> pa.Array:
    return patterns.matches(values, f"[0-9]{{1,{field.length}}}")


def is_above_zero(values: pa.Array, field: Field | None = None) -> pa.Array:
    suspects = pc.or_(pc.starts_with(values, "0"), pc.starts_with(values, "-"))
    return _sound_but(values, suspects, rf"-{patterns.DECIMAL}|0+(?:\.0+)?")


def is_not_negative(values: pa.Array, field: Field | None = None) -> pa.Array:
    return _sound_but(values, pc.starts_with(values, "-"), patterns.NEGATIVE_DECIMAL)


def _sound_but(values: pa.Array, suspects: pa.Array, pattern: str) -> pa.Array:
    """Every value but those suspects that match the pattern: few values are looked at closely."""
    where = pc.indices_nonzero(pc.fill_null(suspects, False))
    return _marked(len(values), where, pc.match_substring_regex(values.take(where), rf"\A(?:{pattern})\z"))


def is_ten_digits(values: pa.Array, field: Field | None = None) -> pa.Array:
    return patterns.matches(values, patterns.COMMODITY_CODE)


def is_of_a_chapter(values: pa.Array, field: Field | None = None) -> pa.Array:
    """Sound too where it is not ten digits: that is R107's finding."""
    return pc.or_(patterns.matches(values, patterns.COMMODITY_CHAPTER), pc.invert(is_ten_digits(values)))


def in_code_list(values: pa.Array, field: Field) -> pa.Array:
    return patterns.is_one_of(values, code_list(field.codes).codes)


@dataclass(frozen=True)
class Shaped:
    """Whether values have a shape."""

    pattern: str

    def __call__(self, values: pa.Array, field: Field) -> pa.Array:
        return patterns.matches(values, self.pattern)


@dataclass(frozen=True)
class KnownIfShaped:
    """In its (incomplete) table, or not even of the shape of a code, which is another rule's finding."""

    pattern: str

    def __call__(self, values: pa.Array, field: Field) -> pa.Array:
        return pc.or_(in_code_list(values, field), pc.invert(patterns.matches(values, self.pattern)))


def could_be_premises(values: pa.Array, field: Field | None = None) -> pa.Array:
    shaped = pc.and_(patterns.matches(values, patterns.PREMISES_CODE), pc.invert(pc.fill_null(pc.ascii_is_alpha(values), False)))
    return pc.or_(shaped, _is_told_otherwise(values))


def _is_told_otherwise(values: pa.Array) -> pa.Array:
    """An error of a spreadsheet or something that cannot be seen is said once: R123 and R122 do."""
    return pc.invert(pc.and_(is_no_spreadsheet_error(values), is_visible(values)))


def is_firm(values: pa.Array, field: Field) -> pa.Array:
    sound = pc.or_(patterns.is_firm_code(values), _is_told_otherwise(values))
    return pc.or_(sound, patterns.matches(values, NO_PRODUCER_CODE)) if field.column == "producer_seller_code" else sound


def is_status(values: pa.Array, field: Field | None = None) -> pa.Array:
    known = patterns.is_one_of(values, code_list("receipt_status").codes)
    return pc.or_(known, patterns.matches(values, "-[0-9]{1,9}"))


def is_cleared_with_time(cleared_digits: pa.Array, status_code: pa.Array, cleared_at: pa.Array) -> pa.Array:
    """Nor a status where the time should be: whatever stands as the status then is none."""
    timed = pc.or_(pc.fill_null(pc.not_equal(status_code, STATUS_CLEARED), True), cleared_digits.is_valid())
    return pc.and_(timed, pc.invert(pc.fill_null(pc.is_in(cleared_at, value_set=_STATUSES), False)))


_STATUSES = pa.array(sorted(code_list("receipt_status").codes), pa.string())


def is_day(values: pa.Array, field: Field | None = None) -> pa.Array:
    encoded = values.dictionary_encode()
    sound = pc.or_(patterns.clearing_digits(encoded.dictionary).is_valid(), encoded.dictionary.is_null())
    return pc.fill_null(sound.take(encoded.indices), True)


def has_both_or_none(second_statutory_quantity: pa.Array, second_statutory_unit_code: pa.Array) -> pa.Array:
    return pc.equal(second_statutory_quantity.is_valid(), second_statutory_unit_code.is_valid())


def is_no_scientific_number(values: pa.Array, field: Field | None = None) -> pa.Array:
    # Each has a point or a plus in it.
    return _sound_but(values, pc.invert(pc.ascii_is_alnum(values)), f"(?i){patterns.SCIENTIFIC}")


def is_visible(values: pa.Array, field: Field | None = None) -> pa.Array:
    return has_no_invisible(values)


def is_no_spreadsheet_error(values: pa.Array, field: Field | None = None) -> pa.Array:
    return _sound_but(values, pc.starts_with(values, "#"), f"(?i){patterns.SPREADSHEET_ERROR}")


def is_whole_text(values: pa.Array, field: Field | None = None) -> pa.Array:
    return is_whole(values)


def is_plausible_text(values: pa.Array, field: Field | None = None) -> pa.Array:
    """Nor a number in scientific notation, but where another rule says so (R206)."""
    plausible = is_plausible(values)
    told_otherwise = field is not None and field.kind == "given" and field.header
    return plausible if told_otherwise else pc.and_(plausible, _is_no_lost_number(values))


def _is_no_lost_number(values: pa.Array) -> pa.Array:
    begins_with_digit = pc.and_(pc.greater_equal(values, "0"), pc.less(values, ":"))
    return _sound_but(values, begins_with_digit, f"(?i){patterns.SCIENTIFIC}")


def is_inventory_number(values: pa.Array, field: Field | None = None) -> pa.Array:
    """Sound too where a spreadsheet has spoiled it (R121) and where it can be no number at all (R124)."""
    usual = patterns.matches(values, patterns.INVENTORY_NO)
    others = pc.indices_nonzero(pc.invert(usual))
    few = values.take(others)
    return _marked(len(values), others, pc.and_(patterns.matches(few, patterns.POSSIBLE_INVENTORY_NO), is_no_scientific_number(few)))


def could_be_inventory_number(values: pa.Array, field: Field | None = None) -> pa.Array:
    """Sound too where another rule says what is wrong (R121, R122, R123)."""
    plain = pc.and_(pc.ascii_is_alnum(values), pc.invert(pc.ascii_is_alpha(values)))
    suspects = pc.indices_nonzero(pc.invert(pc.fill_null(plain, True)))
    few = values.take(suspects)
    bad = pc.invert(patterns.matches(few, patterns.POSSIBLE_INVENTORY_NO))
    for test in (is_no_scientific_number, has_no_invisible, is_no_spreadsheet_error):
        bad = pc.and_(bad, test(few))
    return _marked(len(values), suspects, bad)


def is_not_zero(values: pa.Array, field: Field | None = None) -> pa.Array:
    return pc.fill_null(pc.not_equal(values, pa.scalar(Decimal(0), values.type)), True)


_WIDE = pa.decimal256(60, 12)


def _off_by(declared_quantity: pa.Array, unit_price: pa.Array, total_price: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Lines whose price product is off, and by how much (absolute): indices and decimals."""
    where = _suspects(declared_quantity, unit_price, total_price)
    quantity, price, total = (
        values.take(where).cast(pa.decimal256(19, 5)) for values in (declared_quantity, unit_price, total_price)
    )
    off = pc.abs(pc.subtract(pc.multiply(quantity, price), total.cast(pa.decimal256(39, 10))))
    is_off = pc.fill_null(pc.not_equal(off, pa.scalar(Decimal(0), off.type)), False)
    return where.filter(is_off), off.filter(is_off).cast(_WIDE)


def _suspects(declared_quantity: pa.Array, unit_price: pa.Array, total_price: pa.Array) -> pa.Array:
    """Lines whose product may be off: found with 64-bit integers where those cannot overflow, else all lines."""
    quantity, price, total = scaled(declared_quantity), scaled(unit_price), scaled(total_price)
    room = 1 << 62
    small = all(values.dtype != object for values in (quantity, price, total))
    if small and len(total) and int(quantity.max()) * int(price.max()) < room and int(total.max()) * 10**SCALE < room:
        return pa.array(np.flatnonzero(quantity * price != total * 10**SCALE))
    return pa.array(np.arange(len(total)))


@cache
def _half_units() -> pa.Array:
    """Half a unit of the last digit, by the number of decimals. Made when first asked for: making an array of Python values loads pandas."""
    return pa.array([Decimal(5).scaleb(-digits - 1) for digits in range(6)], pa.decimal256(7, 6))


def _rounding(quantity: pa.Array, decimals: pa.Array) -> pa.Array:
    """What rounding the unit price to its last written digit can move the product by."""
    return pc.multiply(quantity.cast(pa.decimal256(19, 5)), _half_units().take(decimals)).cast(_WIDE)


def _marked(length: int, where: pa.Array, bad: pa.Array) -> pa.Array:
    """Every line sound but those of `where` that are bad."""
    sound = np.ones(length, dtype=bool)
    sound[where.to_numpy()[bad.to_numpy(zero_copy_only=False)]] = False
    return pa.array(sound)


def _price_columns(where: pa.Array, *arrays: pa.Array) -> list[pa.Array]:
    return [array.take(where) for array in arrays]


def _tolerated(quantity: pa.Array, total: pa.Array, price_decimals: pa.Array) -> pa.Array:
    absolute = pa.scalar(TOTAL_TOLERANCE_ABSOLUTE.value, pa.decimal256(7, 6)).cast(_WIDE)
    share = pc.multiply(
        total.cast(pa.decimal256(19, 5)), pa.scalar(TOTAL_TOLERANCE_SHARE.value, pa.decimal256(4, 3))
    ).cast(_WIDE)
    rounding = _rounding(quantity, price_decimals)
    larger = pc.if_else(pc.greater(share, rounding), share, rounding)
    return pc.if_else(pc.greater(larger, absolute), larger, absolute)


def is_total_near_product(
    declared_quantity: pa.Array,
    unit_price: pa.Array,
    total_price: pa.Array,
    unit_price_decimals: pa.Array,
    total_price_decimals: pa.Array,
) -> pa.Array:
    where, off = _off_by(declared_quantity, unit_price, total_price)
    quantity, total, decimals = _price_columns(where, declared_quantity, total_price, unit_price_decimals)
    return _marked(len(unit_price), where, pc.greater(off, _tolerated(quantity, total, decimals)))


def is_total_explained_by_rounding(
    declared_quantity: pa.Array,
    unit_price: pa.Array,
    total_price: pa.Array,
    unit_price_decimals: pa.Array,
    total_price_decimals: pa.Array,
) -> pa.Array:
    """Sound too where the total is off beyond the tolerance: that is R120's finding."""
    where, off = _off_by(declared_quantity, unit_price, total_price)
    quantity, total, decimals, written = _price_columns(
        where, declared_quantity, total_price, unit_price_decimals, total_price_decimals
    )
    explained = pc.add(_rounding(quantity, decimals), _half_units().take(written).cast(_WIDE))
    tolerated = pc.less_equal(off, _tolerated(quantity, total, decimals))
    return _marked(len(unit_price), where, pc.and_(tolerated, pc.greater(off, explained)))
