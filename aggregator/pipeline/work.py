"""What every stage needs to know, and where it leaves its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aggregator.domain.clearance import Question
from aggregator.domain.merge import Flags
from aggregator.inputs.export import Block, Export
from aggregator.schemas.modes.m9610.fields import FIELD
from aggregator.schemas.modes.m9610.inventory import DICTIONARY, text_type
from aggregator.schemas.modes.m9610.rules import Severity

PLACE, MEMBER = "place", "member"
"""Columns of staged lines: where a line lies in its spool, and the message of a set it came from."""
DICTIONARY_COLUMNS = tuple(column for column in FIELD if text_type(column) == DICTIONARY)


@dataclass(frozen=True)
class Work:
    """What every stage needs to know. `question` is None where only the data is checked, without a period."""

    folder: Path
    files: tuple[Export, ...]
    chunks: tuple[tuple[int, Block], ...]
    constants: tuple[tuple[str, str], ...]
    severity: dict[str, Severity]
    flags: Flags
    question: Question | None
    ledger: Path | None
    receipts: Path | None
    tariff: Path | None
    all_findings: bool

    def file_of(self, chunk: int) -> Export:
        return self.files[self.chunks[chunk][0]]

    def lines(self, chunk: int) -> Path:
        return self.folder / f"lines-{chunk}.arrow"

    def row_findings(self, chunk: int) -> Path:
        return self.folder / f"row-findings-{chunk}.arrow"

    def spilled(self, chunk: int) -> Path:
        return self.folder / f"spilled-{chunk}.arrow"

    def unit(self, unit: str, what: str) -> Path:
        return self.folder / f"{what}-{unit}.arrow"
