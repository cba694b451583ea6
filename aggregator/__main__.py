"""`python -m aggregator` and the `aggregator` script."""

from aggregator.cli import main

if __name__ == "__main__":
    main()
