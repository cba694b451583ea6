"""Numbers of units that take two columns to tell: an order by its platform and its own number. The ledger keeps both in one text,
`platform/order`; users are shown the order number."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.field import Dictionary

SEPARATOR = "/"
"""No code of a platform holds it; a number of an order may."""


def unit_numbers(lines: pa.Table, dictionary: Dictionary) -> pa.Array:
    """The unit of each line as the ledger knows it; null where a part of it is blank."""
    parts = [lines[column].combine_chunks().cast(pa.string()) if column in lines.column_names else pa.nulls(lines.num_rows, pa.string()) for column in dictionary.unit]
    return pc.binary_join_element_wise(*parts, SEPARATOR)


def shown_numbers(numbers: pa.Array, dictionary: Dictionary) -> pa.Array:
    """Numbers of units as users know them."""
    if not dictionary.unit or not len(numbers):
        return numbers
    return pc.replace_substring_regex(numbers, f"(?s)^[^{SEPARATOR}]*{SEPARATOR}", "")
