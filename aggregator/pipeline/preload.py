"""Imported by the fork server: the stages, warmed up once, so that every worker starts ready.

Pandera builds its caches on the first validation; a worker forked before that would build them anew.
"""

from __future__ import annotations

import pandas as pd

import aggregator.pipeline  # noqa: F401 - to have it imported
from aggregator.schemas.modes.m9610.fields import FIELD
from aggregator.schemas.modes.m9610.inventory import CLEARED, known_columns, structure_of, text_schema, typed_schema

_COLUMNS = known_columns(FIELD)

for _schema in (text_schema(_COLUMNS), typed_schema((*_COLUMNS, CLEARED))):
    _empty = pd.DataFrame({name: pd.Series(dtype=column.dtype.type) for name, column in _schema.columns.items()})
    structure_of(_schema).validate(_empty)
