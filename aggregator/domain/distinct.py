"""Row rules on different values: what a schema declares decides, on each value once and not on every line that has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.schemas.arrays import Ints, Mask
from aggregator.schemas.lines import LineSchemas, broken, series_of
from aggregator.schemas.modes import Mode
from aggregator.schemas.pandera import pandera

_REMEMBERED = 20_000
"""Values of a column that are remembered; of one with more, asking anew costs less than looking up."""


class _Told(NamedTuple):
    """What checks have said of values. `broken`: for each check (row) which of the unsound values (columns) break it."""

    sound: pa.Array
    unsound: pa.Array
    broken: Mask


_TOLD: WeakKeyDictionary[LineSchemas, dict[tuple[str, str], _Told]] = WeakKeyDictionary()
"""What this process was told. It only saves work: a value's verdict is always the same, but where its rule looks at others too
(`Rule.by_column`). Wrong values are much the same in each chunk, as sound ones are."""


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
        yield from ((code, bad[rows]) for code, bad in _broken_of_values(mode.lines, (str(schema.name), name), lasting, values))


def _broken_of_values(schemas: LineSchemas, key: tuple[str, str], checks: list[pandera.Check], values: pa.Array) -> Iterator[tuple[str, Mask]]:
    """The checks that some of these different values break. What was said of a value before is not asked again."""
    memory = _TOLD.setdefault(schemas, {})
    told = memory.get(key) or _Told(pa.array([], values.type), pa.array([], values.type), np.zeros((len(checks), 0), dtype=bool))
    doubtful = np.flatnonzero(~pc.is_in(values, value_set=told.sound).to_numpy(zero_copy_only=False))
    if not len(doubtful):
        return
    asked = values.take(pa.array(doubtful))
    known = pc.fill_null(pc.index_in(asked, value_set=told.unsound), -1).to_numpy()
    broken_ones = np.zeros((len(checks), len(asked)), dtype=bool)
    broken_ones[:, known >= 0] = told.broken[:, known[known >= 0]]
    if len(new := np.flatnonzero(known < 0)):
        fresh = asked.take(pa.array(new))
        broken_ones[:, new] = of_new = _asked(checks, fresh)
        is_wrong = of_new.any(axis=0)
        sound = pa.concat_arrays([told.sound, fresh.filter(pa.array(~is_wrong))])
        unsound = pa.concat_arrays([told.unsound, fresh.filter(pa.array(is_wrong))])
        if len(sound) + len(unsound) <= _REMEMBERED:
            memory[key] = _Told(sound, unsound, np.concatenate([told.broken, of_new[:, is_wrong]], axis=1))
    for check, bad in zip(checks, broken_ones, strict=True):
        if bad.any():
            of_value = np.zeros(len(values), dtype=bool)
            of_value[doubtful] = bad
            yield str(check.name), of_value


def _asked(checks: list[pandera.Check], values: pa.Array) -> Mask:
    """For each check (row) which of the values (columns) break it."""
    series = series_of(values)
    found = [broken(check, series) for check in checks]
    none = np.zeros(len(values), dtype=bool)
    return np.array([none if bad is None else bad for bad in found]).reshape(len(checks), len(values))


def _runs(values: pa.Array) -> tuple[pa.Array, Ints]:
    """The first value of each run of equal ones, and the run of each row. A null is a run of its own."""
    begins = np.ones(len(values), dtype=bool)
    begins[1:] = pc.fill_null(pc.not_equal(values.slice(1), values.slice(0, max(len(values) - 1, 0))), True).to_numpy(zero_copy_only=False)
    return values.take(pa.array(np.flatnonzero(begins))), np.cumsum(begins) - 1


def _different(values: pa.Array) -> tuple[pa.Array, Ints]:
    """The different values of a dictionary encoded column, null the last of them where it stands there, and the place among them of
    each row's."""
    if not values.null_count:
        return values.dictionary, values.indices.to_numpy()
    size = len(values.dictionary)
    return pa.concat_arrays([values.dictionary, pa.nulls(1, values.dictionary.type)]), values.indices.fill_null(size).to_numpy()
