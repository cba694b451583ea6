"""The line itself: stages and the barriers between them.

    read, validate (stage)  ->  inventories, fate, partial merge (settle)  ->  merge, split, number
    ->  weights, audit map, findings (finish)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.applications import applications
from aggregator.domain.batch import BatchFindings, several_names, several_units, shared_numbers, without_packages
from aggregator.domain.clearance import Question
from aggregator.domain.merge import KEY, Flags, combine_partials
from aggregator.domain.split import Split, split_items
from aggregator.domain.totals import TOTALS, control_totals, must_balance
from aggregator.engines.local import Engine, local_engine
from aggregator.engines.shards import read_table, write_parts, write_table
from aggregator.inputs.export import FILE_LINES, Export
from aggregator.inputs.inputs import Inputs
from aggregator.inputs.tables.unnamed import findings_about
from aggregator.model.errors import OurFault, UnusableInput
from aggregator.model.findings import no_findings
from aggregator.model.settings import Params
from aggregator.outputs.checked import checked
from aggregator.pipeline import (
    Finished,
    Numbering,
    Settled,
    Staged,
    Work,
    finish_chunk,
    finish_partition,
    settle_chunk,
    settle_partition,
    stage_chunk,
)
from aggregator.pipeline.merged import Merged
from aggregator.pipeline.result import Result
from aggregator.pipeline.result_tables import declaration_items, declarations, declared_totals
from aggregator.pipeline.ties import tie
from aggregator.schemas.modes.m9610.declaration import SCHEMAS
from aggregator.schemas.modes.m9610.rules import RULES

_LINES_A_PARTITION = 32_768
_ROWS_AT_A_TIME = 250_000


def calculate(
    params: Params,
    inputs: Inputs,
    folder: Path,
    first_period: str,
    ledger: Path | None,
    run_ref: str,
    *,
    all_findings: bool = False,
    while_finishing: Callable[[Merged], None] | None = None,
) -> Result:
    """Everything but publishing. `folder` takes what the stages leave for one another.

    `while_finishing` is called once all fates are settled and all items numbered, while the workers do the rest.
    """
    receipts = None
    if inputs.receipts is not None:
        inputs.receipts.save(folder)
        receipts = folder
    tariff = None
    if inputs.tariff is not None:
        tariff = folder / "tariff.arrow"
        write_table(tariff, inputs.tariff)
    question = None
    if params.period is not None:
        question = Question(params.period.key, first_period, params.late, params.assume_cleared)
    work = Work(
        folder=folder,
        files=inputs.exports,
        chunks=tuple((place, block) for place, file in enumerate(inputs.exports) for block in file.blocks),
        constants=params.constants,
        severity=params.effective_severity(),
        flags=Flags(params.summary_flag, params.item_name_flag),
        question=question,
        ledger=ledger,
        receipts=receipts,
        tariff=tariff,
        all_findings=all_findings,
    )
    with local_engine(params.workers, len(work.chunks)) as engine:
        staged = list(engine.map(stage_chunk, ((work, chunk) for chunk in range(len(work.chunks)))))
        _refuse_truncated(work, staged)
        work = replace(work, files=tuple(_with_unnamed(work, staged)))
        scattered, partitions = _scattered(folder, staged)
        settled = list(
            engine.map(settle_chunk, ((work, chunk, scattered, partitions) for chunk in range(len(work.chunks))))
        )
        settled += list(engine.map(settle_partition, ((work, part) for part in range(partitions))))
        _settle_tied(engine, work, staged, settled, scattered, partitions)
        items, split, numbering = _merge(work, settled, run_ref)
        batch = _batch_findings(work, settled, items, split)
        batch_path = folder / "batch-findings.arrow"
        write_parts(batch_path, batch.placed, batch.placed["chunk"].to_numpy(), max(len(work.chunks), 1))
        finished = list(engine.map(finish_partition, ((work, part, numbering) for part in range(partitions))))
        weighed = list(finished)
        tasks = ((work, chunk, numbering, partitions, batch_path) for chunk in range(len(work.chunks)))
        finishing = engine.map(finish_chunk, tasks)
        if while_finishing is not None:
            while_finishing(Merged(work, settled, numbering, *applications(items, split)))
        finished = list(finishing)
        weighed += finished
    return _result(params, work, staged, settled, items, split, numbering, weighed, finished, batch)


def _refuse_truncated(work: Work, staged: list[Staged]) -> None:
    """A last row without line end that is no row of cells: the file was cut."""
    last_chunk = {place: chunk for chunk, (place, _) in enumerate(work.chunks)}
    for place, chunk in last_chunk.items():
        if staged[chunk].last_is_wrong and not work.files[place].ends_with_newline:
            rule, name = RULES["F106"], work.files[place].name
            row = staged[chunk].last_row
            raise UnusableInput(
                f"[F106] {name}, row {row}: {rule.message.en} {rule.remedy.en}",
                f"[F106] {name} 第 {row} 行：{rule.message.zh}{rule.remedy.zh}",
            )


def _with_unnamed(work: Work, staged: list[Staged]) -> Iterator[Export]:
    """The files, with findings about columns that have values but no heading."""
    for place, file in enumerate(work.files):
        found = [each for chunk, (of, _) in zip(staged, work.chunks, strict=True) if of == place for each in chunk.unnamed]
        told = findings_about(file, found, (column for column, _ in work.constants))
        yield replace(file, told=(*file.told, *told)) if told else file


def _scattered(folder: Path, staged: list[Staged]) -> tuple[Path | None, int]:
    """Inventories seen in more than one chunk (by hash: one too many does no harm), and how many partitions to settle them in."""
    everything = np.concatenate([chunk.inventories for chunk in staged] or [np.zeros(0, dtype=np.uint64)])
    values, seen = np.unique(everything, return_counts=True)
    scattered = values[seen > 1]
    if not len(scattered):
        return None, 0
    counts = np.concatenate([chunk.counts for chunk in staged])
    lines = int(counts[np.isin(everything, scattered)].sum())
    path = folder / "scattered.npy"
    np.save(path, scattered)
    return path, lines // _LINES_A_PARTITION + 1


def _settle_tied(
    engine: Engine, work: Work, staged: list[Staged], settled: list[Settled], scattered: Path | None, partitions: int
) -> None:
    """Settle again, in place, what holds inventories that a line without a number may belong to."""
    elsewhere = np.load(scattered) if scattered is not None else np.zeros(0, dtype=np.uint64)
    units = tie(work, staged, settled, elsewhere, partitions)
    chunks = [unit for unit in units if unit < len(work.chunks)]
    parts = [unit for unit in units if unit >= len(work.chunks)]
    again = list(engine.map(settle_chunk, ((work, chunk, scattered, partitions) for chunk in chunks)))
    again += engine.map(settle_partition, ((work, part - len(work.chunks)) for part in parts))
    for place, unit in zip((*chunks, *parts), again, strict=True):
        settled[place] = unit


def _merge(work: Work, settled: list[Settled], run_ref: str) -> tuple[pa.Table, Split, Numbering]:
    """Partial items of all units to items, split and numbered; where each unit's rows went is left for `finish`.

    In two steps, so that memory follows the number of keys and not of chunks: partial rows of some units at a time, then
    what became of them.
    """
    if not settled:
        empty = Split(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
        nothing = pa.table({name: pa.array([], pa.string()) for name in KEY})
        return nothing, empty, Numbering(run_ref, 0, work.folder)
    merged, places = [], []
    for units in _some_at_a_time(work, settled):
        partials = [read_table(work.unit(unit.unit, "partials")) for unit in units]
        sizes = [table.num_rows for table in partials]
        together = pa.concat_tables(partials).combine_chunks()
        partials.clear()
        items, item_of_row = combine_partials(together)
        merged.append(items)
        places.append((units, sizes, item_of_row))
    offsets = np.cumsum([0, *(items.num_rows for items in merged)])
    items, item_of_row = combine_partials(pa.concat_tables(merged).combine_chunks())
    merged.clear()
    pa.default_memory_pool().release_unused()
    split = split_items(items)
    numbering = Numbering(run_ref, split.declarations, work.folder)
    for offset, (units, sizes, item_in_part) in zip(offsets, places, strict=False):
        whole = item_of_row[offset + item_in_part]
        for unit, end, size in zip(units, np.cumsum(sizes), sizes, strict=True):
            numbering.save(f"items-{unit.unit}", whole[end - size : end])
    numbering.save("declaration", split.declaration)
    numbering.save("item_no", split.item_no)
    return items, split, numbering


def _some_at_a_time(work: Work, settled: list[Settled]) -> Iterator[list[Settled]]:
    """Units whose partial rows together are few enough to be merged at once."""
    units: list[Settled] = []
    rows = 0
    for unit in settled:
        if units and rows + unit.partial_rows > _ROWS_AT_A_TIME:
            yield units
            units, rows = [], 0
        units.append(unit)
        rows += unit.partial_rows
    yield units


def _batch_findings(work: Work, settled: list[Settled], items: pa.Table, split: Split) -> BatchFindings:
    units = [unit.unit for unit in settled]

    def inventories(unit: str) -> pa.Table:
        return read_table(work.unit(unit, "inventories"))

    placed = [
        shared_numbers("B201", "order_no", [unit.orders for unit in settled], units, inventories),
        shared_numbers("B202", "waybill_no", [unit.waybills for unit in settled], units, inventories),
    ]
    placeless = [no_findings()]
    if split.declarations:
        placeless.append(several_units(items, split.header))
        placeless.append(several_names(pa.concat_tables([unit.names for unit in settled]).combine_chunks()))
    return BatchFindings(pa.concat_tables(placed).combine_chunks(), pa.concat_tables(placeless).combine_chunks())


def _repairs(work: Work, staged: list[Staged]) -> list[dict[str, int]]:
    """For each file what was put right or passed over, by kind."""
    counts = [Counter(dict(file.repairs)) for file in work.files]
    for chunk, (place, _) in zip(staged, work.chunks, strict=True):
        counts[place].update(chunk.repairs)
    return [{kind: count for kind, count in sorted(each.items()) if count} for each in counts]


def _physical(work: Work, staged: list[Staged]) -> list[dict[str, int]]:
    """For each file how many lines it has and what they are; nothing for messages, which have none."""
    counts = [Counter(dict(file.physical)) for file in work.files]
    for chunk, (place, _) in zip(staged, work.chunks, strict=True):
        if counts[place]:
            counts[place].update(chunk.physical)
    for file, each in zip(work.files, counts, strict=True):
        _every_line_counts(file.name, each)
    return [{kind: count for kind, count in sorted(each.items()) if count} for each in counts]


def _every_line_counts(file: str, physical: dict[str, int]) -> None:
    """Raise OurFault unless the lines of a file are all read as something. In: how many it has, and what they are, by kind."""
    lines = sum(count for kind, count in physical.items() if kind != FILE_LINES)
    if lines != physical.get(FILE_LINES, 0):
        listed = ", ".join(f"{kind} {count}" for kind, count in physical.items())
        raise OurFault(
            f"[C101] {file}: not every line of the file is accounted for: {listed}. Nothing was published.",
            f"[C101] {file}：文件的行数不平衡：{listed}。未发布任何内容。",
        )


def _result(
    params: Params,
    work: Work,
    staged: list[Staged],
    settled: list[Settled],
    items: pa.Table,
    split: Split,
    numbering: Numbering,
    weighed: list[Finished],
    finished: list[Finished],
    batch: BatchFindings,
) -> Result:
    totals = [TOTALS.empty_table()]
    totals += [chunk.totals for chunk in staged] + [unit.totals for unit in settled] + [done.totals for done in weighed]
    made, made_items = SCHEMAS["declarations"].empty_table(), SCHEMAS["declaration_items"].empty_table()
    if split.declarations:
        by_declaration = pa.concat_tables([done.by_declaration for done in weighed]).combine_chunks()
        made = declarations(items, split, numbering.run_ref, by_declaration)
        made_items = declaration_items(items, split, numbering.run_ref, named_by_key=params.item_name_flag == 1)
        totals.append(declared_totals(made_items, made))
        empty = made.filter(pc.equal(made["package_count"], 0))["declaration_ref"].to_pylist()
        batch = BatchFindings(batch.placed, pa.concat_tables([batch.placeless, without_packages(empty)]))
    physical = _physical(work, staged)
    balanced = control_totals(pa.concat_tables(totals))
    must_balance(balanced)
    return Result(
        work, settled, items, split, made, made_items, checked("control_totals", balanced), finished,
        [done.spread for done in weighed], batch, _repairs(work, staged), physical,
    )  # fmt: skip
