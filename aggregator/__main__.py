"""`python -m aggregator` and the `aggregator` script."""

import sys

from aggregator.model.platform import refuse_windows
from aggregator.model.signals import leave_at_once


def main() -> None:
    refuse_windows(sys.platform)
    # Before anything else is imported: that takes long enough for an impatient Ctrl-C.
    leave_at_once()
    from aggregator.cli import main as command

    command()


if __name__ == "__main__":
    main()
