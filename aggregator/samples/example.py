"""One sound row of a mode, as an example of what stands in its columns."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

from aggregator.model.period import Period
from aggregator.samples.orders import write_orders
from aggregator.samples.sample import Sample, write_sample
from aggregator.samples.slips import write_slips
from aggregator.schemas.modes import Mode


def example_of(mode: Mode, period: Period) -> dict[str, str]:
    """Values by column."""
    with TemporaryDirectory() as folder:
        path = {"1039": write_slips, "9710": write_orders}.get(mode.code, write_sample)(Sample(lines=1, period=period), Path(folder))[0]
        with path.open(encoding="utf-8-sig", newline="") as file:
            row = next(csv.DictReader(file))
    return {mode.dictionary.column_called(name) or name: value for name, value in row.items()}
