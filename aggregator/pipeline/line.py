"""The line itself: steps and the barriers between them.

    read, validate (ingest)  ->  inventories, fate (resolve)  ->  stray lines (ties)  ->  partial merge (settle)
    ->  merge, split, number  ->  weights, audit map, findings (emit)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.applications import applications
from aggregator.domain.batch import lines_as_slips, several_names, several_units, without_packages
from aggregator.domain.clearance import Question
from aggregator.domain.figures import FIGURES, summed_figures
from aggregator.domain.rates import Exchange, Rates
from aggregator.domain.simplified import Simplified
from aggregator.domain.totals import TOTALS, control_totals, must_balance
from aggregator.engines.engine import Engine, Shared
from aggregator.inputs.export import FILE_LINES, Export
from aggregator.inputs.inputs import Inputs
from aggregator.inputs.tables.misplaced import must_stand_under_their_heading
from aggregator.inputs.tables.unnamed import findings_about
from aggregator.model.company import Company
from aggregator.model.customs import Customs
from aggregator.model.errors import OurFault, UnusableInput
from aggregator.model.records import Known
from aggregator.model.settings import Flags
from aggregator.outputs.checked import checked
from aggregator.pipeline.adding import Sum, by_declaration
from aggregator.pipeline.emit import Emitted, emit_chunk, emit_partition
from aggregator.pipeline.hashed import ranges_for
from aggregator.pipeline.imports import refuse_imports
from aggregator.pipeline.ingest import Ingested, IngestedPart, ingest
from aggregator.pipeline.learnt import learn
from aggregator.pipeline.merged import Merged
from aggregator.pipeline.merging import merge_items
from aggregator.pipeline.packing import pack_slips
from aggregator.pipeline.placed import Placed
from aggregator.pipeline.resolve import Resolved, resolve_chunk, resolve_partition
from aggregator.pipeline.result import Result
from aggregator.pipeline.result_tables import declaration_items, declarations, declared_totals
from aggregator.pipeline.routing import route_orders
from aggregator.pipeline.scatter import scattered
from aggregator.pipeline.settle import Settled, settle_chunk, settle_partition
from aggregator.pipeline.shards import BY_DECLARATION
from aggregator.pipeline.sharing import share_numbers
from aggregator.pipeline.ties import tie
from aggregator.pipeline.work import Work
from aggregator.pipeline.written import Writing, Written, write_pieces
from aggregator.schemas.file_rules import file_rule
from aggregator.schemas.modes import Mode, Procedure
from aggregator.schemas.modes.m9610.rules.simplified import OVER_LIMIT
from aggregator.schemas.text import Text


@dataclass(frozen=True)
class Line:
    """What the line is to do with its inputs. `question` is None where only the data is checked; `known`: what the ledger has as
    declared, None where there is none yet. `rates`, `as_of` (the day of the rate where a line names none) and `by_line` (lines without a
    slip number are declared by themselves): of modes that pack. With rates and facts of the firm (`company`) inventories of
    declaration mode A and B are compared with what may be simplified. `customs`: who sends and declares; `declare_all`: no order goes
    as a list."""

    mode: Mode
    run_ref: str
    flags: Flags
    constants: tuple[tuple[str, str], ...] = ()
    question: Question | None = None
    known: Known | None = None
    all_findings: bool = False
    rates: Rates = Rates(())  # noqa: RUF009 - rates cannot be changed
    as_of: date = date(1970, 1, 1)
    by_line: bool = False
    company: Company = Company()  # noqa: RUF009 - it cannot be changed
    customs: Customs | None = None
    declare_all: bool = False


def calculate(
    line: Line, inputs: Inputs, engine: Engine, *, while_emitting: Callable[[Merged], None] | None = None, writing: Writing | None = None
) -> Result:
    """Everything but publishing. `while_emitting` is called once all fates are known and all items numbered, while the workers
    do the rest. `writing`: what they are to write of the run folder."""
    work = _work(line, inputs, engine)
    shared, chunks = engine.share(work), range(len(work.chunks))
    ingested = list(engine.map(ingest, ((shared, chunk) for chunk in chunks)))
    by_file = _by_file(work, ingested)
    _refuse_truncated(work, by_file)
    imports = refuse_imports(work, by_file)
    work = replace(work, files=tuple(_with_unnamed(work, by_file)), exchange=_exchange(line, ingested))
    ranges = ranges_for(sum(chunk.inventories for chunk in ingested))
    away, partitions = scattered(engine, shared, ranges)
    work = replace(work, scattered=away)
    shared = engine.share(work)
    if line.known is not None and not engine.reaches_ledger:
        work = replace(work, learnt=learn(engine, shared, line.known, partitions))
        shared = engine.share(work)
    resolved = list(engine.map(resolve_chunk, ((shared, chunk, partitions) for chunk in chunks)))
    resolved += list(engine.map(resolve_partition, ((shared, part) for part in range(partitions))))
    tie(engine, work, ingested, resolved, partitions, ranges)
    pa.default_memory_pool().release_unused()
    figures, weights = Sum(summed_figures), Sum(by_declaration)
    # Partitions are begun first: they are few, and would keep one worker while the others are done.
    of_partitions = engine.map(settle_partition, ((shared, part) for part in range(partitions)))
    settled = [_without_figures(each, figures) for each in engine.map(settle_chunk, ((shared, chunk) for chunk in chunks))]
    settled += [_without_figures(each, figures) for each in of_partitions]
    # Neither needs the other, and much of the first is done by one process alone.
    placed, batch = engine.meanwhile(
        partial(_place, engine, shared, settled, line.run_ref), partial(share_numbers, engine, shared, partitions, ranges)
    )
    placeless = _placeless(work, settled, placed, sum(chunk.by_line for chunk in ingested))
    shared = engine.share(replace(work, batch=batch))
    spread = [_without_weights(each, weights) for each in engine.map(emit_partition, ((shared, part) for part in range(partitions)))]

    def emit() -> tuple[list[Emitted], Written]:
        found = engine.map(emit_chunk, ((shared, chunk, placed.numbering, partitions) for chunk in chunks))
        emitted = [_without_weights(each, weights) for each in found]
        shares = [each.spread for each in (*spread, *emitted)]
        return emitted, write_pieces(engine, shared, emitted, shares, placed.numbering, writing) if writing is not None else Written()

    if while_emitting is None:
        emitted, written = emit()
    else:
        merged = Merged(work, [unit.unit for unit in settled], placed.numbering, *applications(placed.items, placed.split, line.mode.application_key.value))
        (emitted, written), _ = engine.meanwhile(emit, partial(while_emitting, merged))
    result = _result(line, work, ingested, by_file, resolved, settled, placed, [*spread, *emitted], emitted, placeless, imports, weights.whole)
    return replace(result, written=written, figures=figures.whole)


_NO_FIGURES, _NO_WEIGHTS = FIGURES.empty_table(), BY_DECLARATION.empty_table()
"""One for all units: also a table of no rows has its price in memory."""


def _without_figures(settled: Settled, figures: Sum) -> Settled:
    figures.take(settled.figures)
    return replace(settled, figures=_NO_FIGURES)


def _without_weights(emitted: Emitted, weights: Sum) -> Emitted:
    weights.take(emitted.by_declaration)
    return replace(emitted, by_declaration=_NO_WEIGHTS)


def _place(engine: Engine, shared: Shared[Work], settled: list[Settled], run_ref: str) -> Placed:
    """What becomes of the partial rows of all units: the one step in which modes differ."""
    work = shared.value
    match work.mode.procedure:
        case Procedure.MERGE:
            return merge_items(engine, shared, settled, run_ref)
        case Procedure.PACK:
            return pack_slips(work, settled, run_ref)
        case Procedure.ROUTE:
            return route_orders(work, settled, run_ref)


def _work(line: Line, inputs: Inputs, engine: Engine) -> Work:
    if inputs.receipts is not None:
        inputs.receipts.save(engine.storage)
    work = Work(
        mode=line.mode,
        storage=engine.storage,
        files=inputs.exports,
        chunks=inputs.chunks,
        constants=line.constants,
        flags=line.flags,
        question=line.question,
        known=line.known if engine.reaches_ledger else None,
        has_receipts=inputs.receipts is not None,
        has_tariff=inputs.tariff is not None,
        all_findings=line.all_findings,
        as_of=f"{line.as_of:%Y%m%d}",
        by_line=line.by_line,
        company=line.company,
        customs=line.customs,
        declare_all=line.declare_all,
        simplified=Simplified(line.rates, line.company, line.as_of) if line.rates.rates and OVER_LIMIT in line.mode.rules else None,
    )
    if inputs.tariff is not None:
        engine.storage.write(work.shards.tariff.of("all"), inputs.tariff)
    return work


def _by_file(work: Work, ingested: list[Ingested]) -> list[list[IngestedPart]]:
    """For each file what its parts say, in order."""
    found: list[list[IngestedPart]] = [[] for _ in work.files]
    for chunk in ingested:
        for part in chunk.parts:
            found[part.place].append(part)
    return found


def _refuse_truncated(work: Work, by_file: list[list[IngestedPart]]) -> None:
    """A last row without line end that is no row of cells: the file was cut."""
    for file, parts in zip(work.files, by_file, strict=True):
        if parts and parts[-1].last_is_wrong and not file.ends_with_newline:
            rule, name = file_rule("F106"), file.name
            row = parts[-1].last_row
            raise UnusableInput(
                f"[F106] {name}, row {row}: {rule.said.en}",
                f"[F106] {name} 第 {row} 行：{rule.said.zh}",
            )


def _with_unnamed(work: Work, by_file: list[list[IngestedPart]]) -> Iterator[Export]:
    """The files, with findings about columns that have values but no heading. Raises UnusableInput where headings must be wrong."""
    for file, parts in zip(work.files, by_file, strict=True):
        must_stand_under_their_heading(file, sum(part.lines for part in parts), (each for part in parts for each in part.misplaced))
        found = [each for part in parts for each in part.unnamed]
        if not found:
            yield file
            continue
        reported = findings_about(file, found, (column for column, _ in work.constants))
        yield replace(file, reported=(*file.reported, *reported)) if reported else file


def _exchange(line: Line, ingested: list[Ingested]) -> Exchange:
    """The rates that sound lines need, of all chunks: what is missing is named at once."""
    wanted = {(currency, datetime.strptime(day, "%Y%m%d").date()) for chunk in ingested for currency, day in chunk.priced}  # noqa: DTZ007 - a day
    return line.rates.to_cny(wanted) if line.mode.procedure is Procedure.ROUTE else line.rates.to_usd(wanted)


def _placeless(work: Work, settled: list[Settled], placed: Placed, by_line: int) -> pa.Table:
    """Findings about firms, merged items and declarations."""
    found = [placed.findings, lines_as_slips(work.mode, by_line)]
    if placed.split.declarations:
        found.append(several_units(work.mode, placed.items, placed.split.header))
        found.append(several_names(work.mode, pa.concat_tables([unit.names for unit in settled]).combine_chunks()))
    return pa.concat_tables(found).combine_chunks()


def _repairs(work: Work, by_file: list[list[IngestedPart]]) -> list[dict[str, int]]:
    """For each file what was corrected or passed over, by kind."""
    counts = [Counter(dict(file.repairs)) for file in work.files]
    for count, parts in zip(counts, by_file, strict=True):
        for part in parts:
            count.update(part.repairs)
    return [{kind: count for kind, count in sorted(each.items()) if count} for each in counts]


def _physical(work: Work, by_file: list[list[IngestedPart]]) -> list[dict[str, int]]:
    """For each file how many lines it has and what they are; nothing for messages, which have none."""
    counts = [Counter(dict(file.physical)) for file in work.files]
    for count, parts in zip(counts, by_file, strict=True):
        for part in parts if count else ():
            count.update(part.physical)
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
    line: Line,
    work: Work,
    ingested: list[Ingested],
    by_file: list[list[IngestedPart]],
    resolved: list[Resolved],
    settled: list[Settled],
    placed: Placed,
    weighed: list[Emitted],
    emitted: list[Emitted],
    placeless: pa.Table,
    imports: tuple[Text, ...],
    weights: pa.Table,
) -> Result:
    totals = [TOTALS.empty_table()]
    totals += [chunk.totals for chunk in ingested] + [unit.totals for unit in settled] + [done.totals for done in weighed]
    items, split, refs = placed.items, placed.split, placed.numbering.refs
    made, made_items = work.mode.outputs["declarations"].empty_table(), work.mode.outputs["declaration_items"].empty_table()
    if split.declarations:
        made = declarations(work.mode, items, split, refs, weights)
        made_items = declaration_items(work.mode, items, split, refs, named_by_key=line.flags.item_name_flag == 1)
        totals.append(declared_totals(work.mode.dictionary, made_items, made, placed.tables.get("simplified_goods")))
        # What is listed is declared too, and in no declaration.
        made, made_items = (checked(work.mode, name, table.filter(table["declaration_ref"].is_valid())) for name, table in (("declarations", made), ("declaration_items", made_items)))
        empty = made.filter(pc.equal(made["package_count"], 0))["declaration_ref"].to_pylist()
        placeless = pa.concat_tables([placeless, without_packages(work.mode, empty)])
    physical = _physical(work, by_file)
    balanced = control_totals(pa.concat_tables(totals))
    must_balance(balanced)
    return Result(
        work, resolved, settled, items, split, made, made_items, checked(work.mode, "control_totals", balanced), emitted,
        [done.spread for done in weighed], placeless, _repairs(work, by_file), physical, placed.tables, imports,
    )  # fmt: skip
