"""Statuses of customs' receipts and what they mean (CEB-SPEC-202205, tables 2-42 and following)."""

STATUS_CLEARED = "899"
STATUS_RETURNED = "100"
CANCELLATION, STATUS_CANCELLED = "CEB606", "399"
