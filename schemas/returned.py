"""The columns that stand beside rejected lines when they go back to be corrected. They are not read again, in either language."""

from __future__ import annotations

from aggregator.schemas.text import Text

REJECT_REASONS = Text("reject_reasons", "拒绝说明")
"""What is wrong with the line, in words; in workbooks only."""
REJECT_CODES = Text("reject_codes", "拒绝代码")
"""The last column. In CSV files it has its English name in either language, for programs look for it, unless Chinese headings are asked for."""
RETURNED_HEADINGS = tuple(name for each in (REJECT_REASONS, REJECT_CODES) for name in (each.en, each.zh))
