"""What is known of a run once all fates are settled and all items numbered: what the ledger takes down of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.fate import Verdict
from aggregator.pipeline.emit import Numbering
from aggregator.pipeline.work import Work
from aggregator.schemas.arrays import Ints


@dataclass(frozen=True)
class Merged:
    """What is known once all items are numbered, for the ledger. `applications`, `application_of`: see applications.py."""

    work: Work
    units: list[str]
    numbering: Numbering
    applications: pa.Table
    application_of: Ints

    def declared(self) -> Iterator[pa.Table]:
        """What is declared: inventory_no, content, cleared_period, late, application_no, items (see ledger/ledger.py)."""
        if not self.numbering.units:
            return
        load = self.work.storage.load
        declaration_of, item_no_of = load("declaration"), load("item_no")
        for unit in self.units:
            chosen = self.work.storage.read(self.work.shards.declared.of(unit))
            keys = chosen["keys"].combine_chunks()
            items = load(f"items-{unit}")[keys.flatten().to_numpy()]
            declaration, item_no = declaration_of[items], item_no_of[items]
            # What is listed is in no declaration: of it no place is known.
            count = pc.if_else(pa.array(declaration < self.numbering.declarations), pa.array(declaration + 1), None)
            texts = pc.binary_join_element_wise(count.cast(pa.string()), pa.array(item_no).cast(pa.string()), "/")
            starts = np.append(0, np.cumsum(pc.list_value_length(keys).to_numpy())).astype(np.int32)
            places = pc.fill_null(pc.binary_join(pa.ListArray.from_arrays(pa.array(starts), texts), " "), "")
            application = self.application_of[declaration[starts[:-1]]]
            chosen = chosen.append_column("application_no", pa.array(application)).append_column("items", places)
            yield chosen.select(["inventory_no", "content", "cleared_period", "late", "application_no", "items"])

    def declarations(self, made: pa.Table) -> pa.Table:
        """For the ledger: declaration_ref, application_no, item_count, inventory_count of the declarations made."""
        counts = made.select(["declaration_ref", "item_count", "inventory_count"])
        return counts.append_column("application_no", pa.array(self.application_of[: made.num_rows]))

    def waiting(self) -> Iterator[pa.Table]:
        """What was seen and is not declared, now or before: inventory_no, cleared_period, fate, reason. It must not be
        forgotten."""
        for unit in self.units:
            table = self.work.storage.read(self.work.shards.undeclared.of(unit))
            wanted = ~table["live"].to_numpy() & table["inventory_no"].is_valid().to_numpy()
            chosen = table.filter(pa.array(wanted))
            rejected = chosen["verdict"].to_numpy() == Verdict.REJECTED
            reason = np.where(
                rejected,
                _texts_of_bits(chosen["bits"].to_numpy(), self.work.mode.rules.codes_of),
                _texts_of_bits(chosen["reasons"].to_numpy(), self.work.mode.rules.reasons_of),
            )
            fate = pa.array(np.where(rejected, "rejected", "excluded"), pa.string())
            chosen = chosen.select(["inventory_no", "cleared_period"]).append_column("fate", fate)
            yield chosen.append_column("reason", pa.array(reason, pa.string()))

    def released(self) -> list[str]:
        """What is declared, and was before, in a run from which customs refused it; sorted."""
        found: list[str] = []
        for unit in self.units:
            table = self.work.storage.read(self.work.shards.declared.of(unit), ("inventory_no", "released"))
            found += table.filter(table["released"])["inventory_no"].to_pylist()
        return sorted(found)

    def newly_undone(self) -> list[str]:
        """Inventories declared before that customs has cancelled or sent back since, not reported yet; sorted."""
        return sorted(
            number
            for table in (self.work.storage.read(self.work.shards.inventories.of(unit), ("inventory_no", "newly_undone")) for unit in self.units)
            for number in table.filter(table["newly_undone"])["inventory_no"].to_pylist()
        )


def _texts_of_bits(bits: Any, text: Callable[[int], str]) -> Any:
    values, places = np.unique(bits, return_inverse=True)
    return np.array([text(int(value)) for value in values], dtype=object)[places] if len(bits) else bits.astype(str)
