"""The line, from exports to the published run folder: the order of the stages and the barriers between them.

    read, validate (stage)  ->  inventories, fate, partial merge (settle)  ->  merge, split, number
    ->  weights, audit map, findings (finish)  ->  stage folder  ->  ledger  ->  rename
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aggregator.audit import TOTALS, control_totals, must_balance
from aggregator.batch import BatchFindings, several_names, several_units, shared_numbers, without_packages
from aggregator.clearing import Question
from aggregator.engine.local import Engine, local_engine
from aggregator.errors import Exit, NoInput, UnusableInput, WrongConfiguration, WrongUsage
from aggregator.exchange import read_table, write_parts
from aggregator.fate import REASON_BIT, Verdict
from aggregator.findings import CODE_INDEX, codes_of, no_findings
from aggregator.ledger import RunRecord, next_run_ref, open_ledger, record, runs, setting
from aggregator.merge import Flags, combine_partials
from aggregator.outputs import (
    checked,
    declaration_items,
    declarations,
    declared_totals,
    findings_rows,
    weight_shares,
)
from aggregator.params import Params, Period
from aggregator.publish import STAGE_PREFIX, WORK_PREFIX, locked, make_folder, publish, recover, refuse_unknown, sync_files
from aggregator.read.csv import CsvFile, open_csv
from aggregator.read.headings import require_columns
from aggregator.read.receipts import read_receipts
from aggregator.split import Split, declaration_refs, split_items
from aggregator.stages import (
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
from aggregator.write.manifest import write_manifest
from aggregator.write.rejected import rejected_head, rejected_names
from aggregator.write.tables import write_csv, write_parquet
from schemas.declaration import SCHEMAS
from schemas.rules import RULES

_LINES_A_PARTITION = 131_072


@dataclass
class Outcome:
    """What a run came to; what `--json` prints."""

    exit_code: Exit = Exit.DONE
    period: str = ""
    run_ref: str = ""
    folder: str = ""
    published: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    totals: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """What the stages made, before anything is published."""

    work: Work
    settled: list[Settled]
    items: pa.Table
    split: Split
    declarations: pa.Table
    declaration_items: pa.Table
    totals: pa.Table
    finished: list[Finished]
    spread: list[Path]
    batch: BatchFindings
    blank: int

    @property
    def units(self) -> list[str]:
        return [settled.unit for settled in self.settled]

    def pieces(self, name: str) -> Iterator[pa.Table]:
        for finished in self.finished:
            if name in finished.pieces:
                yield read_table(finished.pieces[name])

    def inventories(self) -> Iterator[pa.Table]:
        for unit in self.units:
            yield read_table(self.work.unit(unit, "inventories"))


def run(params: Params, now: datetime) -> Outcome:
    """The main job. `now` is the run's one recorded time; all dates come from it."""
    params = _settled_period(params, now)
    assert params.out is not None
    out, ledger = params.out, params.ledger or params.out / "ledger.sqlite"
    files = _open_inputs(params, clearing_known=bool(params.receipts) or params.assume_cleared)
    if params.dry_run:
        return _dry_run(params, files, out, ledger)
    make_folder(out)
    make_folder(ledger.parent)
    with locked(ledger):
        if not ledger.exists():
            refused = refuse_unknown(out, set())
            if refused is not None:
                raise refused
        with open_ledger(ledger, create=True) as connection:
            recover(out, connection)
            first = _first_period(params, setting(connection, "first_period"))
            run_ref = next_run_ref(connection, params.the_period.key)
            with _work_folder(out) as folder:
                result = _calculate(params, files, folder, first, ledger, run_ref)
                return _publish(params, result, connection, out, run_ref, first, now)


def check(params: Params, now: datetime) -> tuple[Outcome, Iterator[pa.Table]]:
    """Read and validate only. Out: the outcome, and the findings as tables (in a folder that goes with the iterator)."""
    with_period = params.period is not None
    files = _open_inputs(params, clearing_known=True)
    outcome = Outcome(period=str(params.period) if with_period else "")

    def findings() -> Iterator[pa.Table]:
        with _work_folder(None) as folder:
            first = params.the_period.key if with_period else ""
            result = _calculate(params, files, folder, first, None, "000000-00", all_findings=True)
            outcome.counts, outcome.excluded = _counts(result), _excluded_counts(result)
            for table in _findings(params, result):
                _tally(outcome, table)
                yield table
            errors = any(severity == "error" for severity in _severities(params, outcome))
            outcome.exit_code = Exit.WAITING if errors else Exit.DONE

    return outcome, findings()


