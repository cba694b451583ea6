"""What the statements say again and again."""

from __future__ import annotations

from aggregator.model.records import State

LIVE = f"state NOT IN ('{State.REFUSED}', '{State.VOIDED}')"
"""In SQL: the inventory is declared. Word for word as in the index, which SQLite uses only then. Not the other way round: a
list of more than two is a table of its own to SQLite, made anew for every row recorded, and doubles the time."""
DEAD = f"state IN ('{State.REFUSED}', '{State.VOIDED}')"
"""In SQL: this row does not declare the inventory. Of an inventory that was declared more than once all rows but one are dead."""
UNDOES = "((message = 'CEB606' AND status = '399') OR (message = 'CEB604' AND status = '100'))"
"""In SQL, of a clearance: customs has cancelled the inventory, or sent it back for good."""
EXPORTED = {
    "run": "runs", "application": "applications", "declaration": "declarations", "inventory": "inventories", "waiting": "waiting",
    "receipt": "receipts", "event": "events", "sent": "sent", "application_receipt": "application_receipts", "result": "results",
    "result_part": "result_parts", "result_line": "result_lines", "clearance": "clearances",
}  # fmt: skip
"""Tables, and what they are called outside."""
EVENT, INVENTORY = "event", "inventory"
CHANGES = ("inventory_id", "state", "cancelled")
"""Of an inventory what changes; what never does is held by a hash of its run."""
RECORDED_AS = f"CASE period WHEN '' THEN '{State.ENTERED}' ELSE '{State.APPLIED}' END"
"""In SQL, of a run: the state in which its inventories were recorded."""
