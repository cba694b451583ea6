"""Imported by every worker, or by the fork server that it comes from: the stages, warmed up, so that it starts ready.

Pandera builds its caches on the first validation, and kinds of characters are tables: a worker forked before that would make them anew.
"""

from __future__ import annotations

import pandas as pd

import aggregator.pipeline.line  # noqa: F401 - to have the steps imported
from aggregator.schemas.garbled import make_tables
from aggregator.schemas.lines import CLEARED
from aggregator.schemas.modes.m9610 import M9610

_COLUMNS = M9610.dictionary.columns

for _schema in (M9610.lines.text(_COLUMNS), M9610.lines.typed((*_COLUMNS, CLEARED))):
    _empty = pd.DataFrame({name: pd.Series(dtype=column.dtype.type) for name, column in _schema.columns.items()})
    M9610.lines.structure(_schema).validate(_empty)
make_tables()
