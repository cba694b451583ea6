"""Merges cross-border e-commerce export inventories into customs declarations. For programs: run, check, trace, status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aggregator.model.version import VERSION

__version__ = VERSION
__all__ = ["check", "run", "status", "trace"]

if TYPE_CHECKING:
    from aggregator.library import check, run, status, trace


def __getattr__(name: str) -> Any:
    # At first use: the command line starts without loading what reads and writes data.
    if name in __all__:
        from aggregator import library

        return getattr(library, name)
    raise AttributeError(f"module 'aggregator' has no attribute '{name}'")
