"""The ledger, asked where it lies. Steps that run on other machines need neither its file nor its password: what it knows of the
inventories of a chunk is left for them, while the next chunks are read."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from aggregator.model.records import Customs, Declared
from aggregator.pipeline.ingest import Ingested
from aggregator.pipeline.work import Work, chunk_unit
from aggregator.schemas.arrays import Ints

_NOTHING = Customs({}, {})


def asked(work: Work, ingested: Iterable[Ingested], knows: set[int]) -> Iterator[Ingested]:
    """Pass on what was ingested; chunks of whose inventories the ledger knows something go to `knows`."""
    for each in ingested:
        if work.known is not None:
            lines = work.storage.read(work.shards.lines.of(chunk_unit(each.chunk)), ("inventory_no",))
            answer = work.known.of(lines["inventory_no"].combine_chunks().cast(pa.string()).unique().drop_null())
            if answer[0] or any(answer[1]):
                work.storage.write_bytes(_name(each.chunk), pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))
                knows.add(each.chunk)
        yield each


def known_of(work: Work, numbers: pa.Array, chunks: Ints) -> tuple[dict[str, Declared], Customs]:
    """What the ledger knows of inventories. In: the chunks their lines are in."""
    if work.known is None:
        return {}, _NOTHING
    if work.known_in is None:
        return work.known.of(numbers)
    wanted = set(numbers.drop_null().to_pylist())
    declared, results, undone, refused = dict[str, Declared](), dict(_NOTHING.results), dict(_NOTHING.undone), set[str]()
    for chunk in sorted(work.known_in & set(np.unique(chunks).tolist())):
        # Only what this run has just written into its own folder is loaded.
        found, customs = pickle.loads(work.storage.read_bytes(_name(chunk)))
        declared |= {number: record for number, record in found.items() if number in wanted}
        results |= {number: record for number, record in customs.results.items() if number in wanted}
        undone |= {number: record for number, record in customs.undone.items() if number in wanted}
        refused |= customs.refused & wanted
    return declared, Customs(results, undone, frozenset(refused))


def _name(chunk: int) -> str:
    return f"known-{chunk}"
