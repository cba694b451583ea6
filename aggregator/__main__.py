"""`python -m aggregator` and the `aggregator` script."""

from aggregator.model.signals import leave_at_once


def main() -> None:
    # Before anything else is imported: that takes long enough for an impatient Ctrl-C.
    leave_at_once()
    from aggregator.cli import main as command

    command()


if __name__ == "__main__":
    main()
