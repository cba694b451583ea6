"""Merges 9610 export inventories into summary declarations."""

import aggregator.schemas as schemas

__version__ = "0.1.0"

if getattr(schemas, "STAMP", "") != "9610-summary-declaration-schemas":
    raise ImportError(
        f"another package named 'schemas' is in the way: {getattr(schemas, '__file__', schemas)}. "
        "Install aggregator in a virtual environment of its own."
    )
