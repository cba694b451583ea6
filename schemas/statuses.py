"""Statuses of customs' receipts and what they mean (CEB-SPEC-202205, tables 2-42 and following)."""

STATUS_CLEARED = "899"
STATUS_RETURNED = "100"
BEFORE_THE_NUMBER = ("1", "2", "3", "4", "120", "300")
"""Statuses of an inventory that has no number yet: what is said of it decides nothing. Refusals in negative numbers are too (INFERENCE)."""
CANCELLATION, STATUS_CANCELLED = "CEB606", "399"