def _severities(params: Params, outcome: Outcome) -> list[str]:
    severity = params.effective_severity()
    return [str(severity[code]) for code in outcome.findings]


def _settled_period(params: Params, now: datetime) -> Params:
    from dataclasses import replace

    as_of = params.as_of or now.date()
    period = params.period or Period.before(as_of)
    if as_of < period.next_month and not (params.unfinished or params.dry_run):
        raise WrongUsage(
            f"The period {period} is not over on {as_of}: inventories may still be cleared in it. Run again from "
            f"{period.next_month} on, or say --unfinished.",
            f"申报期 {period} 在 {as_of} 尚未结束，期间仍可能有清单结关。请在 {period.next_month} 起运行，或加 --unfinished。",
        )
    return replace(params, period=period, as_of=as_of)


def _open_inputs(params: Params, *, clearing_known: bool) -> tuple[CsvFile, ...]:
    for path in (*params.inputs, *params.receipts):
        if not path.is_file():
            raise NoInput(f"{path}: no such file. Check the path.", f"{path}：文件不存在。请检查路径。")
    files = []
    constants = [column for column, _ in params.constants]
    for path in params.inputs:
        file = open_csv(path, params.columns, params.chunk_bytes)
        require_columns(file.name, file.headings, {*file.columns, *constants}, clearing_known=clearing_known)
        files.append(file)
    return tuple(files)


def _first_period(params: Params, recorded: str | None) -> str:
    asked = params.first_period.key if params.first_period else None
    if recorded is not None and asked is not None and asked != recorded:
        raise WrongConfiguration(
            f"--first-period {params.first_period} differs from the ledger's own {recorded[:4]}-{recorded[4:]}. Leave it out.",
            f"--first-period {params.first_period} 与台账记录的 {recorded[:4]}-{recorded[4:]} 不同。请去掉该选项。",
        )
    return recorded or asked or params.the_period.key


@contextmanager
def _work_folder(out: Path | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=out))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dry_run(params: Params, files: tuple[CsvFile, ...], out: Path, ledger: Path) -> Outcome:
    """The whole line, but nothing is locked or written (a work folder in the system's place for such, removed after)."""
    with ExitStack() as stack:
        recorded, run_ref = None, f"{params.the_period.key}-01"
        known: set[str] = set()
        if ledger.exists():
            connection = stack.enter_context(open_ledger(ledger, create=False))
            recorded, run_ref = setting(connection, "first_period"), next_run_ref(connection, params.the_period.key)
            known = {row["run_ref"] for row in runs(connection)}
        refused = refuse_unknown(out, known)
        if refused is not None:
            raise refused
        folder = stack.enter_context(_work_folder(None))
        first = _first_period(params, recorded)
        result = _calculate(params, files, folder, first, ledger if ledger.exists() else None, run_ref)
        outcome = Outcome(period=str(params.period), run_ref=run_ref if result.split.declarations else "")
        outcome.counts, outcome.excluded = _counts(result), _excluded_counts(result)
        for table in _findings(params, result):
            _tally(outcome, table)
        outcome.totals = _totals_as_text(result.totals)
        outcome.exit_code = Exit.WAITING if outcome.counts["inventories_rejected"] or _rejected_lines(result) else Exit.DONE
        return outcome


# ------------------------------------------------------------------------------------------------------------ calculate


