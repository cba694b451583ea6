"""`python -m aggregator` and the `aggregator` script."""

import atexit
import gc
import os
import sys

from aggregator.model.platform import refuse_windows
from aggregator.model.signals import leave_at_once


def main() -> None:
    refuse_windows(sys.platform)
    # What is imported is no garbage: looking for some in between takes a tenth of the start.
    gc.set_threshold(100_000)
    # Nor is what there is when the process ends: looking through it all takes as long again.
    atexit.register(gc.freeze)
    # Nothing here multiplies matrices: the threads that numpy makes for it only spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Before anything else is imported: that takes long enough for an impatient Ctrl-C.
    leave_at_once()
    from aggregator.cli import main as command

    command()


if __name__ == "__main__":
    main()
