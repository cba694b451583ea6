"""Row rules on different values: what a schema declares decides, on each value once and not on every line that has it."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.lines import LineSchemas, broken, series_of
from aggregator.schemas.modes import Mode
from aggregator.schemas.pandera import pandera

_REMEMBERED = 20_000
"""Values of a column that are remembered as sound; of one with more, asking anew costs less than looking up."""
_SOUND: WeakKeyDictionary[LineSchemas, dict[tuple[str, str], pa.Array]] = WeakKeyDictionary()
"""What this process has found sound. It only saves work: a value's verdict is always the same, but where its rule looks at others too
(`Rule.by_column`)."""


def broken_by_column(mode: Mode, schema: pandera.DataFrameSchema, name: str, column: pa.Array) -> Iterator[tuple[str, Mask]]:
    """The schema's checks on one column that fail: rule code and row mask."""
    encoded = pa.types.is_dictionary(column.type)
    # What belongs to an inventory stands on each of its lines, one below the other.
    is_header = name in mode.dictionary and mode.dictionary[name].header
    values, rows = _different(column) if encoded else _runs(column) if is_header else (column, None)
    lasting: list[pandera.Check] = []
    series = series_of(values)
    for check in schema.columns[name].checks:
        if encoded and not mode.rules[check.name].by_column:
            lasting.append(check)
        elif (bad := broken(check, series)) is not None:
            yield check.name, bad if rows is None else bad[rows]
    if lasting and rows is not None:
        yield from ((code, bad[rows]) for code, bad in _broken_of_new(mode.lines, (str(schema.name), name), lasting, values))


def _broken_of_new(schemas: LineSchemas, key: tuple[str, str], checks: list[pandera.Check], values: pa.Array) -> Iterator[tuple[str, Mask]]:
    """Of values that were not found sound before."""
    sound = _SOUND.setdefault(schemas, {})
    known = sound.get(key)
    new = np.arange(len(values)) if known is None else np.flatnonzero(~pc.is_in(values, value_set=known).to_numpy(zero_copy_only=False))
    if not len(new):
        return
    asked = values.take(pa.array(new))
    series, learnt = series_of(asked), np.ones(len(new), dtype=bool)
    for check in checks:
        bad = broken(check, series)
        if bad is not None:
            learnt &= ~bad
            of_value = np.zeros(len(values), dtype=bool)
            of_value[new] = bad
            yield str(check.name), of_value
    kept = asked.filter(pa.array(learnt))
    together = kept if known is None else pa.concat_arrays([known, kept])
    if len(together) <= _REMEMBERED:
        sound[key] = together


def _runs(values: pa.Array) -> tuple[pa.Array, Ints]:
    """The first value of each run of equal ones, and the run of each row."""
    encoded = pc.run_end_encode(values)
    lengths = np.diff(encoded.run_ends.to_numpy(), prepend=0)
    return encoded.values, np.repeat(np.arange(len(lengths)), lengths)


def _different(values: pa.Array) -> tuple[pa.Array, Ints]:
    """The different values of a dictionary encoded column, null the last of them where it stands there, and the place among them of
    each row's."""
    if not values.null_count:
        return values.dictionary, values.indices.to_numpy()
    size = len(values.dictionary)
    return pa.concat_arrays([values.dictionary, pa.nulls(1, values.dictionary.type)]), values.indices.fill_null(size).to_numpy()
