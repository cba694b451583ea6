"""What the law and the message formats say. This package never imports `aggregator`."""

STAMP = "9610-summary-declaration-schemas"
"""`aggregator` checks this on import: `schemas` is a common name, and a stranger's package must not be taken for ours."""
