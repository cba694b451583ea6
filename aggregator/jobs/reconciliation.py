"""The comparison of each run that customs has answered: what the ledger knows of customs' answers against the audit map.

Compared are the inventories that a run holds: what was refused and is declared again is the other run's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.reconcile import (
    Difference,
    Kind,
    customs_items,
    group_differences,
    head_differences,
    line_differences,
    weight_differences,
)
from aggregator.domain.states import decisive, said
from aggregator.jobs.publish import void_folder
from aggregator.ledger.ledger import KnownApplication, Ledger
from aggregator.model.answers import KnownResult
from aggregator.model.errors import CannotReadOrWrite
from aggregator.model.records import LIVE_STATES, Run, State
from aggregator.model.remote import AnyPath
from aggregator.outputs.run_tables import as_written, table_in
from aggregator.outputs.tables import csv_bytes
from aggregator.places.at import place_at
from aggregator.schemas.codes import NO_PRODUCER_CODE
from aggregator.schemas.column_names import column_name
from aggregator.schemas.modes import Mode, mode_of
from aggregator.schemas.modes.m9610 import M9610
from aggregator.schemas.modes.m9610.limits import HEADER_KEY
from aggregator.schemas.modes.m9610.messages import Says
from aggregator.schemas.text import Lang

_PARTS_SHOWN = 100
FOLDER, RECONCILIATION, STRAYS = "reconciliation", "reconciliation.csv", "not-applied"
_OURS = (
    "inventory_no", "item_no", "declaration_ref", "declaration_item_no", "commodity_code", "destination_country_code", "currency_code",
    "declared_unit_code", "statutory_unit_code", "second_statutory_unit_code", "declared_quantity", "statutory_quantity",
    "second_statutory_quantity", "total_price", "gross_weight_kg", "net_weight_kg", "package_count",
)  # fmt: skip
@dataclass
class Reconciled:
    """A run, how far customs' answers to it have come, and how they differ. `folder`: where that is written."""

    run_ref: str
    folder: AnyPath | None
    applications: Counter[str] = field(default_factory=Counter)
    inventories: int = 0
    lines: int = 0
    results: int = 0
    declaration_nos: int = 0
    differences: list[Difference] = field(default_factory=list)


def reconcile_runs(ledger: Ledger, out: AnyPath, answered: set[int], headings: Lang = "en") -> Iterator[Reconciled]:
    """Runs that customs has answered, the earliest first; and, under no run, what customs has that none applied for. Runs that
    are done with, and not among those `answered` now, are left as they were."""
    for run in ledger.runs():
        if run.folder is None or (run.run_no not in answered and _is_done(ledger, run, out)):
            continue
        if ledger.is_answered(run.run_no):
            yield _reconciled(ledger, run, out, headings)
    strays = ledger.stray_lines()
    if strays.num_rows:
        numbers = sorted(set(strays["inventory_no"].to_pylist()))
        stray = Reconciled("", None, inventories=len(numbers), lines=strays.num_rows)
        of = dict(zip(strays["inventory_no"].to_pylist(), strays["summary_seq_no"].to_pylist(), strict=True))
        stray.differences = [Difference(Kind.NOT_APPLIED, number, "", "", of[number]) for number in numbers]
        stray.folder = _written(out / FOLDER / STRAYS, stray.differences, None, headings)
        yield stray
    elif place_at(out).is_file(out / FOLDER / STRAYS / RECONCILIATION):
        _written(out / FOLDER / STRAYS, [], None, headings)


@contextmanager
def local(run: Run, name: str) -> Iterator[Path]:
    """A file of a run folder, also of a run that was taken back, on this machine."""
    assert run.folder is not None
    path = (run.folder if run.live else void_folder(run.folder)) / name
    with ExitStack() as stack:
        try:
            file = stack.enter_context(place_at(path).local(path))
        except FileNotFoundError:
            raise CannotReadOrWrite(
                f"{path} is not there: the folder of the run {run.run_ref} was moved or removed. Put it back.",
                f"{path} 不存在：批次 {run.run_ref} 的文件夹已被移动或删除。请放回原处。",
            ) from None
        yield file