def _calculate(
    params: Params,
    files: tuple[CsvFile, ...],
    folder: Path,
    first_period: str,
    ledger: Path | None,
    run_ref: str,
    *,
    all_findings: bool = False,
) -> Result:
    receipts = None
    if params.receipts:
        read_receipts(params.receipts, params.chunk_bytes)[0].save(folder)
        receipts = folder
    question = None
    if params.period is not None:
        question = Question(params.period.key, first_period, params.late, params.assume_cleared)
    work = Work(
        folder=folder,
        files=files,
        chunks=tuple((place, block) for place, file in enumerate(files) for block in file.blocks),
        constants=params.constants,
        severity=params.effective_severity(),
        flags=Flags(params.summary_flag, params.item_name_flag),
        question=question,
        ledger=ledger,
        receipts=receipts,
        all_findings=all_findings,
    )
    with local_engine(params.workers, len(work.chunks)) as engine:
        staged = list(engine.map(stage_chunk, ((work, chunk) for chunk in range(len(work.chunks)))))
        _refuse_truncated(work, staged)
        scattered, partitions = _scattered(folder, staged)
        settled = list(
            engine.map(settle_chunk, ((work, chunk, scattered, partitions) for chunk in range(len(work.chunks))))
        )
        settled += list(engine.map(settle_partition, ((work, part) for part in range(partitions))))
        items, split, numbering = _merge(work, settled, run_ref)
        batch = _batch_findings(work, settled, items, split)
        batch_path = folder / "batch-findings.arrow"
        write_parts(batch_path, batch.placed, batch.placed["chunk"].to_numpy(), max(len(work.chunks), 1))
        finished = list(engine.map(finish_partition, ((work, part, numbering) for part in range(partitions))))
        weighed = list(finished)
        tasks = ((work, chunk, numbering, partitions, batch_path) for chunk in range(len(work.chunks)))
        finished = list(engine.map(finish_chunk, tasks))
        weighed += finished
    return _result(params, work, staged, settled, items, split, numbering, weighed, finished, batch)


def _refuse_truncated(work: Work, staged: list[Staged]) -> None:
    """A last row without line end that is no row of cells: the file was cut."""
    last_chunk = {place: chunk for chunk, (place, _) in enumerate(work.chunks)}
    for place, chunk in last_chunk.items():
        if staged[chunk].last_is_wrong and not work.files[place].ends_with_newline:
            rule, name = RULES["F106"], work.files[place].name
            row = work.chunks[chunk][1].first_row + staged[chunk].lines + staged[chunk].blank - 1
            raise UnusableInput(
                f"[F106] {name}, row {row}: {rule.message.en} {rule.remedy.en}",
                f"[F106] {name} 第 {row} 行：{rule.message.zh}{rule.remedy.zh}",
            )


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


