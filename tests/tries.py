"""How many examples a property is tried with: few in `make test`, all in `make long`."""

from __future__ import annotations

import os


def tries(number: int) -> int:
    """A fifth of the number, at least 3; under the profile `long` all."""
    return number if os.environ.get("HYPOTHESIS_PROFILE") == "long" else max(3, number // 5)
