"""What the stages made of an input, before anything is published, and what a run reports of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.domain.figures import FIGURES
from aggregator.domain.route import REASONS
from aggregator.domain.split import Split
from aggregator.engines.engine import Shard
from aggregator.inputs.export import ITEM_LINES, Export, FileFinding
from aggregator.inputs.tables.others import BLANK
from aggregator.model.errors import Exit
from aggregator.model.outcome import Figure, Outcome
from aggregator.outputs.tables import csv_bytes
from aggregator.pipeline.counting import OncePerValue, add_counts, count_findings, joined, value_counts
from aggregator.pipeline.emit import Emitted
from aggregator.pipeline.resolve import SIMPLIFIED_NAMED, Resolved
from aggregator.pipeline.result_tables import findings_rows
from aggregator.pipeline.ruined import told_of
from aggregator.pipeline.settle import Settled
from aggregator.pipeline.work import Work
from aggregator.pipeline.written import Told, Written
from aggregator.schemas.rule import RuleBook
from aggregator.schemas.text import Lang, Text

_NO_SURPRISE = {"known", "repeat", "simplified", "other_mode"}
"""Reasons for which nothing may be left to declare."""
_TOGETHER = 10_000
"""Findings that are looked at at once: of thousands of files, each has a few."""


@dataclass(frozen=True)
class Result:
    """What the stages made, before anything is published. `placeless`: findings about firms and merged items. `tables`: outputs that only some modes have. `written`: what workers have written."""

    work: Work
    resolved: list[Resolved]
    settled: list[Settled]
    items: pa.Table
    split: Split
    declarations: pa.Table
    declaration_items: pa.Table
    totals: pa.Table
    emitted: list[Emitted]
    spread: list[Shard]
    placeless: pa.Table
    repairs: list[dict[str, int]]
    physical: list[dict[str, int]]
    tables: Mapping[str, pa.Table]
    notes: tuple[Text, ...] = ()
    written: Written = field(default_factory=Written)
    figures: pa.Table = field(default_factory=FIGURES.empty_table)

    def pieces(self, name: str) -> Iterator[pa.Table]:
        for emitted in self.emitted:
            if name in emitted.pieces:
                yield self.work.storage.read(emitted.pieces[name])

    @property
    def rejected_lines(self) -> int:
        return sum(int(row["rejected"]) for row in self.totals.to_pylist() if row["column"] == "lines")

    def findings(self, lang: Lang) -> Iterator[pa.Table]:
        once = OncePerValue(self.work.mode.rules)
        return findings_rows(self.work.mode, map(once.filter, joined(self._finding_pieces(), _TOGETHER)), lang)

    def _finding_pieces(self) -> Iterator[pa.Table]:
        """File findings before those of the file's rows; what has no place in the input last."""
        told = 0
        for place, findings in self._findings_by_file():
            yield from self._file_findings(range(told, place + 1))
            told = max(told, place + 1)
            yield findings
        yield from self._file_findings(range(told, len(self.work.files)))
        yield self._without_place()

    def findings_as_csv(self, written: Sequence[Told], lang: Lang, outcome: Outcome) -> Iterator[bytes]:
        """The same as rows of CSV, of which workers have written most; they are counted into the outcome."""
        outcome.findings, outcome.examples = {}, {}
        told, of_files = 0, self._file_findings_as_csv(lang, outcome)
        for chunk, each in zip(self.work.chunks, written, strict=True):
            rows, begin = self.work.storage.read_bytes(each.name), 0
            for part, size in zip(chunk, each.sizes, strict=True):
                yield from islice(of_files, max(part.place + 1 - told, 0))
                told = max(told, part.place + 1)
                yield rows[begin : begin + size]
                begin += size
            add_counts(outcome, each.counts, each.examples)
        yield from of_files
        for table in findings_rows(self.work.mode, [self._without_place()], lang):
            yield self._counted_csv(table, outcome)

    def _file_findings_as_csv(self, lang: Lang, outcome: Outcome) -> Iterator[bytes]:
        """For each file the rows of what is said of it: put into words many at once, counted when they are asked for."""
        for begin in range(0, len(self.work.files), _TOGETHER):
            places = range(begin, min(begin + _TOGETHER, len(self.work.files)))
            findings = [list(self._file_findings(range(place, place + 1))) for place in places]
            given = [table for each in findings for table in each]
            rows = pa.concat_tables(findings_rows(self.work.mode, [pa.concat_tables(given)], lang)) if given else None
            at = 0
            for each in findings:
                count = sum(table.num_rows for table in each)
                yield self._counted_csv(rows.slice(at, count), outcome) if rows is not None and count else b""
                at += count

    def _counted_csv(self, rows: pa.Table, outcome: Outcome) -> bytes:
        add_counts(outcome, *count_findings([rows]))
        return csv_bytes(rows.cast(self.work.mode.outputs["findings"]), header=False)

    def _without_place(self) -> pa.Table:
        placeless = self.placeless.drop_columns("line")
        length = placeless.num_rows
        placeless = placeless.append_column("source_file", pa.array([""] * length, pa.string()))
        return placeless.append_column("source_row", pa.nulls(length, pa.int64()))

    def _file_findings(self, places: range) -> Iterator[pa.Table]:
        for place in places:
            reported = file_findings(self.work.files[place], self.physical[place])
            if reported:
                yield findings_of_file(self.work.mode.rules, self.work.files[place].name, reported)

    def _findings_by_file(self) -> Iterator[tuple[int, pa.Table]]:
        """Findings of each part of the chunks, with the place of its file."""
        for chunk, emitted, findings in zip(self.work.chunks, self.emitted, self.pieces("findings"), strict=True):
            begin = 0
            for part, count in zip(chunk, emitted.found, strict=True):
                yield part.place, findings.slice(begin, count)
                begin += count

    def rejections_sha256(self) -> str:
        """What was rejected and why, as one hash: the same rejections are reported once, not on every scheduled run."""
        digest = hashlib.sha256()
        for emitted in self.emitted:
            for each in emitted.rejected:
                digest.update(self.work.storage.read_bytes(each.name))
        return digest.hexdigest()


