"""Decimals as whole numbers of their smallest unit (0.00001): exact, and fast where they fit 64 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

SCALE = 5
PRECISION = 19
"""Of every amount that is read: up to 14 digits before the point and 5 behind it."""
UNIT_PRICE_SCALE = 4

Units = np.ndarray[Any, Any]
"""Whole multiples of 0.00001: int64, or Python integers where those do not fit."""


def scaled(values: pa.Array) -> Units:
    """Decimals of scale 5 as whole numbers; exact, by reading the 128-bit integers Arrow stores."""
    buffer = values.buffers()[1]
    halves = np.frombuffer(buffer, dtype=np.int64).reshape(-1, 2)[values.offset : values.offset + len(values)]
    low, high = halves[:, 0], halves[:, 1]
    if bool(np.all((low >> 63) == high)):
        return low
    return np.array([0 if value is None else int(value.scaleb(SCALE)) for value in values.to_pylist()], dtype=object)


def roomy(units: Units) -> Units:
    """So that any sum of some of them is exact: Python integers where 64 bits may not hold it."""
    fits = units.dtype == object or not len(units) or max(int(units.max()), -int(units.min())) <= (1 << 62) // len(units)
    return units if fits else units.astype(object)


def unscaled(units: Units) -> pa.Array:
    """Whole multiples of 0.00001 as decimals."""
    if units.dtype == object:
        texts = [f"{'-' * (unit < 0)}{abs(int(unit)) // 100000}.{abs(int(unit)) % 100000:05d}" for unit in units]
        return pa.array(texts, pa.string()).cast(pa.decimal128(38, 5))
    low = units.astype(np.int64)
    halves = np.ascontiguousarray(np.column_stack([low, low >> 63]))
    return pa.Array.from_buffers(pa.decimal128(38, 5), len(low), [None, pa.py_buffer(halves)])
