"""Where what is declared went: what the barrier between resolving and emitting comes to, whatever a mode does there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from aggregator.domain.split import Split
from aggregator.model.findings import no_findings
from aggregator.pipeline.emit import Numbering
from aggregator.schemas.modes import Mode


@dataclass(frozen=True)
class Placed:
    """`items`: in the order of the declarations, `split` says which and where. `tables`: further outputs by name. `findings`: about
    declarations, without a place in the input."""

    items: pa.Table
    split: Split
    numbering: Numbering
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    findings: pa.Table = field(default_factory=no_findings)


def no_items(mode: Mode, run_ref: str) -> Placed:
    empty = Split(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    return Placed(pa.table({name: pa.array([], pa.string()) for name in (*mode.key, *mode.application_key.value)}), empty, Numbering(run_ref, 0))
