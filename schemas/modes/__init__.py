"""The customs modes: one folder a mode, each a value of one type."""

from aggregator.schemas.modes.mode import Mode, Procedure

MODES = ("9610", "9710", "1039")


def mode_of(code: str) -> Mode:
    """The mode of a code, one of MODES. Only the mode that is asked for is loaded."""
    if code == "1039":
        from aggregator.schemas.modes.m1039 import M1039

        return M1039
    if code == "9710":
        from aggregator.schemas.modes.m9710 import M9710

        return M9710
    from aggregator.schemas.modes.m9610 import M9610

    return {M9610.code: M9610}[code]


__all__ = ["MODES", "Mode", "Procedure", "mode_of"]
