"""Pandera, without what it brings along. Where PySpark is installed, Pandera imports it and its pandas at every start: seconds, a warning
on stderr, and settings of Spark in the environment, where they would bind a driver to this machine alone. So it does with Hypothesis, a
tenth of a second; and Pydantic looks for plugins in all that is installed, though nothing of Pandera's is for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

_WITHOUT, _SETS = ("pyspark", "hypothesis"), ("SPARK_LOCAL_IP", "PYARROW_IGNORE_TIMEZONE")
_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"


@contextmanager
def _alone() -> Iterator[None]:
    """As if these were not installed."""
    # What is loaded already costs nothing more, but for PySpark's pandas.
    former = {name: sys.modules.get(name) for name in _WITHOUT if name == "pyspark" or name not in sys.modules}
    environment = {name: os.environ.get(name) for name in (*_SETS, _PLUGINS)}
    os.environ[_PLUGINS] = "__all__"
    sys.modules.update(dict.fromkeys(former))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name, module in former.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)


if "geopandas" not in sys.modules and find_spec("geopandas") is None:
    # Pandera asks for it with every column of every schema, and a search for what is not there takes long.
    sys.modules["geopandas"] = None  # type: ignore[assignment]

with _alone():
    # Otherwise imported with the first schema.
    import pandera.backends.pandas.builtin_checks as _checks  # noqa: F401
    import pandera.pandas as pandera

__all__ = ["pandera"]