def _merge(work: Work, settled: list[Settled], run_ref: str) -> tuple[pa.Table, Split, Numbering]:
    """Partial items of all units to items, split and numbered; where each unit's rows went is left for `finish`."""
    partials = [read_table(work.unit(unit.unit, "partials")) for unit in settled]
    if not partials:
        empty = Split(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
        return pa.table({}), empty, Numbering(run_ref, 0, work.folder)
    items, item_of_row = combine_partials(pa.concat_tables(partials).combine_chunks())
    split = split_items(items)
    numbering = Numbering(run_ref, split.declarations, work.folder)
    bounds = np.cumsum([0, *(table.num_rows for table in partials)])
    for unit, start, end in zip(settled, bounds[:-1], bounds[1:], strict=True):
        numbering.save(f"items-{unit.unit}", item_of_row[start:end])
    numbering.save("declaration", split.declaration)
    numbering.save("item_no", split.item_no)
    return items, split, numbering


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
        totals.append(declared_totals(made_items, made).cast(TOTALS))
        empty = made.filter(pc.equal(made["package_count"], 0))["declaration_ref"].to_pylist()
        batch = BatchFindings(batch.placed, pa.concat_tables([batch.placeless, without_packages(empty)]))
    balanced = control_totals(pa.concat_tables(totals))
    must_balance(balanced)
    return Result(
        work, settled, items, split, made, made_items, checked("control_totals", balanced), finished,
        [done.spread for done in weighed], batch, sum(chunk.blank for chunk in staged),
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- publish


def _counts(result: Result) -> dict[str, int]:
    by_name = {(row["column"], bucket): int(row[bucket]) for row in result.totals.to_pylist() if row["column"] in ("lines", "inventories")
               for bucket in ("read", "declared", "rejected", "excluded")}  # fmt: skip
    counts = {
        f"{name}_{bucket}": by_name.get((name, bucket), 0)
        for name in ("lines", "inventories")
        for bucket in ("read", "declared", "rejected", "excluded")
    }
    counts["inventories_late"] = sum(unit.counts["late"] for unit in result.settled)
    counts["rows_blank"] = result.blank
    counts["declarations"] = result.declarations.num_rows
    counts["declaration_items"] = result.declaration_items.num_rows
    return counts


def _excluded_counts(result: Result) -> dict[str, int]:
    counts: dict[str, int] = {}
    for table in result.pieces("excluded"):
        for reason, count in zip(*_value_counts(table["reason"]), strict=True):
            counts[reason] = counts.get(reason, 0) + count
    return dict(sorted(counts.items()))


def _value_counts(values: pa.ChunkedArray) -> tuple[list[str], list[int]]:
    counted = values.combine_chunks().value_counts()
    return counted.field("values").to_pylist(), counted.field("counts").to_pylist()


def _tally(outcome: Outcome, findings: pa.Table) -> None:
    for code, count in zip(*_value_counts(findings["code"]), strict=True):
        outcome.findings[code] = outcome.findings.get(code, 0) + count


def _rejected_lines(result: Result) -> int:
    return sum(int(row["rejected"]) for row in result.totals.to_pylist() if row["column"] == "lines")


def _totals_as_text(totals: pa.Table) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in totals.to_pylist()]


def _findings(params: Params, result: Result) -> Iterator[pa.Table]:
    return findings_rows(_finding_pieces(result), params.effective_severity(), params.lang)


def _finding_pieces(result: Result) -> Iterator[pa.Table]:
    """File findings before those of the file's rows; what has no place in the input last."""
    chunk_files = [place for place, _ in result.work.chunks]
    pieces = result.pieces("findings")
    for place, file in enumerate(result.work.files):
        yield _file_findings(file)
        for _ in range(chunk_files.count(place)):
            yield next(pieces)
    placeless = result.batch.placeless.drop_columns("line")
    length = placeless.num_rows
    placeless = placeless.append_column("source_file", pa.array([""] * length, pa.string()))
    yield placeless.append_column("source_row", pa.nulls(length, pa.int64()))


def _file_findings(file: CsvFile) -> pa.Table:
    rows: list[tuple[str, str, int | None]] = [("F301", file.headings[place].strip(), 1) for place in file.matched.unknown]
    if not file.ends_with_newline and file.blocks:
        rows.append(("F302", "", None))
    if not file.blocks:
        rows.append(("F303", "", 1))
    blank = pa.nulls(len(rows), pa.string())
    return pa.table(
        {
            "code": pa.array([CODE_INDEX[code] for code, _, _ in rows], pa.int16()),
            "column": pa.array([0] * len(rows), pa.int16()),
            "value": pa.array([value for _, value, _ in rows], pa.string()),
            "inventory_no": blank,
            "item_no": blank,
            "source_file": pa.array([file.name] * len(rows), pa.string()),
            "source_row": pa.array([row for _, _, row in rows], pa.int64()),
        }
    )


def _publish(
    params: Params,
    result: Result,
    connection: sqlite3.Connection,
    out: Path,
    run_ref: str,
    first_period: str,
    now: datetime,
) -> Outcome:
    outcome = Outcome(period=str(params.period))
    outcome.counts, outcome.excluded = _counts(result), _excluded_counts(result)
    outcome.totals = _totals_as_text(result.totals)
    rejections = _rejections_sha256(result)
    if _rejected_lines(result):
        outcome.exit_code = Exit.WAITING
    told_before = {row["rejections_sha256"]: row["folder"] for row in runs(connection) if row["period"] == str(params.period)}
    anything_new = result.split.declarations or (_rejected_lines(result) and rejections not in told_before)
    moment = now.isoformat(timespec="seconds")
    target = out / str(params.period) / run_ref
    if not anything_new:
        for table in _findings(params, result):
            _tally(outcome, table)
        outcome.folder = told_before.get(rejections, "") if _rejected_lines(result) else ""
        nothing = RunRecord(str(params.period), "", "", moment, "", "", first_period)
        record(connection, nothing, [], _waiting(result), pa.table({}))
        return outcome
    make_folder(target.parent)
    stage = target.parent / f"{STAGE_PREFIX}{run_ref}"
    stage.mkdir()
    try:
        _write_outputs(params, result, stage, outcome)
        outcome.run_ref, outcome.folder, outcome.published = run_ref, str(target), True
        manifest = write_manifest(stage, params, result.work.files, outcome.counts, outcome.excluded, run_ref, now)
        sync_files(stage)
        entry = RunRecord(str(params.period), run_ref, str(target), moment, manifest, rejections, first_period)
        record(connection, entry, _declared(result), _waiting(result), result.declarations)
    except BaseException:
        if run_ref not in {row["run_ref"] for row in runs(connection)}:
            shutil.rmtree(stage, ignore_errors=True)
        raise
    publish(stage, target)
    return outcome


def _rejections_sha256(result: Result) -> str:
    """What was rejected and why, as one hash: the same rejections are told once, not on every scheduled run."""
    digest = hashlib.sha256()
    for finished in result.finished:
        if "rejected" in finished.pieces:
            digest.update(finished.pieces["rejected"].read_bytes())
    return digest.hexdigest()


def _write_outputs(params: Params, result: Result, stage: Path, outcome: Outcome) -> None:
    refs = declaration_refs(_run_ref_of(result), result.split.declarations)

    def counted() -> Iterator[pa.Table]:
        for table in _findings(params, result):
            _tally(outcome, table)
            yield table

    makers = {
        "declarations": lambda: iter([result.declarations]),
        "declaration_items": lambda: iter([result.declaration_items]),
        "weight_shares": lambda: weight_shares(result.spread, refs),
        "findings": counted,
        "excluded": lambda: (checked("excluded", table) for table in result.pieces("excluded")),
        "control_totals": lambda: iter([result.totals]),
    }
    for name, make in makers.items():
        write_csv(stage / f"{name}.csv", SCHEMAS[name], make())
        if "parquet" in params.formats:
            outcome.findings = {} if name == "findings" else outcome.findings
            write_parquet(stage / f"{name}.parquet", SCHEMAS[name], make())
    audit = (checked("audit_map", table) for table in result.pieces("audit_map"))
    write_parquet(stage / "audit_map.parquet", SCHEMAS["audit_map"], audit)
    if "csv" in params.formats:
        again = (checked("audit_map", table) for table in result.pieces("audit_map"))
        write_csv(stage / "audit_map.csv", SCHEMAS["audit_map"], again)
    _write_rejected(result, stage / "rejected")


def _run_ref_of(result: Result) -> str:
    refs = result.declarations["declaration_ref"]
    return str(refs[0].as_py()).rsplit("-", 1)[0] if len(refs) else ""


def _write_rejected(result: Result, folder: Path) -> None:
    names = rejected_names(result.work.files)
    for chunk, (place, _) in enumerate(result.work.chunks):
        piece = result.finished[chunk].pieces.get("rejected")
        if piece is None:
            continue
        folder.mkdir(exist_ok=True)
        path = folder / names[place]
        with path.open("ab") as sink:
            if sink.tell() == 0:
                sink.write(rejected_head(result.work.files[place]))
            with piece.open("rb") as source:
                shutil.copyfileobj(source, sink)


def _declared(result: Result) -> Iterator[pa.Table]:
    for table in result.inventories():
        verdict = table["verdict"]
        wanted = pc.is_in(verdict, value_set=pa.array([int(Verdict.DECLARED), int(Verdict.LATE)], pa.int8()))
        chosen = table.filter(wanted)
        late = pc.equal(chosen["verdict"], pa.scalar(int(Verdict.LATE), pa.int8()))
        yield chosen.select(["inventory_no", "content", "cleared_period"]).append_column("late", late)


def _waiting(result: Result) -> Iterator[pa.Table]:
    """What was seen and not declared, and is not known as declared: it must not be forgotten."""
    for table in result.inventories():
        verdict, reasons = table["verdict"].to_numpy(), table["reasons"].to_numpy()
        fates = {int(Verdict.REJECTED): "rejected", int(Verdict.EXCLUDED): "excluded"}
        wanted = np.isin(verdict, list(fates)) & (reasons & REASON_BIT["known"] == 0)
        wanted &= table["inventory_no"].is_valid().to_numpy()
        chosen = table.filter(pa.array(wanted))
        reason_text = _texts(chosen["reasons"].to_numpy(), lambda bits: " ".join(r for r, bit in REASON_BIT.items() if bits & bit))
        code_text = _texts(chosen["bits"].to_numpy(), codes_of)
        rejected = chosen["verdict"].to_numpy() == Verdict.REJECTED
        yield chosen.select(["inventory_no", "cleared_period"]).append_column(
            "fate", pa.array(np.where(rejected, "rejected", "excluded"), pa.string())
        ).append_column("reason", pa.array(np.where(rejected, code_text, reason_text), pa.string()))


def _texts(bits: np.ndarray[Any, Any], text: Any) -> np.ndarray[Any, Any]:
    values, places = np.unique(bits, return_inverse=True)
    return np.array([text(int(value)) for value in values] or [""], dtype=object)[places] if len(bits) else np.array([], dtype=object)
