"""The verbs of a ledger (ledger/ledger.py) that are one statement or two, whatever keeps the tables. What is left to a kind is
abstract."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import pyarrow as pa
import pyarrow.compute as pc

from aggregator.ledger.ledger import KnownApplication, LedgerAt, Rows
from aggregator.ledger.sql import amend, answers, customs, periods, query, record
from aggregator.ledger.sql.chain import MOVED, append_event
from aggregator.ledger.sql.connection import Connection
from aggregator.ledger.sql.orders import list_numbers, listed_orders, order_standings, release
from aggregator.ledger.sql.settle import applications_of, settle
from aggregator.model.answers import (
    ApplicationReceipt,
    Applied,
    Change,
    Clearance,
    KnownResult,
    OrderStanding,
    Result,
    Sent,
)
from aggregator.model.place import Place
from aggregator.model.records import (
    ApplicationStanding,
    Event,
    ExportedTable,
    Imported,
    PeriodFacts,
    RecordedRows,
    Run,
    Seen,
    Size,
    State,
    Tally,
)
from aggregator.schemas.text import Text


class SqlLedger(ABC):
    def __init__(self, connection: Connection, place: Place) -> None:
        self._connection, self.place = connection, place
        self._at = ""
        """The time of the transaction that is under way; blank: there is none."""

    @abstractmethod
    def transaction(self, at: str) -> AbstractContextManager[None]: ...

    @abstractmethod
    def altered(self) -> list[Text]: ...

    @abstractmethod
    def refuse_altered(self) -> None: ...

    def copy_to(self, target: LedgerAt) -> None:
        target.filled(self.all_tables())

    @abstractmethod
    def all_tables(self) -> Iterator[Rows]: ...

    @abstractmethod
    def export(self) -> Iterator[ExportedTable]: ...

    @property
    def ledger_id(self) -> str:
        return query.setting(self._connection, "ledger_id") or ""

    @property
    def first_period(self) -> str | None:
        return query.setting(self._connection, "first_period")

    @contextmanager
    def _at_time(self, at: str) -> Iterator[None]:
        """Within a transaction."""
        self._at = at
        try:
            yield
        finally:
            self._at = ""

    def _writing(self) -> Connection:
        if not self._at:
            raise RuntimeError("the ledger is written to outside of a transaction")
        return self._connection

    # ------------------------------------------------------------------------------------------ whether it is to be believed

    def last_event(self) -> Event:
        return query.last_event(self._connection)

    def holds_event(self, event: Event) -> bool:
        return query.holds_event(self._connection, event)

    def size(self) -> Size:
        return query.size(self._connection)

    # ----------------------------------------------------------------------------------------------------------- record a run

    def next_run_ref(self, period: str) -> str:
        return record.next_run_ref(self._connection, period)

    def begin_run(self, first_period: str) -> int:
        if first_period:
            record.record_first_period(self._writing(), first_period, self._at)
        return record.next_run_no(self._connection)

    def record_declared(self, run_no: int, inventories: Iterable[pa.Table]) -> RecordedRows:
        return record.record_rows(self._writing(), run_no, State.APPLIED, inventories)

    def release(self, run_ref: str, orders: Sequence[str]) -> None:
        release(self._writing(), run_ref, orders, self._at)

    def record_waiting(self, seen_in: str, period: str, inventories: Iterable[pa.Table]) -> None:
        record.record_waiting(self._writing(), seen_in, period, inventories)

    def record_cancelled(self, run_ref: str, numbers: Sequence[str]) -> None:
        record.record_cancelled(self._writing(), run_ref, self._at, numbers)

    def record_receipts(self, files: Iterable[tuple[str, str]]) -> None:
        record.record_receipts(self._writing(), self._at, files)

    def record_sent(self, sent: Iterable[Sent]) -> None:
        record.record_sent(self._writing(), sent)

    def record_run(self, run: Run, rows: RecordedRows, applications: pa.Table, declarations: pa.Table) -> None:
        folder = record.relative_folder(query.home_of(self._connection, self.place), run.folder) if run.folder is not None else ""
        kept = record.RunRecord(
            run.run_no, run.run_ref, run.period, folder, run.recorded_at, run.manifest_sha256, run.rejections_sha256, run.mode
        )
        record.record_run(self._writing(), kept, rows, applications, declarations)

    def numbers_of(self, rows: RecordedRows) -> Iterator[str]:
        return query.inventory_numbers(self._connection, rows)

    # ------------------------------------------------------------------------------------------------------- change it afterwards

    def void_run(self, run_ref: str, reason: str) -> int:
        return amend.void_run(self._writing(), run_ref, self._at, reason)

    def answer_application(self, application_ref: str, answer: State, reason: str) -> int:
        return amend.answer_application(self._writing(), application_ref, answer, self._at, reason)

    def dismiss(self, numbers: Sequence[str], reason: str) -> int:
        return amend.dismiss(self._writing(), numbers, self._at, reason)

    def correct_first_period(self, first_period: str, reason: str) -> str:
        return amend.correct_first_period(self._writing(), first_period, self._at, reason)

    def record_moved(self, target: Place) -> None:
        append_event(self._writing(), self._at, MOVED, str(target), {})

    def import_declared(self, file: str, sha256: str, inventories: pa.Table) -> Imported:
        known = query.declared(self._writing(), self.place, inventories["inventory_no"])
        new = inventories.filter(pc.invert(pc.is_in(inventories["inventory_no"], value_set=pa.array(known, pa.string()))))
        if not new.num_rows:
            return Imported("", 0, len(known))
        waiting = query.waiting(self._writing(), new["inventory_no"])
        run_ref = amend.record_import(self._writing(), self._at, file, sha256, new.combine_chunks())
        return Imported(run_ref, new.num_rows, len(known), waiting)

    # ------------------------------------------------------------------------------------------------------ what customs answers

    def was_received(self, sha256: str) -> bool:
        return query.was_received(self._connection, sha256)

    def record_received(self, sha256: str, file: str) -> None:
        record.record_receipts(self._writing(), self._at, [(f"{record.RECEIVED}{sha256}", file)])

    def applied(self) -> dict[str, Applied]:
        return query.applied(self._connection)

    def consignors(self) -> frozenset[str]:
        return query.consignors(self._connection)

    def take_receipt(self, application_ref: str, receipt: ApplicationReceipt) -> None:
        answers.fold_receipt(self._writing(), application_ref, receipt)

    def take_result(self, result: Result) -> None:
        answers.fold_result(self._writing(), result)

    def take_clearances(self, clearances: Iterable[Clearance]) -> None:
        answers.fold_clearances(self._writing(), clearances)

    def order_standings(self, run: Run) -> list[OrderStanding]:
        return order_standings(self._connection, run.run_no, run.run_ref)

    def settle(self, runs: Iterable[int]) -> list[Change]:
        changes, _ = settle(self._writing(), runs, self._at)
        return changes

    # --------------------------------------------------------------------------------------------------------- ask it: runs

    def runs(self) -> list[Run]:
        return query.runs(self._connection, self.place)

    def declarations_made(self, run_ref: str) -> int:
        return query.declarations_made(self._connection, run_ref)

    def tally(self, run_no: int) -> list[Tally]:
        return query.tally(self._connection, run_no)

    def applications(self, run_no: int) -> list[ApplicationStanding]:
        return query.applications(self._connection, run_no)

    # ------------------------------------------------------------------------------------------- ask it: customs against ours

    def is_answered(self, run_no: int) -> bool:
        return customs.is_answered(self._connection, run_no)

    def known_of_applications(self, run_no: int) -> list[KnownApplication]:
        found = applications_of(self._connection, [run_no])
        return [KnownApplication(number, facts, State(state)) for _, number, facts, state in found if number]

    def runs_of_results(self, results: Iterable[str]) -> set[int]:
        return customs.runs_of_results(self._connection, results)

    def customs_lines(self, run_no: int) -> pa.Table:
        return customs.customs_lines(self._connection, run_no)

    def stray_lines(self) -> pa.Table:
        return customs.stray_lines(self._connection)

    def declarations_begun(self, run_no: int) -> list[str]:
        return customs.declarations_begun(self._connection, run_no)

    def not_held(self, run_no: int) -> list[str]:
        return customs.not_held(self._connection, run_no)

    def results(self, numbers: Iterable[str]) -> dict[str, KnownResult]:
        return customs.results(self._connection, numbers)

    def runs_holding(self, summary_seq_no: str) -> list[str]:
        return customs.runs_holding(self._connection, summary_seq_no)

    def results_numbered(self, declaration_no: str) -> list[str]:
        return customs.results_numbered(self._connection, declaration_no)

    # ---------------------------------------------------------------------------------------------------------- ask it: trace

    def inventories_in_results(self, numbers: set[str]) -> set[str]:
        return customs.inventories_in_results(self._connection, numbers)

    def latest_runs(self, numbers: Iterable[str]) -> dict[str, int]:
        return customs.latest_runs(self._connection, numbers)

    def seen(self, numbers: Iterable[str], *, by_own_number: bool = False) -> list[Seen]:
        return customs.seen(self._connection, numbers, by_own_number)

    def list_numbers(self, orders: Iterable[str]) -> dict[str, str]:
        return list_numbers(self._connection, orders)

    def listed_orders(self, numbers: Iterable[str]) -> set[str]:
        return listed_orders(self._connection, numbers)

    def traced_lines(self, numbers: Iterable[str]) -> pa.Table:
        return customs.traced_lines(self._connection, numbers)

    # --------------------------------------------------------------------------------------------------------- ask it: status

    def periods(self) -> set[str]:
        return periods.periods(self._connection)

    def period_facts(self, period: str, most_examples: int) -> PeriodFacts:
        return periods.period_facts(self._connection, period, most_examples)