def _is_done(ledger: Ledger, run: Run, out: AnyPath) -> bool:
    """Whether all its applications are entered or refused, and nothing differed."""
    path = out / FOLDER / run.run_ref / RECONCILIATION
    states = {each.state for each in ledger.applications(run.run_no)}
    if not states <= {State.ENTERED, State.REFUSED} or not place_at(path).is_file(path):
        return False
    with place_at(path).local(path) as file:
        return file.read_bytes().count(b"\n") == 1


def _reconciled(ledger: Ledger, run: Run, out: AnyPath, headings: Lang) -> Reconciled:
    found = Reconciled(run.run_ref, None)
    known = ledger.known_of_applications(run.run_no)
    found.applications = Counter(str(state) for *_, state in known)
    theirs = ledger.customs_lines(run.run_no)
    with local(run, "audit_map.parquet") as path:
        ours = _held(ledger, run, _ours(path, mode_of(run.mode)))
    results = ledger.results(set(theirs["summary_seq_no"].to_pylist()))
    found.inventories = len(set(theirs["inventory_no"].to_pylist()))
    found.lines, found.results = theirs.num_rows, len(results)
    fields = {seq_no: known.fields for seq_no, known in results.items()}
    found.declaration_nos = sum("declaration_no" in said for said in fields.values())
    if theirs.num_rows:
        found.differences += _compared(ours, theirs, results)
        with local(run, "declarations.csv") as path:
            found.differences += head_differences(ours, theirs, _heads(path, mode_of(run.mode)), fields)
        found.differences += _of_results(ledger, run, theirs, results)
    found.differences += _of_parts(results)
    found.differences += _of_applications(ledger, run, known)
    items = customs_items(ours, theirs) if theirs.num_rows else None
    found.folder = _written(out / FOLDER / run.run_ref, found.differences, items, headings)
    return found


def _held(ledger: Ledger, run: Run, ours: pa.Table) -> pa.Table:
    """Lines of the inventories that the run holds, in declarations of applications that customs has begun to merge: one of which
    nothing is merged yet is only waited for."""
    answered = pa.array(ledger.declarations_begun(run.run_no), pa.string())
    dead = ledger.not_held(run.run_no)
    mask = pc.and_(pc.is_in(ours["declaration_ref"], answered), pc.invert(pc.is_in(ours["inventory_no"], pa.array(dead, pa.string()))))
    return ours.filter(mask).combine_chunks()


def _heads(path: Path, mode: Mode) -> dict[str, dict[str, str]]:
    """What of each of our declarations must not mix with another's."""
    with as_written(path):
        whole = table_in(path, mode, "declarations", ("declaration_ref", *HEADER_KEY.value))
    rows = {row["declaration_ref"]: {name: row.get(name, "") for name in HEADER_KEY.value} for row in whole.to_pylist()}
    for head in rows.values():
        if head["producer_seller_code"] not in ("", NO_PRODUCER_CODE):
            head["producer_seller_name"] = ""
    return rows


def _compared(ours: pa.Table, theirs: pa.Table, results: dict[str, KnownResult]) -> Iterator[Difference]:
    yield from line_differences(ours, theirs)
    yield from group_differences(ours, theirs)
    whole = {seq_no: result.fields for seq_no, result in results.items() if not _missing_parts(result)}
    yield from weight_differences(ours, theirs, whole)


def _of_results(ledger: Ledger, run: Run, theirs: pa.Table, results: dict[str, KnownResult]) -> Iterator[Difference]:
    """Results that hold inventories of other runs too; declaration numbers that changed, or that two results have."""
    counts = theirs.group_by("summary_seq_no").aggregate([("item_no", "count")])
    for seq_no, count in sorted(zip(*(column.to_pylist() for column in counts.columns), strict=True)):
        result = results[seq_no]
        if result.lines != count:
            others = [ref for ref in ledger.runs_holding(seq_no) if ref != run.run_ref]
            if others:
                yield Difference(Kind.TWO_RUNS, seq_no, "", run.run_ref, " ".join(others))
        if len(result.declaration_nos) > 1:
            yield Difference(Kind.NUMBER_CHANGED, seq_no, "", "", " → ".join(result.declaration_nos))
        number = result.fields.get("declaration_no")
        same = ledger.results_numbered(number) if number else []
        if len(same) > 1 and same[0] == seq_no:
            yield Difference(Kind.NUMBER_TWICE, str(number), "", "", " ".join(same))


