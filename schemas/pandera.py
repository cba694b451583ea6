"""Pandera, without what it brings along. Where PySpark is installed, Pandera imports it and its pandas at every start: seconds, a warning
on stderr, and settings of Spark in the environment, where they would bind a driver to this machine alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_WITHOUT, _SETS = "pyspark", ("SPARK_LOCAL_IP", "PYARROW_IGNORE_TIMEZONE")


@contextmanager
def _alone() -> Iterator[None]:
    """As if PySpark were not installed."""
    former, environment = sys.modules.get(_WITHOUT), {name: os.environ.get(name) for name in _SETS}
    sys.modules[_WITHOUT] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_WITHOUT]
        if former is not None:
            sys.modules[_WITHOUT] = former
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)


with _alone():
    # Otherwise imported with the first schema.
    import pandera.backends.pandas.builtin_checks as _checks  # noqa: F401
    import pandera.pandas as pandera

__all__ = ["pandera"]
