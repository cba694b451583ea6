"""The customs modes: one folder a mode, each a value of one type."""

from aggregator.schemas.modes.mode import Mode

MODES = ("9610",)


def mode_of(code: str) -> Mode:
    """The mode of a code, one of MODES. Only the mode that is asked for is loaded."""
    from aggregator.schemas.modes.m9610 import M9610

    return {M9610.code: M9610}[code]


__all__ = ["MODES", "Mode", "mode_of"]