def _ours(path: Path, mode: Mode) -> pa.Table:
    with as_written(path):
        table = table_in(path, mode, "audit_map", _OURS)
    return table.set_column(table.column_names.index("item_no"), "item_no", table["item_no"].cast(pa.int64()))


def _missing_parts(result: KnownResult) -> list[tuple[int, int]]:
    """First and last of the parts that have not come, a few of them one by one."""
    have, parts = result.parts, int(result.fields.get("parts") or "1")
    gaps = [(before + 1, after - 1) for before, after in zip([0, *have], [*have, parts + 1], strict=True) if after - before > 1]
    single = [(part, part) for first, last in gaps for part in range(first, min(last, first + _PARTS_SHOWN - 1) + 1)]
    return single if len(single) <= _PARTS_SHOWN and sum(last - first + 1 for first, last in gaps) == len(single) else gaps


def _of_parts(results: dict[str, KnownResult]) -> Iterator[Difference]:
    for seq_no, result in sorted(results.items()):
        for first, last in _missing_parts(result):
            yield Difference(Kind.PART_MISSING, seq_no, "", "", f"{first if first == last else f'{first}-{last}'}/{result.fields.get('parts')}")


def _of_applications(ledger: Ledger, run: Run, known: list[KnownApplication]) -> Iterator[Difference]:
    """Where receipts, results, a person and a later run say different things of an application."""
    counts = Counter[tuple[int, bool]]()
    for each in ledger.tally(run.run_no):
        counts[each.application_no, each.state in LIVE_STATES] += each.inventories
    for key, application, state in known:
        ref, [says, _] = application.application_ref, said(application)
        alive, dead = (counts[key, kind] for kind in (True, False))
        if application.voided and (alive or application.receipts):
            latest = max((f"{each.at} {each.status}" for each in application.receipts), default="")
            yield Difference(Kind.ANSWER_AFTER_VOID, ref, "", "voided", latest.partition(" ")[2] or "in a result")
        elif says not in LIVE_STATES and alive:
            yield Difference(Kind.ANSWER_AFTER_REFUSAL, ref, "", "refused", f"in a result: {alive}")
        if says in (State.ACCEPTED, State.MERGED, State.ENTERED) and dead:
            yield Difference(Kind.ANSWER_AFTER_REFUSAL, ref, "", f"declared again: {dead}", "accepted")
        if state is State.REFUSED or application.voided:
            continue
        for part, receipt in sorted(decisive(application.receipts).items()):
            if receipt.says is Says.REFUSED:
                yield Difference(Kind.PART_REFUSED, ref, "", str(state), f"{part}: {receipt.status} {receipt.info}".strip())


def _written(folder: AnyPath, differences: list[Difference], items: pa.Table | None, headings: Lang) -> AnyPath:
    """reconciliation.csv, and customs_items.csv: customs' items from our lines."""
    place = place_at(folder)
    place.make(folder)
    columns = {
        "kind": [str(each.kind) for each in differences],
        **{name: [getattr(each, name) for each in differences] for name in ("subject", "item_no", "ours", "customs")},
    }
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    place.write(folder / RECONCILIATION, _csv(table, headings))
    if items is not None:
        place.write(folder / "customs_items.csv", _csv(items, headings))
    return folder


def _csv(table: pa.Table, headings: Lang) -> bytes:
    named = table.rename_columns([column_name(name, M9610.dictionary, headings) for name in table.column_names])
    return b"\xef\xbb\xbf" + csv_bytes(named, header=True)