def file_findings(file: Export, physical: dict[str, int]) -> list[FileFinding]:
    """What is to be reported of a file that can be read. `physical`: its lines, by what they are."""
    reported = list(file.reported)
    if not file.ends_with_newline and file.blocks:
        reported.append(FileFinding("F302", ""))
    if not file.blocks or (physical and not physical.get(ITEM_LINES)):
        reported.append(FileFinding("F303", "", 1))
    return reported


def findings_of_file(rules: RuleBook, name: str, reported: list[FileFinding]) -> pa.Table:
    """As rows of FINDINGS, without a line but with a place: source_file (`name`, where a finding names none) and source_row."""
    blank = pa.nulls(len(reported), pa.string())
    return pa.table(
        {
            "code": pa.array([rules.index[each.code] for each in reported], pa.int16()),
            "column": pa.array([0] * len(reported), pa.int16()),
            "value": pa.array([each.value for each in reported], pa.string()),
            "inventory_no": blank,
            "item_no": blank,
            "source_file": pa.array([each.file or name for each in reported], pa.string()),
            "source_row": pa.array([each.row for each in reported], pa.int64()),
        }
    )


def outcome_of(result: Result, period: str) -> Outcome:
    """What there is to report before the findings are counted."""
    counted = {row["column"]: row for row in result.totals.to_pylist() if row["column"] in ("lines", "inventories")}
    counts = {
        f"{name}_{bucket}": int(counted[name][bucket]) if name in counted else 0
        for name in ("lines", "inventories")
        for bucket in ("read", "declared", "rejected", "excluded")
    }
    counts |= {
        "inventories_late": sum(unit.counts["late"] for unit in result.settled),
        "rows_blank": sum(each.get(BLANK, 0) for each in result.repairs),
        "declarations": result.declarations.num_rows,
        "declaration_items": result.declaration_items.num_rows,
    }
    if result.work.mode.routing is not None:
        counts["lists"] = result.split.declarations - result.declarations.num_rows
    excluded: dict[str, int] = {}
    for table in result.pieces("excluded"):
        for reason, count in value_counts(table["reason"]):
            excluded[reason] = excluded.get(reason, 0) + count
    totals = [{name: str(value) for name, value in row.items()} for row in result.totals.to_pylist()]
    exit_code = Exit.WAITING if result.rejected_lines else Exit.DONE
    repairs = sum((Counter(each) for each in result.repairs), Counter())
    not_run = tuple(rule.code for rule in result.work.mode.rules if rule.needs_tariff) if not result.work.has_tariff else ()
    strange = list(_strange(result, counts, excluded))
    if strange:
        exit_code = Exit.WAITING
    ruined, explained = told_of((each for emitted in result.emitted for each in emitted.ruined), result.work.mode, [file.name for file in result.work.files])
    return Outcome(result.work.mode, exit_code, period, counts=counts, excluded=dict(sorted(excluded.items())), totals=totals, not_run=not_run, repairs=dict(sorted(repairs.items())), notes=[*result.notes, *ruined, *strange], explained=explained, simplified=_simplified(result.resolved), routes=_routes(result),
                   figures=_figures(result.figures))  # fmt: skip


def _strange(result: Result, counts: dict[str, int], excluded: dict[str, int]) -> Iterator[Text]:
    """What is no fault of any line, and yet is hardly what was meant."""
    if counts["inventories_read"] and result.work.has_receipts and not any(unit.answered for unit in result.resolved):
        yield Text(
            "The receipts given say nothing of any inventory read: are they of another month, or another firm? Check --receipts.",
            "所给回执与读入的清单无一对应：是否为其他月份或其他企业的回执？请检查 --receipts。",
        )
    total = counts["inventories_read"]
    if total and total == counts["inventories_excluded"] and "known" not in excluded and not set(excluded) <= _NO_SURPRISE:
        reason = max((name for name in excluded if name not in _NO_SURPRISE), key=lambda name: excluded[name])
        why = result.work.mode.rules.exclusions[reason].message
        yield Text(
            f"{'The only inventory was' if total == 1 else f'All {total:,} inventories were'} excluded, nothing is declared{f'; {excluded[reason]:,} of them' if total > 1 else ''}: {why.en} Check --period and what says what is cleared.",
            f"全部 {total:,} 份清单均被排除，未申报任何清单；其中 {excluded[reason]:,} 份：{why.zh}请检查 --period 及结关状态的来源。",
        )


def _figures(summed: pa.Table) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for row in summed.to_pylist():
        found.setdefault(row.pop("by"), []).append(Figure(**row))
    return found


def _routes(result: Result) -> dict[str, int]:
    """How many orders have each reason; one may have several."""
    if "routes" not in result.tables:
        return {}
    reasons = pc.list_flatten(pc.split_pattern(result.tables["routes"]["reasons"].combine_chunks(), ";"))
    found = dict(value_counts(pa.chunked_array([reasons])))
    return {reason: found[reason] for reason in REASONS if reason in found}


def _simplified(resolved: list[Resolved]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Of all units together; the inventories named are the first in input order, nearly always."""
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    for unit in resolved:
        for code, (count, numbers) in unit.simplified.items():
            before, named = found.get(code, (0, ()))
            found[code] = (before + count, (*named, *numbers)[:SIMPLIFIED_NAMED])
    return dict(sorted(found.items()))
